/** PayerMax's page about the day-end balance, walked: every field, limit, contradiction and sample in it. */
import { createHash, createPrivateKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { formatAmount } from '../../src/domain/amount.ts'
import { daysBetween } from '../../src/domain/calendar.ts'
import { systemRandom } from '../../src/host.ts'
import { createHttp } from '../../src/providers/http.ts'
import { requestTime } from '../../src/providers/payermax/client.ts'
import { type PayerMax, payerMax } from '../../src/providers/payermax/payermax.ts'
import { readPrivateKey, readPublicKey } from '../../src/providers/rsa-keys.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { quietLog } from '../support/quiet-log.ts'
import { bytesOf, startServer, type TestServer } from '../support/test-http.ts'

const SAMPLE_SIGN =
  'FPFVT3o227JrFRbqu19boZCpVVTF9KznxyRawUmxpfXilHV/0yK46haPhAjNu1hPUMy7Vw/ILXhfzffNm4Fj0apWknlTY9OJxnSoQxS9BTFtc61tn5yV1q69x/kkBl82/qwg+XTJ4fOzy7Mar3VaC1E2PlDA6RkkKBUyNE6RYgsdB+Su7an4+4HVTNAnoe74WyvBgxTLMNg28igBTdqxaO3w/UBY6ObVp7vkqkQGdL1Y+HgmMYaAVwrM3+ALWGId0sJ+YqTY4WJ+0xCRGhaSnybiIjZsQEYyID68WNUfuavDLDsEhaMm/HfQvf5p0R1Ltovp3wwJnEbQcjY458iX5A=='
const APP = { appId: '798b79c2e33a4d8e866410bf401551a7', memberId: '20250619P01B00000075000002' }

const row = (currency: string, inflow: number, end: number) =>
  `{"inflowAmount":${inflow},"fundsAccountNo":"123456","endBalance":${end},"initialBalance":100,"currency":"${currency}","outflowAmount":0}`
const ROWS = [
  row('IDR', 200, 300),
  row('CNY', 400, 500),
  row('EUR', 500, 600),
  row('SAR', 300, 400),
  row('USD', 100, 200),
]
const sample = (rows = ROWS.join(','), zone = '"timeZone":"UTC"', acctTime = '2025-10-20') =>
  `{"msg":"","code":"APPLY_SUCCESS","data":{"acctTime":"${acctTime}",${zone},"endDayAccountBalanceInfoList":[${rows}]}}`

const merchant = generateKeyPairSync('rsa', { modulusLength: 2048 })
const provider = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const derOf = (key: typeof merchant.privateKey) =>
  key.export({ type: 'pkcs8', format: 'der' }).toString('base64')
const spkiOf = (key: typeof merchant.publicKey) =>
  key.export({ type: 'spki', format: 'der' }).toString('base64')

interface Told {
  readonly status?: number
  readonly body: string
  readonly sign?: string
}
/** Two months after the sample's day, and within ninety days of it. */
const clock = fixedClock('2025-12-03T13:15:13.712Z')
const agent = new Agent()
let server: TestServer
let answers: Told[] = []
let asked: { path: string; headers: Record<string, unknown>; body: Buffer }[] = []

const signed = (body: string, key = provider.privateKey): Told => ({
  body,
  sign: sign('RSA-SHA256', Buffer.from(body), key).toString('base64'),
})

beforeAll(async () => {
  server = await startServer(async (request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers, body: await bytesOf(request) })
    const answer = (answers.length > 1 ? answers.shift() : answers[0])!
    response.sendDate = false
    response.writeHead(answer.status ?? 200, {
      date: clock.now().toUTCString(),
      ...(answer.sign === undefined ? {} : { sign: answer.sign }),
    })
    response.end(answer.body)
  })
})
afterEach(() => {
  answers = []
  asked = []
})
afterAll(async () => {
  await server.stop()
  await agent.close()
})

function payerMaxWith(
  settings: Record<string, unknown> = {},
  privateKey = derOf(merchant.privateKey),
): PayerMax {
  const http = createHttp({ dispatcher: agent, timeoutMs: 2000, maxAnswerBytes: 65_536 })
  return payerMax({
    ...{ http, clock, random: systemRandom, log: quietLog() },
    secrets: () => ({ privateKey }),
    settings: { baseUrl: server.url, ...APP, publicKey: spkiOf(provider.publicKey), ...settings },
  })
}

