import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AMOUNT_LIMIT, formatAmount, readAmount } from '../../src/domain/amount.ts'

describe('readAmount', () => {
  // The table of numbers seen in files: text, then the plain decimal it means.
  it.each([
    ['0.00000100', '0.000001'],
    ['0.00000099', '0.00000099'],
    ['9.9E-7', '0.00000099'],
    ['1.0E-7', '0.0000001'],
    ['-1.0E-7', '-0.0000001'],
    ['4.1E-7', '0.00000041'],
    ['1E-8', '0.00000001'],
    ['-6E-8', '-0.00000006'],
    ['0E-8', '0'],
    ['-0E-8', '0'],
    ['53654.42990000', '53654.4299'],
    ['1.68', '1.68'],
    ['-300', '-300'],
    ['+11.04', '11.04'],
    ['-3.605E-05', '-0.00003605'],
    ['-0.9049715199999999', '-0.9049715199999999'],
    ['1e+2', '100'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['0.123456789012345678', '0.123456789012345678'],
    ['0.1234567890123456780000', '0.123456789012345678'],
    ['99999999999999999999.999999999999999999', '99999999999999999999.999999999999999999'],
    ['-99999999999999999999.999999999999999999', '-99999999999999999999.999999999999999999'],
    ['000000000000000000000000000000000000000000001', '1'],
    ['0E9999', '0'],
  ])('reads %s as %s', (text, plain) => {
    const amount = readAmount(text)
    expect(typeof amount).toBe('bigint')
    expect(formatAmount(amount as bigint)).toBe(plain)
  })

  it.each([
    ['', 'amount-empty'],
    ['--', 'amount-malformed'],
    ['-', 'amount-malformed'],
    ['.', 'amount-malformed'],
    ['E-8', 'amount-malformed'],
    ['1,234.5', 'amount-malformed'],
    ['1 234.5', 'amount-malformed'],
    ['0.0528450000BTC', 'amount-malformed'],
    ['1.2.3', 'amount-malformed'],
    ['0x10', 'amount-malformed'],
    ['NaN', 'amount-malformed'],
    ['Infinity', 'amount-malformed'],
    ['1_000', 'amount-malformed'],
    ['١٢٣', 'amount-malformed'],
    ['1E99999', 'amount-malformed'],
    ['9'.repeat(200), 'amount-malformed'],
    ['0.1234567890123456789', 'amount-too-precise'],
    ['1E-19', 'amount-too-precise'],
    ['1E-9999', 'amount-too-precise'],
    ['100000000000000000000', 'amount-too-large'],
    ['1E9999', 'amount-too-large'],
  ])('refuses %j as %s', (text, fault) => {
    expect(readAmount(text)).toBe(fault)
  })

  it('agrees with a model in whole numbers, whatever the notation', () => {
    const scaled = fc.bigInt({ min: -AMOUNT_LIMIT, max: AMOUNT_LIMIT })
    fc.assert(
      fc.property(scaled, fc.integer({ min: -30, max: 30 }), (amount, shift) => {
        expect(readAmount(formatAmount(amount))).toBe(amount)
        expect(readAmount(`${amount}E-18`)).toBe(amount)
        expect(readAmount(shiftedText(amount, shift))).toBe(amount)
      }),
      { numRuns: 1000 },
    )
  })
})

/** `amount × 10^-18`, written with a point somewhere else and an exponent that makes up for it. */
function shiftedText(amount: bigint, shift: number): string {
  const sign = amount < 0n ? '-' : '+'
  const digits = (amount < 0n ? -amount : amount).toString().padStart(31, '0')
  const point = Math.max(1, Math.min(digits.length - 1, digits.length - 1 - Math.abs(shift)))
  const behind = digits.length - point
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}E${behind - 18}`
}
