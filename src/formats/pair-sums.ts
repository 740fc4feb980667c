/** Exact sums by wallet and asset over columns of codes. */

import { AMOUNT_SCALE } from '../domain/amount.ts'
import { type AmountCells, amountAt, UNIT_DECIMALS, WIDE } from './amount-cells.ts'
import { addAmount, type WalletSums } from './wallet-sums.ts'

export interface PairColumns {
  readonly wallets: Uint32Array
  readonly assets: Uint32Array
  readonly amount: AmountCells
  readonly walletOf: (code: number) => string
  readonly assetOf: (code: number) => string
  /** How many codes there are. */
  readonly walletCount: number
  readonly assetCount: number
}

/** More pairs than this are not counted in arrays but one by one. */
export const MOST_PAIRS = 2 ** 18

const UNIT = 10n ** BigInt(AMOUNT_SCALE - UNIT_DECIMALS)

/** Units are added in two halves, so that sums of millions of rows stay below 2^53. */
const HALF = 2 ** 26

/** Adds rows `from` up to `to` to `sums`. */
export function addPairs(sums: WalletSums, columns: PairColumns, from: number, to: number): void {
  const { wallets, assets, amount, walletCount, assetCount } = columns
  const size = walletCount * assetCount
  if (size > MOST_PAIRS) {
    for (let row = from; row < to; row++) addOne(sums, columns, row)
    return
  }
  const lows = new Float64Array(size)
  const highs = new Float64Array(size)
  const seen = new Uint8Array(size)
  const { units } = amount
  for (let row = from; row < to; row++) {
    const value = units[row]!
    if (value >= WIDE) {
      addOne(sums, columns, row)
      continue
    }
    const pair = wallets[row]! * assetCount + assets[row]!
    const high = Math.floor(value / HALF)
    lows[pair] = lows[pair]! + (value - high * HALF)
    highs[pair] = highs[pair]! + high
    seen[pair] = 1
  }
  for (let pair = 0; pair < size; pair++) {
    if (seen[pair] === 0) continue
    const asset = pair % assetCount
    const total = BigInt(highs[pair]!) * BigInt(HALF) + BigInt(lows[pair]!)
    addAmount(sums, columns.walletOf((pair - asset) / assetCount), columns.assetOf(asset), total * UNIT)
  }
}

function addOne(sums: WalletSums, { wallets, assets, amount, walletOf, assetOf }: PairColumns, row: number) {
  addAmount(sums, walletOf(wallets[row]!), assetOf(assets[row]!), amountAt(amount, row))
}

/** Adds all of `more` to `sums`. */
export function addSums(sums: WalletSums, more: WalletSums): void {
  for (const [key, amount] of more) sums.set(key, (sums.get(key) ?? 0n) + amount)
}
