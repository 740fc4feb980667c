/** What an output holds, and whether that is the truth. */
import type { Truth } from './dataset.ts'

export interface OutputContent {
  readonly rows: string
  /** Over all columns but the row id. */
  readonly rowsHash: string
  /** Over all columns, the row id with them; empty for engines without row ids. */
  readonly rowIds: string
  /** `wallet asset` and its sum as a plain decimal of scale 18, sorted. */
  readonly sums: ReadonlyArray<readonly string[]>
}

/** The first difference from the truth about the file and from an output already held true, or nothing. */
export function differenceOf(
  content: OutputContent,
  truth: Truth,
  known: OutputContent | undefined,
): string | undefined {
  if (content.rows !== String(truth.rows)) return `${content.rows} rows instead of ${truth.rows}`
  const sums = Object.fromEntries(content.sums.map(([key, sum]) => [key!, sum!]))
  for (const [key, units] of Object.entries(truth.units)) {
    if (sums[key] !== plainText(BigInt(units))) return `sum of ${key} ${sums[key]} instead of ${units}E-8`
  }
  if (known === undefined) return undefined
  if (content.rowsHash !== known.rowsHash) return 'other rows'
  return content.rowIds === '' || content.rowIds === known.rowIds ? undefined : 'other row ids'
}

/** Units of scale 8 as DuckDB prints a decimal of scale 18. */
function plainText(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(9, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}${'0'.repeat(10)}`
}
