import { createHmac } from 'node:crypto'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDays } from '../../src/domain/calendar.ts'
import { type Clock, systemClock } from '../../src/host.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import {
  ALPHA,
  type Answered,
  BETA,
  type CallOptions,
  call,
  dayFromNow,
  query,
  reportBody,
  startTestSandbox,
  submit,
  submitted,
} from '../support/sandbox-client.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startTestSandbox({ knobs: { quotaPerMonth: 100_000 } })
})
afterAll(() => sandbox.stop())

const codeOf = async (options: CallOptions) => (await submit(sandbox, options)).json?.code

test('a good call is accepted, with a sentence that holds the id', async () => {
  const { status, json } = await submit(sandbox)
  expect(status).toBe(200)
  expect(Object.keys(json)).toEqual(['status', 'code', 'data'])
  expect(json).toMatchObject({ status: 'SUCCESS', code: '000000' })
  expect(json.data).toMatch(/^Your request has been submitted successfully\. Your task ID: \d{18}$/)
})

const farOff = () => Date.now() - 60_000
const stranger = { ...ALPHA, apiKey: 'strangerkey00001' }

/** Each call is wrong in its own place and in all later ones: the first fault decides. */
const wrong: [string, string, () => CallOptions][] = [
  [
    'key format',
    '400005',
    () => ({ merchant: { ...ALPHA, apiKey: 'no key' }, timestamp: farOff(), secretKey: 'x', body: '{' }),
  ],
  ['no key', '400005', () => ({ headers: { 'BinancePay-Certificate-SN': undefined }, timestamp: farOff() })],
  ['unknown key', '400004', () => ({ merchant: stranger, timestamp: farOff(), secretKey: 'x', body: '{' })],
  ['IP', '400004', () => ({ knobs: { ipAllowed: false }, timestamp: farOff() })],
  ['time behind', '400003', () => ({ timestamp: farOff(), secretKey: 'x', body: '{' })],
  ['time ahead', '400003', () => ({ timestamp: Date.now() + 60_000 })],
  ['time in seconds', '400003', () => ({ timestamp: Math.floor(Date.now() / 1000) })],
  ['no time', '400003', () => ({ headers: { 'BinancePay-Timestamp': undefined } })],
  ['no nonce', '400100', () => ({ headers: { 'BinancePay-Nonce': '' }, secretKey: 'x' })],
  ['short nonce', '400101', () => ({ headers: { 'BinancePay-Nonce': 'a'.repeat(31) }, secretKey: 'x' })],
  ['odd nonce', '400103', () => ({ headers: { 'BinancePay-Nonce': `${'a'.repeat(31)}-` }, secretKey: 'x' })],
  ['wrong secret', '400002', () => ({ secretKey: 'x', body: '{' })],
  ["another merchant's secret", '400002', () => ({ secretKey: BETA.secretKey })],
  ['no signature', '400002', () => ({ headers: { 'BinancePay-Signature': undefined } })],
  ['too large', '400104', () => ({ body: `{"a":"${'x'.repeat(70_000)}"` })],
  ['not JSON', '400008', () => ({ body: '{' })],
  ['a JSON number', '400008', () => ({ body: '5' })],
  ['a body that looks like a refusal', '400100', () => ({ body: '{"code":"1","message":"2"}' })],
  ['missing before value', '400100', () => ({ body: reportBody({ reportType: 'X', startDate: undefined }) })],
  ['null', '400100', () => ({ body: reportBody({ endDate: null }) })],
  ['not a text', '400100', () => ({ body: reportBody({ startDate: 20220101 }) })],
  ['report type', '400102', () => ({ body: reportBody({ reportType: 'balance' }) })],
  ['wallet type', '400102', () => ({ body: reportBody({ walletType: 'SPOT' }) })],
  ['date with slashes', '400102', () => ({ body: reportBody({ startDate: '2022/08/20' }) })],
  ['day that does not exist', '400102', () => ({ body: reportBody({ startDate: '2023-02-30' }) })],
]

test.each(wrong)('%s → %s', async (_name, code, options) => {
  const answer = await submit(sandbox, options())
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ status: 'FAIL', code, errorMessage: expect.any(String) })
})