async function read(told: Told, settings: Record<string, unknown> = {}) {
  answers = [told]
  const { balances } = payerMaxWith(settings)
  return (await balances.ask('2025-10-20')).flatMap(balances.read)
}
const faultOf = (told: Told, settings: Record<string, unknown> = {}) =>
  read(told, settings).then(
    () => 'none',
    (error: unknown) => error,
  )

describe('the request', () => {
  it('is the sample: POST …/endDayAccountBalanceQuery, every field under its name, nothing else', async () => {
    await read(signed(sample()))
    expect(asked[0]!.path).toBe('/endDayAccountBalanceQuery')
    expect(server.requests.at(-1)!.method).toBe('POST')
    expect(asked[0]!.headers['content-type']).toBe('application/json')
    expect(JSON.parse(asked[0]!.body.toString())).toEqual({
      version: '1.5',
      keyVersion: '1',
      requestTime: '2025-12-03T13:15:13.712+00:00',
      ...APP,
      data: {
        inquiryDate: '2025-10-20',
        timezone: 'UTC',
        endDayAccountBalanceQueryReq: { fundsAccountCurrencyList: [], fundsAccountNoList: [] },
      },
    })
  })

  it('names currencies and accounts where they are set, and both zones', async () => {
    answers = [signed(sample()), signed(sample(undefined, '"timeZone":"CST"'))]
    await payerMaxWith({
      currencies: ['USD'],
      fundsAccounts: ['123456'],
      zones: ['UTC', 'CST'],
    }).balances.ask('2025-10-20')
    const bodies = asked.map(({ body }) => JSON.parse(body.toString()).data)
    expect(bodies.map(({ timezone }) => timezone)).toEqual(['UTC', 'CST'])
    expect(bodies[0].endDayAccountBalanceQueryReq).toEqual({
      fundsAccountCurrencyList: ['USD'],
      fundsAccountNoList: ['123456'],
    })
  })

  it('has a requestTime of RFC 3339 with milliseconds and an offset', () => {
    expect(requestTime(new Date('2025-12-03T21:15:13.712+08:00'))).toBe('2025-12-03T13:15:13.712+00:00')
  })

  it('is signed over the very bytes sent: 256 bytes as Base64 with padding, like the sample', async () => {
    await read(signed(sample()))
    const [{ body, headers }] = asked as [(typeof asked)[0]]
    const signature = String(headers.sign)
    expect([SAMPLE_SIGN.length, Buffer.from(SAMPLE_SIGN, 'base64').length]).toEqual([344, 256])
    expect([signature.length, Buffer.from(signature, 'base64').length]).toEqual([344, 256])
    expect(verify('RSA-SHA256', body, merchant.publicKey, Buffer.from(signature, 'base64'))).toBe(true)
    const other = Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1))
    expect(verify('RSA-SHA256', other, merchant.publicKey, Buffer.from(signature, 'base64'))).toBe(false)
  })

  it('is written and signed anew on every try, so that none is older than two minutes', async () => {
    answers = [
      { body: '{"code":"SYSTEM_ERROR","msg":"Try again."}' },
      { body: '{"code":"TOO_MANY_REQUEST","msg":"Try again."}' },
      signed(sample()),
    ]
    await payerMaxWith().balances.ask('2025-10-20')
    const times = asked.map(({ body }) => JSON.parse(body.toString()).requestTime)
    expect(new Set(times).size).toBe(3)
    expect(new Set(asked.map(({ headers }) => headers.sign)).size).toBe(3)
    clock.set('2025-12-03T13:15:13.712Z')
  })

  it('reaches ninety days back and no further, in UTC and in CST', async () => {
    for (const zones of [['UTC'], ['CST'], ['UTC', 'CST']]) {
      const days = payerMaxWith({ zones }).balances.days!(clock.now())
      expect(daysBetween(days.start, '2025-12-03')).toBe(90)
      expect(days.end).toBe('2025-12-03')
    }
    // At 17:00 UTC the day has closed eight hours east, but not here.
    const evening = new Date('2025-12-03T17:00:00Z')
    expect(payerMaxWith({ zones: ['CST'] }).balances.days!(evening).end).toBe('2025-12-04')
    expect(payerMaxWith({ zones: ['UTC', 'CST'] }).balances.days!(evening).end).toBe('2025-12-03')
    expect(payerMaxWith({ availableAfterMinutes: 800 }).balances.days!(clock.now()).end).toBe('2025-12-02')
  })

  it('is refused by the configuration when it could not be right', () => {
    for (const [settings, what] of [
      [{ appId: '' }, 'settings.appId'],
      [{ memberId: undefined }, 'settings.memberId'],
      [{ publicKey: 'AAAA' }, 'publicKey'],
      [{ zones: ['PST'] }, 'settings.zones'],
      [{ amountUnit: 'minor' }, 'settings.minorDigits'],
      [{ baseUrl: 'http://pay-gate.payermax.com' }, 'settings.baseUrl'],
      [{ planted: 1 }, 'planted'],
    ] as const) {
      expect(() => payerMaxWith(settings)).toThrow(
        expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(what) }),
      )
    }
  })

  it("is not sent with the merchant's own public key in the place of PayerMax's", async () => {
    const { balances } = payerMaxWith({ publicKey: spkiOf(merchant.publicKey) })
    await expect(balances.ask('2025-10-20')).rejects.toThrow("publicKey is the merchant's own")
    expect(asked).toEqual([])
  })
})

