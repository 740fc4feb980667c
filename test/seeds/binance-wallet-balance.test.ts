/** Binance Pay's page about the wallet balance, walked: every field, limit, code and sample in it. */
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatAmount } from '../../src/domain/amount.ts'
import type { BalanceAnswerRecord } from '../../src/domain/balance.ts'
import { parseJson, writeJson } from '../../src/domain/json.ts'
import { systemRandom } from '../../src/host.ts'
import { binancePayClient } from '../../src/providers/binance-pay/client.ts'
import { explainCode, isAmbiguous } from '../../src/providers/binance-pay/result-codes.ts'
import {
  type BalanceSettings,
  balanceSettings,
  WALLET_BALANCE_V1_PATH,
  WALLET_BALANCE_V2_PATH,
  walletBalances,
} from '../../src/providers/binance-pay/wallet-balance.ts'
import { createHttp } from '../../src/providers/http.ts'
import type { Balances } from '../../src/providers/provider.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { quietLog } from '../support/quiet-log.ts'
import { OPEN_CODE, REQUEST_CODES, SHARED_CODES, SIZE_CODES } from '../support/result-codes.ts'
import { ALPHA, call, startTestSandbox } from '../support/sandbox-client.ts'
import { bytesOf, startServer, type TestServer } from '../support/test-http.ts'

const SAMPLE_REQUEST = `{"wallet":"SPOT_WALLET","currency":"USDT"}`
const SAMPLE_SUCCESS = `{"status":"SUCCESS","code":"000000","data":{"balance":990000.00000000,"asset":"USDT","fiat":"USD","availableFiatValuation":989991.90516600,"availableBtcValuation":22.98780000}}`
const SAMPLE_FAIL = `{"status":"FAIL","code":"400003","errorMessage":"Timestamp for this request is outside of the recvWindow."}`

const clock = fixedClock()
const agent = new Agent()
let server: TestServer
let sandbox: Sandbox
let answers: string[] = []
let asked: { path: string; body: string }[] = []

beforeAll(async () => {
  server = await startServer(async (request, response) => {
    asked.push({ path: request.url ?? '', body: (await bytesOf(request)).toString() })
    response.end(answers.length > 1 ? answers.shift() : answers[0])
  })
  sandbox = await startTestSandbox({ clock, knobs: { rowsPerDay: 20 } })
})
afterAll(async () => {
  await server.stop()
  await sandbox.stop()
  await agent.close()
})

function balancesAt(url: string, settings: Partial<BalanceSettings> = {}): Balances {
  const http = createHttp({ dispatcher: agent, timeoutMs: 2000, maxAnswerBytes: 65_536 })
  const parts = { http, clock, random: systemRandom, log: quietLog() }
  const client = binancePayClient({ ...parts, baseUrl: url, credentials: () => ALPHA })
  return walletBalances({ ...parts, client, settings: balanceSettings.parse(settings) })
}

const V1: Partial<BalanceSettings> = { balanceApi: 'v1', balanceAssets: ['USDT'] }
const told = (...bodies: string[]) => {
  answers = bodies
  asked = []
}
const sandboxCall = (body: string) =>
  call(sandbox, { path: WALLET_BALANCE_V1_PATH, body, timestamp: clock.now().getTime() })

describe('the request', () => {
  it('goes to POST /binancepay/openapi/balance with wallet and currency, for both wallets', async () => {
    told(SAMPLE_SUCCESS)
    await balancesAt(server.url, V1).ask()
    expect(asked.map(({ path }) => path)).toEqual([WALLET_BALANCE_V1_PATH, WALLET_BALANCE_V1_PATH])
    expect(asked.map(({ body }) => body)).toEqual([
      SAMPLE_REQUEST,
      SAMPLE_REQUEST.replace('SPOT_WALLET', 'FUNDING_WALLET'),
    ])
    expect(server.requests.every(({ method }) => method === 'POST')).toBe(true)
  })

  it.each([
    ['wallet is required', '{"currency":"USDT"}', '400100'],
    ['wallet is FUNDING_WALLET or SPOT_WALLET', '{"wallet":"EARN_WALLET","currency":"USDT"}', '400102'],
    ['currency is required', '{"wallet":"SPOT_WALLET"}', '400100'],
    ['currency is in upper case', '{"wallet":"SPOT_WALLET","currency":"usdt"}', '400102'],
  ])('%s', async (_, body, code) => {
    expect((await sandboxCall(body)).json).toMatchObject({ status: 'FAIL', code })
  })

  it('of v1 needs the assets by name', async () => {
    const error = await balancesAt(server.url, { balanceApi: 'v1' })
      .ask()
      .catch((fault: unknown) => fault)
    expect(error).toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('BINANCE_PAY_BALANCE_ASSETS'),
    })
  })
})

