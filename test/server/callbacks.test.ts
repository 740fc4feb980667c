import { rename } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { balanceBody, type Signer, startSigner } from '../support/signer.ts'
import { eventually, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

const ACCEPTED = '{"returnCode":"SUCCESS","returnMessage":null}'
const REFUSED = '{"returnCode":"FAIL","returnMessage":null}'
const REPORT_ID = '197620356272996353'

/** Callbacks signed by the test's own key, over real HTTP, to a server whose provider knows that key. */
describe('the callback route', () => {
  let signer: Signer
  let test: TestDaybook
  let url: string

  beforeAll(async () => {
    signer = await startSigner(() => test.clock.now())
  })
  afterAll(() => signer.stop())
  beforeEach(async () => {
    test = await startTestDaybook({ env: { BINANCE_PAY_BASE_URL: signer.url } })
    url = `${test.server.url}/callbacks/binance-pay/main`
  })
  afterEach(() => test.stop())

  async function post(body: string | Buffer, headers: Record<string, string>, to = url) {
    const response = await fetch(to, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.from(body),
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  const kept = async () => (await test.keys()).filter(key => /^(reports|callbacks)\//.test(key))

  async function expectRefused(answer: { status: number; text: string }, reason: string) {
    expect(answer).toMatchObject({ status: 401, text: REFUSED })
    expect(await kept()).toEqual([])
    expect(test.log.join('')).toContain(`"reason":"${reason}"`)
  }

  it('keeps a genuine callback byte for byte before it acknowledges it', async () => {
    const body = balanceBody(REPORT_ID)
    const answer = await post(body, signer.headers(body))
    expect(answer).toMatchObject({ status: 200, text: ACCEPTED })
    const record = await test.daybook.context.reports.read(test.account.ref, REPORT_ID, 'callback')
    expect(Buffer.from(record!.bodyBase64, 'base64').toString()).toBe(body)
    expect(record).toMatchObject({ kind: 'report', id: REPORT_ID, fresh: true })
  })

  it('refuses a forged signature', async () => {
    const body = balanceBody(REPORT_ID)
    const stranger = await startSigner(() => test.clock.now())
    const { 'BinancePay-Certificate-SN': serial } = signer.headers(body)
    const forged = { ...stranger.headers(body), 'BinancePay-Certificate-SN': serial! }
    await stranger.stop()
    await expectRefused(await post(body, forged), 'signature-wrong')
  })

  it('refuses a changed byte', async () => {
    const body = balanceBody(REPORT_ID)
    await expectRefused(
      await post(body.replace('report.csv', 'report.csw'), signer.headers(body)),
      'signature-wrong',
    )
  })

  it('refuses a re-serialised body', async () => {
    const body = balanceBody(REPORT_ID)
    const again = JSON.stringify(JSON.parse(body))
    expect(again).not.toBe(body)
    await expectRefused(await post(again, signer.headers(body)), 'signature-wrong')
  })

  it('refuses a wrong serial', async () => {
    const body = balanceBody(REPORT_ID)
    await expectRefused(await post(body, signer.headers(body, { serial: '0'.repeat(32) })), 'key-unknown')
  })

  it('takes a key that has rotated, by fetching the keys once more', async () => {
    const first = balanceBody(REPORT_ID)
    expect(await post(first, signer.headers(first))).toMatchObject({ status: 200 })
    signer.rotate()
    test.clock.shift(60_000)
    const second = balanceBody('197620356272996355')
    expect(await post(second, signer.headers(second))).toMatchObject({ status: 200, text: ACCEPTED })
    expect(test.log.filter(line => line.includes('key.first-seen'))).toHaveLength(2)
  })

  it('answers ten replays at once alike and keeps one object', async () => {
    const body = balanceBody(REPORT_ID)
    const headers = signer.headers(body)
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(body, headers)))
    expect(answers.every(({ status, text }) => status === 200 && text === ACCEPTED)).toBe(true)
    expect(await kept()).toEqual([`reports/binance-pay/main/${REPORT_ID}/callback.json`])
    expect(test.log.filter(line => line.includes('"callback.kept"'))).toHaveLength(1)
  })

  it('keeps a second callback about a report that says something else beside the first', async () => {
    const [first, second] = [balanceBody(REPORT_ID), balanceBody(REPORT_ID, { userId: 7 })]
    for (const body of [first, second, first]) {
      expect(await post(body, signer.headers(body))).toMatchObject({ status: 200, text: ACCEPTED })
    }
    expect(await kept()).toEqual([
      expect.stringMatching(`^callbacks/binance-pay/main/2026-10-15/${REPORT_ID}-[0-9a-f]{16}\\.json$`),
      `reports/binance-pay/main/${REPORT_ID}/callback.json`,
    ])
  })

  it('answers a body of 1 MB with 413 and keeps nothing', async () => {
    const body = balanceBody(REPORT_ID, { padding: 'x'.repeat(1_000_000) })
    const answer = await post(body, signer.headers(body))
    expect(answer).toMatchObject({ status: 413, text: REFUSED })
    expect(await kept()).toEqual([])
  })

  it('answers 413 to a body that is too long but does not say so', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(url, { method: 'POST' }, response => {
        response.resume()
        resolve(response.statusCode)
      })
      request.on('error', reject)
      for (let part = 0; part < 16; part++) request.write('x'.repeat(65_536))
      request.end()
    })
    expect(status).toBe(413)
  })

  it('judges by the signature and not by the content type', async () => {
    const body = balanceBody(REPORT_ID)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      const answer = await post(body, { ...signer.headers(body), 'content-type': type })
      expect(answer).toMatchObject({ status: 200, text: ACCEPTED })
    }
    await post('a=b', { ...signer.headers(body), 'content-type': 'application/x-www-form-urlencoded' }).then(
      answer => expect(answer).toMatchObject({ status: 401, text: REFUSED }),
    )
  })

  it('takes `data` as an object', async () => {
    const body = `{"bizType":"BALANCE","data":{"downloadId":${REPORT_ID},"status":2,"downloadLink":"https://files.example.com/a.csv"},"bizIdStr":"${REPORT_ID}","bizId":${REPORT_ID},"bizStatus":"BALANCE_SUCCESS"}`
    expect(await post(body, signer.headers(body))).toMatchObject({ status: 200 })
    expect(await kept()).toEqual([`reports/binance-pay/main/${REPORT_ID}/callback.json`])
  })

  it('acknowledges and keeps an unknown bizType', async () => {
    const body =
      '{"bizType":"SOMETHING_NEW","data":{"a":1},"bizIdStr":"29383937493038367292","bizStatus":"NEWLY"}'
    expect(await post(body, signer.headers(body))).toMatchObject({ status: 200, text: ACCEPTED })
    const other = body.replace('"a":1', '"a":2')
    expect(await post(other, signer.headers(other))).toMatchObject({ status: 200 })
    expect(await post(body, signer.headers(body))).toMatchObject({ status: 200 })
    const keys = await kept()
    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(key).toMatch(
        /^callbacks\/binance-pay\/main\/2026-10-15\/SOMETHING_NEW-29383937493038367292-NEWLY-[0-9a-f]{16}\.json$/,
      )
    }
  })

  it('keeps a signed body that is not JSON, and refuses an unsigned one', async () => {
    const body = Buffer.from([0xff, 0x00, 0x7b, 0x0a])
    await expectRefused(await post(body, {}), 'header-missing')
    expect(await post(body, signer.headers(body))).toMatchObject({ status: 200, text: ACCEPTED })
    const [key] = await kept()
    expect(key).toMatch(
      /^callbacks\/binance-pay\/main\/2026-10-15\/unreadable-[0-9a-f]{32}-[0-9a-f]{16}\.json$/,
    )
  })

  it('keeps and acknowledges a stale callback, and does not use its link', async () => {
    const body = balanceBody(REPORT_ID)
    const timestamp = test.clock.now().getTime() - 3_600_000
    expect(await post(body, signer.headers(body, { timestamp }))).toMatchObject({
      status: 200,
      text: ACCEPTED,
    })
    const record = await test.daybook.context.reports.read(test.account.ref, REPORT_ID, 'callback')
    expect(record?.fresh).toBe(false)
    await eventually(() => test.log.find(line => line.includes('"report.failed"')))
    expect(test.log.join('')).not.toContain('files.example.com')
  })

  it('keeps a callback for a report nobody asked for', async () => {
    const body = balanceBody('466780563124436993')
    expect(await post(body, signer.headers(body))).toMatchObject({ status: 200 })
    const parts = await test.daybook.context.reports.parts(test.account.ref, '466780563124436993')
    expect([...parts]).toEqual(['callback'])
  })

  it('tells a stranger the same about an account that does not exist', async () => {
    const body = balanceBody(REPORT_ID)
    const answer = await post(body, signer.headers(body), url.replace('main', 'other'))
    expect(answer).toMatchObject({ status: 401, text: REFUSED })
  })

  it('refuses missing, doubled and malformed headers without failing', async () => {
    const body = balanceBody(REPORT_ID)
    const good = signer.headers(body)
    for (const name of Object.keys(good)) {
      const { [name]: _, ...rest } = good
      expect(await post(body, rest)).toMatchObject({ status: 401, text: REFUSED })
      for (const odd of ['', ' ', '%00', '\u00e9', '9'.repeat(5000)]) {
        expect(await post(body, { ...good, [name]: odd })).toMatchObject({ status: 401, text: REFUSED })
      }
      expect(await post(body, { ...good, [name]: `${good[name]}, ${good[name]}` })).toMatchObject({
        status: 401,
      })
    }
    expect(await kept()).toEqual([])
  })

  it('asks the sender to come back when the key cannot be fetched', async () => {
    const body = balanceBody(REPORT_ID)
    const headers = signer.headers(body)
    await test.stop()
    const nowhere = await freePort()
    test = await startTestDaybook({ env: { BINANCE_PAY_BASE_URL: `http://127.0.0.1:${nowhere}` } })
    const answer = await post(body, headers, `${test.server.url}/callbacks/binance-pay/main`)
    expect(answer).toMatchObject({ status: 503, text: REFUSED })
    expect(answer.headers.get('retry-after')).toBe('30')
  })

  it('asks the sender to come back when the callback cannot be made durable', async () => {
    const { store } = test.daybook.context
    const create = store.create
    const { DaybookError } = await import('../../src/domain/errors.ts')
    store.create = key =>
      key.startsWith('reports/')
        ? Promise.reject(new DaybookError('store-unavailable', 'The store is full.'))
        : create(key, new Uint8Array())
    const body = balanceBody(REPORT_ID)
    const answer = await post(body, signer.headers(body))
    expect(answer).toMatchObject({ status: 503, text: REFUSED })
    store.create = create
  })

  it('gives no hint of what it is made of', async () => {
    const answer = await fetch(`${test.server.url}/nothing`, { method: 'POST', body: '{' })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('x-powered-by')).toBeNull()
    expect(await answer.text()).toBe('{"status":"not-found"}')
    expect((await fetch(url)).status).toBe(404)
  })

  it('is ready while its store is there, and not when it is gone', async () => {
    const ready = () => fetch(`${test.server.url}/readyz`).then(({ status }) => status)
    expect(await ready()).toBe(200)
    await rename(join(test.folder, 'store'), join(test.folder, 'gone'))
    expect(await ready()).toBe(503)
    await rename(join(test.folder, 'gone'), join(test.folder, 'store'))
    expect(await ready()).toBe(200)
  })

  it('refuses a path that is no path', async () => {
    const answer = await post('{}', {}, `${test.server.url}/callbacks/binance-pay/%E0%A4%A`)
    expect(answer).toMatchObject({ status: 401, text: REFUSED })
  })

  it('ends within seconds though a sender never finishes', async () => {
    const socket = connect(Number.parseInt(new URL(url).port, 10), '127.0.0.1', () => {
      socket.write('POST /callbacks/binance-pay/main HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{')
    })
    const closed = new Promise(resolve => socket.on('close', resolve))
    socket.on('error', () => {})
    await new Promise(resolve => setTimeout(resolve, 100))
    await test.server.stop()
    await closed
  })

  it('waits at its end for a callback whose sender has hung up', async () => {
    const { store } = test.daybook.context
    const create = store.create
    const begun = Promise.withResolvers<void>()
    let written = false
    store.create = async (key, body) => {
      if (!key.endsWith('/callback.json')) return create(key, body)
      begun.resolve()
      await new Promise(resolve => setTimeout(resolve, 300))
      const created = await create(key, body)
      written = true
      return created
    }
    const body = balanceBody(REPORT_ID)
    const headers = Object.entries(signer.headers(body)).map(([name, value]) => `${name}: ${value}\r\n`)
    const socket = connect(Number.parseInt(new URL(url).port, 10), '127.0.0.1', () => {
      socket.write(
        `POST /callbacks/binance-pay/main HTTP/1.1\r\nhost: x\r\n${headers.join('')}content-length: ${body.length}\r\n\r\n${body}`,
      )
    })
    socket.on('error', () => {})
    await begun.promise
    socket.destroy()
    await test.server.stop()
    expect(written).toBe(true)
  })

  it('survives a sender that goes away in the middle', async () => {
    const { port } = new URL(url)
    for (let times = 0; times < 5; times++) {
      await new Promise<void>(closed => {
        const socket = connect(Number.parseInt(port, 10), '127.0.0.1', () => {
          socket.write(
            'POST /callbacks/binance-pay/main HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"biz',
          )
          setTimeout(() => socket.destroy(), 20)
        })
        socket.on('close', () => closed())
      })
    }
    expect((await fetch(`${test.server.url}/healthz`)).status).toBe(200)
    expect(await kept()).toEqual([])
  })
})
