/**
 * A row of balance activity, its identity, its order and its columns.
 *
 * The file has no row ids and identical rows are real, so a row is its content and its number among the
 * identical rows of its second. That makes the same id from any layout, report or re-run.
 */
import { hash } from 'node:crypto'
import { type Amount, formatAmount } from './amount.ts'

/** One change of one asset in one wallet. */
export interface ActivityRow {
  /** Booking time in microseconds since 1970, UTC. */
  readonly micros: bigint
  /** The provider's user id; `null` where the layout has none. */
  readonly userId: string | null
  /** The newest name of the wallet: `Spot`, `Funding`, … */
  readonly wallet: string
  /** The operation as the provider names it. */
  readonly operation: string
  readonly asset: string
  /** Signed: what came in is positive. */
  readonly amount: Amount
  readonly remark: string
  /** The cells of columns nobody asked for, as a JSON object of header to cell. */
  readonly extra: string | null
}

export interface IdentifiedRow extends ActivityRow {
  /** The first 128 bits of a SHA-256, as 32 lower-case hex digits. */
  readonly rowId: string
}

/** The separator of an identity's parts. A cell that holds it is unreadable, so no two rows collide. */
export const UNIT_SEPARATOR = '\x1f'

const SECOND_MICROS = 1_000_000n

/**
 * What two rows must share to be identical: time, wallet, operation, asset, amount and remark, as text.
 * The user id is left out because the oldest layout lacks it.
 */
export function identityOf(row: ActivityRow): string {
  return [
    secondsText(row.micros),
    row.wallet,
    row.operation,
    row.asset,
    formatAmount(row.amount),
    row.remark,
  ].join(UNIT_SEPARATOR)
}

/** Seconds since 1970; a fraction only where there is one. */
function secondsText(micros: bigint): string {
  const seconds = micros / SECOND_MICROS
  const fraction = micros % SECOND_MICROS
  if (fraction === 0n) return seconds.toString()
  return `${seconds}.${fraction.toString().replace('-', '').padStart(6, '0')}`
}

/** The id of the row with this identity that is number `occurrence` (from 0) among its like. */
export function rowIdOf(identity: string, occurrence: number): string {
  return hash('sha256', `${identity}${UNIT_SEPARATOR}${occurrence}`, 'hex').slice(0, 32)
}

/**
 * Puts rows in the table's order and gives each its id. The order is by time, then by content, because
 * the order inside a second means nothing and differs between exports. Consumes `rows`.
 */
export function identifyRows(rows: ActivityRow[]): IdentifiedRow[] {
  rows.sort(compareRows)
  let previous = ''
  let occurrence = 0
  return rows.map(row => {
    const identity = identityOf(row)
    occurrence = identity === previous ? occurrence + 1 : 0
    previous = identity
    return { ...row, rowId: rowIdOf(identity, occurrence) }
  })
}

/** The table's order: the parts of the identity first, so that identical rows stand together. */
export function compareRows(a: ActivityRow, b: ActivityRow): number {
  return (
    compareIdentities(a, b) ||
    compare(a.userId ?? '', b.userId ?? '') ||
    compare(a.extra ?? '', b.extra ?? '')
  )
}

/** The part of the table's order that `identityOf` rests on: zero for identical rows. */
export function compareIdentities(a: ActivityRow, b: ActivityRow): number {
  return (
    compare(a.micros, b.micros) ||
    compare(a.wallet, b.wallet) ||
    compare(a.operation, b.operation) ||
    compare(a.asset, b.asset) ||
    compare(a.amount, b.amount) ||
    compare(a.remark, b.remark)
  )
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The columns of the `activity` table, in order. Columns are only ever added, and then nullable. */
export const ACTIVITY_COLUMNS = [
  { name: 'row_id', type: 'string', nullable: false },
  { name: 'time', type: 'timestamp', nullable: false },
  { name: 'user_id', type: 'string', nullable: true },
  { name: 'wallet', type: 'string', nullable: false },
  { name: 'operation', type: 'string', nullable: false },
  { name: 'category', type: 'string', nullable: false },
  { name: 'asset', type: 'string', nullable: false },
  { name: 'amount', type: 'amount', nullable: false },
  { name: 'remark', type: 'string', nullable: false },
  { name: 'extra', type: 'string', nullable: true },
] as const

export type ActivityColumn = (typeof ACTIVITY_COLUMNS)[number]['name']

/** The version of the columns; a new major version is a new table prefix. */
export const ACTIVITY_SCHEMA_VERSION = '1'

/** The version of the parser: it changes when the same file can give other rows. */
export const PARSER_VERSION = '1'
