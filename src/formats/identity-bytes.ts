/** The text a row id is the hash of (`identityOf` in domain/activity.ts), written as bytes. */
import { UNIT_SEPARATOR } from '../domain/activity.ts'
import { formatAmount } from '../domain/amount.ts'
import { amountAt, UNIT_DECIMALS, WIDE } from './amount-cells.ts'
import { type CodedTexts, endOf } from './coded-texts.ts'
import type { RowGroup } from './row-group.ts'

/** More than the parts of fixed size can take: time, amount, occurrence and separators. */
export const LONGEST_FIXED = 96

const SEPARATOR = UNIT_SEPARATOR.charCodeAt(0)
const SECOND_MICROS = 1_000_000
const UNIT = 10 ** UNIT_DECIMALS
const ZERO = 48
const DASH = 45
const POINT = 46

export interface IdentityWriter {
  /** An upper bound of the bytes of a row. */
  longest(row: number): number
  /** Writes a row's text at `at`; answers where it ended. */
  write(row: number, bytes: Uint8Array, at: number): number
}

export function identityWriter({ time, amount, occurrence, texts }: RowGroup): IdentityWriter {
  const { wallet, operation, asset, remark } = texts
  const columns = [wallet, operation, asset, remark]
  /** Most rows share their second with the row before. */
  let lastTime = -1
  let timeEnd = 0
  const timeBytes = new Uint8Array(32)

  function longest(row: number): number {
    let size = LONGEST_FIXED
    for (const texts of columns) size += endOf(texts, texts.codes[row]!) - texts.starts[texts.codes[row]!]!
    return size
  }

  function write(row: number, bytes: Uint8Array, start: number): number {
    if (time[row] !== lastTime) formatTime(time[row]!)
    let at = start
    for (let index = 0; index < timeEnd; index++) bytes[at++] = timeBytes[index]!
    at = writeText(bytes, at, wallet, row)
    at = writeText(bytes, at, operation, row)
    at = writeText(bytes, at, asset, row)
    bytes[at++] = SEPARATOR
    const units = amount.units[row]!
    at =
      units < WIDE ? writeUnits(bytes, at, units) : writeAscii(bytes, at, formatAmount(amountAt(amount, row)))
    at = writeText(bytes, at, remark, row)
    bytes[at++] = SEPARATOR
    return writeInteger(bytes, at, occurrence[row]!)
  }

  function formatTime(micros: number): void {
    const seconds = Math.floor(micros / SECOND_MICROS)
    const fraction = micros - seconds * SECOND_MICROS
    timeEnd = writeInteger(timeBytes, 0, seconds)
    if (fraction > 0) timeEnd = writeAscii(timeBytes, timeEnd, `.${String(fraction).padStart(6, '0')}`)
    lastTime = micros
  }

  return { longest, write }
}

function writeText(bytes: Uint8Array, start: number, texts: CodedTexts, row: number): number {
  const code = texts.codes[row]!
  const source = texts.bytes
  const end = endOf(texts, code)
  let at = start
  bytes[at++] = SEPARATOR
  for (let from = texts.starts[code]!; from < end; from++) bytes[at++] = source[from]!
  return at
}

/** Units of 10^-8 as `formatAmount` writes them: no trailing zeros, `0` for zero. */
function writeUnits(bytes: Uint8Array, start: number, units: number): number {
  let at = start
  const size = Math.abs(units)
  if (units < 0) bytes[at++] = DASH
  const whole = Math.floor(size / UNIT)
  let fraction = size - whole * UNIT
  at = writeInteger(bytes, at, whole)
  if (fraction === 0) return at
  bytes[at] = POINT
  // Eight digits from the last to the first, then the zeros at the end are cut off.
  for (let place = at + UNIT_DECIMALS; place > at; place--) {
    const rest = (fraction / 10) | 0
    bytes[place] = ZERO + fraction - rest * 10
    fraction = rest
  }
  at += UNIT_DECIMALS
  while (bytes[at] === ZERO) at--
  return at + 1
}

/** A whole number that is not negative, in decimal. */
function writeInteger(bytes: Uint8Array, start: number, value: number): number {
  let end = start + 1
  for (let power = 10; power <= value; power *= 10) end++
  let rest = value
  for (let at = end - 1; at >= start; at--) {
    const next = Math.floor(rest / 10)
    bytes[at] = ZERO + rest - next * 10
    rest = next
  }
  return end
}

function writeAscii(bytes: Uint8Array, start: number, text: string): number {
  for (let index = 0; index < text.length; index++) bytes[start + index] = text.charCodeAt(index)
  return start + text.length
}
