/**
 * What the wallets hold now, in two versions of one endpoint.
 *
 * v2 POST /binancepay/openapi/v2/balance  https://developers.binance.com/docs/binance-pay/api-balance-query-v2
 *    ask    {"wallet":"FUNDING_WALLET"|"SPOT_WALLET"}
 *    data   {"balance":[{"asset","available","freeze","availableFiatValuation","availableBtcValuation"}],
 *           "wallet","updateTime":ms,"fiat"}; the table calls `balance` an object, the sample has a list
 * v1 POST /binancepay/openapi/balance     https://developers.binance.com/docs/binance-pay/api-balance-query
 *    ask    {"wallet","currency"}, the currency required and in upper case
 *    data   {"balance":number,"asset","fiat","availableFiatValuation","availableBtcValuation"}
 *
 * Amounts are JSON numbers beyond what a double holds, and may be written as `0E-8`: they are read from
 * their source text. There is no history: what is not asked for now can never be asked for.
 */
import { z } from 'zod'
import { type Balance, type BalanceAnswerRecord, NO_FIGURES } from '../../domain/balance.ts'
import { DaybookError } from '../../domain/errors.ts'
import { type JsonValue, tryParseJson, writeJson } from '../../domain/json.ts'
import type { BalanceProof } from '../../domain/reconciliation.ts'
import type { Clock, Random } from '../../host.ts'
import { balanceAnswer, textOfAnswer } from '../balance-answer.ts'
import {
  isObject,
  type JsonObject,
  otherFields,
  requiredAmount,
  requiredList,
  requiredText,
  textOf,
} from '../json-fields.ts'
import type { Balances } from '../provider.ts'
import { retried } from '../retry.ts'
import type { BinancePayClient, Exchange } from './client.ts'

export const WALLET_BALANCE_V1_PATH = '/binancepay/openapi/balance'
export const WALLET_BALANCE_V2_PATH = '/binancepay/openapi/v2/balance'

/** The wallets, and the names they have in the activity table. */
export const WALLETS = { SPOT_WALLET: 'Spot', FUNDING_WALLET: 'Funding' } as const
type WalletName = keyof typeof WALLETS
const WALLET_NAMES = Object.keys(WALLETS) as WalletName[]

const V1 = 'balance-v1'
const V2 = 'balance-v2'

/** What the pages leave open; each is said in the rows that rest on it. */
const ASSUMED = {
  v2: [
    'as_of is updateTime as it came; what it is the time of is not documented',
    'available and on_hold (freeze) are separate parts; a total is not given',
  ],
  v1: ['available is balance ("free to use"); frozen amounts are not told by v1'],
  wallet: 'the answer named another wallet than was asked for; the rows stand under the wallet asked for',
} as const

export const balanceSettings = z.strictObject({
  /** `v2` falls back to `v1` where it is turned away and `balanceAssets` says what to ask for. */
  balanceApi: z.enum(['v1', 'v2']).default('v2'),
  balanceAssets: z
    .array(z.string().regex(/^[A-Z0-9]{1,20}$/, 'expected assets in upper case, such as USDT'))
    .default([]),
  /** The balance that a row of a report is taken to move. */
  activityTarget: z.enum(['available+on_hold', 'available']).default('available+on_hold'),
  /** `false`: nothing is proved until somebody has seen that rows move this balance. */
  activityTargetConfirmed: z.boolean().default(true),
})
export type BalanceSettings = z.infer<typeof balanceSettings>

const TRIES = 3

/**
 * Rows of a report have a resolution of one second, requests whose clock is off by more than one second are
 * refused, and a report told of a day is whole from the third day on.
 */
function proofOf({ activityTarget, activityTargetConfirmed }: BalanceSettings): BalanceProof {
  const target = activityTarget === 'available' ? 'available' : 'available + on hold (freeze)'
  return {
    target: activityTarget,
    confirmed: activityTargetConfirmed,
    precision: { resolutionMicros: 1_000_000n, clockMicros: 1_000_000n },
    wholeOperations: [V2],
    finalAfterDays: 3,
    assumptions: [
      `movements move ${target}; not documented`,
      'v2 names every asset that is held',
      'times in the report file are in the zone that its manifest notes, UTC where it names none',
      'times in the report file are cut to the second, not rounded',
    ],
  }
}

export interface WalletBalanceOptions {
  readonly client: BinancePayClient
  readonly settings: BalanceSettings
  readonly clock: Clock
  readonly random: Random
}

export function walletBalances(options: WalletBalanceOptions): Balances {
  const { settings } = options
  return {
    basis: 'instant',
    proof: proofOf(settings),
    async ask() {
      if (settings.balanceApi === 'v1') return askV1(options)
      try {
        return await eachWallet(wallet => askWallet(options, V2, WALLET_BALANCE_V2_PATH, { wallet }))
      } catch (error) {
        if (!isTurnedAway(error) || settings.balanceAssets.length === 0) throw error
        return askV1(options)
      }
    },
    read: answer => (answer.operation === V1 ? readV1(answer) : readV2(answer)),
  }
}

