import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAmount } from '../../src/domain/amount.ts'
import { javaDecimal, trimmedDecimal } from '../../src/sandbox/number-text.ts'

test.each([
  [100n, '0.00000100'],
  [99n, '9.9E-7'],
  [10n, '1.0E-7'],
  [1n, '1E-8'],
  [0n, '0E-8'],
  [5_365_442_990_000n, '53654.42990000'],
  [-6n, '-6E-8'],
  [-10n, '-1.0E-7'],
  [41n, '4.1E-7'],
  [-101n, '-0.00000101'],
  [2n ** 63n, '92233720368.54775808'],
])('%s units are written as a BigDecimal of scale 8', (units, text) => {
  expect(javaDecimal(units)).toBe(text)
})

test.each([
  [168_000_000n, '1.68'],
  [-30_000_000_000n, '-300'],
  [2n, '0.00000002'],
  [1_000_000_000n, '10'],
  [0n, '0'],
])('%s units are trimmed', (units, text) => {
  expect(trimmedDecimal(units)).toBe(text)
})

test('both texts mean the same amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), units => {
      expect(readAmount(javaDecimal(units))).toBe(units * 10n ** 10n)
      expect(readAmount(trimmedDecimal(units))).toBe(units * 10n ** 10n)
    }),
  )
})
