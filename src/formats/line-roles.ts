/** What the columns of a file mean to a scanner of lines. */
import type { Layout } from './layout.ts'
import { TEXT_COLUMNS, type TextColumn } from './row-batch.ts'

/** The role of a text column is its place in `TEXT_COLUMNS`. */
export const TIME = -1
export const AMOUNT = -2
export const WALLET = roleOf('wallet')
export const ASSET = roleOf('asset')
export const REMARK = roleOf('remark')

function roleOf(column: TextColumn): number {
  return TEXT_COLUMNS.indexOf(column)
}

/** The role of each column of the header; `undefined` when there are columns nobody asked for. */
export function rolesOf({ header, columns, extra }: Layout): Int8Array | undefined {
  if (extra.length > 0) return undefined
  const roles = new Int8Array(header.length)
  let known = 0
  for (const [meaning, index] of Object.entries(columns)) {
    known += 1
    roles[index] = meaning === 'time' ? TIME : meaning === 'amount' ? AMOUNT : roleOf(meaning as TextColumn)
  }
  return known === header.length ? roles : undefined
}
