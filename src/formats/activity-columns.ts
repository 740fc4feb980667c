/** Rows turned into columns, a bounded group at a time: what the Parquet encoder takes. */
import type { IdentifiedRow } from '../domain/activity.ts'
import { categoryOf } from '../domain/operations.ts'

/** The columns of the `activity` table; all of the same length. */
export interface ActivityColumns {
  readonly row_id: string[]
  readonly time: bigint[]
  readonly user_id: Array<string | null>
  readonly wallet: string[]
  readonly operation: string[]
  readonly category: string[]
  readonly asset: string[]
  readonly amount: bigint[]
  readonly remark: string[]
  readonly extra: Array<string | null>
}

/** Rows of a group: enough for compression and skipping, few enough for memory. */
export const GROUP_ROWS = 65_536

export function columnsOf(rows: readonly IdentifiedRow[]): ActivityColumns {
  return {
    row_id: rows.map(row => row.rowId),
    time: rows.map(row => row.micros),
    user_id: rows.map(row => row.userId),
    wallet: rows.map(row => row.wallet),
    operation: rows.map(row => row.operation),
    category: rows.map(row => categoryOf(row.operation, row.remark)),
    asset: rows.map(row => row.asset),
    amount: rows.map(row => row.amount),
    remark: rows.map(row => row.remark),
    extra: rows.map(row => row.extra),
  }
}

/** Batches of any size as groups of `groupRows`; only the last one is smaller. */
export async function* groupsOf(
  batches: AsyncIterable<readonly IdentifiedRow[]>,
  groupRows = GROUP_ROWS,
): AsyncGenerator<readonly IdentifiedRow[]> {
  let waiting: IdentifiedRow[] = []
  for await (const batch of batches) {
    for (const row of batch) {
      waiting.push(row)
      if (waiting.length < groupRows) continue
      yield waiting
      waiting = []
    }
  }
  if (waiting.length > 0) yield waiting
}
