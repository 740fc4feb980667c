/** Exact sums of rows, by wallet and asset. */
import type { Amount } from '../domain/amount.ts'
import type { CategorizedRow } from '../formats/parquet.ts'

export interface TotalRow {
  readonly wallet: string
  readonly asset: string
  readonly rows: number
  /** What came in, and what went out: a negative amount. Both scaled by 10^18, and of any size. */
  readonly paidIn: Amount
  readonly paidOut: Amount
}

export interface Totals {
  add(rows: readonly CategorizedRow[]): void
  /** In the order of wallet and asset. */
  list(): TotalRow[]
}

export function totalsOf(): Totals {
  const found = new Map<string, { -readonly [P in keyof TotalRow]: TotalRow[P] }>()
  return {
    add(rows) {
      for (const { wallet, asset, amount } of rows) {
        const name = JSON.stringify([wallet, asset])
        let total = found.get(name)
        if (total === undefined) {
          total = { wallet, asset, rows: 0, paidIn: 0n, paidOut: 0n }
          found.set(name, total)
        }
        total.rows += 1
        if (amount > 0n) total.paidIn += amount
        else total.paidOut += amount
      }
    },
    list: () => [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, total]) => total),
  }
}
