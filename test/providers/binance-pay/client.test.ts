import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/host.ts'
import { CERTIFICATES_PATH, certificatesBody } from '../../../src/providers/binance-pay/certificates.ts'
import { type BinancePayClient, binancePayClient } from '../../../src/providers/binance-pay/client.ts'
import { createHttp } from '../../../src/providers/http.ts'
import { defaultKnobs, type Knobs } from '../../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../../src/sandbox/sandbox.ts'
import { type FixedClock, fixedClock } from '../../support/fixed-clock.ts'
import { type QuietLog, quietLog } from '../../support/quiet-log.ts'
import { ALPHA, startTestSandbox } from '../../support/sandbox-client.ts'
import { bytesOf, startServer } from '../../support/test-http.ts'

const agent = new Agent()
const http = createHttp({ dispatcher: agent, timeoutMs: 2000, maxAnswerBytes: 65_536 })
/** Both sides stand still at the same moment; only the sandbox's knob tells their clocks apart. */
const clock: FixedClock = fixedClock('2026-03-10T12:00:00.000Z')
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startTestSandbox({ clock })
})
afterEach(() => {
  clock.set('2026-03-10T12:00:00.000Z')
  sandbox.setKnobs({ ...defaultKnobs, certificateBits: '1024' })
})
afterAll(async () => {
  await sandbox.stop()
  await agent.close()
})

function clientOf(changed: Partial<Parameters<typeof binancePayClient>[0]> = {}): {
  client: BinancePayClient
  log: QuietLog
} {
  const log = quietLog()
  const credentials = () => ALPHA
  const base = { baseUrl: sandbox.url, credentials, http, clock, random: systemRandom, log }
  return { client: binancePayClient({ ...base, ...changed }), log }
}

const ask = (client: BinancePayClient) => client.call(CERTIFICATES_PATH, certificatesBody())
const counts = (code: string) => sandbox.books().requests.certificates?.byCode[code] ?? 0

async function sentBy(knobs: Partial<Knobs>, use: () => Promise<unknown>) {
  sandbox.setKnobs(knobs)
  const before = { refused: counts('400003'), accepted: counts('000000') }
  await use()
  return { refused: counts('400003') - before.refused, accepted: counts('000000') - before.accepted }
}

describe('a call', () => {
  it('is signed as the sandbox expects, and answered in one request', async () => {
    const { client, log } = clientOf()
    const sent = await sentBy({}, async () => expect(await ask(client)).toMatchObject({ result: 'success' }))
    expect(sent).toEqual({ refused: 0, accepted: 1 })
    expect(log.lines).toEqual([])
  })

  it('sends the very bytes it signed, numbers above 2^53 as digits', async () => {
    const bodies: string[] = []
    const server = await startServer(async (request, response) => {
      bodies.push((await bytesOf(request)).toString())
      response.end('{"status":"SUCCESS","code":"000000"}')
    })
    await clientOf({ baseUrl: server.url }).client.call('/x', { bizId: 29383937493038367292n, s: 'é/' })
    expect(bodies).toEqual(['{"bizId":29383937493038367292,"s":"é/"}'])
    await server.stop()
  })

  it('never uses a nonce of 32 letters and digits twice', async () => {
    const nonces: string[] = []
    const server = await startServer((request, response) => {
      nonces.push(String(request.headers['binancepay-nonce']))
      response.end('{"status":"SUCCESS","code":"000000"}')
    })
    const { client } = clientOf({ baseUrl: server.url })
    await Promise.all(Array.from({ length: 200 }, () => ask(client)))
    await server.stop()
    expect(new Set(nonces).size).toBe(200)
    for (const nonce of nonces) expect(nonce).toMatch(/^[A-Za-z0-9]{32}$/)
  })

  it('is accepted by a provider that refuses a nonce it has seen, also when it is signed anew', async () => {
    const { client } = clientOf()
    sandbox.setKnobs({ nonceReplay: 'refuse', clockSkewMs: 5000 })
    for (let time = 0; time < 3; time++) expect(await ask(client)).toMatchObject({ result: 'success' })
  })

  it('reads the credentials each time, and does not send without them', async () => {
    const { client } = clientOf({
      credentials: () => {
        throw new Error('no credentials')
      },
    })
    const sent = await sentBy({}, () => expect(ask(client)).rejects.toThrow('no credentials'))
    expect(sent).toEqual({ refused: 0, accepted: 0 })
  })

  it('with a wrong secret is refused at once, and says so without the secret', async () => {
    const { client, log } = clientOf({ credentials: () => ({ ...ALPHA, secretKey: 'planted-wrong-secret' }) })
    const answer = await ask(client)
    expect(answer).toMatchObject({ result: 'failure', code: '400002', ambiguous: false })
    expect(JSON.stringify(answer) + log.text()).not.toContain('planted-wrong-secret')
  })

  it('to a wrong path is answered by the firewall', async () => {
    expect(await clientOf().client.call('/wrong', {})).toMatchObject({ code: 'HTTP-403', ambiguous: false })
  })

  it.each([
    ['1', '400004', false],
    ['2', '400004', false],
    ['3', '100001001', true],
    ['4', 'HTTP-403', false],
  ] as const)('is refused in shape %s', async (errorShape, code, ambiguous) => {
    for (const failHttpStatus of ['always-200', 'by-code'] as const) {
      sandbox.setKnobs({ errorShape, failHttpStatus, ipAllowed: false })
      expect(await ask(clientOf().client)).toMatchObject({ result: 'failure', code, ambiguous })
    }
  })
})

