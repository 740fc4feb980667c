/** What moved on a published day: rows by operation, and exact sums by wallet and asset. */
import type { Amount } from '../domain/amount.ts'
import type { Day } from '../domain/calendar.ts'
import { type AccountRef, activityKey } from '../domain/keys.ts'
import { readActivityMetadata, readStoredGroups } from '../formats/parquet.ts'
import { storedSource } from './activity-table.ts'
import type { ObjectStore } from './object-store.ts'

/** Of one asset in one wallet. Amounts are scaled by 10^18. */
export interface Movement {
  readonly wallet: string
  readonly asset: string
  readonly rows: number
  readonly inflow: Amount
  /** Negative or zero. */
  readonly outflow: Amount
  /** The sum before the first cut, between the cuts, and after the last one. */
  readonly pieces: readonly Amount[]
}

export interface DayMovements {
  readonly etag: string
  readonly key: string
  readonly size: number
  readonly rows: number
  /** The report that readers see, and when it was generated. */
  readonly reportId: string
  readonly generatedAt: string
  readonly operations: readonly {
    readonly operation: string
    readonly category: string
    readonly rows: number
  }[]
  readonly movements: readonly Movement[]
}

export interface DayMovementsReader {
  /**
   * Reads a day as a stream, or remembers it. `cuts` are instants within the day in microseconds, ascending;
   * `undefined` when the day is not published.
   */
  read(ref: AccountRef, day: Day, cuts?: readonly bigint[]): Promise<DayMovements | undefined>
}

/** So many days are remembered. */
const MOST_DAYS = 1_000

export function dayMovementsReader(store: ObjectStore): DayMovementsReader {
  const remembered = new Map<string, DayMovements>()
  return {
    async read(ref, day, cuts = []) {
      const head = await store.head(activityKey(ref, day))
      if (head === undefined) return undefined
      const name = [head.key, head.etag, ...cuts].join(' ')
      const known = remembered.get(name)
      if (known !== undefined) return known
      const found = await readDay(store, head, cuts)
      remembered.set(name, found)
      const [oldest] = remembered.keys()
      if (remembered.size > MOST_DAYS && oldest !== undefined) remembered.delete(oldest)
      return found
    },
  }
}

interface Gathering {
  readonly wallet: string
  readonly asset: string
  rows: number
  inflow: Amount
  outflow: Amount
  readonly pieces: Amount[]
}

async function readDay(
  store: ObjectStore,
  head: { readonly key: string; readonly size: number; readonly etag: string },
  cuts: readonly bigint[],
): Promise<DayMovements> {
  const source = storedSource(store, head)
  const metadata = await readActivityMetadata(source)
  const sums = new Map<string, Gathering>()
  const operations = new Map<string, { operation: string; category: string; rows: number }>()
  let rows = 0
  for await (const group of readStoredGroups(source)) {
    for (const { wallet, asset, operation, category, amount, micros } of group) {
      rows++
      const told = operations.get(operation) ?? { operation, category, rows: 0 }
      told.rows++
      operations.set(operation, told)
      const name = `${wallet}\n${asset}`
      const sum = sums.get(name) ?? {
        wallet,
        asset,
        rows: 0,
        inflow: 0n,
        outflow: 0n,
        pieces: Array.from({ length: cuts.length + 1 }, () => 0n),
      }
      sum.rows++
      if (amount > 0n) sum.inflow += amount
      else sum.outflow += amount
      const piece = cuts.findIndex(cut => micros < cut)
      const index = piece < 0 ? cuts.length : piece
      sum.pieces[index] = sum.pieces[index]! + amount
      sums.set(name, sum)
    }
  }
  const byName = (a: Gathering, b: Gathering) =>
    a.wallet < b.wallet ? -1 : a.wallet > b.wallet ? 1 : a.asset < b.asset ? -1 : a.asset > b.asset ? 1 : 0
  return {
    ...head,
    rows,
    reportId: metadata['daybook.report_id'] ?? '',
    generatedAt: metadata['daybook.generated_at'] ?? '',
    operations: [...operations.values()].sort((a, b) => b.rows - a.rows),
    movements: [...sums.values()].sort(byName),
  }
}
