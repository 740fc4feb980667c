/**
 * Rows in the order of the file made into rows in the table's order. Files ascend by second, apart from
 * small inversions, so sorting inside a window is enough; rows that come after their place was written are
 * late, and the caller sets them aside.
 */

import { amountAt, putAmount, WIDE } from './amount-cells.ts'
import { batchOrder, isIdentical } from './batch-order.ts'
import { moveRow, perTextColumn, type RowBatch, TEXT_COLUMNS } from './row-batch.ts'
import type { OrderedRows } from './row-group.ts'
import { hashOf, textTable } from './text-table.ts'

/** How many of the latest rows wait for others that belong before them. */
export const WINDOW_ROWS = 8192

/** Texts of a batch may take so much before they are dropped. */
const TEXT_BYTES = 8 * 1024 ** 2
const TEXTS = 24 * 1024

export interface RowStream {
  /** Whether so much text is waiting that rows must be let go. */
  isHeavy(): boolean
  /** Hands on what is complete and keeps the window; with `last` it keeps nothing. */
  settle(last: boolean): Promise<void>
}

export interface RowSink {
  /** Rows `from` up to `to`, of complete seconds, after all before. */
  write(rows: OrderedRows, from: number, to: number): Promise<void>
  /** Rows `from` up to `to`, whose place was already written or that must not wait. */
  setAside(rows: OrderedRows, from: number, to: number): Promise<void>
}

export function rowStream(batch: RowBatch, sink: RowSink): RowStream {
  let writtenTo = Number.NEGATIVE_INFINITY
  const orderOf = batchOrder(batch.time.length)
  const occurrences = new Uint32Array(batch.time.length)

  async function settle(last: boolean): Promise<void> {
    const rows = ordered()
    const { order } = rows
    const timeAt = (index: number) => batch.time[order[index]!]!
    let late = 0
    while (late < batch.rows && timeAt(late) <= writtenTo) late++
    await sink.setAside(rows, 0, late)
    let end = last ? batch.rows : boundaryBefore(batch.rows - (isHeavy() ? 0 : WINDOW_ROWS), timeAt)
    if (end > late) {
      await sink.write(rows, late, end)
      writtenTo = timeAt(end - 1)
    } else if (!last) {
      // One second fills the batch. It is put together later.
      await sink.setAside(rows, late, batch.rows)
      end = batch.rows
    }
    keepFrom(order.subarray(Math.max(end, late)))
  }

  function ordered(): OrderedRows {
    const order = orderOf(batch)
    const occurrence = occurrences.subarray(0, order.length)
    for (let index = 0; index < order.length; index++) {
      const isAnother = index > 0 && isIdentical(batch, order[index - 1]!, order[index]!)
      occurrence[index] = isAnother ? occurrence[index - 1]! + 1 : 0
    }
    return { batch, order, occurrence }
  }

  /** The last place not after `index` where a new second begins. */
  function boundaryBefore(index: number, timeAt: (index: number) => number): number {
    let at = Math.min(index, batch.rows - 1)
    while (at > 0 && timeAt(at) === timeAt(at - 1)) at--
    return Math.max(0, at)
  }

  function isHeavy(): boolean {
    return TEXT_COLUMNS.some(column => {
      const table = batch.tables[column]
      return table.startOf(table.count()) > TEXT_BYTES || table.count() > TEXTS
    })
  }

  function keepFrom(kept: Uint32Array): void {
    kept.sort()
    const { wide } = batch.amount
    batch.amount.wide = []
    for (let place = 0; place < kept.length; place++) {
      moveRow(batch, kept[place]!, place)
      if (batch.amount.units[place]! >= WIDE) {
        putAmount(batch.amount, place, amountAt({ units: batch.amount.units, wide }, place))
      }
    }
    batch.rows = kept.length
    if (isHeavy()) renewTables(batch)
  }

  return { isHeavy, settle }
}

/** New tables that hold nothing but the texts of the rows that are left. */
function renewTables(batch: RowBatch): void {
  const old = batch.tables
  batch.tables = perTextColumn(textTable)
  for (const column of TEXT_COLUMNS) {
    const codes = batch.codes[column]
    for (let row = 0; row < batch.rows; row++) {
      const code = codes[row]!
      const bytes = old[column].bytes()
      const [start, end] = [old[column].startOf(code), old[column].startOf(code + 1)]
      codes[row] = batch.tables[column].codeOf(bytes, start, end, hashOf(bytes, start, end))
    }
  }
}
