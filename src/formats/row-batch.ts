/** Rows as columns of numbers: what is read is kept here until its second is complete. */
import type { ActivityRow } from '../domain/activity.ts'
import type { Amount } from '../domain/amount.ts'
import { type AmountCells, amountAt, newAmountCells, putAmount } from './amount-cells.ts'
import { type TextTable, textTable } from './text-table.ts'

/** The text columns. `wallet` holds the newest name of each wallet. */
export const TEXT_COLUMNS = ['userId', 'wallet', 'operation', 'asset', 'remark', 'extra'] as const
export type TextColumn = (typeof TEXT_COLUMNS)[number]

export interface RowBatch {
  rows: number
  /** Microseconds since 1970: below 2^53 in the years that are read, so exact. */
  readonly time: Float64Array
  readonly amount: AmountCells
  /** Codes of `tables`; the empty text where there is none. */
  readonly codes: Readonly<Record<TextColumn, Uint32Array>>
  tables: Readonly<Record<TextColumn, TextTable>>
}

export function newBatch(capacity: number): RowBatch {
  return {
    rows: 0,
    time: new Float64Array(capacity),
    amount: newAmountCells(capacity),
    codes: perTextColumn(() => new Uint32Array(capacity)),
    tables: perTextColumn(textTable),
  }
}

export function perTextColumn<T>(make: (column: TextColumn) => T): Record<TextColumn, T> {
  return {
    userId: make('userId'),
    wallet: make('wallet'),
    operation: make('operation'),
    asset: make('asset'),
    remark: make('remark'),
    extra: make('extra'),
  }
}

/** Adds a row that was read as an object. */
export function addRow(batch: RowBatch, row: ActivityRow): void {
  const at = batch.rows++
  // A typed array drops what is written past its end in silence.
  if (at >= batch.time.length) throw new RangeError('The batch is full.')
  batch.time[at] = microsFloat(row.micros)
  putAmount(batch.amount, at, row.amount)
  for (const column of TEXT_COLUMNS) {
    batch.codes[column][at] = batch.tables[column].codeOfText(row[column] ?? '')
  }
}

export function rowAt(batch: RowBatch, at: number): ActivityRow {
  const text = (column: TextColumn) => batch.tables[column].textOf(batch.codes[column][at]!)
  return {
    micros: BigInt(batch.time[at]!),
    userId: text('userId') || null,
    wallet: text('wallet'),
    operation: text('operation'),
    asset: text('asset'),
    amount: batchAmountAt(batch, at),
    remark: text('remark'),
    extra: text('extra') || null,
  }
}

export function batchAmountAt(batch: RowBatch, at: number): Amount {
  return amountAt(batch.amount, at)
}

/** Moves a row to an earlier place. */
export function moveRow(batch: RowBatch, from: number, to: number): void {
  const { time, amount, codes } = batch
  time[to] = time[from]!
  amount.units[to] = amount.units[from]!
  for (const column of TEXT_COLUMNS) codes[column][to] = codes[column][from]!
}

const halves = new BigUint64Array(1)
const words = new Uint32Array(halves.buffer)

/** An instant as a number; years the reader refuses would not fit. */
function microsFloat(micros: bigint): number {
  halves[0] = micros
  return words[1]! * 4_294_967_296 + words[0]!
}
