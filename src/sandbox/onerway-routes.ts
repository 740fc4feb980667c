/**
 * Onerway's account services: a key in a header, a clock of ten minutes, balances and the movements that
 * make them. The paths are the sandbox's own and say nothing about the real ones.
 */
import { dayOf } from '../domain/calendar.ts'
import { JsonNumber, type JsonValue, tryParseJson, writeJson } from '../domain/json.ts'
import { type Answer, forbiddenPage } from './answers.ts'
import { type ApiCall, faultReply, type Reply } from './api-routes.ts'
import type { Knobs } from './knobs.ts'
import { heldAt, idOf, type Movement, type MovementBook, movementsOf } from './movements.ts'
import { header, type Merchant } from './request-checks.ts'
import { isBreakDay } from './wallet-balance-routes.ts'
import { hostNowMs, shownNowMs, type World } from './world.ts'

const NAMES = ['balance', 'overview', 'transactions'] as const
type Name = (typeof NAMES)[number]

export const ONERWAY_PATHS: ReadonlyMap<string, Name> = new Map(
  NAMES.map(name => [`/onerway/account/${name}`, name] as const),
)

const CURRENCIES = ['USD', 'EUR', 'HKD']
const HOLD_UNITS = 30_000n
const DEPOSIT_UNITS = 20_000n
const DAY_MS = 86_400_000
const SPARED_MS = DAY_MS / 4
const LONGEST_WINDOW_DAYS = 31

type Fields = { readonly [name: string]: JsonValue }
type Refused = { readonly code: string; readonly message: string }

export async function answerOnerway(world: World, name: Name, call: ApiCall): Promise<Reply> {
  const { knobs } = call
  const merchant = world.merchants.find(
    ({ onerway }) => onerway !== undefined && onerway.apiKey === header(call, 'apikey'),
  )
  if (!knobs.onerwayIpAllowed) return forbiddenPage()
  if (merchant === undefined) {
    if (knobs.onerwayKeyError === 'http-401') return { ...answered('', 'http-401'), status: 401 }
    return refused({ code: '40003', message: 'UNAUTHORIZED_ACCESS' }, knobs)
  }
  const body = tryParseJson(call.body.toString('utf8'))
  if (call.method !== 'POST' || !isFields(body)) return refused(invalid('POST a JSON object'), knobs)
  const faulty = checkRequest(world, merchant, body, knobs)
  if (faulty !== undefined) return refused(faulty, knobs)
  const answer = ANSWERS[name](world, merchant, body, knobs)
  if ('code' in answer) return refused(answer as Refused, knobs)
  const fault = world.meetsFault('onerwayFault', knobs) ? knobs.onerwayFault : 'none'
  if (fault === 'http-429') return { ...answered('', 'http-429'), status: 429 }
  if (fault === 'html') return forbiddenPage()
  if (fault !== 'none') return faultReply(fault)
  return answered(writeJson({ code: '200', message: 'success', data: answer }), '200')
}

/** The request's own id and time: digits of milliseconds, as a number. */
function checkRequest(world: World, merchant: Merchant, body: Fields, knobs: Knobs): Refused | undefined {
  const { requestId, requestTime } = body
  if (typeof requestId !== 'string' || requestId === '') return invalid('requestId is missing')
  if (!(requestTime instanceof JsonNumber) || !/^\d{13}$/.test(requestTime.text))
    return invalid('requestTime is milliseconds, as a number')
  const offMs = Math.abs(Number.parseInt(requestTime.text, 10) - shownNowMs(world, knobs))
  if (offMs > knobs.onerwayClockWindowMs)
    return { code: '40002', message: 'requestTime is more than 10 minutes off' }
  const isNew = world.useNonce(`onerway ${merchant.name}`, requestId)
  if (!isNew && knobs.onerwayDuplicateId === 'refuse') return { code: '40006', message: 'DUPLICATE_REQUEST' }
  return undefined
}

type Answering = (world: World, merchant: Merchant, body: Fields, knobs: Knobs) => Fields | Refused

const ANSWERS: Readonly<Record<Name, Answering>> = {
  balance: (world, merchant, { currency }, knobs) =>
    typeof currency === 'string' && CURRENCIES.includes(currency)
      ? balanceOf(world, merchant, currency, knobs)
      : invalid('currency is missing or not held'),

  overview: (world, merchant, { displayCurrency }, knobs) => {
    const breaks = knobs.breakKind === 'vanished-currency' && isBreakDay(knobs, shownNowMs(world, knobs))
    const held = CURRENCIES.filter(currency => !breaks || currency !== knobs.breakCurrency)
    const rows = held.map(currency => balanceOf(world, merchant, currency, knobs))
    // One for one over all currencies, as the documentation's sample does it.
    const sum = held.reduce((total, currency) => total + totalOf(world, merchant, currency), 0n)
    const display = typeof displayCurrency === 'string' ? displayCurrency : 'USD'
    return { totalAmount: text(sum), displayCurrency: display, currencyBalances: rows }
  },

  transactions: (world, merchant, body, knobs) => transactions(world, merchant, body, knobs),
}

function bookOf(world: World, merchant: Merchant, currency: string): MovementBook {
  return { seed: world.seed, name: `onerway ${merchant.name}`, currency, openedOn: world.openedOn }
}

/** What has happened up to now, movements of this very instant included. */
function totalOf(world: World, merchant: Merchant, currency: string): bigint {
  return heldAt(bookOf(world, merchant, currency), hostNowMs(world) + 1)
}

