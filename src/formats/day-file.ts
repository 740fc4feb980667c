/** Writes one day's data file and proves that it holds what was read. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { type IdentifiedRow, UNIT_SEPARATOR } from '../domain/activity.ts'
import type { Day } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { type ActivityColumns, columnsOf, groupsOf } from './activity-columns.ts'
import { activityEncoder } from './parquet.ts'
import { addAmount, listSums, sameSums, type WalletSum, type WalletSums } from './wallet-sums.ts'

export interface DayDigest {
  readonly day: Day
  readonly rows: number
  /** Bytes of the data file. */
  readonly size: number
  readonly sha256: string
  readonly path: string
  readonly sums: readonly WalletSum[]
}

/** What was counted while reading: what the file must hold. */
export interface DayExpectation {
  readonly rows: number
  readonly sums: WalletSums
}

/** Rows by operation and category, joined; neither can hold the separator. */
export type OperationCounts = Map<string, number>

/**
 * Encodes the rows to `path`, batch by batch. Rows and sums are counted again from the columns handed to
 * the encoder; throws `count-mismatch` when they are not those of `expected`.
 */
export async function writeDayFile(
  { day, path, metadata }: { day: Day; path: string; metadata: Readonly<Record<string, string>> },
  batches: AsyncIterable<readonly IdentifiedRow[]>,
  expected: DayExpectation,
  operations: OperationCounts,
): Promise<DayDigest> {
  const counted = { rows: 0, sums: new Map() as WalletSums }
  const encoder = activityEncoder(metadata)
  const hash = createHash('sha256')
  let size = 0
  const file = await open(path, 'w')
  const write = async (bytes: Uint8Array) => {
    hash.update(bytes)
    size += bytes.length
    await file.writeFile(bytes)
  }
  try {
    for await (const rows of groupsOf(batches)) {
      const columns = columnsOf(rows)
      count(columns, counted, operations)
      await write(encoder.add(columns))
    }
    await write(encoder.finish())
  } finally {
    await file.close()
  }
  if (counted.rows !== expected.rows || !sameSums(counted.sums, expected.sums)) throw mismatch(day)
  return { day, rows: counted.rows, size, sha256: hash.digest('hex'), path, sums: listSums(counted.sums) }
}

function count(
  columns: ActivityColumns,
  counted: { rows: number; sums: WalletSums },
  operations: OperationCounts,
): void {
  counted.rows += columns.amount.length
  columns.amount.forEach((amount, index) => {
    addAmount(counted.sums, columns.wallet[index]!, columns.asset[index]!, amount)
    const key = `${columns.operation[index]}${UNIT_SEPARATOR}${columns.category[index]}`
    operations.set(key, (operations.get(key) ?? 0) + 1)
  })
}

/** Sorted by operation, then category. */
export function listOperations(
  counts: OperationCounts,
): Array<{ operation: string; category: string; rows: number }> {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, rows]) => {
      const [operation, category] = key.split(UNIT_SEPARATOR) as [string, string]
      return { operation, category, rows }
    })
}

function mismatch(day: Day): DaybookError {
  const message = `The rows of ${day} are not those that were read. Nothing of this file was published.`
  return new DaybookError('count-mismatch', message, { details: { day } })
}