describe('a clock that differs', () => {
  const starts = ['12:00:00.000', '12:00:00.001', '12:00:00.499', '12:00:00.500', '12:00:00.999']
  const skews = [-3_600_000, -5000, -2001, -1001, 1001, 1999, 5000, 86_400_000]
  const cases = skews.flatMap(skewMs => starts.map(start => [skewMs, start] as const))

  it.each(cases)('by %i ms at %s is corrected once', async (skewMs, start) => {
    clock.set(`2026-03-10T${start}Z`)
    const { client, log } = clientOf()
    const sent = await sentBy({ clockSkewMs: skewMs }, async () => {
      expect(await ask(client)).toMatchObject({ result: 'success' })
      expect(await ask(client)).toMatchObject({ result: 'success' })
    })
    expect(sent).toEqual({ refused: 1, accepted: 2 })
    expect(log.of('clock.skewed')).toHaveLength(1)
    const aheadMs = client.aheadMs() ?? Number.NaN
    expect(Math.abs(aheadMs - skewMs)).toBeLessThanOrEqual(500)
  })

  it('within what the provider takes is not corrected', async () => {
    for (const clockSkewMs of [-1000, -500, 0, 500, 1000]) {
      const { client, log } = clientOf()
      const sent = await sentBy({ clockSkewMs }, async () => {
        expect(await ask(client)).toMatchObject({ result: 'success' })
      })
      expect(sent).toEqual({ refused: 0, accepted: 1 })
      expect(log.lines).toEqual([])
    }
  })

  it('and changes again is corrected again', async () => {
    const { client } = clientOf()
    const sent = await sentBy({}, async () => {
      for (const clockSkewMs of [5000, -5000, 0]) {
        sandbox.setKnobs({ clockSkewMs })
        expect(await ask(client)).toMatchObject({ result: 'success' })
      }
    })
    expect(sent).toEqual({ refused: 3, accepted: 3 })
  })

  it.each([
    [5000, /HTTP date, its clock is about \d\.\d s ahead of this machine's/],
    [-5000, /HTTP date, its clock is about \d\.\d s behind this machine's/],
  ])('by %i ms is named when correcting it does not help, and tried no third time', async (skewMs, says) => {
    const { client } = clientOf()
    // Nothing falls within a window of no width on the side that the correction leaves.
    const sent = await sentBy({ clockSkewMs: skewMs, clockWindowMs: 0 }, async () => {
      const answer = await ask(client)
      expect(answer).toMatchObject({ result: 'failure', code: '400003', ambiguous: false })
      expect(answer.result === 'failure' && answer.says).toMatch(says)
    })
    expect(sent).toEqual({ refused: 2, accepted: 0 })
  })

  const refusing = async (headers: Record<string, string>, status = 200) => {
    const server = await startServer((_request, response) => {
      response.sendDate = false
      response.writeHead(status, headers)
      response.end('{"status":"FAIL","code":"400003","errorMessage":"Timestamp."}')
    })
    const { client } = clientOf({ baseUrl: server.url })
    const answer = await ask(client)
    await server.stop()
    return { answer, requests: server.requests.length }
  }

  it.each([
    ['there is no date', {}],
    ['the date is nonsense', { date: 'yesterday' }],
  ])('is not corrected blindly when %s', async (_, headers) => {
    const { answer, requests } = await refusing(headers)
    expect(requests).toBe(1)
    expect(answer).toMatchObject({ result: 'failure', code: '400003', ambiguous: false })
  })

  it('is not corrected when the server broke: what it did is not certain', async () => {
    const { answer, requests } = await refusing({ date: 'Tue, 10 Mar 2026 12:00:05 GMT' }, 500)
    expect(requests).toBe(1)
    expect(answer).toMatchObject({ result: 'failure', ambiguous: true })
  })
})
