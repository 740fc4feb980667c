import { afterEach, expect, test } from 'vitest'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import {
  ALPHA,
  certificates,
  isSigned,
  query,
  type Received,
  type Receiver,
  startReceiver,
  startTestSandbox,
  submit,
  submitted,
} from '../support/sandbox-client.ts'

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop()
})

async function start(knobs: Partial<Knobs> = {}): Promise<{ sandbox: Sandbox; receiver: Receiver }> {
  const receiver = await startReceiver()
  const merchants = [{ ...ALPHA, callbackUrl: receiver.url }]
  const sandbox = await startTestSandbox({ merchants, knobs })
  running.push(receiver, sandbox)
  return { sandbox, receiver }
}

/** Submits under `knobs` and answers the first callback. */
async function callbackUnder(knobs: Partial<Knobs>) {
  const { sandbox, receiver } = await start()
  const id = await submitted(sandbox, { knobs })
  const [callback] = (await receiver.until(1)) as [Received]
  const [certificate] = await certificates(sandbox)
  return { sandbox, receiver, id, callback, signed: isSigned(callback, certificate.certPublic), certificate }
}

const settled = async (sandbox: Sandbox, id: string) => {
  for (;;) {
    const report = sandbox.books().reports.find(({ reportId }) => reportId === id)
    if (report?.callback.settled) return report
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

test('the callback is byte for byte as documented, and signed', async () => {
  const { sandbox, id, callback, signed, certificate, receiver } = await callbackUnder({})
  const { downloadUrl } = (await query(sandbox, id)).json
  const report = await settled(sandbox, id)
  const [, userId] = /\\"userId\\":(\d+)/.exec(callback.body) as RegExpExecArray
  const createTime = new Date(report.acceptedAtMs).toISOString().slice(0, 19).replace('T', ' ')
  const inner =
    `{"downloadType":"merchant_balance_download_task","downloadId":${id},"userId":${userId},"status":2,` +
    `"downloadLink":"${downloadUrl}","expirationTimestamp":${report.linkExpiresAtMs},` +
    `"createTime":"${createTime}","callbackUrl":"${receiver.url}"}`
  expect(callback.body).toBe(
    `{"bizType":"BALANCE","data":${JSON.stringify(inner)},"bizIdStr":"${id}","bizId":${id},"bizStatus":"BALANCE_SUCCESS"}`,
  )
  expect(signed).toBe(true)
  expect(callback.headers).toMatchObject({
    'binancepay-certificate-sn': certificate.certSerial,
    'binancepay-nonce': expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    'binancepay-timestamp': expect.stringMatching(/^\d{13}$/),
  })
  expect(report.callback).toEqual({ attempts: 1, settled: true, acknowledged: true })
  expect(sandbox.books().deliveries).toMatchObject([
    { reportId: id, outcome: 'acknowledged', body: callback.body },
  ])
})

test('a changed body and a payload without its last line feed do not verify', async () => {
  const { callback, certificate } = await callbackUnder({})
  expect(
    isSigned({ ...callback, body: JSON.stringify(JSON.parse(callback.body)) }, certificate.certPublic),
  ).toBe(false)
  expect(isSigned({ ...callback, body: callback.body.slice(0, -1) }, certificate.certPublic)).toBe(false)
})

test.each([
  ['HTTP 500', { status: 500 }],
  ['FAIL', { body: '{"returnCode":"FAIL","returnMessage":"no"}' }],
  ['another word', { body: '{"code":"SUCCESS"}' }],
  ['HTTP 201', { status: 201 }],
  ['no JSON', { body: 'SUCCESS' }],
])('%s is no acknowledgement: retried until there is one', async (_name, answer) => {
  const { sandbox, receiver } = await start()
  receiver.answers = [answer, answer, {}]
  const id = await submitted(sandbox)
  const report = await settled(sandbox, id)
  expect(receiver.received).toHaveLength(3)
  expect(report.callback).toEqual({ attempts: 3, settled: true, acknowledged: true })
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1)
  expect(new Set(receiver.received.map(({ headers }) => headers['binancepay-nonce'])).size).toBe(3)
})

test('after six retries there is silence', async () => {
  const { sandbox, receiver } = await start()
  receiver.answers = [{ status: 500 }]
  const report = await settled(sandbox, await submitted(sandbox))
  expect(receiver.received).toHaveLength(7)
  expect(report.callback).toEqual({ attempts: 7, settled: true, acknowledged: false })
})

test('a retry may carry the same nonce and time, and waits grow', async () => {
  const knobs = {
    callbackRetryIdentity: 'same',
    callbackRetries: 2,
    callbackRetryFirstMs: 20,
    callbackRetryFactor: 3,
  } as const
  const { sandbox, receiver } = await start(knobs)
  receiver.answers = [{ status: 500 }]
  await settled(sandbox, await submitted(sandbox))
  expect(new Set(receiver.received.map(({ headers }) => headers['binancepay-signature'])).size).toBe(1)
  const at = sandbox.books().deliveries.map(({ atMs }) => atMs)
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(19)
  expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(59)
})

test('a silent receiver times out, an absent one is unreachable', async () => {
  const { sandbox, receiver } = await start({ callbackTimeoutMs: 30, callbackRetries: 0 })
  receiver.answers = [{ silent: true }]
  await settled(sandbox, await submitted(sandbox))
  const absent = { callbackUrl: 'http://127.0.0.1:1/', callbackTimeoutMs: 10_000 }
  await settled(sandbox, await submitted(sandbox, { knobs: absent }))
  expect(sandbox.books().deliveries.map(({ outcome }) => outcome)).toEqual(['timed-out', 'unreachable'])
})

test('lost: nothing is sent, until it is redelivered', async () => {
  const { sandbox, receiver } = await start({ callbackLost: true })
  const id = await submitted(sandbox)
  await settled(sandbox, id)
  expect(receiver.received).toEqual([])
  const deliveries = await sandbox.redeliver(id, { callbackTimestampOffsetMs: -3_600_000 })
  expect(deliveries.map(({ outcome }) => outcome)).toEqual(['acknowledged'])
  expect(receiver.received).toHaveLength(1)
  await expect(sandbox.redeliver('1')).rejects.toThrow('no report')
})

test('late', async () => {
  const { sandbox, receiver } = await start({ callbackDelayMs: 120 })
  const before = performance.now()
  const id = await submitted(sandbox)
  expect((await query(sandbox, id)).json.status).toBe('SUCCESS')
  await receiver.until(1)
  expect(performance.now() - before).toBeGreaterThan(115)
})

test('ten times at once, all the same', async () => {
  const { receiver } = await callbackUnder({ callbackCopies: 10 })
  await receiver.until(10)
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1)
})

