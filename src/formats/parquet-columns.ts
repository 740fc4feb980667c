/** Columns of a row group as the pages of Parquet: values, dictionaries, statistics. Nothing compressed yet. */
import { amountAt, WIDE } from './amount-cells.ts'
import { type CodedTexts, endOf, plainTexts } from './coded-texts.ts'
import { AMOUNT_BYTES, ID_BYTES } from './group-numbers.ts'
import { idFrame } from './id-frame.ts'
import { bitsFor, packed, repeated } from './parquet-levels.ts'
import type { RowGroup } from './row-group.ts'

import { writeVarint } from './thrift.ts'

export const ENCODINGS = { plain: 0, rle: 3, deltaLength: 6, dictionary: 8 } as const

export interface ColumnPages {
  readonly dictionary: { readonly bytes: Uint8Array; readonly count: number } | undefined
  readonly data: Uint8Array | CompressedPage
  readonly encoding: number
  readonly nulls: number
  /** The smallest and the largest value in PLAIN encoding without a length. */
  readonly range: readonly [smallest: Uint8Array, largest: Uint8Array] | undefined
}

/** A page that is compressed already. */
export interface CompressedPage {
  readonly size: number
  readonly compressed: Uint8Array
}

export function timePages(data: Uint8Array): ColumnPages {
  // Sorted by time: the first is the smallest.
  const range = [data.slice(0, 8), data.slice(-8)] as const
  return { dictionary: undefined, data, encoding: ENCODINGS.plain, nulls: 0, range }
}

export function amountPages({ rows, amount }: RowGroup, data: Uint8Array): ColumnPages {
  const range = amountRange(amount, rows, data)
  return { dictionary: undefined, data, encoding: ENCODINGS.plain, nulls: 0, range }
}

/** Two's complement does not compare as bytes, so the values themselves are compared. */
function amountRange(amount: RowGroup['amount'], rows: number, data: Uint8Array): ColumnPages['range'] {
  const { units } = amount
  let least = 0
  let most = 0
  const isLess = (a: number, b: number) =>
    units[a]! < WIDE && units[b]! < WIDE ? units[a]! < units[b]! : amountAt(amount, a) < amountAt(amount, b)
  for (let row = 1; row < rows; row++) {
    if (isLess(row, least)) least = row
    if (isLess(most, row)) most = row
  }
  const bytesAt = (row: number) => data.slice(row * AMOUNT_BYTES, (row + 1) * AMOUNT_BYTES)
  return [bytesAt(least), bytesAt(most)]
}

const DELTA_BLOCK = 128
const MINI_BLOCKS = 4

/**
 * Row ids as text in hex. They all have one length and never repeat: the lengths cost nothing, and there is
 * no dictionary. Changes the order of `ids`.
 */
export function idPages(ids: Uint8Array): ColumnPages {
  const rows = ids.length / ID_BYTES
  const head: number[] = []
  const characters = ID_BYTES * 2
  // A length is written as a difference, and positive differences are doubled.
  for (const value of [DELTA_BLOCK, MINI_BLOCKS, rows, characters * 2]) writeVarint(head, value)
  // Each block: the smallest difference, then the bits of each mini block; all of it zero.
  const zeros = Math.ceil((rows - 1) / DELTA_BLOCK) * (1 + MINI_BLOCKS)
  const size = head.length + zeros + rows * characters
  const data = { size, compressed: idFrame(Uint8Array.from(head), zeros, ids) }
  return { dictionary: undefined, data, encoding: ENCODINGS.deltaLength, nulls: 0, range: undefined }
}

/** A column of texts; the empty text is a null where `nullable`. */
export function textPages(texts: CodedTexts, rows: number, nullable: boolean): ColumnPages {
  const none = nullable ? emptyCodeOf(texts) : -1
  if (none === -1) return valuePages(texts, rows, nullable)
  if (texts.count === 1) {
    const data = withLength(repeated(0, rows, 1))
    return { dictionary: undefined, data, encoding: ENCODINGS.plain, nulls: rows, range: undefined }
  }
  return sparsePages(texts, rows, none)
}