test('the gateway refuses other methods, content types and empty bodies', async () => {
  const url = `${sandbox.url}/binancepay/openapi/balance-report`
  const gateway = { status: 'ERROR', type: 'SYS', code: '100001001', errorData: 'System abnormality' }
  expect((await submit(sandbox, { body: '', headers: {} })).json).toEqual(gateway)
  expect(await (await fetch(url)).json()).toEqual(gateway)
  const untyped = await request(url, { method: 'POST', body: '{}' })
  expect(await untyped.body.json()).toEqual(gateway)
  expect((await submit(sandbox, { headers: { 'content-type': 'text/plain' } })).json).toEqual(gateway)
})

test('a wrong path is a page of CloudFront', async () => {
  for (const path of [
    '/',
    '/binancepay/openapi/v3/balance',
    '/sandbox/unknown',
    '/files/x',
    '/constructor',
  ]) {
    const answer = await call(sandbox, { path })
    expect(answer.status, path).toBe(403)
    expect(answer.text, path).toContain('CloudFront')
  }
})

test('one changed byte of the body breaks the signature, lower case too', async () => {
  const signed = reportBody()
  const [timestamp, nonce] = [Date.now(), 'n'.repeat(32)]
  const signature = createHmac('sha512', ALPHA.secretKey)
    .update(`${timestamp}\n${nonce}\n${signed}\n`)
    .digest('hex')
  const send = (value: string, body: string) =>
    codeOf({ timestamp, body, headers: { 'BinancePay-Nonce': nonce, 'BinancePay-Signature': value } })
  expect(await send(signature.toUpperCase(), signed)).toBe('000000')
  expect(await send(signature.toUpperCase(), `${signed} `)).toBe('400002')
  expect(await send(signature, signed)).toBe('400002')
})

test('the window of the clock is a knob', async () => {
  const behind = (ms: number, knobs: Partial<Knobs>) => codeOf({ timestamp: Date.now() - ms, knobs })
  expect(await behind(5000, { clockWindowMs: 20_000 })).toBe('000000')
  expect(await behind(5000, { clockWindowSide: 'ahead' })).toBe('000000')
  expect(await behind(5000, { clockWindowSide: 'behind' })).toBe('400003')
  expect(await behind(-5000, { clockWindowSide: 'behind' })).toBe('000000')
  expect(await behind(-5000, { clockWindowSide: 'ahead' })).toBe('400003')
})

test('a skewed clock shows in the Date header', async () => {
  const knobs = { clockSkewMs: -3_600_000 }
  const refused = await submit(sandbox, { knobs })
  expect(refused.json.code).toBe('400003')
  const shown = Date.parse(refused.headers.get('date') ?? '')
  expect(Math.abs(Date.now() - 3_600_000 - shown)).toBeLessThan(60_000)
  expect(await codeOf({ knobs, timestamp: shown })).toBe('000000')
})

test('a nonce may come again unless the knob says no', async () => {
  const again = { headers: { 'BinancePay-Nonce': `${'Ab0'.repeat(10)}zz` } }
  expect(await codeOf(again)).toBe('000000')
  expect(await codeOf(again)).toBe('000000')
  expect(await codeOf({ ...again, knobs: { nonceReplay: 'refuse' } })).toBe('400002')
  expect(await codeOf({ knobs: { nonceReplay: 'refuse' } })).toBe('000000')
})

test('refusals come in four shapes, and with two kinds of HTTP status', async () => {
  const refusedAs = (knobs: Partial<Knobs>) => submit(sandbox, { secretKey: 'x', knobs })
  expect((await refusedAs({ errorShape: '2' })).json).toEqual({ code: '400002', msg: expect.any(String) })
  expect((await refusedAs({ errorShape: '3' })).json).toMatchObject({ status: 'ERROR', code: '100001001' })
  const page = await refusedAs({ errorShape: '4' })
  expect([page.status, page.json]).toEqual([403, undefined])
  expect((await refusedAs({ failHttpStatus: 'by-code' })).status).toBe(406)
})

test('the date rules of both versions of the page', async () => {
  const range = (start: number, end: number, knobs: Partial<Knobs> = {}) =>
    codeOf({ body: reportBody({ startDate: dayFromNow(start), endDate: dayFromNow(end) }), knobs })
  const none: Partial<Knobs> = {}
  const cases: [number, number, Partial<Knobs>, string][] = [
    [-3, -2, none, '000000'],
    [-3, -1, none, '400102'],
    [-3, -3, none, '400102'],
    [-3, -4, none, '400102'],
    [-3, -3, { endDateRule: 'V3' }, '000000'],
    [-3, -1, { endDateRule: 'V3' }, '400102'],
    [-3, -1, { endDateRule: 'V4' }, '000000'],
    [-3, 0, { endDateRule: 'V4' }, '000000'],
    [-3, 1, { endDateRule: 'V4' }, '400102'],
    [-3, -3, { endDateRule: 'V4' }, '400102'],
    [-92, -2, { spanRule: '90-days' }, '000000'],
    [-93, -2, { spanRule: '90-days' }, '400102'],
    [-89, -2, none, '000000'],
    [-96, -2, none, '400102'],
  ]
  for (const [start, end, knobs, code] of cases) {
    expect(await range(start, end, knobs), `${start} ${end} ${JSON.stringify(knobs)}`).toBe(code)
  }
})

