/**
 * The `balances` table's data files. They are small, so each is one row group of PLAIN pages: nothing of
 * the activity writer's speed is needed, and every column may be null.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { AMOUNT_SCALE } from '../domain/amount.ts'
import { BALANCE_COLUMNS, type BalanceBasis, type BalanceColumn, type BalanceRow } from '../domain/balance.ts'
import { damaged } from './file-fault.ts'
import { MAGIC } from './parquet-footer.ts'
import { packed } from './parquet-levels.ts'
import { encodeThrift, flag, i32, i64, list, struct, type Thrift, text } from './thrift.ts'

const CREATED_BY = 'daybook version 1.0.0 (build 1)'
const AMOUNT_BYTES = 16
const PLAIN = 0
const RLE = 3
const ZSTD = 6
const LEVEL = 3

type Cell = string | bigint | null
type ColumnType = BalanceColumn['type']

/** Physical type, its length, and both notations of the logical type: readers know one or the other. */
const TYPES: Record<ColumnType, { physical: number; length?: number; converted: number; logical: Thrift }> = {
  string: { physical: 6, converted: 0, logical: struct([1, struct()]) },
  timestamp: {
    physical: 2,
    converted: 10,
    logical: struct([8, struct([1, flag(true)], [2, struct([2, struct()])])]),
  },
  amount: {
    physical: 7,
    length: AMOUNT_BYTES,
    converted: 5,
    logical: struct([5, struct([1, i32(AMOUNT_SCALE)], [2, i32(38)])]),
  },
}

/** One data file. The same rows and metadata always give the same bytes. */
export function encodeBalances(
  rows: readonly BalanceRow[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const pieces: Uint8Array[] = [MAGIC]
  const chunks: Thrift[] = []
  let at = MAGIC.length
  let uncompressed = 0
  // Readers differ over a group without rows; a file without any group is an empty table to all of them.
  for (const column of rows.length === 0 ? [] : BALANCE_COLUMNS) {
    const page = encodePage(rows.map(column.of), column.type, column.nullable)
    chunks.push(columnChunk(column.name, column.type, rows.length, at, page))
    pieces.push(page.bytes)
    at += page.bytes.length
    uncompressed += page.uncompressed
  }
  const groups =
    rows.length === 0 ? [] : [struct([1, list(chunks)], [2, i64(uncompressed)], [3, i64(rows.length)])]
  const footer = encodeThrift(
    struct(
      [1, i32(2)],
      [2, list(schema())],
      [3, i64(rows.length)],
      [4, list(groups)],
      [5, list(pairsOf(metadata))],
      [6, text(CREATED_BY)],
    ),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([...pieces, footer, length, MAGIC])
}

function pairsOf(metadata: Readonly<Record<string, string>>): Thrift[] {
  return Object.keys(metadata)
    .sort()
    .map(key => struct([1, text(key)], [2, text(metadata[key]!)]))
}

function schema(): Thrift[] {
  const root = struct([4, text('balances')], [5, i32(BALANCE_COLUMNS.length)])
  return [
    root,
    ...BALANCE_COLUMNS.map(({ name, type, nullable }) => {
      const { physical, length, converted, logical } = TYPES[type]
      const isAmount = type === 'amount'
      return struct(
        [1, i32(physical)],
        [2, length === undefined ? undefined : i32(length)],
        [3, i32(nullable ? 1 : 0)],
        [4, text(name)],
        [6, i32(converted)],
        [7, isAmount ? i32(AMOUNT_SCALE) : undefined],
        [8, isAmount ? i32(38) : undefined],
        [10, logical],
      )
    }),
  ]
}

interface Page {
  readonly bytes: Uint8Array
  readonly uncompressed: number
}

function encodePage(cells: readonly Cell[], type: ColumnType, nullable: boolean): Page {
  const values = cells.filter(cell => cell !== null).map(cell => encodeCell(cell, type))
  const data = Buffer.concat(nullable ? [levelsOf(cells), ...values] : values)
  const compressed = zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })
  const page = struct([1, i32(cells.length)], [2, i32(PLAIN)], [3, i32(RLE)], [4, i32(RLE)])
  const header = encodeThrift(
    struct([1, i32(0)], [2, i32(data.length)], [3, i32(compressed.length)], [5, page]),
  )
  return { bytes: Buffer.concat([header, compressed]), uncompressed: header.length + data.length }
}

