/** The rows of a report, and those that the knobs take away, double or delay, so that it does not add up. */
import { addDays, type Day, startOfDay } from '../domain/calendar.ts'
import type { Knobs } from './knobs.ts'
import { type LedgerQuery, ledgerRows } from './ledger.ts'
import type { LedgerRow } from './ledger-events.ts'

const DAY_SECONDS = 86_400

/** As `ledgerRows`; with a break on `breakDay` only. */
export function* brokenRows(query: LedgerQuery, knobs: Knobs): Generator<LedgerRow[]> {
  const broken = ['missing-row', 'doubled-row', 'late-row'].includes(knobs.breakKind)
  const target = broken && knobs.breakDay !== '' ? rowToBreak(query, knobs.breakDay, knobs) : undefined
  if (target === undefined) return yield* ledgerRows(query)
  const late = { ...target, second: target.second + DAY_SECONDS }
  let taken = false
  let told = knobs.breakKind !== 'late-row' || !isWithin(query, late.second)
  const isDue = (row: LedgerRow) => (query.descending ? row.second <= late.second : row.second >= late.second)
  let held: LedgerRow[] | undefined
  for (const rows of ledgerRows(query)) {
    if (held !== undefined) yield held
    held = [...rows]
    const at = taken ? -1 : held.findIndex(row => isSame(row, target))
    if (at !== -1) {
      taken = true
      held.splice(at, 1, ...(knobs.breakKind === 'doubled-row' ? [target, target] : []))
    }
    const place = told ? -1 : held.findIndex(isDue)
    if (place !== -1) {
      told = true
      held.splice(place, 0, late)
    }
  }
  if (!told) held = [...(held ?? []), late]
  if (held !== undefined) yield held
}

/** Rows of the night are spared: near midnight a row may lie on either side of a reading, and prove nothing. */
const SPARED_SECONDS = 6 * 3600

/** The first payment of the morning in the currency that is to break. */
function rowToBreak(query: LedgerQuery, day: Day, knobs: Knobs): LedgerRow | undefined {
  const coin = coinOf(knobs)
  const fromSecond = startOfDay(day).getTime() / 1000 + SPARED_SECONDS
  const toSecond = startOfDay(addDays(day, 1)).getTime() / 1000
  for (const rows of ledgerRows({ ...query, fromSecond, toSecond, wallet: undefined, descending: false })) {
    const found = rows.find(row => row.coin === coin && row.operation === 'Merchant Acquiring')
    if (found !== undefined)
      return query.wallet === undefined || query.wallet === found.wallet ? found : undefined
  }
  return undefined
}

/** The coin that stands for the knob's currency. */
export function coinOf({ breakCurrency }: Knobs): string {
  return breakCurrency === 'USD' ? 'USDT' : breakCurrency
}

function isWithin({ fromSecond, toSecond }: LedgerQuery, second: number): boolean {
  return second >= fromSecond && second < toSecond
}

function isSame(one: LedgerRow, other: LedgerRow): boolean {
  return (
    one.second === other.second &&
    one.wallet === other.wallet &&
    one.operation === other.operation &&
    one.coin === other.coin &&
    one.units === other.units &&
    one.remark === other.remark
  )
}