async function askV1(options: WalletBalanceOptions): Promise<BalanceAnswerRecord[]> {
  const { balanceAssets } = options.settings
  if (balanceAssets.length === 0) {
    const says =
      'The balance API v1 asks for each asset by name: set BINANCE_PAY_BALANCE_ASSETS, such as USDT,BTC.'
    throw new DaybookError('config-invalid', says)
  }
  const answers: BalanceAnswerRecord[] = []
  for (const currency of balanceAssets) {
    const path = WALLET_BALANCE_V1_PATH
    answers.push(...(await eachWallet(wallet => askWallet(options, V1, path, { wallet, currency }))))
  }
  return answers
}

/** One after the other: the wallets of a snapshot lie close together, and no limit of calls is documented. */
async function eachWallet<T>(ask: (wallet: WalletName) => Promise<T>): Promise<T[]> {
  const answers: T[] = []
  for (const wallet of WALLET_NAMES) answers.push(await ask(wallet))
  return answers
}

async function askWallet(
  { client, clock, random }: WalletBalanceOptions,
  operation: typeof V1 | typeof V2,
  path: string,
  question: Record<string, string>,
): Promise<BalanceAnswerRecord> {
  const exchange = await retried({ clock, random, tries: TRIES }, async () =>
    succeeded(await client.exchange(path, question)),
  )
  const data = exchange.envelope.result === 'success' ? exchange.envelope.data : null
  const echoed = isObject(data) ? textOf(data.wallet) : undefined
  const swapped = echoed !== undefined && echoed !== question.wallet
  const assumptions = [...(operation === V1 ? ASSUMED.v1 : ASSUMED.v2), ...(swapped ? [ASSUMED.wallet] : [])]
  const { body, sentAt, answeredAt } = exchange
  return balanceAnswer({ operation, question, assumptions, sentAt, answeredAt, body })
}

function succeeded(exchange: Exchange): Exchange {
  const { envelope } = exchange
  if (envelope.result === 'success') return exchange
  if (envelope.result === 'bare')
    throw new DaybookError('provider-protocol', 'Binance Pay answered a balance query without a result code.')
  const code = envelope.ambiguous ? 'provider-unreachable' : 'provider-refused'
  throw new DaybookError(code, `${envelope.says}.`, { details: { providerCode: envelope.code } })
}

/** A path that does not exist for this merchant is answered by the network in front of the API. */
function isTurnedAway(error: unknown): boolean {
  const code = error instanceof DaybookError ? error.details.providerCode : undefined
  return code === 'HTTP-403' || code === 'HTTP-404'
}

function readV2(answer: BalanceAnswerRecord): Balance[] {
  const data = dataOf(answer)
  const { balance } = data
  const rows = isObject(balance) ? [balance] : requiredList(data, 'balance')
  const valuedIn = textOf(data.fiat) ?? null
  const asOfMicros = microsOf(data.updateTime)
  return rows.map(row => ({
    ...NO_FIGURES,
    ...placeOf(answer),
    asset: requiredText(row, 'asset'),
    asOfMicros,
    available: requiredAmount(row, 'available'),
    onHold: requiredAmount(row, 'freeze'),
    valuations: valuationsOf(row, valuedIn),
    extra: otherFields({ ...row, ...restOf(data, ['balance', 'fiat', 'updateTime']) }, [
      'asset',
      'available',
      'freeze',
      'availableFiatValuation',
      'availableBtcValuation',
    ]),
  }))
}

function readV1(answer: BalanceAnswerRecord): Balance[] {
  const data = dataOf(answer)
  return [
    {
      ...NO_FIGURES,
      ...placeOf(answer),
      asset: requiredText(data, 'asset'),
      asOfMicros: null,
      available: requiredAmount(data, 'balance'),
      valuations: valuationsOf(data, textOf(data.fiat) ?? null),
      extra: otherFields(data, [
        'asset',
        'balance',
        'fiat',
        'availableFiatValuation',
        'availableBtcValuation',
      ]),
    },
  ]
}

function placeOf({ question }: BalanceAnswerRecord) {
  const wallet = question.wallet as WalletName
  return {
    wallet: Object.hasOwn(WALLETS, wallet) ? WALLETS[wallet] : (question.wallet ?? null),
    fundsAccount: null,
    basis: 'instant',
    day: null,
    zone: null,
    status: null,
  } as const
}

function dataOf(answer: BalanceAnswerRecord): JsonObject {
  const body = tryParseJson(textOfAnswer(answer))
  const data = isObject(body) ? body.data : undefined
  if (isObject(data)) return data
  throw new DaybookError('provider-protocol', 'Binance Pay answered a balance query without data.')
}

/** Milliseconds as a number or as a text. */
function microsOf(value: JsonValue | undefined): bigint | null {
  const text = textOf(value) ?? ''
  return /^\d{13}$/.test(text) ? BigInt(text) * 1000n : null
}

/** Kept as they were written: `989991.90516600` in USD and in BTC. */
function valuationsOf(row: JsonObject, fiat: string | null): string | null {
  const { availableFiatValuation, availableBtcValuation } = row
  if (availableFiatValuation === undefined && availableBtcValuation === undefined) return null
  return writeJson({ fiat, availableFiatValuation, availableBtcValuation })
}

function restOf(data: JsonObject, known: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !known.includes(name)))
}
