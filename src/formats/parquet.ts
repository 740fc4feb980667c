/** The `activity` table's data files: Parquet that says exactly what the rows say. */
import { zstdDecompressSync } from 'node:zlib'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import type { IdentifiedRow } from '../domain/activity.ts'
import { type ByteSource, readBytes } from './byte-source.ts'
import { damaged } from './file-fault.ts'
import { encodeFooter, MAGIC, type PlacedGroup } from './parquet-footer.ts'
import { type EncodedGroup, encodeGroup } from './parquet-group.ts'
import { addRow, newBatch } from './row-batch.ts'
import { GROUP_ROWS, groupBuilder, newGroup } from './row-group.ts'

const AMOUNT_BYTES = 16

const decompressors = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }

/** One data file in memory. The same rows and metadata always give the same bytes. */
export function encodeActivity(
  rows: readonly IdentifiedRow[],
  metadata: Readonly<Record<string, string>>,
  groupRows = GROUP_ROWS,
): Uint8Array {
  const file = dataFile(metadata)
  const pieces = [file.begin()]
  const batch = newBatch(rows.length)
  for (const row of rows) addRow(batch, row)
  const ordered = { batch, order: Uint32Array.from(rows.keys()), occurrence: new Uint32Array(rows.length) }
  const group = newGroup(groupRows)
  for (let at = 0; at < rows.length; ) {
    const builder = groupBuilder(group)
    const end = builder.add(ordered, at, rows.length)
    const ids = Buffer.from(
      rows
        .slice(at, end)
        .map(({ rowId }) => rowId)
        .join(''),
      'latin1',
    )
    pieces.push(file.add(encodeGroup(group, ids)))
    at = end
  }
  return Buffer.concat([...pieces, file.end()])
}

export interface DataFile {
  /** The bytes before the first group. */
  begin(): Uint8Array
  /** The bytes of one more group. */
  add(group: EncodedGroup): Uint8Array
  /** The last bytes. */
  end(): Uint8Array
}

/** One data file in pieces, of which none is kept. */
export function dataFile(metadata: Readonly<Record<string, string>>): DataFile {
  const groups: PlacedGroup[] = []
  let at = MAGIC.length
  return {
    begin: () => MAGIC,
    add({ rows, chunks, bytes }) {
      groups.push({ rows, chunks, start: at })
      at += bytes.length
      return bytes
    },
    end: () => encodeFooter(groups, metadata),
  }
}

/** The key-value metadata of a data file; reads its footer only. Throws `file-damaged`. */
export async function readActivityMetadata(source: ByteSource): Promise<Record<string, string>> {
  const { key_value_metadata } = await readFooter(source)
  return Object.fromEntries((key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']))
}

/** The rows of a data file, exactly as they were encoded. Throws `file-damaged`. */
export async function readActivity(source: ByteSource): Promise<IdentifiedRow[]> {
  const rows: IdentifiedRow[] = []
  for await (const group of readActivityGroups(source)) for (const row of group) rows.push(row)
  return rows
}

/** The rows of a data file, a row group at a time. Throws `file-damaged`. */
export async function* readActivityGroups(source: ByteSource): AsyncGenerator<IdentifiedRow[]> {
  for await (const group of readStoredGroups(source)) yield group.map(({ category: _, ...row }) => row)
}

/** A row with the category that the file gives it, which a later list of operations may not. */
export interface CategorizedRow extends IdentifiedRow {
  readonly category: string
}

/** As `readActivityGroups`, with every column of the table. */
export async function* readStoredGroups(source: ByteSource): AsyncGenerator<CategorizedRow[]> {
  const metadata = withoutConversions(await readFooter(source))
  const file = bufferOf(source)
  let start = 0
  for (const { num_rows } of metadata.row_groups) {
    const end = start + Number.parseInt(num_rows.toString(), 10)
    yield await readRows(source, { file, metadata, rowStart: start, rowEnd: end })
    start = end
  }
}

async function readRows(
  source: ByteSource,
  what: { file: AsyncBuffer; metadata: FileMetaData; rowStart: number; rowEnd: number },
): Promise<CategorizedRow[]> {
  try {
    const rows = await parquetReadObjects({ ...what, compressors: decompressors })
    return (rows as unknown as StoredRow[]).map(rowOf)
  } catch (error) {
    throw unreadableData(source, error)
  }
}

type StoredRow = Record<'row_id' | 'wallet' | 'operation' | 'category' | 'asset' | 'remark', string> & {
  time: bigint
  amount: Uint8Array
  user_id: string | null
  extra: string | null
}

function rowOf(row: StoredRow): CategorizedRow {
  const { row_id, time, user_id, wallet, operation, category, asset, amount, remark, extra } = row
  return {
    micros: time,
    userId: user_id ?? null,
    wallet,
    operation,
    category,
    asset,
    amount: amountOf(amount),
    remark,
    extra: extra ?? null,
    rowId: row_id,
  }
}

/** A big-endian two's complement integer. */
function amountOf(bytes: Uint8Array): bigint {
  return BigInt.asIntN(AMOUNT_BYTES * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
}

/** hyparquet turns decimals into floats and times into milliseconds unless it knows of no such type. */
function withoutConversions(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map(({ converted_type, logical_type, ...element }) => {
    const isText = element.type === 'BYTE_ARRAY'
    return isText && converted_type !== undefined ? { ...element, converted_type } : element
  })
  return { ...metadata, schema }
}

async function readFooter(source: ByteSource): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(bufferOf(source), { initialFetchSize: 64 * 1024 })
  } catch (error) {
    throw unreadableData(source, error)
  }
}

/** The store's own faults pass; what hyparquet throws means the file is not as it was written. */
function unreadableData(source: ByteSource, error: unknown): unknown {
  if (error instanceof Error && error.name === 'DaybookError') return error
  return damaged(
    'parquet',
    `${source.name} is not a data file of the activity table, or is damaged.`,
    {},
    error,
  )
}

function bufferOf(source: ByteSource): AsyncBuffer {
  return {
    byteLength: source.size,
    slice: async (start, end = source.size) => {
      const bytes = await readBytes(source, start, end)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    },
  }
}
