/** Onerway's page about the account balance, walked: both operations, every field and sample in it. */
import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { formatAmount } from '../../src/domain/amount.ts'
import { systemRandom } from '../../src/host.ts'
import { createHttp } from '../../src/providers/http.ts'
import { askBalance } from '../../src/providers/onerway/account-balance.ts'
import { windowsOf } from '../../src/providers/onerway/account-transactions.ts'
import { onerwayClient } from '../../src/providers/onerway/client.ts'
import { type Onerway, onerway } from '../../src/providers/onerway/onerway.ts'
import { onerwaySettings } from '../../src/providers/onerway/settings.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { quietLog } from '../support/quiet-log.ts'
import { bytesOf, startServer, type TestServer } from '../support/test-http.ts'

const USD = `{"currency":"USD","withdrawableBalance":"1000.00","availableBalance":"1500.00","fundOnHold":"300.00","depositBalance":"200.00","totalBalance":"2000.00","status":"ACTIVE"}`
const EUR = `{"currency":"EUR","withdrawableBalance":"2000.00","availableBalance":"2500.00","fundOnHold":"500.00","depositBalance":"0.00","totalBalance":"3000.00","status":"ACTIVE"}`
const success = (data: string) => `{"code":"200","message":"success","data":${data}}`
const OVERVIEW = success(
  `{"totalAmount":"5000.00","displayCurrency":"USD","currencyBalances":[${USD},${EUR}]}`,
)
const PATHS = { balance: '/b', overview: '/o', transactions: '/t' }
/** The time of the documented sample: 1776931200000. */
const clock = fixedClock('2026-04-23T08:00:00.000Z')
const agent = new Agent()
const log = quietLog()

let server: TestServer
let answers: { status?: number; body: string }[] = []
let asked: { path: string; method: string; headers: Record<string, unknown>; body: string }[] = []

beforeAll(async () => {
  server = await startServer(async (request, response) => {
    const { url = '', method = '', headers } = request
    asked.push({ path: url, method, headers, body: (await bytesOf(request)).toString() })
    const answer = (answers.length > 1 ? answers.shift() : answers[0])!
    response.statusCode = answer.status ?? 200
    response.end(answer.body)
  })
})
afterEach(() => {
  answers = []
  asked = []
  clock.set('2026-04-23T08:00:00.000Z')
})
afterAll(async () => {
  await server.stop()
  await agent.close()
})

function parts(settings: Record<string, unknown>) {
  const http = createHttp({ dispatcher: agent, timeoutMs: 2000, maxAnswerBytes: 1_000_000 })
  const secrets = () => ({ apiKey: 'planted-onerway-key' })
  return { http, clock, random: systemRandom, log, secrets, settings }
}

const onerwayWith = (settings: Record<string, unknown> = {}): Onerway =>
  onerway(parts({ baseUrl: server.url, paths: PATHS, ...settings }))
const told = (...bodies: string[]) => {
  answers = bodies.map(body => ({ body }))
}
async function rowsOf(settings: Record<string, unknown> = {}) {
  const { balances } = onerwayWith(settings)
  return (await balances.ask()).flatMap(balances.read)
}

describe('the request', () => {
  it('of one currency is the sample: requestId, requestTime as a number of milliseconds, currency', async () => {
    told(success(USD))
    await rowsOf({ currencies: ['USD'] })
    const [{ path, method, headers, body }] = asked as [(typeof asked)[0]]
    expect([path, method, headers.apikey]).toEqual(['/b', 'POST', 'planted-onerway-key'])
    expect(body).toMatch(/^\{"requestId":"[0-9a-f]{32}","requestTime":1776931200000,"currency":"USD"\}$/)
  })

  it('of the overview may name a displayCurrency, and names none by itself', async () => {
    told(OVERVIEW)
    await rowsOf({ displayCurrency: 'USD' })
    await rowsOf()
    expect(asked.map(({ path }) => path)).toEqual(['/o', '/o'])
    expect(Object.keys(JSON.parse(asked[0]!.body))).toEqual(['requestId', 'requestTime', 'displayCurrency'])
    expect(Object.keys(JSON.parse(asked[1]!.body))).toEqual(['requestId', 'requestTime'])
  })

  it('is signed by nothing: no parameter is', async () => {
    told(OVERVIEW)
    await rowsOf()
    expect(asked[0]!.body).not.toContain('sign')
    expect(Object.keys(asked[0]!.headers)).not.toContain('sign')
  })

  it('has another requestId and a later requestTime on every try, unless ids are to be kept', async () => {
    for (const newRequestIdPerAttempt of [true, false]) {
      asked = []
      answers = [{ status: 500, body: '' }, { status: 429, body: '' }, { body: OVERVIEW }]
      await rowsOf({ newRequestIdPerAttempt })
      const sent = asked.map(({ body }) => JSON.parse(body))
      expect(new Set(sent.map(({ requestId }) => requestId)).size).toBe(newRequestIdPerAttempt ? 3 : 1)
      expect(new Set(sent.map(({ requestTime }) => requestTime)).size).toBe(3)
    }
  })

  it('uses the header and the method that are set', async () => {
    told(OVERVIEW)
    await rowsOf({ keyHeader: 'x-key', method: 'PUT' })
    expect([asked[0]!.method, asked[0]!.headers['x-key']]).toEqual(['PUT', 'planted-onerway-key'])
  })

  it('has no address of its own: without one it refuses, and says where the address is found', () => {
    for (const [settings, names] of [
      [{}, ['settings.baseUrl', 'settings.paths']],
      [{ baseUrl: server.url }, ['settings.paths']],
      [
        { baseUrl: server.url, paths: { balance: '/b' } },
        ['settings.paths.overview', 'settings.paths.transactions'],
      ],
      [{ baseUrl: 'http://acq.example.com', paths: PATHS }, ['settings.baseUrl']],
      [{ baseUrl: server.url, paths: { ...PATHS, balance: 'b' } }, ['settings.paths.balance']],
    ] as const) {
      let says = ''
      try {
        onerway(parts(settings))
      } catch (error) {
        expect(error).toMatchObject({ code: 'config-invalid' })
        says = (error as Error).message
      }
      for (const name of names) expect(says).toContain(name)
      expect(says).toContain('account-service-setup')
    }
  })
})

