/** What is counted of every row as it comes in, before it is sorted; rows outside the range end here. */
import { type Day, type DayRange, startOfDayMicros } from '../domain/calendar.ts'
import { WIDE } from './amount-cells.ts'
import { unreadable } from './file-fault.ts'
import type { FileLimits } from './limits.ts'
import { addPairs } from './pair-sums.ts'
import { moveRow, type RowBatch } from './row-batch.ts'
import type { WalletSums } from './wallet-sums.ts'

export interface RowCounts {
  read: number
  written: number
  quarantined: number
  outside: number
}

export const DAY_MICROS = 86_400_000_000

export function rowIntake(
  batch: RowBatch,
  range: DayRange,
  dayOf: (micros: number) => Day,
  counts: RowCounts,
  limits: FileLimits,
) {
  const sums: WalletSums = new Map()
  const operations = new Set<string>()
  const outsideDays = new Map<Day, number>()
  const start = Number.parseInt(startOfDayMicros(range.start).toString(), 10)
  const end = Number.parseInt(startOfDayMicros(range.end).toString(), 10)
  /** Rows that were not dropped, by day of the range. */
  const rowsOfDays = new Float64Array(Math.max(0, Math.ceil((end - start) / DAY_MICROS)))
  /** Rows before this one were counted, and amounts in the list before that one. */
  let counted = 0
  let countedWide = 0
  /** Rows before this one are in the sums. */
  let added = 0

  /** Counts the new rows and drops those outside the range. */
  function admit(): void {
    const first = counted
    counts.read += batch.rows - first
    dropOutside(first)
    counts.written += batch.rows - first
    countDays(first)
    countNames(first)
    counted = batch.rows
    countedWide = batch.amount.wide.length
  }

  /** Adds up what was admitted since the last time, before the rows are moved. */
  function addUp(): void {
    const { codes, amount, tables } = batch
    const columns = {
      wallets: codes.wallet,
      assets: codes.asset,
      amount,
      walletOf: tables.wallet.textOf,
      assetOf: tables.asset.textOf,
      walletCount: tables.wallet.count(),
      assetCount: tables.asset.count(),
    }
    addPairs(sums, columns, added, batch.rows)
    checkNames()
  }

  function dropOutside(first: number): void {
    const { time, amount } = batch
    if (amount.wide.length === countedWide && areAllInside(first)) return
    let kept = first
    let keptWide = countedWide
    for (let row = first; row < batch.rows; row++) {
      const micros = time[row]!
      if (micros >= start && micros < end) {
        if (row !== kept) moveRow(batch, row, kept)
        const units = amount.units[kept]!
        if (units >= WIDE) {
          amount.wide[keptWide] = amount.wide[(units - WIDE) / 2]!
          amount.units[kept] = WIDE + 2 * keptWide++
        }
        kept += 1
      } else {
        const day = dayOf(micros)
        counts.outside += 1
        outsideDays.set(day, (outsideDays.get(day) ?? 0) + 1)
      }
    }
    batch.rows = kept
    // Nothing of a dropped row may pile up.
    amount.wide.length = keptWide
  }

  function areAllInside(first: number): boolean {
    const { time, rows } = batch
    for (let row = first; row < rows; row++) if (time[row]! < start || time[row]! >= end) return false
    return true
  }

  /** Neighbours mostly share their day. */
  function countDays(first: number): void {
    const { time, rows } = batch
    for (let row = first; row < rows; ) {
      const day = Math.floor((time[row]! - start) / DAY_MICROS)
      const dayStart = start + day * DAY_MICROS
      const from = row
      while (row < rows && time[row]! >= dayStart && time[row]! < dayStart + DAY_MICROS) row++
      rowsOfDays[day] = rowsOfDays[day]! + (row - from)
    }
  }

  function countNames(first: number): void {
    const { operation } = batch.codes
    const seen = new Uint8Array(batch.tables.operation.count())
    for (let row = first; row < batch.rows; row++) {
      const code = operation[row]!
      if (seen[code] === 0) operations.add(batch.tables.operation.textOf(code))
      seen[code] = 1
    }
  }

  /** Names come from outside and are counted in memory, so there is a limit to them. */
  function checkNames(): void {
    if (Math.max(sums.size, operations.size) <= limits.names) return
    throw unreadable(
      'too-many-names',
      `The file names more than ${limits.names} assets or operations, the limit.`,
    )
  }

  /** The rows left in the batch were counted and added up. */
  function restart(): void {
    counted = batch.rows
    added = batch.rows
    countedWide = batch.amount.wide.length
  }

  return { admit, addUp, restart, sums, rowsOfDays, outsideDays }
}
