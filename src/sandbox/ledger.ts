/** The books behind the reports: the rows of a day follow from seed, merchant and day alone. */
import { addDays, type Day, dayOf, startOfDay } from '../domain/calendar.ts'
import { type Chance, chanceOf } from './chance.ts'
import { type LedgerRow, nextEvent } from './ledger-events.ts'

export interface LedgerQuery {
  readonly seed: string
  readonly merchant: string
  readonly rowsPerDay: number
  /** First second wanted, and the first one not wanted any more, counted from 1970. */
  readonly fromSecond: number
  readonly toSecond: number
  /** The only wallet wanted; both when `undefined`. */
  readonly wallet: LedgerRow['wallet'] | undefined
  readonly descending: boolean
}

const DAY_SECONDS = 86_400

/** A large day is made in pieces of this many seconds, so that memory stays small. */
function pieceSeconds(rowsPerDay: number): number {
  if (rowsPerDay <= 20_000) return DAY_SECONDS
  return rowsPerDay <= 400_000 ? 3600 : 300
}

/** The rows of a range in batches that never split a second, in ascending or descending time. */
export function* ledgerRows(query: LedgerQuery): Generator<LedgerRow[]> {
  for (const piece of piecesOf(query)) {
    const rows = pieceRows(query, piece).filter(
      row =>
        row.second >= query.fromSecond &&
        row.second < query.toSecond &&
        (query.wallet === undefined || row.wallet === query.wallet),
    )
    yield query.descending ? rows.reverse() : rows
  }
}

/** A part of a day that is made at once. */
interface Piece {
  readonly day: Day
  readonly index: number
  readonly count: number
}

function* piecesOf(query: LedgerQuery): Generator<Piece> {
  const count = DAY_SECONDS / pieceSeconds(query.rowsPerDay)
  const first = dayOf(new Date(query.fromSecond * 1000))
  const last = dayOf(new Date((query.toSecond - 1) * 1000))
  const step = query.descending ? -1 : 1
  for (let day = query.descending ? last : first; first <= day && day <= last; day = addDays(day, step)) {
    for (let turn = 0; turn < count; turn++) {
      yield { day, index: query.descending ? count - 1 - turn : turn, count }
    }
  }
}

/** Every row of a piece, ascending; as many as its share of the day. */
function pieceRows({ seed, merchant, rowsPerDay }: LedgerQuery, { day, index, count }: Piece): LedgerRow[] {
  const chance = chanceOf(JSON.stringify([seed, merchant, day, index, count, rowsPerDay]))
  const share = Math.floor(((index + 1) * rowsPerDay) / count) - Math.floor((index * rowsPerDay) / count)
  const seconds = DAY_SECONDS / count
  const begin = startOfDay(day).getTime() / 1000 + index * seconds
  const rows: LedgerRow[] = []
  while (rows.length < share) {
    rows.push(...nextEvent(begin + secondWithin(chance, seconds), share - rows.length, chance))
  }
  return rows.sort((one, other) => one.second - other.second)
}

/** A second that leaves room for a leg one second later inside the piece. */
function secondWithin(chance: Chance, seconds: number): number {
  return chance.below(seconds - 1)
}
