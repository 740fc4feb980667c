/**
 * A column of amounts, exact and nearly always without a bigint: an amount of at most 8 decimals is a
 * whole number of 10^-8 units, held as a float that is an integer below 2^53 and therefore exact. The
 * few others stand in a list, and their cell says where.
 */
import { AMOUNT_SCALE, type Amount } from '../domain/amount.ts'

export interface AmountCells {
  /** Units of 10^-8 when below `WIDE` in size, else `WIDE` plus the index in `wide`. */
  readonly units: Float64Array
  wide: Amount[]
}

/** The first number that is not a count of units. */
export const WIDE = 2 ** 53

export const UNIT_DECIMALS = 8

const UNIT = 10n ** BigInt(AMOUNT_SCALE - UNIT_DECIMALS)
const UNITS_LIMIT = 2n ** 53n

export function newAmountCells(capacity: number): AmountCells {
  return { units: new Float64Array(capacity), wide: [] }
}

export function amountAt({ units, wide }: AmountCells, at: number): Amount {
  const value = units[at]!
  return value < WIDE ? BigInt(value) * UNIT : wide[(value - WIDE) / 2]!
}

const halves = new BigInt64Array(1)
const words = new Int32Array(halves.buffer)

/** Writes an amount; each has exactly one form, so equal cells of units are equal amounts. */
export function putAmount(cells: AmountCells, at: number, amount: Amount): void {
  const count = amount / UNIT
  if (count * UNIT === amount && count < UNITS_LIMIT && count > -UNITS_LIMIT) {
    halves[0] = count
    cells.units[at] = words[1]! * 4_294_967_296 + (words[0]! >>> 0)
  } else {
    // Above 2^53 only every second integer is a float.
    cells.units[at] = WIDE + 2 * cells.wide.length
    cells.wide.push(amount)
  }
}

export function compareAmounts(cells: AmountCells, a: number, b: number): number {
  const left = cells.units[a]!
  const right = cells.units[b]!
  if (left < WIDE && right < WIDE) return left - right
  const [one, other] = [amountAt(cells, a), amountAt(cells, b)]
  return one < other ? -1 : one > other ? 1 : 0
}
