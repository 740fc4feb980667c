/** A row group as the bytes of a data file, and what the file's footer must say about them. */
import { constants, zstdCompressSync } from 'node:zlib'
import { ACTIVITY_COLUMNS, type ActivityColumn } from '../domain/activity.ts'
import type { GroupNumbers } from './group-numbers.ts'
import { letGo } from './own-bytes.ts'
import {
  amountPages,
  type ColumnPages,
  type CompressedPage,
  ENCODINGS,
  idPages,
  textPages,
  timePages,
} from './parquet-columns.ts'
import type { RowGroup } from './row-group.ts'
import { encodeThrift, i32, struct } from './thrift.ts'

export interface EncodedGroup {
  readonly rows: number
  readonly bytes: Uint8Array
  /** In the order of the columns. */
  readonly chunks: readonly ColumnChunk[]
}

export interface ColumnChunk {
  /** From the start of the group's bytes. */
  readonly start: number
  /** The data page, from the start of the group's bytes. */
  readonly dataStart: number
  readonly hasDictionary: boolean
  readonly encodings: readonly number[]
  /** With the headers of its pages. */
  readonly size: number
  readonly uncompressedSize: number
  readonly nulls: number
  readonly range: readonly [smallest: Uint8Array, largest: Uint8Array] | undefined
}

const DATA_PAGE = 0
const DICTIONARY_PAGE = 2

/** zstd's own default level. A window above 128 KiB makes nothing smaller, but every call would allocate it. */
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 17 }

/** Buffers of this size or more come from no pool. */
const OWN_BYTES = 64 * 1024

export function encodeGroup(group: RowGroup, numbers: GroupNumbers): EncodedGroup {
  const pieces: Uint8Array[] = []
  const chunks: ColumnChunk[] = []
  let at = 0
  for (const { name } of ACTIVITY_COLUMNS) {
    const chunk = encodeChunk(pagesOf(name, group, numbers), group.rows, at)
    pieces.push(...chunk.pieces)
    chunks.push(chunk.chunk)
    at += chunk.chunk.size
  }
  const bytes = Buffer.concat(pieces)
  // From this size on, what was compressed has a buffer of its own, of which it may be the beginning.
  for (const { buffer, byteLength } of pieces) if (byteLength >= OWN_BYTES) letGo(new Uint8Array(buffer))
  return { rows: group.rows, bytes, chunks }
}

function pagesOf(name: ActivityColumn, group: RowGroup, { ids, times, amounts }: GroupNumbers): ColumnPages {
  const { texts, rows } = group
  if (name === 'row_id') return idPages(ids)
  if (name === 'time') return timePages(times)
  if (name === 'amount') return amountPages(group, amounts)
  if (name === 'user_id') return textPages(texts.userId, rows, true)
  return textPages(texts[name], rows, name === 'extra')
}

function encodeChunk(pages: ColumnPages, rows: number, start: number) {
  const { dictionary, data, encoding, nulls, range } = pages
  const pieces: Uint8Array[] = []
  let size = 0
  let uncompressedSize = 0
  const addPage = ({ size: pageSize, compressed }: CompressedPage, head: Uint8Array) => {
    pieces.push(head, compressed)
    size += head.length + compressed.length
    uncompressedSize += head.length + pageSize
  }
  if (dictionary !== undefined) {
    const page = compressedPage(dictionary.bytes)
    addPage(page, dictionaryHeader(page, dictionary.count))
  }
  const dataStart = start + size
  const page = compressedPage(data)
  addPage(page, dataHeader(page, rows, encoding))
  const encodings =
    dictionary === undefined ? [encoding, ENCODINGS.rle] : [ENCODINGS.plain, ENCODINGS.rle, encoding]
  const hasDictionary = dictionary !== undefined
  const chunk = { start, dataStart, hasDictionary, encodings, size, uncompressedSize, nulls, range }
  return { pieces, chunk }
}

function compressedPage(data: ColumnPages['data']): CompressedPage {
  if ('compressed' in data) return data
  // The default chunk of 16 KiB would make many small pieces of it.
  const options = { chunkSize: Math.max(1024, data.length), params: ZSTD_PARAMS }
  return { size: data.length, compressed: zstdCompressSync(data, options) }
}

function dictionaryHeader({ size, compressed }: CompressedPage, count: number): Uint8Array {
  const dictionary = struct([1, i32(count)], [2, i32(ENCODINGS.plain)])
  return encodeThrift(
    struct([1, i32(DICTIONARY_PAGE)], [2, i32(size)], [3, i32(compressed.length)], [7, dictionary]),
  )
}

function dataHeader({ size, compressed }: CompressedPage, rows: number, encoding: number): Uint8Array {
  const levels = i32(ENCODINGS.rle)
  const data = struct([1, i32(rows)], [2, i32(encoding)], [3, levels], [4, levels])
  return encodeThrift(struct([1, i32(DATA_PAGE)], [2, i32(size)], [3, i32(compressed.length)], [5, data]))
}
