/**
 * Amounts of money: text ↔ bigint scaled by 10^18, exact in both directions.
 * No float is ever involved, and what cannot be held exactly is refused.
 */

/** Decimal places an amount can have: those of DECIMAL(38,18). */
export const AMOUNT_SCALE = 18

/** The largest absolute scaled value that DECIMAL(38,18) holds. */
export const AMOUNT_LIMIT = 10n ** 38n - 1n

/** An amount as a bigint scaled by 10^18: `1.5` is `1_500_000_000_000_000_000n`. */
export type Amount = bigint

/** Why a text is not an amount. */
export type AmountFault = 'amount-empty' | 'amount-malformed' | 'amount-too-precise' | 'amount-too-large'

/** A plain or scientific decimal; a mantissa may lack digits on one side of the point. */
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/

/** Longer texts are refused before any arithmetic, so hostile input costs nothing. */
const LONGEST = 128

/**
 * Reads an amount in any shape the files use: `0.00000100`, `1E-8`, `-1.0E-7`, `0E-8`, `+11.04`, `-300`.
 * Thousands separators, units and `--` are malformed; digits past the 18th decimal must be zeros.
 */
export function readAmount(text: string): Amount | AmountFault {
  if (text === '') return 'amount-empty'
  const match = text.length <= LONGEST ? DECIMAL.exec(text) : null
  if (match === null) return 'amount-malformed'
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  if (digits === '') return 'amount-malformed'
  return scale(digits, Number.parseInt(exponent, 10) - fraction.length, sign === '-')
}

/** `digits × 10^exponent` as an amount. The exponent is a small count of places, not money. */
function scale(digits: string, exponent: number, negative: boolean): Amount | AmountFault {
  const significant = digits.replace(/^0+/, '')
  if (significant === '') return 0n
  const shift = exponent + AMOUNT_SCALE
  if (significant.length + shift > 38) return 'amount-too-large'
  let value = BigInt(significant)
  if (shift >= 0) {
    value *= 10n ** BigInt(shift)
  } else {
    const divisor = 10n ** BigInt(-shift)
    if (value % divisor !== 0n) return 'amount-too-precise'
    value /= divisor
  }
  return negative ? -value : value
}

/** The shortest plain decimal: no exponent, no trailing zeros, no plus, `0` for zero. */
export function formatAmount(amount: Amount): string {
  const negative = amount < 0n
  const digits = (negative ? -amount : amount).toString().padStart(AMOUNT_SCALE + 1, '0')
  const whole = digits.slice(0, -AMOUNT_SCALE)
  const fraction = digits.slice(-AMOUNT_SCALE).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