function valuePages(texts: CodedTexts, rows: number, nullable: boolean): ColumnPages {
  const levels = nullable ? [withLength(repeated(1, rows, 1))] : []
  const range = rangeOf(texts, -1)
  if (isMostlyUnique(texts, rows)) {
    const data = joined([...levels, plainValues(texts, rows)])
    return { dictionary: undefined, data, encoding: ENCODINGS.plain, nulls: 0, range }
  }
  const dictionary = { bytes: plainTexts(texts), count: texts.count }
  const data = joined([...levels, ...codeRuns(texts.codes, rows, texts.count)])
  return { dictionary, data, encoding: ENCODINGS.dictionary, nulls: 0, range }
}

/** Some rows have a value and some have none. */
function sparsePages(texts: CodedTexts, rows: number, none: number): ColumnPages {
  const present = new Uint32Array(rows)
  const codes = new Uint32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) {
    const code = texts.codes[row]!
    if (code === none) continue
    present[row] = 1
    codes[count++] = code > none ? code - 1 : code
  }
  const all = plainTexts(texts)
  const gap = texts.starts[none]!
  const bytes = joined([all.subarray(0, gap - 4), all.subarray(gap)])
  const data = joined([withLength(packed(present, rows, 1)), ...codeRuns(codes, count, texts.count - 1)])
  return {
    dictionary: { bytes, count: texts.count - 1 },
    data,
    encoding: ENCODINGS.dictionary,
    nulls: rows - count,
    range: rangeOf(texts, none),
  }
}

function codeRuns(codes: Uint32Array, rows: number, count: number): Uint8Array[] {
  const bits = bitsFor(count)
  return [Uint8Array.of(bits), count === 1 ? repeated(0, rows, bits) : packed(codes, rows, bits)]
}

const DICTIONARY_PAYS = 4096

function isMostlyUnique({ count }: CodedTexts, rows: number): boolean {
  return count > DICTIONARY_PAYS && count * 2 > rows
}

function plainValues(texts: CodedTexts, rows: number): Uint8Array {
  const values: Uint8Array[] = []
  for (let row = 0; row < rows; row++) {
    const code = texts.codes[row]!
    values.push(texts.bytes.subarray(texts.starts[code]! - 4, endOf(texts, code)))
  }
  return joined(values)
}

function emptyCodeOf(texts: CodedTexts): number {
  for (let code = 0; code < texts.count; code++) if (texts.starts[code] === endOf(texts, code)) return code
  return -1
}

/** Longer texts would make the footer large for little use. */
const LONGEST_STATISTIC = 128

/** UTF-8 compares as bytes. */
function rangeOf(texts: CodedTexts, none: number): ColumnPages['range'] {
  let least = -1
  let most = -1
  for (let code = 0; code < texts.count; code++) {
    if (code === none) continue
    if (least === -1 || compareAt(texts, code, least) < 0) least = code
    if (most === -1 || compareAt(texts, code, most) > 0) most = code
  }
  const bytesOf = (code: number) => texts.bytes.slice(texts.starts[code]!, endOf(texts, code))
  if (least === -1) return undefined
  const range = [bytesOf(least), bytesOf(most)] as const
  return range.some(({ length }) => length > LONGEST_STATISTIC) ? undefined : range
}

function compareAt({ bytes, starts }: CodedTexts, a: number, b: number): number {
  let left = starts[a]!
  let right = starts[b]!
  const leftEnd = starts[a + 1]! - 4
  const rightEnd = starts[b + 1]! - 4
  while (left < leftEnd && right < rightEnd) {
    const difference = bytes[left++]! - bytes[right++]!
    if (difference !== 0) return difference
  }
  return leftEnd - left - (rightEnd - right)
}

/** Levels stand in the page with their length in front. */
function withLength(levels: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(levels.length + 4)
  new DataView(bytes.buffer).setUint32(0, levels.length, true)
  bytes.set(levels, 4)
  return bytes
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