/** Which cells are there, one bit each, behind the length of it all. */
function levelsOf(cells: readonly Cell[]): Uint8Array {
  const present = Uint32Array.from(cells, cell => (cell === null ? 0 : 1))
  const levels = packed(present, cells.length, 1)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(levels.length)
  return Buffer.concat([length, levels])
}

function encodeCell(cell: string | bigint, type: ColumnType): Uint8Array {
  if (typeof cell === 'string') {
    const bytes = Buffer.from(cell)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  if (type === 'timestamp') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(cell)
    return bytes
  }
  const bytes = Buffer.alloc(AMOUNT_BYTES)
  bytes.writeBigInt64BE(cell >> 64n)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, cell), 8)
  return bytes
}

function columnChunk(name: string, type: ColumnType, rows: number, start: number, page: Page): Thrift {
  const meta = struct(
    [1, i32(TYPES[type].physical)],
    [2, list([PLAIN, RLE].map(i32))],
    [3, list([text(name)])],
    [4, i32(ZSTD)],
    [5, i64(rows)],
    [6, i64(page.uncompressed)],
    [7, i64(page.bytes.length)],
    [9, i64(start)],
  )
  return struct([2, i64(start)], [3, meta])
}

/** The rows of a data file, exactly as they were encoded. Throws `file-damaged`. */
export async function readBalances(bytes: Uint8Array): Promise<BalanceRow[]> {
  const file: AsyncBuffer = {
    byteLength: bytes.length,
    // A copy of its own: a Buffer's `slice` would share the memory, and its beginning.
    slice: (start, end = bytes.length) => Uint8Array.from(bytes.subarray(start, end)).buffer,
  }
  try {
    const metadata = withoutConversions(await parquetMetadataAsync(file))
    const compressors = { ZSTD: (part: Uint8Array) => zstdDecompressSync(part) }
    return (await parquetReadObjects({ file, metadata, compressors })).map(rowOf)
  } catch (error) {
    throw damaged('parquet', 'This is not a data file of the balances table, or it is damaged.', {}, error)
  }
}

/** Decimals would become floats and times milliseconds if hyparquet knew of them. */
function withoutConversions(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map(({ converted_type, logical_type, ...element }) =>
    element.type === 'BYTE_ARRAY' && converted_type !== undefined ? { ...element, converted_type } : element,
  )
  return { ...metadata, schema }
}

function rowOf(stored: Record<string, unknown>): BalanceRow {
  const textAt = (name: string) => (stored[name] ?? null) as string | null
  const microsAt = (name: string) => (stored[name] ?? null) as bigint | null
  const amountAt = (name: string) => {
    const bytes = stored[name] as Uint8Array | null | undefined
    if (bytes === null || bytes === undefined) return null
    return BigInt.asIntN(AMOUNT_BYTES * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
  }
  return {
    wallet: textAt('wallet'),
    fundsAccount: textAt('funds_account'),
    asset: textAt('asset')!,
    basis: textAt('basis') as BalanceBasis,
    asOfMicros: microsAt('as_of'),
    day: textAt('day'),
    zone: textAt('zone'),
    available: amountAt('available'),
    onHold: amountAt('on_hold'),
    withdrawable: amountAt('withdrawable'),
    deposit: amountAt('deposit'),
    total: amountAt('total'),
    opening: amountAt('opening'),
    inflow: amountAt('inflow'),
    outflow: amountAt('outflow'),
    closing: amountAt('closing'),
    valuations: textAt('valuations'),
    status: textAt('status'),
    extra: textAt('extra'),
    operation: textAt('operation')!,
    sentMicros: microsAt('sent_at')!,
    answeredMicros: microsAt('answered_at')!,
    rawSha256: textAt('raw_sha256')!,
    assumptions: textAt('assumptions')!,
  }
}
