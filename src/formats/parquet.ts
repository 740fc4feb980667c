/** The `activity` table's data files: Parquet that says exactly what the rows say. */
import { zstdDecompressSync } from 'node:zlib'
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetReadObjects,
} from 'hyparquet'
import { ACTIVITY_COLUMNS, type ActivityColumn, type IdentifiedRow } from '../domain/activity.ts'
import { putAmount } from './amount-cells.ts'
import { type ByteSource, readBytes } from './byte-source.ts'
import { dataFile } from './data-file.ts'
import { damaged } from './file-fault.ts'
import { plainNumbers } from './group-numbers.ts'
import { encodeGroup } from './parquet-group.ts'
import { addRow, newBatch, type RowBatch, TEXT_COLUMNS, type TextColumn } from './row-batch.ts'
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
  const numbersOf = plainNumbers()
  for (let at = 0; at < rows.length; ) {
    const builder = groupBuilder(group)
    const end = builder.add(ordered, at, rows.length)
    const ids = Buffer.from(
      rows
        .slice(at, end)
        .map(({ rowId }) => rowId)
        .join(''),
      'hex',
    )
    pieces.push(file.add(encodeGroup(group, { ...numbersOf(group), ids })))
    at = end
  }
  return Buffer.concat([...pieces, file.end()])
}

/** The key-value metadata of a data file; reads its footer only. Throws `file-damaged`. */
export async function readActivityMetadata(source: ByteSource): Promise<Record<string, string>> {
  const { key_value_metadata } = await readFooter(source)
  return Object.fromEntries((key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']))
}

/** The rows of a data file, exactly as they were encoded. Throws `file-damaged`. */
export async function readActivity(source: ByteSource): Promise<IdentifiedRow[]> {
  const rows: IdentifiedRow[] = []
  for await (const group of readStoredGroups(source))
    for (const { category: _, ...row } of group) rows.push(row)
  return rows
}

/** A row with the category that the file gives it, which a later list of operations may not. */
export interface CategorizedRow extends IdentifiedRow {
  readonly category: string
}

/** The rows of a data file with every column of the table, a row group at a time. Throws `file-damaged`. */
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

/**
 * The rows of a data file with every column of the table, in pieces: only the columns of a row group are in
 * memory at once, not its rows. Throws `file-damaged`.
 */
export async function* readStoredPieces(
  source: ByteSource,
  pieceRows = 2048,
): AsyncGenerator<CategorizedRow[]> {
  const metadata = withoutConversions(await readFooter(source))
  const file = bufferOf(source)
  let rowStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const rows = Number.parseInt(num_rows.toString(), 10)
    const what = { file, metadata, rowStart, rowEnd: rowStart + rows }
    const columns = await Promise.all(ACTIVITY_COLUMNS.map(({ name }) => readColumn(source, what, name)))
    const names = ACTIVITY_COLUMNS.map(({ name }) => name)
    for (let at = 0; at < rows; at += pieceRows) {
      yield Array.from({ length: Math.min(pieceRows, rows - at) }, (_, index) => {
        const stored: Record<string, unknown> = {}
        for (const [column, name] of names.entries()) stored[name] = columns[column]![at + index]
        return rowOf(stored as unknown as StoredRow)
      })
    }
    rowStart += rows
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

/**
 * The rows of a data file without their ids, a row group at a time, in their order. Column after column:
 * decoded, a column takes many times the memory it takes in the batch. Throws `file-damaged`.
 */
export async function* readActivityBatches(source: ByteSource): AsyncGenerator<RowBatch> {
  const metadata = withoutConversions(await readFooter(source))
  const file = bufferOf(source)
  let rowStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const rows = Number.parseInt(num_rows.toString(), 10)
    const what = { file, metadata, rowStart, rowEnd: rowStart + rows }
    const batch = newBatch(rows)
    batch.rows = rows
    fillTimes(batch, (await readColumn(source, what, 'time')) as bigint[])
    fillAmounts(batch, (await readColumn(source, what, 'amount')) as Uint8Array[])
    for (const column of TEXT_COLUMNS) {
      const texts = await readColumn(source, what, column === 'userId' ? 'user_id' : column)
      fillTexts(batch, column, texts as Array<string | null>)
    }
    yield batch
    rowStart += rows
  }
}

async function readColumn(
  source: ByteSource,
  what: { file: AsyncBuffer; metadata: FileMetaData; rowStart: number; rowEnd: number },
  column: ActivityColumn,
): Promise<ArrayLike<unknown>> {
  let values: ArrayLike<unknown> = []
  try {
    await parquetRead({
      ...what,
      columns: [column],
      compressors: decompressors,
      onChunk: ({ columnData }) => {
        values = values.length === 0 ? columnData : [...Array.from(values), ...columnData]
      },
    })
  } catch (error) {
    throw unreadableData(source, error)
  }
  if (values.length === what.rowEnd - what.rowStart) return values
  throw unreadableData(source, undefined)
}

function fillTimes(batch: RowBatch, times: ArrayLike<bigint>): void {
  // Below 2^53 in the years that are read, so two words make an exact number; the low one first.
  const words = new Uint32Array(BigInt64Array.from(times).buffer)
  for (let row = 0; row < batch.rows; row++) {
    batch.time[row] = words[2 * row + 1]! * 4_294_967_296 + words[2 * row]!
  }
}

function fillAmounts(batch: RowBatch, amounts: ArrayLike<Uint8Array>): void {
  for (let row = 0; row < batch.rows; row++) putAmount(batch.amount, row, amountOf(amounts[row]!))
}

function fillTexts(batch: RowBatch, column: TextColumn, texts: ArrayLike<string | null>): void {
  const codes = new Map<string, number>()
  for (let row = 0; row < batch.rows; row++) {
    const text = texts[row] ?? ''
    let code = codes.get(text)
    if (code === undefined) {
      code = batch.tables[column].codeOfText(text)
      codes.set(text, code)
    }
    batch.codes[column][row] = code
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
function amountOf({ buffer, byteOffset }: Uint8Array): bigint {
  const view = new DataView(buffer, byteOffset, AMOUNT_BYTES)
  return (view.getBigInt64(0) << 64n) + view.getBigUint64(8)
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
