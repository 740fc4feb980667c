/** How the report file writes an amount, held here as a bigint scaled by 10^8. */

/** As Java's `BigDecimal` of scale 8 writes itself: `0.00000100`, `9.9E-7`, `1E-8`, `0E-8`. */
export function javaDecimal(units: bigint): string {
  const { sign, digits } = partsOf(units)
  if (digits.length >= 3) return sign + plainDigits(digits)
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits[1]}`
  return `${sign}${mantissa}E-${9 - digits.length}`
}

/** The shortest plain decimal: `1.68`, `-300`, `0.00000002`. */
export function trimmedDecimal(units: bigint): string {
  const { sign, digits } = partsOf(units)
  return sign + plainDigits(digits).replace(/\.?0+$/, '')
}

function partsOf(units: bigint): { sign: string; digits: string } {
  return units < 0n ? { sign: '-', digits: (-units).toString() } : { sign: '', digits: units.toString() }
}

function plainDigits(digits: string): string {
  const padded = digits.padStart(9, '0')
  return `${padded.slice(0, -8)}.${padded.slice(-8)}`
}