test('three calendar months end on the same day of the month, or the last one', async () => {
  const span = (startDate: string, endDate: string) => codeOf({ body: reportBody({ startDate, endDate }) })
  expect(await span('2024-11-30', '2025-02-28')).toBe('000000')
  expect(await span('2024-11-30', '2025-03-01')).toBe('400102')
  expect(await span('2024-07-15', '2024-10-15')).toBe('000000')
  expect(await span('2024-07-15', '2024-10-16')).toBe('400102')
})

test('today is a matter of the zone', async () => {
  const at = Date.UTC(2025, 4, 10, 20)
  const clock: Clock = { ...systemClock, now: () => new Date(at) }
  const options = {
    merchants: [ALPHA],
    seed: 's',
    random: { hex: (n: number) => 'a'.repeat(n), fraction: () => 0 },
  }
  const fixed = await startSandbox({ ...options, clock, knobs: { processingMs: 1_000_000 } })
  try {
    const ask = (endDate: string, knobs: Partial<Knobs> = {}) =>
      submit(fixed, { timestamp: at, knobs, body: reportBody({ startDate: addDays(endDate, -1), endDate }) })
    expect((await ask('2025-05-09')).json.code).toBe('400102')
    expect((await ask('2025-05-08')).json.code).toBe('000000')
    expect((await ask('2025-05-09', { dateZone: 'UTC+8' })).json.code).toBe('000000')
    expect((await ask('2025-05-10', { dateZone: 'UTC+8' })).json.code).toBe('400102')
  } finally {
    await fixed.stop()
  }
})

test('a query answers bare or wrapped, and about own reports only', async () => {
  const id = await submitted(sandbox, { knobs: { processingMs: 60_000 } })
  const processing = { exist: true, downloadUrl: '', status: 'PROCESSING' }
  const unknown = { exist: false, downloadUrl: '', status: null }
  expect((await query(sandbox, id)).json).toEqual(processing)
  expect((await query(sandbox, id, { knobs: { queryShape: 'wrapped' } })).json).toEqual({
    status: 'SUCCESS',
    code: '000000',
    data: processing,
  })
  expect((await query(sandbox, id, { merchant: BETA })).json).toEqual(unknown)
  expect((await query(sandbox, '123')).json).toEqual(unknown)
  expect((await query(sandbox, id, { knobs: { queryAnswer: 'not-exist' } })).json).toEqual(unknown)
  expect((await query(sandbox, id, { knobs: { queryAnswer: 'null-status' } })).json).toEqual({
    ...processing,
    status: null,
  })
  expect((await query(sandbox, '')).json.code).toBe('400100')
  expect((await query(sandbox, 'Your task ID: 1')).json.code).toBe('400102')
})

test.each([
  ['SUCCESS', 'SUCCESS'],
  ['FAILED', 'FAILED'],
  ['EXPIRED', 'EXPIRED'],
  ['NEVER', 'PROCESSING'],
] as const)('a report of outcome %s is %s', async (outcome, status) => {
  const id = await submitted(sandbox, { knobs: { outcome } })
  const { json } = await query(sandbox, id)
  expect(json.status).toBe(status)
  expect(json.downloadUrl === '').toBe(status !== 'SUCCESS')
})

test('an aged link is EXPIRED, or made anew', async () => {
  const id = await submitted(sandbox, { knobs: { linkLifeMs: 0 } })
  expect((await query(sandbox, id)).json).toEqual({ exist: true, downloadUrl: '', status: 'EXPIRED' })
  const fresh = (await query(sandbox, id, { knobs: { freshLinkOnQuery: true } })).json
  expect(fresh.status).toBe('SUCCESS')
  expect((await fetch(fresh.downloadUrl)).status).toBe(200)
})

