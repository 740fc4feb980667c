/** The sandbox as PayerMax and Onerway, asked by a client of its own, and balances against what it serves. */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { formatAmount, readAmount } from '../../src/domain/amount.ts'
import { type JsonNumber, parseJson } from '../../src/domain/json.ts'
import { systemRandom } from '../../src/host.ts'
import { defaultKnobs, type Knobs } from '../../src/sandbox/knobs.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { ALPHA, call, query, submitted } from '../support/sandbox-client.ts'

const QUIET: Knobs = { ...defaultKnobs, processingMs: 0, rowsPerDay: 60, certificateBits: '1024' }
const NOW = '2026-10-15T12:00:00.000Z'
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const clock = fixedClock(NOW)
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    merchants: [
      {
        ...ALPHA,
        payermax: {
          appId: 'app',
          memberId: 'member',
          publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        },
        onerway: { apiKey: 'onerway-key' },
      },
    ],
    seed: 'test',
    knobs: QUIET,
    clock,
    random: systemRandom,
  })
})
afterEach(() => {
  sandbox.setKnobs(QUIET)
  clock.set(NOW)
})
afterAll(() => sandbox.stop())

interface PayerMaxCall {
  readonly path?: string
  readonly data?: unknown
  readonly envelope?: Record<string, unknown>
  readonly sign?: string
  readonly key?: typeof pair.privateKey
}

