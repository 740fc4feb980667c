/** The footer of a data file: schema, row groups, statistics, metadata. */
import { ACTIVITY_COLUMNS } from '../domain/activity.ts'
import { AMOUNT_SCALE } from '../domain/amount.ts'
import type { ColumnChunk, EncodedGroup } from './parquet-group.ts'
import { binary, encodeThrift, flag, i32, i64, list, struct, type Thrift, text } from './thrift.ts'

export const MAGIC = Buffer.from('PAR1')

/** Fixed, so that the same rows give the same bytes whatever wrote them. */
const CREATED_BY = 'daybook version 1.0.0 (build 1)'

const REPETITION = { required: 0, optional: 1 } as const
const ZSTD = 6

/** Both the old and the new notation of each type: readers know one or the other. */
const TYPES = {
  string: { type: 6, length: undefined, converted: 0, logical: struct([1, struct()]) },
  timestamp: {
    type: 2,
    length: undefined,
    converted: 10,
    logical: struct([8, struct([1, flag(true)], [2, struct([2, struct()])])]),
  },
  amount: {
    type: 7,
    length: 16,
    converted: 5,
    logical: struct([5, struct([1, i32(AMOUNT_SCALE)], [2, i32(38)])]),
  },
} as const

/** A group as the footer needs it, at its place in the file. */
export type PlacedGroup = Pick<EncodedGroup, 'rows' | 'chunks'> & { readonly start: number }

/** The bytes that follow the last group. */
export function encodeFooter(
  groups: readonly PlacedGroup[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const rows = groups.reduce((sum, group) => sum + group.rows, 0)
  const pairs = Object.keys(metadata)
    .sort()
    .map(key => struct([1, text(key)], [2, text(metadata[key]!)]))
  const footer = encodeThrift(
    struct(
      [1, i32(2)],
      [2, list(schema())],
      [3, i64(rows)],
      [4, list(groups.map(rowGroup))],
      [5, pairs.length === 0 ? undefined : list(pairs)],
      [6, text(CREATED_BY)],
      // Statistics are in the order that each type defines.
      [7, list(ACTIVITY_COLUMNS.map(() => struct([1, struct()])))],
    ),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([footer, length, MAGIC])
}

function schema(): Thrift[] {
  const root = struct([4, text('activity')], [5, i32(ACTIVITY_COLUMNS.length)])
  return [root, ...ACTIVITY_COLUMNS.map(schemaElement)]
}

function schemaElement({ name, type, nullable }: (typeof ACTIVITY_COLUMNS)[number]): Thrift {
  const { length, converted, logical, type: physical } = TYPES[type]
  const isAmount = type === 'amount'
  return struct(
    [1, i32(physical)],
    [2, length === undefined ? undefined : i32(length)],
    [3, i32(nullable ? REPETITION.optional : REPETITION.required)],
    [4, text(name)],
    [6, i32(converted)],
    [7, isAmount ? i32(AMOUNT_SCALE) : undefined],
    [8, isAmount ? i32(38) : undefined],
    [10, logical],
  )
}

const TIME_INDEX = ACTIVITY_COLUMNS.findIndex(({ name }) => name === 'time')

function rowGroup({ rows, chunks, start }: PlacedGroup): Thrift {
  const sum = (of: (chunk: ColumnChunk) => number) => chunks.reduce((total, chunk) => total + of(chunk), 0)
  const byTime = struct([1, i32(TIME_INDEX)], [2, flag(false)], [3, flag(false)])
  return struct(
    [1, list(chunks.map((chunk, index) => columnChunk(chunk, index, rows, start)))],
    [2, i64(sum(({ uncompressedSize }) => uncompressedSize))],
    [3, i64(rows)],
    [4, list([byTime])],
    [5, i64(start)],
    [6, i64(sum(({ size }) => size))],
  )
}

function columnChunk(chunk: ColumnChunk, index: number, rows: number, start: number): Thrift {
  const { name, type } = ACTIVITY_COLUMNS[index]!
  const { encodings, uncompressedSize, size, hasDictionary, range, nulls } = chunk
  const statistics = struct(
    [3, i64(nulls)],
    [5, range === undefined ? undefined : binary(range[1])],
    [6, range === undefined ? undefined : binary(range[0])],
  )
  const meta = struct(
    [1, i32(TYPES[type].type)],
    [2, list(encodings.map(i32))],
    [3, list([text(name)])],
    [4, i32(ZSTD)],
    [5, i64(rows)],
    [6, i64(uncompressedSize)],
    [7, i64(size)],
    [9, i64(start + chunk.dataStart)],
    [11, hasDictionary ? i64(start + chunk.start) : undefined],
    [12, statistics],
  )
  return struct([2, i64(start + chunk.start)], [3, meta])
}