test('before the submit is answered', async () => {
  const { sandbox, receiver } = await start({ processingMs: 60_000 })
  receiver.answers = [{ status: 503 }, {}]
  let answered = false
  const submitting = submit(sandbox, { knobs: { callbackBeforeAnswer: true, submitDelayMs: 60 } }).then(
    answer => {
      answered = true
      return answer
    },
  )
  const [callback] = await receiver.until(1)
  expect(answered).toBe(false)
  const id = /\d+$/.exec((await submitting).json.data)?.[0]
  expect(callback?.body).toContain(`"bizIdStr":"${id}"`)
  expect((await query(sandbox, id!)).json.status).toBe('SUCCESS')
  await receiver.until(2)
})

test('for an id that nobody was given, well signed, before the real one', async () => {
  const { receiver, id, callback, signed } = await callbackUnder({ callbackForUnknownId: true })
  await receiver.until(2)
  expect(signed).toBe(true)
  expect(callback.body).not.toContain(id)
  expect(receiver.received[1]!.body).toContain(`"bizId":${id},`)
  const link = /"downloadLink\\":\\"([^\\]+)/.exec(callback.body)?.[1] ?? ''
  expect((await fetch(link)).status).toBe(404)
})

test('stale', async () => {
  const { callback, signed } = await callbackUnder({ callbackTimestampOffsetMs: -7_200_000 })
  expect(signed).toBe(true)
  expect(Number(callback.headers['binancepay-timestamp'])).toBeLessThan(Date.now() - 7_190_000)
})

test.each([
  ['wrong', /^[0-9A-F]{32}$/],
  ['lower-case', /^[0-9a-f]{32}$/],
] as const)('serial %s', async (callbackSerial, shape) => {
  const { callback, signed, certificate } = await callbackUnder({ callbackSerial })
  const serial = String(callback.headers['binancepay-certificate-sn'])
  expect(serial).toMatch(shape)
  expect(serial).not.toBe(certificate.certSerial)
  expect(serial.toUpperCase() === certificate.certSerial).toBe(callbackSerial === 'lower-case')
  expect(signed).toBe(true)
})