test.each([
  ['http-500-before-effect', 0],
  ['http-500-after-effect', 1],
  ['reset-before-effect', 0],
  ['reset-after-effect', 1],
  ['no-answer-before-effect', 0],
  ['no-answer-after-effect', 1],
  ['html-403-before-effect', 0],
] as const)('submit fault %s makes %i reports', async (submitFault, made) => {
  const before = sandbox.books().reports.length
  const answered = submit(sandbox, {
    knobs: { submitFault },
    signal: AbortSignal.timeout(submitFault.startsWith('no-answer') ? 400 : 10_000),
  }).then(
    answer => answer.status,
    error => `${error.name} ${error.cause?.code ?? ''}`.trim(),
  )
  const expected = { http: 500, html: 403, reset: /ECONNRESET|UND_ERR_SOCKET/, no: /TimeoutError/ }
  const kind = submitFault.split('-')[0] as keyof typeof expected
  const wanted = expected[kind]
  if (typeof wanted === 'number') expect(await answered).toBe(wanted)
  else expect(await answered).toMatch(wanted)
  expect(sandbox.books().reports.length - before).toBe(made)
})

test.each([
  ['half-body', /UND_ERR_SOCKET|ECONNRESET|terminated/],
  ['short-length', /^200 .*[^}]$/],
  ['drip', /TimeoutError/],
] as const)('an answer may come as %s, of every endpoint', async (fault, wanted) => {
  const id = await submitted(sandbox)
  const before = sandbox.books().reports.length
  const signal = () => AbortSignal.timeout(fault === 'drip' ? 400 : 10_000)
  const said = (answered: Promise<Answered>) =>
    answered.then(
      ({ status, text }) => `${status} ${text}`,
      error => `${error.name} ${error.message} ${error.cause?.code ?? ''}`,
    )
  const knobs: Partial<Knobs> = {
    submitFault: `${fault}-after-effect`,
    queryFault: fault,
    certificatesFault: fault,
  }
  expect(await said(submit(sandbox, { knobs, signal: signal() }))).toMatch(wanted)
  expect(await said(query(sandbox, id, { knobs, signal: signal() }))).toMatch(wanted)
  const path = '/binancepay/openapi/certificates'
  expect(await said(call(sandbox, { path, knobs, signal: signal() }))).toMatch(wanted)
  expect(sandbox.books().reports.length - before).toBe(1)
})

test('a fault may last for some calls only', async () => {
  sandbox.setKnobs({ queryFault: 'http-500', certificatesFault: 'html-403', faultTimes: 2 })
  const statuses: number[] = []
  for (let turn = 0; turn < 3; turn++) statuses.push((await query(sandbox, '1')).status)
  const page = await call(sandbox, { path: '/binancepay/openapi/certificates' })
  sandbox.setKnobs({ queryFault: 'none', certificatesFault: 'none', faultTimes: 0 })
  expect(statuses).toEqual([500, 500, 200])
  expect(page.status).toBe(403)
})

test('answers can be slow', async () => {
  const start = performance.now()
  await submitted(sandbox, { knobs: { submitDelayMs: 80 } })
  await query(sandbox, '1', { knobs: { queryDelayMs: 80 } })
  expect(performance.now() - start).toBeGreaterThan(155)
})

test('knobs of a header are checked', async () => {
  const answer = await submit(sandbox, { knobs: '{"queryShap":"bare"}' })
  expect(answer.status).toBe(400)
  expect(answer.json.error).toContain('Did you mean queryShape')
  expect((await submit(sandbox, { knobs: 'nonsense' })).status).toBe(400)
})

test('requests are counted by endpoint and code', async () => {
  const before = sandbox.books().requests['balance-report']
  await submit(sandbox)
  await submit(sandbox, { secretKey: 'x' })
  const after = sandbox.books().requests['balance-report']
  expect(after?.total).toBe((before?.total ?? 0) + 2)
  expect(after?.byCode['400002']).toBe((before?.byCode['400002'] ?? 0) + 1)
})

test('merchants that cannot be are refused', async () => {
  await expect(startTestSandbox({ merchants: [] })).rejects.toThrow('needs a merchant')
  await expect(startTestSandbox({ merchants: [ALPHA, ALPHA] })).rejects.toThrow('same name')
  await expect(startTestSandbox({ merchants: [{ ...ALPHA, apiKey: 'a b' }] })).rejects.toThrow(
    'alpha is not one',
  )
  await expect(startTestSandbox({ knobs: { processingMs: -1 } })).rejects.toThrow('processingMs')
})
