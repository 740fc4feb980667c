/**
 * What a group's columns of numbers are in the file: row ids (the same as `rowIdOf`, from bytes instead of
 * strings), times and amounts. In plain TypeScript; group-kernel.ts does the same in WebAssembly.
 */
import { hash } from 'node:crypto'
import { amountAt, WIDE } from './amount-cells.ts'
import { identityWriter, LONGEST_FIXED } from './identity-bytes.ts'
import type { RowGroup } from './row-group.ts'

/** Bytes of a row id, of which each is written as two hex digits. */
export const ID_BYTES = 16
export const TIME_BYTES = 8
export const AMOUNT_BYTES = 16

export interface GroupNumbers {
  /** The ids one after the other. */
  readonly ids: Uint8Array
  /** Microseconds since 1970, as little-endian integers of 64 bits. */
  readonly times: Uint8Array
  /** Amounts scaled by 10^18, as big-endian integers of 128 bits in two's complement. */
  readonly amounts: Uint8Array
}

/** What it answers is good until the next call. */
export type NumberWriter = (group: RowGroup) => GroupNumbers

export function plainNumbers(): NumberWriter {
  const writeIds = idWriter()
  return group => ({ ids: writeIds(group), times: timesOf(group), amounts: amountsOf(group) })
}

/** A call of node's hash for every row. */
function idWriter(): (group: RowGroup) => Uint8Array {
  let message = Buffer.alloc(LONGEST_FIXED)
  return group => {
    const writer = identityWriter(group)
    const ids = new Uint8Array(group.rows * ID_BYTES)
    for (let row = 0; row < group.rows; row++) {
      const longest = writer.longest(row)
      if (longest > message.length) message = Buffer.alloc(longest * 2)
      const end = writer.write(row, message, 0)
      const digest = hash('sha256', message.subarray(0, end), 'buffer')
      ids.set(digest.subarray(0, ID_BYTES), row * ID_BYTES)
    }
    return ids
  }
}

const TWO_32 = 4_294_967_296

function timesOf({ rows, time }: RowGroup): Uint8Array {
  const words = new Uint32Array(rows * 2)
  for (let row = 0; row < rows; row++) {
    const high = Math.floor(time[row]! / TWO_32)
    words[2 * row] = time[row]! - high * TWO_32
    words[2 * row + 1] = high
  }
  return new Uint8Array(words.buffer)
}

function amountsOf(group: RowGroup): Uint8Array {
  const { rows, amount } = group
  const amounts = new Uint8Array(rows * AMOUNT_BYTES)
  const view = new DataView(amounts.buffer)
  for (let row = 0; row < rows; row++) {
    if (amount.units[row]! < WIDE) putUnits(view, row * AMOUNT_BYTES, amount.units[row]!)
  }
  putWideAmounts(group, amounts)
  return amounts
}

/** Writes the amounts that are no count of units. */
export function putWideAmounts({ rows, amount }: RowGroup, amounts: Uint8Array): void {
  if (amount.wide.length === 0) return
  const view = new DataView(amounts.buffer, amounts.byteOffset)
  for (let row = 0; row < rows; row++) {
    if (amount.units[row]! >= WIDE) putBigint(view, row * AMOUNT_BYTES, amountAt(amount, row))
  }
}

function putBigint(view: DataView, at: number, amount: bigint): void {
  view.setBigInt64(at, amount >> 64n)
  view.setBigUint64(at + 8, BigInt.asUintN(64, amount))
}

const FIVE_TO_10 = 9_765_625
const TWO_25 = 2 ** 25
const TWO_7 = 128

/**
 * `units × 10^10` without bigints. 10^10 is 5^10 shifted by 10 bits, and the units are taken in two halves
 * whose products with 5^10 stay below 2^53; so every step is exact.
 */
function putUnits(view: DataView, at: number, units: number): void {
  const size = units < 0 ? -units : units
  const high = Math.floor(size / TWO_25)
  const low = (size - high * TWO_25) * FIVE_TO_10
  const carry = Math.floor(low / TWO_25)
  const upper = high * FIVE_TO_10 + carry
  const lower = low - carry * TWO_25
  // The product is upper × 2^25 + lower: as words of 32 bits, then shifted.
  const rest = Math.floor(upper / TWO_7)
  const p0 = (upper - rest * TWO_7) * TWO_25 + lower
  const p2 = Math.floor(rest / TWO_32)
  const p1 = rest - p2 * TWO_32
  let w0 = (p0 << 10) >>> 0
  let w1 = ((p1 << 10) | (p0 >>> 22)) >>> 0
  let w2 = ((p2 << 10) | (p1 >>> 22)) >>> 0
  let w3 = 0
  if (units < 0) {
    w0 = ~w0 + 1
    w1 = ~w1 + (w0 === 0 ? 1 : 0)
    w2 = ~w2 + (w0 === 0 && w1 === 0 ? 1 : 0)
    w3 = -1
  }
  view.setInt32(at, w3)
  view.setInt32(at + 4, w2)
  view.setInt32(at + 8, w1)
  view.setInt32(at + 12, w0)
}
