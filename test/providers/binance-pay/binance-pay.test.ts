import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/host.ts'
import { binancePay } from '../../../src/providers/binance-pay/binance-pay.ts'
import { createHttp } from '../../../src/providers/http.ts'
import type { CallbackMessage } from '../../../src/providers/provider.ts'
import { PROVIDERS } from '../../../src/providers/registry.ts'
import { defaultKnobs } from '../../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../../src/sandbox/sandbox.ts'
import { publicKeys } from '../../../src/stores/public-keys.ts'
import { type FixedClock, fixedClock } from '../../support/fixed-clock.ts'
import { memoryStore } from '../../support/memory-store.ts'
import { quietLog } from '../../support/quiet-log.ts'
import {
  ALPHA,
  BETA,
  QUICK,
  type Received,
  startReceiver,
  startTestSandbox,
} from '../../support/sandbox-client.ts'
import { closedPort, startServer } from '../../support/test-http.ts'

const agent = new Agent({ connect: { timeout: 2000 } })
/** Sleeps wait: one that jumped would use up the patience of the sandbox's callbacks at once. */
const clock: FixedClock = fixedClock('2026-03-10T12:00:00.000Z', 'waits')
let sandbox: Sandbox
const KNOBS = { ...defaultKnobs, ...QUICK, certificateBits: '2048' } as const

beforeAll(async () => {
  sandbox = await startTestSandbox({ clock, knobs: KNOBS })
})
afterEach(() => sandbox.setKnobs(KNOBS))
afterAll(async () => {
  await sandbox.stop()
  await agent.close()
})

function providerAt(baseUrl = sandbox.url, changed: { timeoutMs?: number; merchant?: typeof ALPHA } = {}) {
  const log = quietLog()
  const provider = binancePay({
    baseUrl,
    credentials: () => changed.merchant ?? ALPHA,
    callbackMaxAgeMs: 300_000,
    keyRefetchAfterMs: 10_000,
    http: createHttp({ dispatcher: agent, timeoutMs: changed.timeoutMs ?? 2000, maxAnswerBytes: 65_536 }),
    keyRecords: publicKeys(memoryStore(), 'binance-pay'),
    clock,
    random: systemRandom,
    log,
  })
  return { ...provider, log }
}

const REQUEST = { range: { start: '2026-03-01', end: '2026-03-03' }, wallets: 'all' } as const
const submits = () => sandbox.books().requests['balance-report']?.total ?? 0
const made = () => sandbox.books().reports.length

it('is in the registry under its name', () => {
  expect(Object.keys(PROVIDERS)).toEqual(['binance-pay', 'payermax', 'onerway'])
  expect(providerAt().name).toBe('binance-pay')
})

