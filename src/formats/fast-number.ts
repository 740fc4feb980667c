/** Amounts of the common shapes, read in place as a whole number of 10^-8 units. */
import { UNIT_DECIMALS, WIDE } from './amount-cells.ts'

const ZERO = 48
const PLUS = 43
const DASH = 45
const POINT = 46
const EXPONENT = 69

/** More digits may be zeros in front; they are rare enough for the reader of rows. */
const MOST_DIGITS = 18
const POWERS = Array.from({ length: UNIT_DECIMALS + 1 }, (_, power) => 10 ** power)

/**
 * Reads an amount that begins at `start` into `units[row]`; answers where it ended, or -1 for what it does
 * not know. Floats hold every integer below 2^53, and no step that goes past it comes back, so a result
 * below it is exact. There is a byte behind the last digit.
 */
export function readUnits(bytes: Uint8Array, start: number, units: Float64Array, row: number): number {
  let at = start
  const sign = bytes[at]
  if (sign === DASH || sign === PLUS) at += 1
  let digits = 0
  const first = at
  let digit = bytes[at]! - ZERO
  while (digit >= 0 && digit <= 9) {
    digits = digits * 10 + digit
    digit = bytes[++at]! - ZERO
  }
  let count = at - first
  if (count === 0) return -1
  let decimals = 0
  if (bytes[at] === POINT) {
    const point = at
    digit = bytes[++at]! - ZERO
    while (digit >= 0 && digit <= 9) {
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
  if (decimals > UNIT_DECIMALS) return -1
  const size = digits * POWERS[UNIT_DECIMALS - decimals]!
  if (size >= WIDE) return -1
  // Zero has one form: without the sign.
  units[row] = sign === DASH && size !== 0 ? -size : size
  return at
}
