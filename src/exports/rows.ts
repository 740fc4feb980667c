/**
 * The rows of a range of days for people: as CSV and as an Excel workbook. Both are streams of any length, and
 * the same published days always give the same bytes.
 */
import { ACTIVITY_COLUMNS } from '../domain/activity.ts'
import { formatAmount } from '../domain/amount.ts'
import { addDays, type Day, type DayRange, daysOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { type AccountRef, activityKey } from '../domain/keys.ts'
import { safeText } from '../formats/cell-text.ts'
import { csvLine } from '../formats/csv-writer.ts'
import { type CategorizedRow, readStoredPieces } from '../formats/parquet.ts'
import { SHEET_ROWS, type Sheet, type SheetCell, workbookBytes } from '../formats/xlsx-writer.ts'
import { storedSource } from '../stores/activity-table.ts'
import type { ObjectStore } from '../stores/object-store.ts'
import { type TotalRow, totalsOf } from './totals.ts'

export interface RowsOptions {
  /** Told of every piece: rows and days done so far. */
  readonly onProgress?: (progress: { rows: number; days: number }) => void
}

/** The columns of the CSV: those of the table behind what its partitions tell. */
export const CSV_COLUMNS = [
  'provider',
  'account',
  'date',
  ...ACTIVITY_COLUMNS.map(({ name }) => name),
] as const

/** A file name of plain characters; both days count. */
export function rowsFileName(ref: AccountRef, { start, end }: DayRange, ending: 'csv' | 'xlsx'): string {
  return `${ref.provider}-${ref.account}-${start}-to-${addDays(end, -1)}.${ending}`
}

/**
 * The rows as CSV: RFC 4180, UTF-8, a header, times in UTC, amounts as plain decimals, an empty cell for null.
 * A text that a spreadsheet could take for a formula has an apostrophe in front; `originalText` takes it away.
 * Throws `store-unavailable` when a day is replaced while it is read.
 */
export async function* rowsAsCsv(
  store: ObjectStore,
  ref: AccountRef,
  range: DayRange,
  options: RowsOptions = {},
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csvLine(CSV_COLUMNS))
  for await (const { day, rows } of publishedRows(store, ref, range, options)) {
    const partitions = [ref.provider, ref.account, day]
    yield Buffer.from(rows.map(row => csvLine([...partitions, ...cellsOf(row)])).join(''))
  }
}

/** In the order of `ACTIVITY_COLUMNS`. An amount begins with a minus too, but is nothing that anyone can choose. */
function cellsOf(row: CategorizedRow): string[] {
  return [
    row.rowId,
    timeText(row.micros),
    safeText(row.userId ?? ''),
    safeText(row.wallet),
    safeText(row.operation),
    safeText(row.category),
    safeText(row.asset),
    formatAmount(row.amount),
    safeText(row.remark),
    safeText(row.extra ?? ''),
  ]
}

/** `2026-10-31T23:59:59Z`, with a fraction only where there is one. */
export function timeText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const second = micros - fraction
  // Rows come in the order of time, so one second is asked for again and again.
  if (second !== lastSecond.micros) {
    const millis = Number.parseInt((second / 1000n).toString(), 10)
    lastSecond = { micros: second, text: new Date(millis).toISOString().slice(0, 19) }
  }
  return fraction === 0n
    ? `${lastSecond.text}Z`
    : `${lastSecond.text}.${fraction.toString().padStart(6, '0')}Z`
}

let lastSecond = { micros: 0n, text: '1970-01-01T00:00:00' }

/**
 * The rows as an Excel workbook: sheets `Rows`, `Rows 2`, …, and `Totals`. An amount stands twice: as text, which
 * no spreadsheet rounds, and as a number to reckon with, of which a spreadsheet keeps 15 digits. `Totals` has
 * the exact sums. Throws as `rowsAsCsv` does.
 */