describe('a submission', () => {
  it('is accepted with the id of the report that was made', async () => {
    const answer = await providerAt().reports.submit(REQUEST)
    const report = sandbox.books().reports.at(-1)
    expect(answer).toMatchObject({ outcome: 'accepted', reportId: report?.reportId })
    expect(report).toMatchObject({ startDate: '2026-03-01', endDate: '2026-03-03', walletType: null })
  })

  it('says when its report was created, by its id alone', async () => {
    const { reports } = providerAt()
    const answer = await reports.submit(REQUEST)
    const reportId = answer.outcome === 'accepted' ? answer.reportId : ''
    expect(reports.createdAt(reportId)).toEqual(clock.now())
  })

  it.each([
    ['no-answer-after-effect', 1],
    ['no-answer-before-effect', 0],
    ['reset-after-effect', 1],
    ['reset-before-effect', 0],
    ['http-500-after-effect', 1],
    ['http-500-before-effect', 0],
  ] as const)('is sent once and left open when it meets %s', async (submitFault, reports) => {
    sandbox.setKnobs({ submitFault })
    const before = { submits: submits(), made: made() }
    const answer = await providerAt(sandbox.url, { timeoutMs: 500 }).reports.submit(REQUEST)
    expect(answer).toMatchObject({ outcome: 'unknown', says: expect.stringMatching(/\.$/) })
    // Whoever would try again would do it in this time.
    await new Promise(resolve => setTimeout(resolve, 100))
    expect({ submits: submits() - before.submits, made: made() - before.made }).toEqual({
      submits: 1,
      made: reports,
    })
  })

  it('is sent once and rejected by the page of a firewall', async () => {
    sandbox.setKnobs({ submitFault: 'html-403-before-effect' })
    const before = submits()
    const answer = await providerAt().reports.submit(REQUEST)
    expect(answer).toMatchObject({ outcome: 'rejected', code: 'HTTP-403' })
    expect(submits() - before).toBe(1)
  })

  it('makes one report when the clock has to be corrected', async () => {
    sandbox.setKnobs({ clockSkewMs: 2000, clockWindowMs: 1200 })
    const before = { submits: submits(), made: made() }
    expect(await providerAt().reports.submit(REQUEST)).toMatchObject({ outcome: 'accepted' })
    expect({ submits: submits() - before.submits, made: made() - before.made }).toEqual({
      submits: 2,
      made: 1,
    })
  })

  it('is not made while the clocks are so far apart that the month could be in doubt', async () => {
    sandbox.setKnobs({ clockSkewMs: 5000 })
    const before = { submits: submits(), made: made() }
    const { reports, probe } = providerAt()
    expect(await reports.submit(REQUEST)).toMatchObject({
      outcome: 'rejected',
      code: '400003',
      says: expect.stringMatching(
        /clock is about [456]\.\d s ahead of this machine's, so set this machine's clock/,
      ),
    })
    await probe()
    expect(await reports.submit(REQUEST)).toMatchObject({ outcome: 'rejected', code: '400003' })
    expect({ submits: submits() - before.submits, made: made() - before.made }).toEqual({
      submits: 2,
      made: 0,
    })
  })

  it('that could not be sent at all is rejected: no report can have been made', async () => {
    const { reports } = providerAt(`http://127.0.0.1:${await closedPort()}`)
    expect(await reports.submit(REQUEST)).toMatchObject({ outcome: 'rejected', code: 'not-sent' })
  })

  it('is left open when the answer cannot be understood', async () => {
    for (const body of ['', '<html></html>', '{"status":"SUCCESS","code":"000000","data":"Done."}', '{}']) {
      const server = await startServer((_request, response) => void response.end(body))
      expect(await providerAt(server.url).reports.submit(REQUEST)).toMatchObject({ outcome: 'unknown' })
      await server.stop()
    }
  })

  it('is refused before it is sent when its dates cannot be', () => {
    const range = { start: '2026-03-01', end: '2026-03-09' }
    expect(providerAt().reports.refusal({ ...REQUEST, range }, clock.now())).toMatch('2026-03-07')
    expect(providerAt().reports.refusal(REQUEST, clock.now())).toBeUndefined()
  })
})

describe('a query', () => {
  it.each(['bare', 'wrapped'] as const)(
    'tells of a ready report in an answer that is %s',
    async queryShape => {
      sandbox.setKnobs({ queryShape })
      const { reports } = providerAt()
      const answer = await reports.submit(REQUEST)
      const reportId = answer.outcome === 'accepted' ? answer.reportId : ''
      expect(await reports.query(reportId)).toMatchObject({
        status: 'ready',
        link: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/files\//),
      })
      expect(await reports.query('197620356272996353')).toMatchObject({ status: 'absent' })
      sandbox.setKnobs({ queryAnswer: 'null-status' })
      expect(await reports.query(reportId)).toMatchObject({ status: 'processing' })
    },
  )

  it.each([
    ['NEVER', 'processing'],
    ['FAILED', 'failed'],
    ['EXPIRED', 'expired'],
  ] as const)('tells of a report that ended as %s', async (outcome, status) => {
    sandbox.setKnobs({ outcome })
    const { reports } = providerAt()
    const answer = await reports.submit(REQUEST)
    expect(await reports.query(answer.outcome === 'accepted' ? answer.reportId : '')).toMatchObject({
      status,
    })
  })

  it('does not know the report of another merchant', async () => {
    const answer = await providerAt().reports.submit(REQUEST)
    const { reports } = providerAt(sandbox.url, { merchant: BETA })
    expect(await reports.query(answer.outcome === 'accepted' ? answer.reportId : '')).toMatchObject({
      status: 'absent',
    })
  })

  it('that is not answered is a fault that may pass', async () => {
    sandbox.setKnobs({ queryFault: 'no-answer' })
    const { reports } = providerAt(sandbox.url, { timeoutMs: 100 })
    await expect(reports.query('1')).rejects.toMatchObject({ code: 'provider-unreachable', retry: true })
  })
})

