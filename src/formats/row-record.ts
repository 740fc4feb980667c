/**
 * A row as bytes that can be compared and read back without making a string: what is sorted on disk. Its
 * length, time and amount come first, then the lengths of its texts, then the texts in UTF-8.
 */
import { AMOUNT_SCALE } from '../domain/amount.ts'
import { putAmount, UNIT_DECIMALS, WIDE } from './amount-cells.ts'
import type { RowBatch } from './row-batch.ts'
import { hashOf } from './text-table.ts'

/** In the table's order; the amount stands between the first three and the others. */
const TEXTS = ['wallet', 'operation', 'asset', 'remark', 'userId', 'extra'] as const
const TEXTS_BEFORE_AMOUNT = 3

const TIME = 4
const UNITS = 12
/** The whole amount where the units do not tell it. */
const WIDE_AMOUNT = 20
const LENGTHS = 36
const HEAD_BYTES = LENGTHS + 4 * TEXTS.length

const UNIT = 10n ** BigInt(AMOUNT_SCALE - UNIT_DECIMALS)

/** Where a record stands. */
export interface RecordPlace {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly at: number
}

/** How many bytes the record of a row takes. */
export function recordSize({ tables, codes }: RowBatch, row: number): number {
  let size = HEAD_BYTES
  for (const column of TEXTS) {
    const code = codes[column][row]!
    size += tables[column].startOf(code + 1) - tables[column].startOf(code)
  }
  return size
}

/** Writes the record of a row, `size` bytes from `at` on. */
export function writeRecord(
  { bytes, view, at }: RecordPlace,
  { time, amount, tables, codes }: RowBatch,
  row: number,
  size: number,
): void {
  const units = amount.units[row]!
  view.setUint32(at, size)
  view.setFloat64(at + TIME, time[row]!)
  view.setFloat64(at + UNITS, units)
  if (units >= WIDE) {
    const whole = amount.wide[(units - WIDE) / 2]!
    view.setBigInt64(at + WIDE_AMOUNT, whole >> 64n)
    view.setBigUint64(at + WIDE_AMOUNT + 8, BigInt.asUintN(64, whole))
  }
  let to = at + HEAD_BYTES
  for (const [index, column] of TEXTS.entries()) {
    const table = tables[column]
    const code = codes[column][row]!
    const start = table.startOf(code)
    const end = table.startOf(code + 1)
    const source = table.bytes()
    view.setUint32(at + LENGTHS + 4 * index, end - start)
    for (let from = start; from < end; from++) bytes[to++] = source[from]!
  }
}

export function recordSizeAt({ view, at }: RecordPlace): number {
  return view.getUint32(at)
}

/** Adds the row of a record to a batch. */
export function addRecord(batch: RowBatch, { bytes, view, at }: RecordPlace): void {
  const row = batch.rows++
  if (row >= batch.time.length) throw new RangeError('The batch is full.')
  batch.time[row] = view.getFloat64(at + TIME)
  const units = view.getFloat64(at + UNITS)
  if (units < WIDE) batch.amount.units[row] = units
  else putAmount(batch.amount, row, wideAmount(view, at))
  let start = at + HEAD_BYTES
  for (let index = 0; index < TEXTS.length; index++) {
    const column = TEXTS[index]!
    const end = start + view.getUint32(at + LENGTHS + 4 * index)
    batch.codes[column][row] = batch.tables[column].codeOf(bytes, start, end, hashOf(bytes, start, end))
    start = end
  }
}

function wideAmount(view: DataView, at: number): bigint {
  return (view.getBigInt64(at + WIDE_AMOUNT) << 64n) + view.getBigUint64(at + WIDE_AMOUNT + 8)
}

/** The table's order: the same as `compareRows`. */
export function compareRecords(a: RecordPlace, b: RecordPlace): number {
  const byTime = a.view.getFloat64(a.at + TIME) - b.view.getFloat64(b.at + TIME)
  if (byTime !== 0) return byTime
  let left = a.at + HEAD_BYTES
  let right = b.at + HEAD_BYTES
  for (let index = 0; index < TEXTS.length; index++) {
    if (index === TEXTS_BEFORE_AMOUNT) {
      const byAmount = compareAmount(a, b)
      if (byAmount !== 0) return byAmount
    }
    const leftEnd = left + a.view.getUint32(a.at + LENGTHS + 4 * index)
    const rightEnd = right + b.view.getUint32(b.at + LENGTHS + 4 * index)
    const byText = compareTexts(a.bytes, left, leftEnd, b.bytes, right, rightEnd)
    if (byText !== 0) return byText
    left = leftEnd
    right = rightEnd
  }
  return 0
}

function compareAmount(a: RecordPlace, b: RecordPlace): number {
  const left = a.view.getFloat64(a.at + UNITS)
  const right = b.view.getFloat64(b.at + UNITS)
  if (left < WIDE && right < WIDE) return left - right
  const [one, other] = [amountOf(a, left), amountOf(b, right)]
  return one < other ? -1 : one > other ? 1 : 0
}

function amountOf({ view, at }: RecordPlace, units: number): bigint {
  return units < WIDE ? BigInt(units) * UNIT : wideAmount(view, at)
}

/** UTF-8 in the order of JavaScript strings. */
function compareTexts(
  a: Uint8Array,
  start: number,
  end: number,
  b: Uint8Array,
  otherStart: number,
  otherEnd: number,
): number {
  let left = start
  let right = otherStart
  while (left < end && right < otherEnd) {
    const [one, other] = [a[left++]!, b[right++]!]
    if (one !== other) return utf16Rank(one) - utf16Rank(other)
  }
  return end - left - (otherEnd - right)
}

/**
 * UTF-8 sorts by code point and strings sort by UTF-16 unit: the characters of four bytes are surrogates
 * there, which come before U+E000, so before the first bytes EE and EF.
 */
function utf16Rank(byte: number): number {
  return byte === 0xee || byte === 0xef ? byte + 0x10 : byte
}