export function rowsAsXlsx(
  store: ObjectStore,
  ref: AccountRef,
  range: DayRange,
  { sheetRows = SHEET_ROWS, ...options }: RowsOptions & { sheetRows?: number } = {},
): AsyncGenerator<Uint8Array> {
  const totals = totalsOf()
  async function* sheets(): AsyncGenerator<Sheet> {
    yield { name: 'Rows', columns: ROW_COLUMNS, rows: rowCells() }
    yield { name: 'Totals', columns: TOTAL_COLUMNS, rows: totalCells() }
  }
  async function* rowCells() {
    for await (const { day, rows } of publishedRows(store, ref, range, options)) {
      totals.add(rows)
      yield rows.map(row => sheetCells(ref, day, row))
    }
  }
  async function* totalCells() {
    yield totals.list().map(totalSheetCells)
  }
  return workbookBytes(sheets(), sheetRows)
}

const ROW_COLUMNS = [
  { title: 'provider', width: 12 },
  { title: 'account', width: 12 },
  { title: 'date', width: 12 },
  { title: 'time', width: 22 },
  { title: 'user_id', width: 14 },
  { title: 'wallet', width: 12 },
  { title: 'operation', width: 30 },
  { title: 'category', width: 14 },
  { title: 'asset', width: 10 },
  { title: 'amount', width: 26 },
  { title: 'amount_number', width: 22 },
  { title: 'remark', width: 40 },
  { title: 'extra', width: 20 },
  { title: 'row_id', width: 36 },
] as const

function sheetCells(ref: AccountRef, day: Day, row: CategorizedRow): SheetCell[] {
  const amount = formatAmount(row.amount)
  return [
    { text: ref.provider },
    { text: ref.account },
    { day },
    { text: timeText(row.micros) },
    { text: row.userId ?? '' },
    { text: row.wallet },
    { text: row.operation },
    { text: row.category },
    { text: row.asset },
    { digits: amount },
    { number: amount },
    { text: row.remark },
    { text: row.extra ?? '' },
    { text: row.rowId },
  ]
}

const TOTAL_COLUMNS = [
  { title: 'wallet', width: 12 },
  { title: 'asset', width: 10 },
  { title: 'rows', width: 12 },
  { title: 'in', width: 26 },
  { title: 'out', width: 26 },
  { title: 'net', width: 26 },
  { title: 'net_number', width: 22 },
] as const

function totalSheetCells({ wallet, asset, rows, paidIn, paidOut }: TotalRow): SheetCell[] {
  const net = formatAmount(paidIn + paidOut)
  return [
    { text: wallet },
    { text: asset },
    { count: rows },
    { digits: formatAmount(paidIn) },
    { digits: formatAmount(paidOut) },
    { digits: net },
    { number: net },
  ]
}

/** The published rows of a range, piece by piece, in the table's order. Days without an object have none. */
export async function* publishedRows(
  store: ObjectStore,
  ref: AccountRef,
  range: DayRange,
  { onProgress }: RowsOptions = {},
): AsyncGenerator<{ day: Day; rows: CategorizedRow[] }> {
  let done = 0
  for (const [days, day] of daysOf(range).entries()) {
    for await (const rows of dayRows(store, ref, day)) {
      done += rows.length
      yield { day, rows }
      onProgress?.({ rows: done, days })
    }
    onProgress?.({ rows: done, days: days + 1 })
  }
}

async function* dayRows(store: ObjectStore, ref: AccountRef, day: Day): AsyncGenerator<CategorizedRow[]> {
  const key = activityKey(ref, day)
  const standing = await store.head(key)
  if (standing === undefined) return
  const stands = async () => (await store.head(key))?.etag === standing.etag
  try {
    yield* readStoredPieces(storedSource(store, standing))
  } catch (error) {
    throw (await stands()) ? error : replaced(day)
  }
  // A file that is replaced halfway gives the bytes of two files, which may even look whole.
  if (!(await stands())) throw replaced(day)
}

function replaced(day: Day): DaybookError {
  return new DaybookError(
    'store-unavailable',
    `The rows of ${day} were replaced by a newer report while they were read; try again.`,
  )
}