describe('the answer', () => {
  const rowOf = async (sample: string, settings: Partial<BalanceSettings> = V1) => {
    told(sample)
    const balances = balancesAt(server.url, settings)
    return (await balances.ask()).flatMap(balances.read)[0]!
  }

  it('of the sample is read field by field: balance, asset, fiat and both valuations', async () => {
    const row = await rowOf(SAMPLE_SUCCESS)
    expect(row).toMatchObject({ wallet: 'Spot', asset: 'USDT', asOfMicros: null, onHold: null, total: null })
    expect(formatAmount(row.available!)).toBe('990000')
    expect(row.valuations).toBe(
      '{"fiat":"USD","availableFiatValuation":989991.90516600,"availableBtcValuation":22.98780000}',
    )
  })

  it.each(['0.00000001', '999999999999999.99999999', '0E-8', '1E-8', '990000.00000000'])(
    'holds an amount of %s, from the smallest to the largest that is documented, without a float',
    async text => {
      const row = await rowOf(SAMPLE_SUCCESS.replace('990000.00000000', text))
      const exact = { '0E-8': '0', '1E-8': '0.00000001', '990000.00000000': '990000' }[text] ?? text
      expect(formatAmount(row.available!)).toBe(exact)
    },
  )

  it('of v2 is read with its frozen part, its time, and 0E-8', async () => {
    const row = `{"available":990000.12345678,"freeze":0E-8,"asset":"USDT","availableFiatValuation":1,"availableBtcValuation":2}`
    const v2 = (balance: string, time: string) =>
      `{"status":"SUCCESS","code":"000000","data":{"balance":${balance},"wallet":"SPOT_WALLET","updateTime":${time},"fiat":"USD"}}`
    for (const [balance, time] of [
      [`[${row}]`, '1666937353019'],
      [row, '"1666937353019"'],
    ] as const) {
      const read = await rowOf(v2(balance, time), {})
      expect(read).toMatchObject({ asset: 'USDT', onHold: 0n, asOfMicros: 1_666_937_353_019_000n })
      expect(formatAmount(read.available!)).toBe('990000.12345678')
    }
    expect(asked[0]).toEqual({ path: WALLET_BALANCE_V2_PATH, body: '{"wallet":"SPOT_WALLET"}' })
  })

  it('of v2 that names the other wallet stands under the wallet asked for, and says so', async () => {
    sandbox.setKnobs({ balanceWalletEcho: 'swapped' })
    const balances = balancesAt(sandbox.url)
    const [spot] = await balances.ask()
    sandbox.setKnobs({ ...defaultKnobs, certificateBits: '1024', rowsPerDay: 20 })
    expect(spot!.assumptions.join()).toContain('another wallet')
    expect(balances.read(spot!)[0]).toMatchObject({
      wallet: 'Spot',
      extra: expect.stringContaining('FUNDING_WALLET'),
    })
  })

  it('of v1 and v2 agree about what is free to use', async () => {
    const v2 = balancesAt(sandbox.url)
    const v1 = balancesAt(sandbox.url, V1)
    const free = (balances: Balances, records: BalanceAnswerRecord[]) =>
      records
        .flatMap(balances.read)
        .filter(({ asset }) => asset === 'USDT')
        .map(({ wallet, available }) => [wallet, available])
    expect(free(v1, await v1.ask())).toEqual(free(v2, await v2.ask()))
    expect((await v2.ask()).flatMap(v2.read).some(({ onHold }) => onHold! > 0n)).toBe(true)
  })

  it('is v1 where v2 is turned away and the assets are named, and the refusal where they are not', async () => {
    sandbox.setKnobs({ balanceV2: 'missing' })
    const named = await balancesAt(sandbox.url, { balanceAssets: ['USDT', 'BTC'] }).ask()
    expect(named.map(({ operation, question }) => [operation, question.currency])).toEqual([
      ['balance-v1', 'USDT'],
      ['balance-v1', 'USDT'],
      ['balance-v1', 'BTC'],
      ['balance-v1', 'BTC'],
    ])
    await expect(balancesAt(sandbox.url).ask()).rejects.toMatchObject({ code: 'provider-refused' })
    sandbox.setKnobs({ balanceV2: 'there' })
  })
})

describe('the result codes', () => {
  it.each([OPEN_CODE, ...SHARED_CODES, ...REQUEST_CODES, ...SIZE_CODES])(
    '%s is %s; trying again helps where it is open what was done',
    async (code, name) => {
      const retry = code === '400000'
      expect(explainCode(code, '')).toContain(name)
      expect(isAmbiguous(code)).toBe(retry)
      told(writeJson({ status: 'FAIL', code, errorMessage: 'm'.repeat(256) }))
      const error = await balancesAt(server.url)
        .ask()
        .catch((fault: unknown) => fault)
      expect(error).toMatchObject({ retry, details: { providerCode: code } })
      expect(asked).toHaveLength(retry ? 3 : code === '400003' ? asked.length : 1)
    },
  )

  it('of the failed sample, 400003, is corrected by the clock of the answer', async () => {
    expect(parseJson(SAMPLE_FAIL)).toMatchObject({ status: 'FAIL', code: '400003' })
    sandbox.setKnobs({ clockSkewMs: 5000 })
    expect(await balancesAt(sandbox.url).ask()).toHaveLength(2)
    sandbox.setKnobs({ clockSkewMs: 0 })
  })
})
