/** What a cell of a header tells, and headers that belong to other exports. */
import { type ColumnNames, foldName, KNOWN_NAMES, type Meaning } from '../domain/column-names.ts'

/** A zone that a header tells itself: `Date(UTC)`, `Time(UTC+8)`. */
const ZONE_SUFFIX = /^(.*?)\s*\((UTC[^)]*)\)$/i

/** What a header cell means, and the zone it tells, if any. */
export function meaningOf(
  cell: string,
  names: ColumnNames = KNOWN_NAMES,
): { meaning: Meaning | undefined; zone: string | undefined } {
  const suffix = ZONE_SUFFIX.exec(cell.trim())
  const meaning = names.get(foldName(suffix?.[1] ?? cell))
  if (meaning !== 'time') return { meaning: suffix === null ? meaning : undefined, zone: undefined }
  return { meaning, zone: suffix?.[2] ?? (foldName(cell) === 'utc time' ? 'UTC' : undefined) }
}

/** Exports of other kinds, by columns that only they have; refused by name. */
const OTHER_PRODUCTS: ReadonlyArray<{ product: string; columns: readonly string[] }> = [
  { product: 'a Binance.US transaction history', columns: ['category', 'operation', 'order id'] },
  { product: 'a Binance futures transaction history', columns: ['type', 'amount', 'asset', 'symbol'] },
  { product: 'a Binance spot trade history', columns: ['price', 'fee', 'side'] },
  { product: 'a Binance spot trade history', columns: ['price', 'fee', 'market'] },
  { product: 'a Binance deposit or withdrawal history', columns: ['txid', 'address'] },
]

/** The other export that a header belongs to. */
export function otherProductOf(header: readonly string[]): string | undefined {
  const folded = new Set(header.map(foldName))
  return OTHER_PRODUCTS.find(({ columns }) => columns.every(column => folded.has(column)))?.product
}
