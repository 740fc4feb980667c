/** All that is done to a row group: it is counted, identified, encoded and compressed. */
import { UNIT_SEPARATOR } from '../domain/activity.ts'
import { textAt } from './coded-texts.ts'
import { kernelNumbers } from './group-kernel.ts'
import { plainNumbers } from './group-numbers.ts'
import { addPairs, MOST_PAIRS } from './pair-sums.ts'
import { type EncodedGroup, encodeGroup } from './parquet-group.ts'
import type { RowGroup } from './row-group.ts'
import type { WalletSums } from './wallet-sums.ts'

export interface WorkedGroup extends EncodedGroup {
  /** What the group holds, counted from the columns that were encoded. */
  readonly sums: WalletSums
  readonly operations: OperationCounts
}

/** Rows by operation and category, joined; neither can hold the separator. */
export type OperationCounts = Map<string, number>

/** `numbersOf` writes with the kernel unless a test says otherwise. */
export function groupWorker(numbersOf = kernelNumbers(plainNumbers())): (group: RowGroup) => WorkedGroup {
  return group => {
    const encoded = encodeGroup(group, numbersOf(group))
    return { ...encoded, sums: sumsOf(group), operations: operationsOf(group) }
  }
}

function sumsOf({ rows, amount, texts }: RowGroup): WalletSums {
  const sums: WalletSums = new Map()
  const { wallet, asset } = texts
  const columns = {
    wallets: wallet.codes,
    assets: asset.codes,
    amount,
    walletOf: (code: number) => textAt(wallet, code),
    assetOf: (code: number) => textAt(asset, code),
    walletCount: wallet.count,
    assetCount: asset.count,
  }
  addPairs(sums, columns, 0, rows)
  return sums
}

function operationsOf({ rows, texts: { operation, category } }: RowGroup): OperationCounts {
  const counted: OperationCounts = new Map()
  const categories = category.count
  if (operation.count * categories > MOST_PAIRS) {
    for (let row = 0; row < rows; row++) count(operation.codes[row]!, category.codes[row]!, 1)
    return counted
  }
  const counts = new Uint32Array(operation.count * categories)
  for (let row = 0; row < rows; row++) {
    const pair = operation.codes[row]! * categories + category.codes[row]!
    counts[pair] = counts[pair]! + 1
  }
  counts.forEach((rows, pair) => {
    if (rows > 0) count(Math.floor(pair / categories), pair % categories, rows)
  })
  return counted

  function count(name: number, kind: number, rows: number): void {
    const key = `${textAt(operation, name)}${UNIT_SEPARATOR}${textAt(category, kind)}`
    counted.set(key, (counted.get(key) ?? 0) + rows)
  }
}
