/** A file without a header: what its columns are when the first line can be nothing but a row. */
import { readAmount } from '../domain/amount.ts'
import type { Meaning } from '../domain/column-names.ts'
import { isKnownWallet } from '../domain/operations.ts'
import { readTime } from './time.ts'

const SEVEN: readonly Meaning[] = ['userId', 'time', 'wallet', 'operation', 'asset', 'amount', 'remark']
const SIX = SEVEN.slice(1)

/**
 * The columns of layouts A (six cells) and B or C (seven), if every cell has the shape its column needs and
 * the wallet is one that is known. Anything less is a guess.
 */
export function certainColumns(cells: readonly string[]): Partial<Record<Meaning, number>> | undefined {
  const order = [SIX, SEVEN].find(({ length }) => length === cells.length)
  if (order === undefined) return undefined
  const fits = order.every((meaning, index) => FITS[meaning](cells[index]!.trim()))
  return fits ? Object.fromEntries(order.map((meaning, index) => [meaning, index])) : undefined
}

const FITS: Readonly<Record<Meaning, (cell: string) => boolean>> = {
  userId: cell => /^\d{5,20}$/.test(cell),
  time: cell => typeof readTime(cell, 0) === 'bigint',
  wallet: isKnownWallet,
  operation: cell => /\p{L}/u.test(cell),
  asset: cell => /^[\p{L}\p{N}]{1,32}$/u.test(cell) && /\p{L}/u.test(cell),
  amount: cell => typeof readAmount(cell) === 'bigint',
  remark: () => true,
}
