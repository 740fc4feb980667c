/** Exact sums per wallet and asset. */
import { UNIT_SEPARATOR } from '../domain/activity.ts'
import { type Amount, formatAmount } from '../domain/amount.ts'

export interface WalletSum {
  readonly wallet: string
  readonly asset: string
  /** Plain decimal text. */
  readonly amount: string
}

/** Scaled sums by wallet and asset, joined; neither can hold the separator. */
export type WalletSums = Map<string, Amount>

export function addAmount(sums: WalletSums, wallet: string, asset: string, amount: Amount): void {
  const key = `${wallet}${UNIT_SEPARATOR}${asset}`
  sums.set(key, (sums.get(key) ?? 0n) + amount)
}

/** Sorted by wallet, then asset. */
export function listSums(sums: WalletSums): WalletSum[] {
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, amount]) => {
      const [wallet, asset] = key.split(UNIT_SEPARATOR) as [string, string]
      return { wallet, asset, amount: formatAmount(amount) }
    })
}

export function sameSums(a: WalletSums, b: WalletSums): boolean {
  return a.size === b.size && [...a].every(([key, amount]) => b.get(key) === amount)
}
