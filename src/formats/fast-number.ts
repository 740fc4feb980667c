/** Amounts of the common shapes, read in place as a whole number of 10^-8 units. */
import { UNIT_DECIMALS } from './amount-cells.ts'

export interface FastNumber {
  /** Reads an amount that begins at `start`; answers where it ended, or -1 for what it does not know. */
  read(bytes: Uint8Array, start: number, end: number): number
  /** The last one, in units of 10^-8. */
  value(): number
}

const ZERO = 48
const PLUS = 43
const DASH = 45
const POINT = 46
const EXPONENT = 69

/** A float holds every integer of so many digits; so the arithmetic below never rounds. */
const MOST_DIGITS = 15
const POWERS = Array.from({ length: MOST_DIGITS + 1 }, (_, power) => 10 ** power)

export function fastNumber(): FastNumber {
  let units = 0

  function read(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    const sign = bytes[at]
    if (sign === DASH || sign === PLUS) at += 1
    let digits = 0
    const first = at
    let digit = bytes[at]! - ZERO
    while (at < end && digit >= 0 && digit <= 9) {
      digits = digits * 10 + digit
      digit = bytes[++at]! - ZERO
    }
    let count = at - first
    let decimals = 0
    if (count === 0) return -1
    if (bytes[at] === POINT) {
      const point = at
      digit = bytes[++at]! - ZERO
      while (at < end && digit >= 0 && digit <= 9) {
        digits = digits * 10 + digit
        digit = bytes[++at]! - ZERO
      }
      decimals = at - point - 1
      count += decimals
    }
    if (count > MOST_DIGITS) return -1
    if (bytes[at] === EXPONENT) {
      // Java writes small values as `1E-8`; one digit of exponent is all it needs.
      if (bytes[at + 1] !== DASH) return -1
      digit = bytes[at + 2]! - ZERO
      if (!(digit >= 0 && digit <= 9)) return -1
      decimals += digit
      at += 3
    }
    const shift = UNIT_DECIMALS - decimals
    if (shift < 0 || count + shift > MOST_DIGITS) return -1
    const value = digits * POWERS[shift]!
    units = sign === DASH && value !== 0 ? -value : value
    return at <= end ? at : -1
  }

  return { read, value: () => units }
}
