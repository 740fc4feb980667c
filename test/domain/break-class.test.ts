import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BreakEvidence, classOfBreak } from '../../src/domain/break-class.ts'

const UNIT = 10n ** 10n
const PLAIN: BreakEvidence = {
  difference: 5n * UNIT,
  missingDays: 0,
  otherWallets: [],
  isLeftOut: false,
  undone: 'no',
  repeated: [],
  unknown: [],
  holdChange: null,
  unit: UNIT,
}

describe('the likely class of a break', () => {
  it.each([
    ['missing-report', { missingDays: 1 }],
    ['internal-transfer', { otherWallets: [-5n * UNIT] }],
    ['vanished-currency', { isLeftOut: true, undone: 'by-a-row' }],
    ['late-row', { undone: 'by-a-row' }],
    ['late-row', { undone: 'unknown' }],
    ['wrong-balance', { undone: 'by-none' }],
    ['internal-transfer', { otherWallets: [-5n * UNIT], undone: 'by-none' }],
    ['duplicate', { repeated: [{ amount: -5n * UNIT, rows: 2 }] }],
    ['duplicate', { repeated: [{ amount: -UNIT, rows: 6 }] }],
    ['unknown-operation', { unknown: [3n, -5n * UNIT] }],
    ['unknown-operation', { unknown: [-2n * UNIT, -3n * UNIT] }],
    ['in-flight', { holdChange: 5n * UNIT }],
    ['in-flight', { holdChange: -5n * UNIT }],
    ['rounding', { difference: UNIT - 1n }],
    ['rounding', { difference: 1n - UNIT }],
    ['missing-row', {}],
    // What does not explain the whole difference, or explains the opposite one, explains nothing.
    ['missing-row', { otherWallets: [5n * UNIT] }],
    ['missing-row', { repeated: [{ amount: 5n * UNIT, rows: 2 }] }],
    ['missing-row', { repeated: [{ amount: -UNIT, rows: 5 }] }],
    ['missing-row', { unknown: [5n * UNIT] }],
    ['missing-row', { holdChange: 4n * UNIT }],
    ['missing-row', { difference: UNIT }],
  ] as const)('is %s: %o', (name, changed) => {
    expect(classOfBreak({ ...PLAIN, ...changed })).toBe(name)
  })

  it('sees rows too many, however many, and never all of them', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 30n),
        fc.integer({ min: 2, max: 9 }),
        fc.boolean(),
        (size, rows, out) => {
          const amount = (out ? -1n : 1n) * size * UNIT
          for (let extra = 1; extra < rows; extra++) {
            const difference = -amount * BigInt(extra)
            expect(classOfBreak({ ...PLAIN, difference, repeated: [{ amount, rows }] })).toBe('duplicate')
          }
          const difference = -amount * BigInt(rows)
          expect(classOfBreak({ ...PLAIN, difference, repeated: [{ amount, rows }] })).toBe('missing-row')
        },
      ),
    )
  })
})
