/** Binance Pay's wallet balance, v1 and v2. Amounts leave as numbers of 8 decimals, zero as `0E-8`. */
import { dayOf } from '../domain/calendar.ts'
import { JsonNumber, type JsonValue } from '../domain/json.ts'
import { forbiddenPage, type Refusal, refusal, refused, success } from './answers.ts'
import { faultReply, type KnownCall, type Reply } from './api-routes.ts'
import { fieldsOf, isEmpty } from './body-checks.ts'
import { coinOf } from './broken-rows.ts'
import type { Knobs } from './knobs.ts'
import { javaDecimal } from './number-text.ts'
import { isRefusal } from './request-checks.ts'
import { hostNowMs, shownNowMs, type World } from './world.ts'

const WALLETS: Readonly<Record<string, string>> = { SPOT_WALLET: 'Spot', FUNDING_WALLET: 'Funding' }

/** Frozen in the funding wallet, all the time: a hold moves nothing in or out. */
const FROZEN_UNITS: Readonly<Record<string, bigint>> = { USDT: 1_250_000_000n, BTC: 10n }

interface Question {
  readonly wallet: string
  readonly currency: string | undefined
}

export async function walletBalanceV1(world: World, call: KnownCall): Promise<Reply> {
  const { knobs } = call
  const asked = readQuestion(call.json, true)
  if (isRefusal(asked)) return refused(asked, knobs)
  if (world.meetsFault('balanceHttpFault', knobs)) return faultReply(knobs.balanceHttpFault)
  const asset = asked.currency ?? ''
  const held = heldIn(world, call, asked.wallet).find(row => row.asset === asset)
  const available = held?.available ?? 0n
  return success({ balance: decimal(available), asset, fiat: 'USD', ...valuations(available) })
}

export async function walletBalanceV2(world: World, call: KnownCall): Promise<Reply> {
  const { knobs } = call
  if (knobs.balanceV2 === 'missing') return forbiddenPage()
  const asked = readQuestion(call.json, false)
  if (isRefusal(asked)) return refused(asked, knobs)
  if (world.meetsFault('balanceHttpFault', knobs)) return faultReply(knobs.balanceHttpFault)
  const rows = heldIn(world, call, asked.wallet)
    .filter(({ asset }) => asked.currency === undefined || asset === asked.currency)
    .map(({ asset, available, freeze }) => ({
      asset,
      available: decimal(available),
      freeze: decimal(freeze),
      ...valuations(available),
    }))
  const updateTime = shownNowMs(world, knobs).toString()
  return success({
    balance: knobs.balanceShape === 'array' ? rows : (rows[0] ?? {}),
    wallet: knobs.balanceWalletEcho === 'asked' ? asked.wallet : otherWallet(asked.wallet),
    updateTime: knobs.balanceTime === 'number' ? new JsonNumber(updateTime) : updateTime,
    fiat: 'USD',
  })
}

function readQuestion(body: JsonValue, currencyRequired: boolean): Question | Refusal {
  const { wallet, currency } = fieldsOf(body)
  const missing = isEmpty(wallet) ? 'wallet' : currencyRequired && isEmpty(currency) ? 'currency' : undefined
  if (missing !== undefined)
    return refusal('400100', `Mandatory parameter ${missing} is missing or malformed.`)
  if (!Object.hasOwn(WALLETS, wallet as string)) return refusal('400102', 'wallet is not one.')
  if (currency !== undefined && !/^[A-Z0-9]{1,20}$/.test(String(currency)))
    return refusal('400102', 'currency must be in upper case.')
  return { wallet: wallet as string, currency: currency as string | undefined }
}

/** What a wallet holds now; the knobs may hide an asset, or tell a little too much of it. */
function heldIn(world: World, { merchant, knobs }: KnownCall, wallet: string) {
  const held = world.wallets.at(merchant.name, knobs.rowsPerDay, hostNowMs(world))
  return [...(held.get(WALLETS[wallet]!) ?? [])].flatMap(([asset, units]) => {
    const breaks = asset === coinOf(knobs) && isBreakDay(knobs, shownNowMs(world, knobs))
    if (breaks && knobs.breakKind === 'vanished-currency') return []
    const freeze = wallet === 'FUNDING_WALLET' ? (FROZEN_UNITS[asset] ?? 0n) : 0n
    const wrong = breaks && knobs.breakKind === 'wrong-total' ? 1n : 0n
    return [{ asset, available: units - freeze + wrong, freeze }]
  })
}

/** Whether balances of this instant are to break. */
export function isBreakDay({ breakDay }: Knobs, atMs: number): boolean {
  return breakDay === '' || breakDay === dayOf(new Date(atMs))
}

const decimal = (units: bigint) => new JsonNumber(javaDecimal(units))

/** Conversions at rates that nobody is told. */
function valuations(units: bigint) {
  return {
    availableFiatValuation: decimal((units * 99_999n) / 100_000n),
    availableBtcValuation: decimal(units / 43_066n),
  }
}

function otherWallet(wallet: string): string {
  return wallet === 'SPOT_WALLET' ? 'FUNDING_WALLET' : 'SPOT_WALLET'
}
