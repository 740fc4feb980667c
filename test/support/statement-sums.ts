/**
 * Sums straight from the text of a bare statement, with whole-number arithmetic of its own: what Daybook's
 * results are held against. Shares no code with the parser.
 */

export interface TextSums {
  rows: number
  /** By wallet and asset: scaled by 10^18. */
  readonly sums: Map<string, bigint>
  /** Rows by UTC day. */
  readonly days: Map<string, number>
}

export function newTextSums(): TextSums {
  return { rows: 0, sums: new Map(), days: new Map() }
}

/** Adds rows of layout B without any quotes. */
export function addLines(total: TextSums, lines: Iterable<string>): void {
  for (const line of lines) {
    const [, time, wallet, , asset, change] = line.split(',') as string[]
    const key = `${wallet} ${asset}`
    const day = time!.slice(0, 10)
    total.rows += 1
    total.sums.set(key, (total.sums.get(key) ?? 0n) + scaled(change!))
    total.days.set(day, (total.days.get(day) ?? 0) + 1)
  }
}

/** `-1.5E-7` is -15 with 8 places. */
function scaled(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.split('E')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const places = fraction.length - Number.parseInt(exponent, 10)
  return BigInt(whole + fraction) * 10n ** BigInt(18 - places)
}

export function plainText(amount: bigint): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(19, '0')
  return `${sign}${digits.slice(0, -18)}.${digits.slice(-18)}`
}