describe('the answer', () => {
  it('of the sample has five currencies of one account, told apart by their currency', async () => {
    const rows = await read(signed(sample()))
    expect(rows.map(({ asset, fundsAccount }) => `${fundsAccount} ${asset}`)).toEqual([
      '123456 IDR',
      '123456 CNY',
      '123456 EUR',
      '123456 SAR',
      '123456 USD',
    ])
    expect(rows[0]).toMatchObject({
      basis: 'day-end',
      day: '2025-10-20',
      zone: 'UTC',
      asOfMicros: BigInt(Date.UTC(2025, 9, 21)) * 1000n,
      extra: '{"acctTime":"2025-10-20"}',
    })
    for (const { opening, inflow, outflow, closing } of rows)
      expect(opening! + inflow! - outflow!).toBe(closing)
    expect(rows.map(({ closing }) => formatAmount(closing!))).toEqual(['300', '500', '600', '400', '200'])
  })

  it('is read by the names: inflowAmount is what came in, though its description says outflow', async () => {
    const [told] = await read(signed(sample(ROWS[0])))
    expect([formatAmount(told!.inflow!), formatAmount(told!.outflow!)]).toEqual(['200', '0'])
  })

  it('with flows that fit the formula only when swapped is kept as it came, never swapped', async () => {
    const swapped =
      '{"inflowAmount":0,"fundsAccountNo":"1","endBalance":300,"initialBalance":100,"currency":"USD","outflowAmount":200}'
    const [told] = await read(signed(sample(swapped)))
    expect([told!.inflow, told!.outflow, told!.closing! - told!.opening!]).toEqual([
      0n,
      200n * 10n ** 18n,
      200n * 10n ** 18n,
    ])
  })

  it('says the zone as timeZone or timezone, in any case, and must say the one asked for', async () => {
    for (const zone of ['"timeZone":"UTC"', '"timezone":"UTC"', '"timeZone":"utc"'])
      expect(await read(signed(sample(undefined, zone)))).toHaveLength(5)
    for (const zone of ['"timeZone":"CST"', '"zone":"UTC"'])
      expect(await faultOf(signed(sample(undefined, zone)))).toMatchObject({ code: 'provider-protocol' })
  })

  it('in CST is about a day that begins and ends eight hours earlier, never about US Central', async () => {
    const [told] = await read(signed(sample(undefined, '"timeZone":"CST"')), { zones: ['CST'] })
    expect(told).toMatchObject({ zone: 'UTC+08:00', asOfMicros: BigInt(Date.UTC(2025, 9, 20, 16)) * 1000n })
  })

  it('has an acctTime that is a day or a timestamp: its text is kept, the day is the one asked for', async () => {
    const [told] = await read(signed(sample(undefined, undefined, '2025-10-20T23:59:59.000+00:00')))
    expect(told).toMatchObject({ day: '2025-10-20', extra: '{"acctTime":"2025-10-20T23:59:59.000+00:00"}' })
  })

  it.each(['100', '0.59', '776.34', '100265403', '99999999999999999999.99', '9007199254740993'])(
    'holds an amount of %s, exactly',
    async text => {
      const [told] = await read(signed(sample(ROWS[0]!.replace('"endBalance":300', `"endBalance":${text}`))))
      expect(formatAmount(told!.closing!)).toBe(text)
    },
  )

  it('is in major units unless set otherwise, and says that this is assumed', async () => {
    answers = [signed(sample())]
    const [answer] = await payerMaxWith().balances.ask('2025-10-20')
    expect(answer!.settings).toEqual({ amountUnit: 'major' })
    expect(answer!.assumptions.join()).toContain('in major units')
    const minor = { amountUnit: 'minor', minorDigits: { USD: 2, IDR: 0 } }
    const [idr, usd] = await read(signed(sample([ROWS[0], ROWS[4]].join(','))), minor)
    expect([formatAmount(idr!.closing!), formatAmount(usd!.closing!)]).toEqual(['300', '2'])
    expect(await faultOf(signed(sample()), minor)).toMatchObject({ message: expect.stringContaining('CNY') })
  })

  it('without a currency is not told as zero: there is no row', async () => {
    expect((await read(signed(sample(ROWS[0])))).map(({ asset }) => asset)).toEqual(['IDR'])
    expect(await read(signed(sample('')))).toEqual([])
  })

  it('has a msg that is never looked at', async () => {
    for (const msg of ['Success.', '', 'Failure'])
      expect(await read(signed(sample().replace('"msg":""', `"msg":"${msg}"`)))).toHaveLength(5)
  })
})