describe('a callback', () => {
  const messageOf = ({ headers, body }: Received): CallbackMessage => ({ headers, body: Buffer.from(body) })

  async function received(knobs: Parameters<Sandbox['setKnobs']>[0] = {}): Promise<Received> {
    const receiver = await startReceiver()
    sandbox.setKnobs({ callbackUrl: receiver.url, ...knobs })
    await providerAt().reports.submit(REQUEST)
    const [callback] = await receiver.until(1)
    await receiver.stop()
    return callback!
  }

  it.each([
    { certificateFormat: 'pem', certificateShape: 'array' },
    { certificateFormat: 'base64', certificateShape: 'object' },
    { certificateCount: 2, certificateOrder: 'active-last' },
    { callbackSerial: 'lower-case' },
  ] as const)('of the sandbox verifies and names its report: %o', async knobs => {
    const callback = await received(knobs)
    const { callbacks } = providerAt()
    expect(await callbacks.verify(messageOf(callback))).toMatchObject({ verdict: 'verified', fresh: true })
    expect(callbacks.read(Buffer.from(callback.body))).toMatchObject({
      kind: 'report',
      reportId: sandbox.books().reports.at(-1)?.reportId,
      link: expect.stringContaining('/files/'),
    })
  })

  it.each([
    [{ callbackChangedByte: true }, 'signature-wrong'],
    [{ callbackKey: 'wrong' }, 'signature-wrong'],
    [{ callbackSerial: 'wrong' }, 'key-unknown'],
  ] as const)('that is wrong is refused: %o', async (knobs, reason) => {
    const callback = await received(knobs)
    expect(await providerAt().callbacks.verify(messageOf(callback))).toEqual({ verdict: 'refused', reason })
  })

  it('that is stale verifies and is not fresh', async () => {
    const callback = await received({ callbackTimestampOffsetMs: -300_001 })
    expect(await providerAt().callbacks.verify(messageOf(callback))).toMatchObject({
      verdict: 'verified',
      fresh: false,
    })
  })

  it('of a new key verifies by one more fetch', async () => {
    const { callbacks, log } = providerAt()
    await callbacks.verify(messageOf(await received()))
    await sandbox.rotateKey()
    await clock.advance(10_000)
    expect(await callbacks.verify(messageOf(await received()))).toMatchObject({ verdict: 'verified' })
    expect(log.of('key.first-seen').length).toBeGreaterThanOrEqual(2)
  })

  it('is neither verified nor refused while its key cannot be fetched, whatever the reason', async () => {
    const callback = messageOf(await received())
    for (const knobs of [
      { certificatesFault: 'reset' },
      { certificatesFault: 'html-403' },
      { ipAllowed: false },
    ] as const) {
      sandbox.setKnobs(knobs)
      const { callbacks } = providerAt()
      for (let time = 0; time < 2; time++) {
        await expect(callbacks.verify(callback)).rejects.toMatchObject({
          code: 'provider-unreachable',
          retry: true,
        })
      }
      sandbox.setKnobs(KNOBS)
    }
  })

  it('is answered as documented, and a refusal tells nothing', () => {
    const { accepted, refused } = providerAt().callbacks.replies
    expect(accepted).toEqual({ status: 200, body: '{"returnCode":"SUCCESS","returnMessage":null}' })
    expect(refused).toEqual({ status: 401, body: '{"returnCode":"FAIL","returnMessage":null}' })
  })
})

describe('a probe', () => {
  it('answers the serials and how far the clocks differ, and costs no quota', async () => {
    sandbox.setKnobs({ clockSkewMs: 700 })
    const before = made()
    const { serials, aheadMs } = await providerAt().probe()
    expect(serials).toEqual(expect.arrayContaining([expect.stringMatching(/^[0-9A-F]{32}$/)]))
    expect(Math.abs((aheadMs ?? 0) - 700)).toBeLessThanOrEqual(500)
    expect(made()).toBe(before)
  })

  it('says what is wrong with the credentials', async () => {
    const { probe } = providerAt(sandbox.url, { merchant: { ...ALPHA, secretKey: 'wrong' } })
    await expect(probe()).rejects.toMatchObject({
      code: 'provider-refused',
      details: { providerCode: '400002' },
    })
  })
})