test('signed with a key that no certificate shows', async () => {
  const { signed, sandbox } = await callbackUnder({ callbackKey: 'wrong' })
  expect(signed).toBe(false)
  expect(await certificates(sandbox)).toHaveLength(1)
})

test('one byte changed after signing: still JSON, not signed', async () => {
  const { callback, signed, id } = await callbackUnder({ callbackChangedByte: true })
  expect(signed).toBe(false)
  expect(callback.body).not.toContain(`"bizId":${id},`)
  expect(JSON.parse(callback.body).bizIdStr).toBe(id)
})

test('without bizIdStr', async () => {
  const { callback, signed } = await callbackUnder({ callbackWithoutBizIdStr: true })
  expect([Object.keys(JSON.parse(callback.body)), signed]).toEqual([
    ['bizType', 'data', 'bizId', 'bizStatus'],
    true,
  ])
})

test('data as an object, with the id still as bare digits', async () => {
  const { callback, id } = await callbackUnder({ callbackData: 'object', callbackStatus: 'word' })
  expect(callback.body).toContain(
    `"data":{"downloadType":"merchant_balance_download_task","downloadId":${id},`,
  )
  expect(JSON.parse(callback.body).data.status).toBe('SUCCESS')
})

test('status as a text', async () => {
  const { callback } = await callbackUnder({ callbackStatus: 'string' })
  expect(JSON.parse(JSON.parse(callback.body).data).status).toBe('2')
})

test('a failed report is silent, or told', async () => {
  const { sandbox, receiver } = await start()
  await submitted(sandbox, { knobs: { outcome: 'FAILED' } })
  await submitted(sandbox, { knobs: { outcome: 'EXPIRED' } })
  await submitted(sandbox, { knobs: { outcome: 'FAILED', failedCallback: true } })
  const [told] = await receiver.until(1)
  expect(JSON.parse(told!.body)).toMatchObject({ bizStatus: 'BALANCE_FAIL' })
  expect(JSON.parse(JSON.parse(told!.body).data)).toMatchObject({ status: 3, downloadLink: '' })
  expect(receiver.received).toHaveLength(1)
})

test('any other callback can be delivered, signed', async () => {
  const { sandbox, receiver } = await start()
  const [{ certPublic }] = await certificates(sandbox)
  await sandbox.deliver({ bizType: 'PAY', bizId: '29383937493038367292', data: '{"totalFee":0.88000000}' })
  await sandbox.deliver({
    bizType: 'MERCHANT_QR_CODE',
    data: { qr: 1 },
    dataAsObject: true,
    withoutBizIdStr: true,
  })
  await sandbox.deliver({ rawBody: 'not JSON at all' })
  await sandbox.deliver({ overrides: { callbackSerial: 'wrong' } })
  const [pay, qr, raw] = receiver.received as [Received, Received, Received]
  expect(pay.body).toBe(
    '{"bizType":"PAY","data":"{\\"totalFee\\":0.88000000}","bizIdStr":"29383937493038367292","bizId":29383937493038367292,"bizStatus":"PAY_SUCCESS"}',
  )
  expect(qr.body).toMatch(/^\{"bizType":"MERCHANT_QR_CODE","data":\{"qr":1\},"bizId":\d{18},/)
  expect(raw.body).toBe('not JSON at all')
  for (const each of receiver.received) expect(isSigned(each, certPublic)).toBe(true)
})

test('a merchant without a callback URL hears nothing', async () => {
  const sandbox = await startTestSandbox()
  running.push(sandbox)
  await settled(sandbox, await submitted(sandbox))
  expect(sandbox.books().deliveries).toEqual([])
})

test('stop ends what is pending', async () => {
  const { sandbox } = await start({ processingMs: 3_600_000 })
  await submitted(sandbox)
  await submitted(sandbox, {
    knobs: { processingMs: 0, callbackUrl: 'http://127.0.0.1:1/', callbackRetryFirstMs: 1e6 },
  })
  // Waiting for what is pending would outlast the test.
  await sandbox.stop()
  await expect(fetch(sandbox.url)).rejects.toThrow()
})