function balanceOf(world: World, merchant: Merchant, currency: string, knobs: Knobs): Fields {
  const moved = totalOf(world, merchant, currency)
  const total = knobs.onerwayAmountMoves === 'total' ? moved : moved + HOLD_UNITS + DEPOSIT_UNITS
  const available = total - HOLD_UNITS - DEPOSIT_UNITS
  const breaks = currency === knobs.breakCurrency && isBreakDay(knobs, shownNowMs(world, knobs))
  const wrong = breaks && knobs.breakKind === 'wrong-total' ? 1n : 0n
  return {
    currency,
    withdrawableBalance: text(available / 2n),
    availableBalance: text(available),
    fundOnHold: text(HOLD_UNITS),
    depositBalance: text(DEPOSIT_UNITS),
    totalBalance: text(total + wrong),
    status: knobs.onerwayOddValues ? 'SLEEPING' : 'ACTIVE',
  }
}

function transactions(world: World, merchant: Merchant, body: Fields, knobs: Knobs): Fields | Refused {
  const { currency, beginTime, endTime, current } = body
  if (typeof currency !== 'string' || !CURRENCIES.includes(currency)) return invalid('currency')
  const begin = timeOf(beginTime)
  const end = timeOf(endTime)
  if (begin === undefined || end === undefined) return invalid('beginTime and endTime are UTC ISO 8601')
  if (end < begin || end - begin > LONGEST_WINDOW_DAYS * DAY_MS)
    return { code: '40002', message: 'INVALID_TIME_RANGE' }
  const shown = shownMovements(world, merchant, currency, begin, end, knobs)
  const hidden = stillToCome(world, `${currency} ${String(beginTime)}`, knobs)
  const visible = knobs.onerwayTotalGrows === 0 ? shown : shown.toReversed().slice(hidden)
  const page = current instanceof JsonNumber ? Number.parseInt(current.text, 10) : 1
  const size = knobs.onerwayPageSize
  return {
    total: count(visible.length),
    size: count(size),
    current: count(page),
    records: visible.slice((page - 1) * size, page * size).map(movement => recordOf(movement, knobs)),
  }
}

/** The newest stand first then, so that each that comes in moves all others on by one. */
function stillToCome(world: World, window: string, { onerwayTotalGrows }: Knobs): number {
  if (onerwayTotalGrows === 0) return 0
  return Math.max(0, onerwayTotalGrows - world.countOf(`grown ${window}`) + 1)
}

/** The movements of a window as the knobs tell them. */
function shownMovements(
  world: World,
  merchant: Merchant,
  currency: string,
  begin: number,
  end: number,
  knobs: Knobs,
): Movement[] {
  const book = bookOf(world, merchant, currency)
  const firstMs = begin - (begin % DAY_MS) - DAY_MS
  const all = movementsOf(book, firstMs, Math.min(end + DAY_MS, hostNowMs(world) + 1))
  const inclusive = knobs.onerwayBounds === 'inclusive'
  return brokenMovements(all, knobs)
    .map(movement => (knobs.onerwayEqualTimes ? { ...movement, atMs: noonOf(movement.atMs) } : movement))
    .filter(({ atMs }) => (inclusive ? atMs >= begin && atMs <= end : atMs > begin && atMs < end))
    .sort((one, other) => one.atMs - other.atMs)
}

/** A movement of the day that breaks, of the morning if there is one: taken away, told twice, or told a day late. */
function brokenMovements(movements: readonly Movement[], knobs: Knobs): Movement[] {
  const { breakKind, breakDay, breakCurrency } = knobs
  const candidates = movements.filter(
    ({ atMs, currency }) => currency === breakCurrency && dayOf(new Date(atMs)) === breakDay,
  )
  const target = candidates.find(({ atMs }) => atMs % DAY_MS >= SPARED_MS) ?? candidates[0]
  if (target === undefined) return [...movements]
  const others = movements.filter(movement => movement !== target)
  if (breakKind === 'missing-row') return others
  if (breakKind === 'doubled-row') return [...movements, { ...target, id: idOf(`again ${target.id}`) }]
  if (breakKind === 'late-row') return [...others, { ...target, atMs: target.atMs + DAY_MS }]
  return [...movements]
}

function recordOf({ id, serviceId, atMs, currency, units, kind }: Movement, knobs: Knobs): Fields {
  return {
    currency,
    acntTxnId: new JsonNumber(id),
    serviceId: new JsonNumber(serviceId),
    balanceUpdDate: new Date(atMs).toISOString(),
    amount: text(units),
    remark: '',
    businessType: knobs.onerwayOddValues ? 'QUASAR' : kind,
  }
}

function noonOf(atMs: number): number {
  return atMs - (atMs % DAY_MS) + DAY_MS / 2
}

function timeOf(value: JsonValue | undefined): number | undefined {
  const ms = typeof value === 'string' ? new Date(value).getTime() : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

/** Hundredths as a decimal text. */
function text(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(3, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const count = (value: number) => new JsonNumber(value.toString())

function invalid(message: string): Refused {
  return { code: '40001', message }
}

function refused({ code, message }: Refused, knobs: Knobs): Answer {
  const body =
    knobs.onerwayErrorEnvelope === 'code'
      ? { code, message, data: null }
      : { success: false, respCode: code, respMsg: message, data: null }
  return answered(writeJson(body), code)
}

function answered(body: string, code: string): Answer {
  return { status: 200, contentType: 'application/json', body, code }
}

function isFields(value: JsonValue | undefined): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  )
}
