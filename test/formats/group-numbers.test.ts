/** Row ids, times and amounts from bytes and from the WebAssembly kernel are those of the domain. */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type ActivityRow, identifyRows } from '../../src/domain/activity.ts'
import { AMOUNT_LIMIT } from '../../src/domain/amount.ts'
import { kernelNumbers } from '../../src/formats/group-kernel.ts'
import { plainNumbers } from '../../src/formats/group-numbers.ts'
import { addRow, newBatch } from '../../src/formats/row-batch.ts'
import { groupBuilder, newGroup, type RowGroup } from '../../src/formats/row-group.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.integer({ min: 0, max: 700 }).map(length => 'x'.repeat(length)),
)
const anyRow: fc.Arbitrary<ActivityRow> = fc.record({
  micros: fc.oneof(
    fc.bigInt({ min: 946_684_800_000_000n, max: 4_102_444_799_999_999n }),
    fc.bigInt({ min: 946_684_800n, max: 946_684_803n }).map(second => second * 1_000_000n),
  ),
  userId: fc.constantFrom(null, '1'),
  wallet: fc.constantFrom('Spot', 'Funding'),
  operation: text,
  asset: text,
  amount: fc.oneof(
    fc.bigInt({ min: -AMOUNT_LIMIT, max: AMOUNT_LIMIT }),
    fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map(units => units * 10n ** 10n),
    fc.constantFrom(
      0n,
      1n,
      -1n,
      10n ** 10n,
      -(10n ** 18n),
      (2n ** 53n - 1n) * 10n ** 10n,
      2n ** 53n * 10n ** 10n,
    ),
  ),
  remark: text,
  extra: fc.constant(null),
})
const rows = fc
  .array(fc.tuple(anyRow, fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 12 })
  .map(some => some.flatMap(([row, times]) => Array.from({ length: times }, () => ({ ...row }))))

function groupOf(identified: readonly ActivityRow[], occurrence: Uint32Array): RowGroup {
  const batch = newBatch(identified.length)
  for (const row of identified) addRow(batch, row)
  const group = newGroup(identified.length)
  const order = Uint32Array.from(identified.keys())
  groupBuilder(group).add({ batch, order, occurrence }, 0, identified.length)
  return group
}

/** Big-endian, in two's complement. */
function integerAt(amounts: Uint8Array, row: number): bigint {
  const hex = Buffer.from(amounts.subarray(row * 16, row * 16 + 16)).toString('hex')
  return BigInt.asIntN(128, BigInt(`0x${hex}`))
}

it('gives the ids, times and amounts of the domain, with the kernel and without it', async () => {
  const plain = plainNumbers()
  const kernel = kernelNumbers(plain)
  fc.assert(
    fc.property(rows, some => {
      const identified = identifyRows(some)
      const seen = new Map<string, number>()
      const occurrence = identified.map(({ rowId, userId, extra, ...row }) => {
        const key = Object.values(row).join('\x1f')
        seen.set(key, (seen.get(key) ?? -1) + 1)
        return seen.get(key)!
      })
      const group = groupOf(identified, Uint32Array.from(occurrence))
      const expected = identified.map(({ rowId }) => rowId).join('')
      for (const numbersOf of [plain, kernel]) {
        const { ids, times, amounts } = numbersOf(group)
        expect(Buffer.from(ids).toString('hex')).toBe(expected)
        for (const [row, { micros, amount }] of identified.entries()) {
          expect(Buffer.from(times).readBigInt64LE(row * 8)).toBe(micros)
          expect(integerAt(amounts, row)).toBe(amount)
        }
      }
    }),
    { numRuns: 300 },
  )
})