async function payermax(options: PayerMaxCall = {}) {
  const { path = 'endDayAccountBalanceQuery', data = dayEnd('2026-10-14'), envelope = {} } = options
  const body = JSON.stringify({
    ...{ version: '1.5', keyVersion: '1', appId: 'app', memberId: 'member' },
    requestTime: clock.now().toISOString().replace('Z', '+00:00'),
    data,
    ...envelope,
  })
  const signature =
    options.sign ?? sign('RSA-SHA256', Buffer.from(body), options.key ?? pair.privateKey).toString('base64')
  const answer = await fetch(`${sandbox.url}/aggregate-pay/api/gateway/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', sign: signature },
    body,
  })
  const text = await answer.text()
  return {
    text,
    sign: answer.headers.get('sign'),
    status: answer.status,
    json: /^\{.*\}$/.test(text) ? JSON.parse(text) : undefined,
  }
}

function dayEnd(inquiryDate: string, timezone = 'UTC', lists: Record<string, string[]> = {}) {
  return { inquiryDate, timezone, endDayAccountBalanceQueryReq: lists }
}

const rowsOf = async (options: PayerMaxCall = {}) =>
  (await payermax(options)).json.data.endDayAccountBalanceInfoList

describe('PayerMax', () => {
  it('signs a success over its bytes with the key it shows', async () => {
    const { text, sign: signature } = await payermax()
    const key = createPublicKey(await sandbox.payermaxPublicKey())
    expect(verify('RSA-SHA256', Buffer.from(text), key, Buffer.from(signature!, 'base64'))).toBe(true)
  })

  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  it.each([
    ['an unknown app', { envelope: { appId: 'other' } }, 'MERCHANT_APP_INVALID'],
    ["a stranger's signature", { key: stranger }, 'SIGN_VERIFY_FAILED'],
    ['no signature', { sign: '' }, 'SIGN_VERIFY_FAILED'],
    ['nonsense for a signature', { sign: '%%' }, 'SIGN_VERIFY_FAILED'],
    [
      'a time two minutes and a bit ago',
      { envelope: { requestTime: '2026-10-15T11:57:59.000+00:00' } },
      'REQ_TIME_OVER_TIME',
    ],
    ['a time in another form', { envelope: { requestTime: '1792065600000' } }, 'REQ_TIME_OVER_TIME'],
    ['another member', { envelope: { memberId: 'other' } }, 'MERCHANT_INVALID'],
    ['another version', { envelope: { version: '1.3' } }, 'PARAMS_INVALID'],
    ['a day that is none', { data: dayEnd('2026-02-30') }, 'PARAMS_INVALID'],
    ['today', { data: dayEnd('2026-10-15') }, 'PARAMS_INVALID'],
    ['the day 91 days ago', { data: dayEnd('2026-07-16') }, 'PARAMS_INVALID'],
    ['another zone', { data: dayEnd('2026-10-14', 'PST') }, 'PARAMS_INVALID'],
    ['no request object', { data: { inquiryDate: '2026-10-14', timezone: 'UTC' } }, 'PARAMS_INVALID'],
  ] satisfies [string, PayerMaxCall, string][])('refuses %s', async (_, options, code) => {
    expect((await payermax(options)).json.code).toBe(code)
  })

  it('takes a time just within two minutes, in any offset, and a zone in any case', async () => {
    for (const requestTime of [
      '2026-10-15T11:58:00.000+00:00',
      '2026-10-15T20:00:30.000+08:00',
      '2026-10-15T12:01:59.000Z',
    ])
      expect((await payermax({ envelope: { requestTime } })).json.code).toBe('APPLY_SUCCESS')
    expect((await payermax({ data: dayEnd('2026-10-14', 'cst') })).json.data.timeZone).toBe('CST')
  })

  it('adds up, rolls forward, and tells zones apart', async () => {
    const days = await Promise.all(['2026-10-12', '2026-10-13'].map(day => rowsOf({ data: dayEnd(day) })))
    for (const row of days.flat())
      expect(row.initialBalance + row.inflowAmount - row.outflowAmount).toBe(row.endBalance)
    days[0].forEach((row: { endBalance: number }, index: number) => {
      expect(days[1][index].initialBalance).toBe(row.endBalance)
    })
    expect(await rowsOf({ data: dayEnd('2026-10-12', 'CST') })).not.toEqual(days[0])
  })

  it('narrows to currencies and accounts', async () => {
    const data = dayEnd('2026-10-14', 'UTC', { fundsAccountCurrencyList: ['USD'] })
    expect(await rowsOf({ data })).toHaveLength(2)
    expect(
      await rowsOf({ data: { ...data, endDayAccountBalanceQueryReq: { fundsAccountNoList: ['654321'] } } }),
    ).toHaveLength(1)
    expect(
      (await payermax({ path: 'fundsAccountQuery', data: {} })).json.data.fundsAccountInfoList,
    ).toHaveLength(2)
    expect((await payermax({ path: 'realTimeAccountBalanceQuery' })).status).toBe(403)
  })

  const usd = async () =>
    (await rowsOf()).filter(
      (row: { currency: string; fundsAccountNo: string }) =>
        row.currency === 'USD' && row.fundsAccountNo === '123456',
    )
  it('breaks as the knobs say, on the day they say', async () => {
    const [right] = await usd()
    const broken = async (breakKind: Knobs['breakKind'], breakDay = '2026-10-14') => {
      sandbox.setKnobs({ breakKind, breakDay })
      return usd()
    }
    expect(await broken('missing-row')).toEqual([])
    expect(await broken('vanished-currency')).toEqual([])
    expect(await broken('doubled-row')).toEqual([right, right])
    expect(await broken('swapped-flow')).toEqual([
      { ...right, inflowAmount: right.outflowAmount, outflowAmount: right.inflowAmount },
    ])
    expect(await broken('wrong-total')).toEqual([{ ...right, endBalance: right.endBalance + 1 }])
    for (const kind of ['missing-row', 'doubled-row', 'swapped-flow', 'wrong-total'] as const)
      expect(await broken(kind, '2026-10-13')).toEqual([right])
  })

  it('writes amounts, times and zones as the knobs say', async () => {
    const first = async (knobs: Partial<Knobs>) => {
      sandbox.setKnobs({ ...QUIET, ...knobs })
      return (await payermax()).text
    }
    const whole = /"endBalance":(\d+)/.exec(await first({}))![1]!
    expect(await first({ payermaxAmounts: 'decimals' })).toContain(
      `"endBalance":${whole.slice(0, -2)}.${whole.slice(-2)}`,
    )
    const huge = BigInt(whole) + 9_007_199_254_740_993_000n
    expect(await first({ payermaxAmounts: 'huge' })).toContain(`"endBalance":${huge}`)
    expect(await first({ payermaxAcctTime: 'timestamp' })).toContain(
      '"acctTime":"2026-10-15T00:00:00.000+00:00"',
    )
    expect(await first({ payermaxZoneKey: 'timezone' })).toContain('"timezone":"UTC"')
    expect(await first({ payermaxZeroRows: 'present' })).toContain('"currency":"BRL"')
    sandbox.setKnobs({ payermaxDayCloseHours: 13 })
    expect((await payermax()).json.code).toBe('PARAMS_INVALID')
  })

  it('fails as the knobs say', async () => {
    const failing = async (knobs: Partial<Knobs>) => {
      sandbox.setKnobs({ ...QUIET, ...knobs })
      return payermax()
    }
    expect((await failing({ payermaxFault: 'system-error' })).json.code).toBe('SYSTEM_ERROR')
    expect((await failing({ payermaxFault: 'http-500' })).status).toBe(500)
    expect((await failing({ payermaxFault: 'html' })).text).toContain('HTML')
    expect((await failing({ payermaxFault: 'truncated' })).text).not.toMatch(/\}$/)
    expect((await failing({ payermaxFault: 'unsigned' })).sign).toBeNull()
    const bad = await failing({ payermaxFault: 'bad-sign' })
    const key = createPublicKey(await sandbox.payermaxPublicKey())
    expect(verify('RSA-SHA256', Buffer.from(bad.text), key, Buffer.from(bad.sign!, 'base64'))).toBe(false)
    expect((await failing({ payermaxFault: 'other-zone' })).json.data.timeZone).toBe('PST')
    const codes: string[] = []
    sandbox.setKnobs({ ...QUIET, payermaxBusyEvery: 2 })
    for (let time = 0; time < 4; time++) codes.push((await payermax()).json.code)
    expect(codes).toEqual(['APPLY_SUCCESS', 'TOO_MANY_REQUEST', 'APPLY_SUCCESS', 'TOO_MANY_REQUEST'])
    expect((await failing({ payermaxErrorsSigned: true, payermaxFault: 'system-error' })).sign).not.toBeNull()
    expect((await failing({ payermaxSignature: 'unchecked' })).json.code).toBe('APPLY_SUCCESS')
  })
})

let ids = 0
async function onerway(name: string, fields: Record<string, unknown> = {}, apikey = 'onerway-key') {
  const body = JSON.stringify({ requestId: `id-${++ids}`, requestTime: clock.now().getTime(), ...fields })
  const answer = await fetch(`${sandbox.url}/onerway/account/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey },
    body,
  })
  const text = await answer.text()
  return { status: answer.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined }
}

