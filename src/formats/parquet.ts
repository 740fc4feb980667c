/** The `activity` table's data files: Parquet that says exactly what the rows say. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type SchemaElement,
} from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { ACTIVITY_COLUMNS, type IdentifiedRow } from '../domain/activity.ts'
import { AMOUNT_SCALE } from '../domain/amount.ts'
import { type ActivityColumns, columnsOf, GROUP_ROWS } from './activity-columns.ts'
import { type ByteSource, readBytes } from './byte-source.ts'
import { damaged } from './file-fault.ts'

/** Fixed, so that the same rows give the same bytes whatever version of a library wrote them. */
const CREATED_BY = 'daybook version 1.0.0 (build 1)'
const AMOUNT_BYTES = 16

/** Both the old and the new notation of each type: readers know one or the other. */
const TYPES = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
  amount: {
    type: 'FIXED_LEN_BYTE_ARRAY',
    type_length: AMOUNT_BYTES,
    converted_type: 'DECIMAL',
    logical_type: { type: 'DECIMAL', scale: AMOUNT_SCALE, precision: 38 },
    scale: AMOUNT_SCALE,
    precision: 38,
  },
} as const satisfies Record<string, Partial<SchemaElement>>

const SCHEMA: SchemaElement[] = [
  { name: 'activity', num_children: ACTIVITY_COLUMNS.length },
  ...ACTIVITY_COLUMNS.map(({ name, type, nullable }) => ({
    name,
    repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const),
    ...TYPES[type],
  })),
]

const compressors = {
  ZSTD: (bytes: Uint8Array) =>
    zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
}
const decompressors = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }

/** One data file in memory. The same rows and metadata always give the same bytes. */
export function encodeActivity(
  rows: readonly IdentifiedRow[],
  metadata: Readonly<Record<string, string>>,
  groupRows = GROUP_ROWS,
): Uint8Array {
  const encoder = activityEncoder(metadata)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < rows.length; at += groupRows) {
    pieces.push(encoder.add(columnsOf(rows.slice(at, at + groupRows))))
  }
  return Buffer.concat([...pieces, encoder.finish()])
}

export interface ActivityEncoder {
  /** The bytes of one more row group, which follow those before. */
  add(columns: ActivityColumns): Uint8Array
  /** The last bytes of the file. */
  finish(): Uint8Array
}

/** One data file in pieces, of which none is kept. */
export function activityEncoder(metadata: Readonly<Record<string, string>>): ActivityEncoder {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: SCHEMA,
    codec: 'ZSTD',
    compressors,
    createdBy: CREATED_BY,
    kvMetadata: Object.keys(metadata)
      .sort()
      .map(key => ({ key, value: metadata[key]! })),
  })
  return {
    add(columns) {
      const columnData = ACTIVITY_COLUMNS.map(({ name }) => ({ name, data: columns[name] }))
      writer.write({ columnData, rowGroupSize: columns.time.length })
      return drain(bytes)
    },
    finish() {
      writer.finish()
      return drain(bytes)
    },
  }
}

/** Takes what was written so far. `offset` goes on counting, `index` begins again. */
function drain(bytes: ByteWriter): Uint8Array {
  const drained = bytes.getBytes().slice()
  bytes.index = 0
  return drained
}

/** The key-value metadata of a data file; reads its footer only. Throws `file-damaged`. */
export async function readActivityMetadata(source: ByteSource): Promise<Record<string, string>> {
  const { key_value_metadata } = await readFooter(source)
  return Object.fromEntries((key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']))
}

/** The rows of a data file, exactly as they were encoded. Throws `file-damaged`. */
export async function readActivity(source: ByteSource): Promise<IdentifiedRow[]> {
  const metadata = withoutConversions(await readFooter(source))
  try {
    const file = bufferOf(source)
    const rows = await parquetReadObjects({ file, metadata, compressors: decompressors })
    return (rows as unknown as StoredRow[]).map(rowOf)
  } catch (error) {
    throw unreadableData(source, error)
  }
}

type StoredRow = Record<'row_id' | 'wallet' | 'operation' | 'asset' | 'remark', string> & {
  time: bigint
  amount: Uint8Array
  user_id: string | null
  extra: string | null
}

function rowOf(row: StoredRow): IdentifiedRow {
  const { row_id, time, user_id, wallet, operation, asset, amount, remark, extra } = row
  return {
    micros: time,
    userId: user_id ?? null,
    wallet,
    operation,
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