describe('the answer', () => {
  it('of one currency: currency and five balances, and a status', async () => {
    told(success(USD))
    const [row] = await rowsOf({ currencies: ['USD'] })
    const { withdrawable, available, onHold, deposit, total } = row!
    expect([withdrawable, available, onHold, deposit, total].map(amount => formatAmount(amount!))).toEqual([
      '1000',
      '1500',
      '300',
      '200',
      '2000',
    ])
    expect(row).toMatchObject({
      asset: 'USD',
      status: 'ACTIVE',
      asOfMicros: null,
      valuations: null,
      extra: null,
    })
  })

  it('of the overview: a row a currency, whose parts add up to the total without the withdrawable', async () => {
    told(OVERVIEW)
    const rows = await rowsOf()
    expect(rows.map(({ asset }) => asset)).toEqual(['USD', 'EUR'])
    for (const row of rows) {
      expect(row.available! + row.onHold! + row.deposit!).toBe(row.total)
      expect(row.withdrawable! <= row.available!).toBe(true)
    }
  })

  it('keeps totalAmount and displayCurrency as information, in no figure', async () => {
    told(OVERVIEW)
    const rows = await rowsOf()
    expect(rows.map(({ valuations }) => valuations)).toEqual(
      Array(2).fill('{"accountTotal":"5000.00","displayCurrency":"USD"}'),
    )
    expect(rows.map(({ total }) => formatAmount(total!))).toEqual(['2000', '3000'])
  })

  it('passes an unknown status and unknown fields through', async () => {
    told(success(USD.replace('"ACTIVE"', '"FROZEN","later":12345678901234567890').replace('USD', 'USD')))
    const [row] = await rowsOf({ currencies: ['USD'] })
    expect(row).toMatchObject({ status: 'FROZEN', extra: '{"later":12345678901234567890}' })
  })

  it('about another currency than was asked for is refused', async () => {
    told(success(EUR))
    await expect(rowsOf({ currencies: ['USD'] })).rejects.toMatchObject({ code: 'provider-protocol' })
  })

  it.each([
    ['a number as the code', `{"code":200,"message":"success","data":${USD}}`, 'provider-refused'],
    ['another code', '{"code":"40001","message":"INVALID_PARAMETER"}', 'provider-refused'],
    [
      "the neighbours' envelope",
      '{"success":false,"respCode":"40002","respMsg":"INVALID_TIME_RANGE"}',
      'provider-refused',
    ],
    [
      "the neighbours' success",
      `{"success":true,"respCode":"20000","respMsg":"SUCCESS_CODE","data":${USD}}`,
      'provider-refused',
    ],
    ['a success without data', '{"code":"200","message":"success"}', 'provider-protocol'],
    ['an HTML page', '<html>', 'provider-refused'],
  ])('with %s is no success, and is not asked for again', async (_, body, code) => {
    told(body)
    await expect(rowsOf()).rejects.toMatchObject({ code, retry: false })
    expect(asked).toHaveLength(1)
  })

  it.each([
    [429, true],
    [500, true],
    [503, true],
    [401, false],
    [403, false],
  ])('with HTTP %i may be tried again: %s', async (status, retry) => {
    answers = [{ status, body: '' }]
    await expect(rowsOf()).rejects.toMatchObject({ retry })
    expect(asked).toHaveLength(retry ? 3 : 1)
  })

  it('has no time of its own, so the window of the request is kept', async () => {
    told(success(USD))
    const settings = onerwaySettings.parse({ baseUrl: server.url, paths: PATHS })
    const client = onerwayClient({ ...parts({}), settings, apiKey: () => 'key' })
    const answer = await askBalance({ client, settings }, 'USD')
    expect(answer).toMatchObject({
      sentAt: '2026-04-23T08:00:00.000Z',
      answeredAt: '2026-04-23T08:00:00.000Z',
    })
    expect(answer.assumptions.join()).toContain('between sent_at and answered_at')
  })
})