describe('the signature of the answer', () => {
  it('is verified over the raw bytes, and kept with the key that verified it', async () => {
    const told = signed(`${sample()} `)
    answers = [told]
    const [answer] = await payerMaxWith().balances.ask('2025-10-20')
    expect(Buffer.from(answer!.bodyBase64, 'base64').toString()).toBe(told.body)
    expect(answer!.bodySha256).toBe(createHash('sha256').update(told.body).digest('hex'))
    const { value, publicKey } = answer!.signature!
    expect(verify('RSA-SHA256', Buffer.from(told.body), publicKey, Buffer.from(value, 'base64'))).toBe(true)
  })

  it.each([
    ['is missing', () => ({ body: sample() })],
    ["is a stranger's", () => signed(sample(), stranger.privateKey)],
    ["is the merchant's own", () => signed(sample(), merchant.privateKey)],
    ['belongs to other bytes', () => ({ ...signed(sample()), body: sample(ROWS[0]) })],
    [
      'belongs to the same JSON written otherwise',
      () => ({ ...signed(sample()), body: sample().replaceAll(':', ': ') }),
    ],
    [
      'is URL-safe Base64',
      () => ({
        body: sample(),
        sign: signed(sample()).sign!.replaceAll('+', '-').replaceAll('/', '_'),
      }),
    ],
    ['is no Base64', () => ({ body: sample(), sign: '%%%' })],
  ] satisfies [string, () => Told][])(
    'that %s makes a success a hard failure, tried once',
    async (_, told) => {
      const fault = await faultOf(told())
      expect(fault).toMatchObject({ code: 'provider-protocol', retry: false })
      expect(asked).toHaveLength(1)
    },
  )

  it('may be missing from a refusal, which is told and never taken in', async () => {
    const refused = { body: '{"code":"PARAMS_INVALID","msg":"inquiryDate"}' }
    for (const told of [refused, signed(refused.body)])
      expect(await faultOf(told)).toMatchObject({
        code: 'provider-refused',
        details: { providerCode: 'PARAMS_INVALID' },
      })
  })
})