async function movements(begin: string, end: string, currency = 'USD') {
  const records: { acntTxnId: string; amount: string; balanceUpdDate: string }[] = []
  for (let current = 1; ; current++) {
    const { text } = await onerway('transactions', { currency, beginTime: begin, endTime: end, current })
    // biome-ignore lint/suspicious/noExplicitAny: a test reads any answer
    const { data } = parseJson(text) as any
    records.push(
      ...data.records.map((record: Record<string, unknown>) => ({
        ...record,
        acntTxnId: String(record.acntTxnId),
      })),
    )
    if (data.records.length === 0 || records.length >= Number(data.total)) return records
  }
}
const sumOf = (records: readonly { amount: string }[]) =>
  records.reduce((sum, { amount }) => sum + (readAmount(amount) as bigint), 0n)

describe('Onerway', () => {
  it('knows its key, its clock and its ids', async () => {
    expect((await onerway('overview', {}, 'other')).status).toBe(401)
    sandbox.setKnobs({ onerwayKeyError: 'code' })
    expect((await onerway('overview', {}, 'other')).json.code).toBe('40003')
    sandbox.setKnobs({ onerwayErrorEnvelope: 'respCode' })
    expect((await onerway('overview', {}, 'other')).json.respCode).toBe('40003')
    sandbox.setKnobs(QUIET)
    const now = clock.now().getTime()
    expect((await onerway('overview', { requestTime: now - 600_000 })).json.code).toBe('200')
    expect((await onerway('overview', { requestTime: now - 600_001 })).json.code).toBe('40002')
    expect((await onerway('overview', { requestTime: String(now) })).json.code).toBe('40001')
    expect((await onerway('overview', { requestId: '' })).json.code).toBe('40001')
    expect((await onerway('overview', { requestId: 'same' })).json.code).toBe('200')
    expect((await onerway('overview', { requestId: 'same' })).json.code).toBe('40006')
    sandbox.setKnobs({ onerwayDuplicateId: 'accept' })
    expect((await onerway('overview', { requestId: 'same' })).json.code).toBe('200')
    sandbox.setKnobs({ onerwayIpAllowed: false })
    expect((await onerway('overview')).status).toBe(403)
  })

  it('tells the same balance alone and in the overview, and knows what it does not hold', async () => {
    const { json } = await onerway('overview', { displayCurrency: 'EUR' })
    expect(json.data.displayCurrency).toBe('EUR')
    for (const row of json.data.currencyBalances)
      expect((await onerway('balance', { currency: row.currency })).json.data).toEqual(row)
    expect((await onerway('balance', { currency: 'JPY' })).json.code).toBe('40001')
    expect((await onerway('balance')).json.code).toBe('40001')
  })

  it('has balances that its movements explain', async () => {
    const total = async () =>
      readAmount((await onerway('balance', { currency: 'USD' })).json.data.totalBalance) as bigint
    clock.set('2026-10-10T00:00:00.000Z')
    const before = await total()
    clock.set('2026-10-12T06:00:00.000Z')
    const after = await total()
    const moved = await movements('2026-10-10T00:00:00.001Z', '2026-10-12T06:00:00.000Z')
    expect(moved.length).toBeGreaterThan(5)
    expect(after - before).toBe(sumOf(moved))
    for (const { acntTxnId } of moved) expect(Number(acntTxnId).toString()).not.toBe(acntTxnId)
  })

  it('limits a question to 31 days', async () => {
    const asked = (beginTime: string, endTime: string) =>
      onerway('transactions', { currency: 'USD', beginTime, endTime })
    expect((await asked('2026-09-01T00:00:00Z', '2026-10-02T00:00:00Z')).json.code).toBe('200')
    expect((await asked('2026-09-01T00:00:00Z', '2026-10-02T00:00:01Z')).json.code).toBe('40002')
    expect((await asked('2026-09-02T00:00:00Z', '2026-09-01T00:00:00Z')).json.code).toBe('40002')
  })

  it('breaks as the knobs say', async () => {
    const day = ['2026-10-12T00:00:00.000Z', '2026-10-12T23:59:59.999Z'] as const
    const next = ['2026-10-13T00:00:00.000Z', '2026-10-13T23:59:59.999Z'] as const
    const [right, rightNext] = [await movements(...day), await movements(...next)]
    const broken = async (breakKind: Knobs['breakKind']) => {
      sandbox.setKnobs({ ...QUIET, breakKind, breakDay: '2026-10-12' })
      return [await movements(...day), await movements(...next)] as const
    }
    const first = sumOf(right.slice(0, 1))
    expect(await broken('missing-row')).toEqual([right.slice(1), rightNext])
    const [doubled] = await broken('doubled-row')
    expect([doubled.length, sumOf(doubled)]).toEqual([right.length + 1, sumOf(right) + first])
    expect(new Set(doubled.map(({ acntTxnId }) => acntTxnId)).size).toBe(doubled.length)
    const [lateDay, lateNext] = await broken('late-row')
    expect([sumOf(lateDay), sumOf(lateNext)]).toEqual([sumOf(right) - first, sumOf(rightNext) + first])
    sandbox.setKnobs({ ...QUIET, breakKind: 'vanished-currency' })
    const { json } = await onerway('overview')
    expect(json.data.currencyBalances.map(({ currency }: { currency: string }) => currency)).toEqual([
      'EUR',
      'HKD',
    ])
    expect((await onerway('balance', { currency: 'USD' })).json.code).toBe('200')
    const total = async () =>
      readAmount((await onerway('balance', { currency: 'USD' })).json.data.totalBalance) as bigint
    const told = await total()
    sandbox.setKnobs({ ...QUIET, breakKind: 'wrong-total' })
    expect(formatAmount((await total()) - told)).toBe('0.01')
  })

  it('does what else the knobs say', async () => {
    sandbox.setKnobs({ onerwayOddValues: true })
    expect((await onerway('balance', { currency: 'USD' })).json.data.status).toBe('SLEEPING')
    sandbox.setKnobs({ ...QUIET, onerwayEqualTimes: true })
    const times = (await movements('2026-10-12T00:00:00Z', '2026-10-12T23:59:59Z')).map(
      row => row.balanceUpdDate,
    )
    expect(new Set(times).size).toBe(1)
    sandbox.setKnobs({ ...QUIET, onerwayBounds: 'exclusive', onerwayEqualTimes: true })
    expect(await movements('2026-10-12T12:00:00Z', '2026-10-12T13:00:00Z')).toEqual([])
    sandbox.setKnobs({ ...QUIET, onerwayAmountMoves: 'available' })
    expect((await onerway('balance', { currency: 'USD' })).json.code).toBe('200')
    for (const [fault, status] of [
      ['http-429', 429],
      ['http-500', 500],
      ['html', 403],
    ] as const) {
      sandbox.setKnobs({ ...QUIET, onerwayFault: fault })
      expect((await onerway('overview')).status).toBe(status)
    }
    sandbox.setKnobs({ ...QUIET, onerwayTotalGrows: 2 })
    const totals: number[] = []
    for (let time = 0; time < 4; time++) {
      const window = { currency: 'USD', beginTime: '2026-10-12T00:00:00Z', endTime: '2026-10-13T00:00:00Z' }
      totals.push((await onerway('transactions', window)).json.data.total)
    }
    expect(totals.map(total => total - totals[0]!)).toEqual([0, 1, 2, 2])
  })
})