describe('the transactions', () => {
  const FROM = new Date('2026-04-01T00:00:00Z')
  const TO = new Date('2026-04-02T00:00:00Z')
  const record = (id: string, time: string, amount: string, type = 'PAYMENT') =>
    `{"currency":"USD","acntTxnId":${id},"serviceId":1967964791566110721,"balanceUpdDate":"${time}","amount":"${amount}","remark":"r","businessType":"${type}"}`
  const page = (total: number, current: number, ...records: string[]) =>
    success(`{"total":${total},"size":2,"current":${current},"records":[${records.join(',')}]}`)
  const A = record('1967964791566110721', '2026-04-01T10:00:00Z', '12.34')
  const B = record('1967964791566110723', '2026-04-01T10:00:00Z', '12.34')
  const C = record('1967964791566110725', '2026-04-01T23:59:59.999Z', '-0.01', 'QUASAR')
  const END = record('1967964791566110727', '2026-04-02T00:00:00Z', '5.00')

  it('are asked for page by page, their ids read from the text, equal ones told apart by id', async () => {
    told(page(4, 1, A, B), page(4, 2, C, END))
    const { rows, pages } = await onerwayWith().activity.movements('USD', FROM, TO)
    expect(pages).toHaveLength(2)
    expect(rows.map(({ amount, operation }) => [formatAmount(amount), operation])).toEqual([
      ['12.34', 'PAYMENT'],
      ['12.34', 'PAYMENT'],
      ['-0.01', 'QUASAR'],
    ])
    expect(rows.map(({ extra }) => extra)).toContain(
      '{"acntTxnId":"1967964791566110723","serviceId":"1967964791566110721"}',
    )
    expect(asked.map(({ body }) => JSON.parse(body).current)).toEqual([1, 2])
    expect(JSON.parse(asked[0]!.body)).toMatchObject({
      currency: 'USD',
      beginTime: '2026-03-31T23:59:59.000Z',
      endTime: '2026-04-02T00:00:01.000Z',
    })
  })

  it('that grow while they are read are read again until a pass is whole', async () => {
    told(page(3, 1, A, B), page(4, 2, B, C), page(4, 1, END, A), page(4, 2, B, C))
    const { rows } = await onerwayWith().activity.movements('USD', FROM, TO)
    expect(rows).toHaveLength(3)
    told(page(3, 1, A, B), page(3, 2, B))
    answers = Array.from({ length: 9 }, (_, index) => ({
      body: index % 2 === 0 ? page(3, 1, A, B) : page(3, 2, B),
    }))
    await expect(onerwayWith().activity.movements('USD', FROM, TO)).rejects.toMatchObject({
      message: expect.stringContaining('2 of 3'),
    })
  })

  it('of more than 31 days are asked for in windows of at most that', () => {
    const day = 86_400_000
    const windows = windowsOf(0, 100 * day)
    for (const { beginMs, endMs } of windows) expect(endMs - beginMs).toBeLessThanOrEqual(31 * day)
    for (const [index, { beginMs }] of windows.entries())
      if (index > 0) expect(beginMs).toBeLessThan(windows[index - 1]!.endMs)
    expect(windows[0]!.beginMs).toBeLessThan(0)
    expect(windows.at(-1)!.endMs).toBeGreaterThan(100 * day)
  })

  it('say that what an amount moves is unproven', async () => {
    told(page(0, 1))
    const { rows, assumptions } = await onerwayWith({ activityTarget: 'available' }).activity.movements(
      'USD',
      FROM,
      TO,
    )
    expect(rows).toEqual([])
    expect(assumptions.join()).toMatch(/moves the available balance: unproven/)
  })

  it('in another currency or without a time are refused', async () => {
    for (const body of [A.replace('USD', 'EUR'), A.replace('2026-04-01T10:00:00Z', 'noon')]) {
      told(page(1, 1, body))
      await expect(onerwayWith().activity.movements('USD', FROM, TO)).rejects.toMatchObject({
        code: 'provider-protocol',
      })
    }
  })
})

it('the key is in no log', () => {
  expect(log.text()).not.toContain('planted-onerway-key')
})