describe('the codes', () => {
  it.each([
    ['SYSTEM_ERROR', true],
    ['REQUEST_TIMEOUT', true],
    ['UNEXPECTED_ERROR', true],
    ['TOO_MANY_REQUEST', true],
    ['SIGN_VERIFY_FAILED', false],
    ['MERCHANT_INVALID', false],
    ['MERCHANT_APP_INVALID', false],
    ['AUTHENTICATE_FAILED', false],
    ['PARAMS_INVALID', false],
    ['AMOUNT_INVALID', false],
    ['COUNTRY_INVALID', false],
    ['CURRENCY_INVALID', false],
    ['CONTRACT_INVALID', false],
    ['PAYMENT_REJECTED', false],
    ['A_CODE_NOBODY_KNOWS', false],
  ])('%s; trying again helps: %s', async (code, retry) => {
    const fault = await faultOf({ body: `{"code":"${code}","msg":"Said."}` })
    expect(fault).toMatchObject({ retry, details: { providerCode: code } })
    expect(asked).toHaveLength(retry ? 3 : 1)
  })

  it('REQ_TIME_OVER_TIME corrects the clock by the answer and is tried once more', async () => {
    answers = [{ body: '{"code":"REQ_TIME_OVER_TIME","msg":""}' }, signed(sample())]
    expect(await payerMaxWith().balances.ask('2025-10-20')).toHaveLength(1)
    expect(asked).toHaveLength(2)
    asked = []
    expect(await faultOf({ body: '{"code":"REQ_TIME_OVER_TIME","msg":""}' })).toMatchObject({ retry: false })
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['HTTP 500', { status: 500, body: '' }, 'provider-unreachable'],
    ['an HTML page', { status: 403, body: '<html>' }, 'provider-refused'],
    ['half an answer', { body: sample().slice(0, 100) }, 'provider-unreachable'],
  ])('%s is classified without a code', async (_, told, code) => {
    expect(await faultOf(told)).toMatchObject({ code })
  })
})

describe('keys', () => {
  it('are read as one line of Base64 and as PEM, PKCS#8 and PKCS#1', () => {
    for (const [type, format] of [
      ['pkcs8', 'pem'],
      ['pkcs1', 'pem'],
    ] as const) {
      const text = merchant.privateKey.export({ type, format }).toString()
      expect(readPrivateKey(text).equals(merchant.privateKey)).toBe(true)
    }
    for (const type of ['pkcs8', 'pkcs1'] as const) {
      const text = merchant.privateKey.export({ type, format: 'der' }).toString('base64')
      expect(readPrivateKey(text).equals(merchant.privateKey)).toBe(true)
    }
    expect(readPublicKey(spkiOf(provider.publicKey)).equals(provider.publicKey)).toBe(true)
    expect(() => readPrivateKey('planted')).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    expect(() => readPrivateKey('planted')).not.toThrow(/planted/)
  })

  it('sign the published vector of RFC 7515 as it was recomputed', () => {
    const body = `{"version":"1.5","keyVersion":"1","requestTime":"2025-12-03T13:15:13.712+00:00","appId":"${APP.appId}","memberId":"${APP.memberId}","data":{"inquiryDate":"2025-10-20","timezone":"UTC","endDayAccountBalanceQueryReq":{"fundsAccountCurrencyList":[],"fundsAccountNoList":[]}}}`
    expect(createHash('sha256').update(body).digest('hex')).toBe(
      '32a88b4bb65253c8f629b5569b34e2a47f3e7b2666bae7df81c242af8c87a13b',
    )
    const publicKey =
      'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQAB'
    const signature =
      'arBDhYPJFi7gQmS1rFkQ8ZXlaf/pew0Y6TGuNvUGm6TzY7mCMTqokTXC/1ndHu2hlxJ3IHro9lGht4nXPX6Bh46tDVCyeXy69zKASEr0cJkvs85JFbaGwDHWRSp25O3jMAXiGvtl2UClO8L5rkKV80IpP8VijF1mEx5q/7w7dWMYlqugF+XEPsEScDkiYFhsDM8h7wMpBn+HT3VtUmh1TjqB2MMIMiEAV5wusg/FcwtCneaQc7AD/QWR+NPfuvsRdD/5YVFK6qGGQlNVPb4NVCGB6BwAYxEQV8cKlb7xyadEGSqHRzNbOX1b7VJmzLBe+lKKawDXn3fOogic1LYbNA=='
    expect(
      verify('RSA-SHA256', Buffer.from(body), readPublicKey(publicKey), Buffer.from(signature, 'base64')),
    ).toBe(true)
  })

  it('sign the same with whatever shape the private key came in', async () => {
    const pem = createPrivateKey(merchant.privateKey.export({ type: 'pkcs1', format: 'pem' }))
    answers = [signed(sample())]
    await payerMaxWith({}, pem.export({ type: 'pkcs1', format: 'pem' }).toString()).balances.ask('2025-10-20')
    const [{ body, headers }] = asked as [(typeof asked)[0]]
    expect(verify('RSA-SHA256', body, merchant.publicKey, Buffer.from(String(headers.sign), 'base64'))).toBe(
      true,
    )
  })
})