describe("Binance Pay's wallets", () => {
  async function held() {
    const wallets = new Map<string, bigint>()
    for (const [name, wallet] of [
      ['Spot', 'SPOT_WALLET'],
      ['Funding', 'FUNDING_WALLET'],
    ] as const) {
      const options = {
        path: '/binancepay/openapi/v2/balance',
        body: JSON.stringify({ wallet }),
        timestamp: clock.now().getTime(),
      }
      // biome-ignore lint/suspicious/noExplicitAny: a test reads any answer
      const { data } = parseJson((await call(sandbox, options)).text) as any
      for (const row of data.balance) {
        const amount = (value: JsonNumber) => readAmount(value.text) as bigint
        wallets.set(`${name} ${row.asset}`, amount(row.available) + amount(row.freeze))
      }
    }
    return wallets
  }

  /** The sums of the rows of a report about these days, by wallet and coin. */
  async function reported(startDate: string, endDate: string) {
    const body = JSON.stringify({ reportType: 'Balance', startDate, endDate })
    const timestamp = clock.now().getTime()
    const id = await submitted(sandbox, { body, timestamp })
    const { json } = await query(sandbox, id, { timestamp })
    const lines = (await (await fetch(json.downloadUrl)).text()).trimEnd().split('\n').slice(1)
    const sums = new Map<string, bigint>()
    for (const line of lines) {
      const [, , wallet, , coin, change] = line.split(',')
      const name = `${wallet} ${coin}`
      sums.set(name, (sums.get(name) ?? 0n) + (readAmount(change!) as bigint))
    }
    return { sums, lines }
  }

  it('hold what the rows of reports explain, in each wallet and coin', async () => {
    // A report can be asked for later; the balances cannot, so they are read as the days begin.
    clock.set('2026-10-09T23:59:59.999Z')
    const before = await held()
    clock.set('2026-10-11T23:59:59.999Z')
    const after = await held()
    clock.set(NOW)
    const { sums } = await reported('2026-10-10', '2026-10-12')
    for (const [name, amount] of after)
      expect([name, amount - before.get(name)!]).toEqual([name, sums.get(name) ?? 0n])
    expect([...sums.values()].some(sum => sum !== 0n)).toBe(true)
  })

  it('break as the knobs say, in the report of the day they say', async () => {
    const whole = ['2026-10-10', '2026-10-12'] as const
    const right = await reported(...whole)
    const broken = async (breakKind: Knobs['breakKind']) => {
      sandbox.setKnobs({ ...QUIET, breakKind, breakDay: '2026-10-10' })
      return reported(...whole)
    }
    const missing = await broken('missing-row')
    expect(missing.lines).toHaveLength(right.lines.length - 1)
    const [gone] = right.lines.filter(line => !missing.lines.includes(line))
    expect(gone).toContain('2026-10-10')
    const doubled = await broken('doubled-row')
    expect(doubled.lines).toHaveLength(right.lines.length + 1)
    expect(doubled.lines.filter(line => line === gone).length).toBe(
      right.lines.filter(line => line === gone).length + 1,
    )
    const late = await broken('late-row')
    expect(late.lines).toHaveLength(right.lines.length)
    expect(late.lines).toContain(gone!.replace('2026-10-10', '2026-10-11'))
    expect(late.sums).toEqual(right.sums)
    const times = late.lines.map(line => line.split(',')[1]!)
    expect([...times].sort()).toEqual(times)
    sandbox.setKnobs({ ...QUIET, breakKind: 'late-row', breakDay: '2026-10-10', fileOrder: 'descending' })
    const descending = await reported(...whole)
    expect([...descending.lines].sort()).toEqual([...late.lines].sort())
    const down = descending.lines.map(line => line.split(',')[1]!)
    expect([...down].sort().reverse()).toEqual(down)
    sandbox.setKnobs({ ...QUIET, breakKind: 'missing-row', breakDay: '2026-10-05' })
    expect((await reported(...whole)).lines).toEqual(right.lines)
  })

  it('lose a currency, or gain a little, as the knobs say', async () => {
    const right = await held()
    sandbox.setKnobs({ ...QUIET, breakKind: 'vanished-currency', breakDay: '2026-10-15' })
    expect((await held()).has('Spot USDT')).toBe(false)
    sandbox.setKnobs({ ...QUIET, breakKind: 'wrong-total' })
    expect(formatAmount((await held()).get('Spot USDT')! - right.get('Spot USDT')!)).toBe('0.00000001')
    sandbox.setKnobs({ ...QUIET, breakKind: 'wrong-total', breakDay: '2026-10-14' })
    expect(await held()).toEqual(right)
  })
})
