import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ActivityRow, identifyRows, identityOf, rowIdOf } from '../../src/domain/activity.ts'

const row: ActivityRow = {
  micros: 1_767_225_600_000_000n,
  userId: '35460001',
  wallet: 'Spot',
  operation: 'Deposit',
  asset: 'USDT',
  amount: 1_500_000_000_000_000_000n,
  remark: '',
  extra: null,
}

describe('identityOf', () => {
  it('is the text of what identical rows share', () => {
    expect(identityOf(row)).toBe('1767225600\x1fSpot\x1fDeposit\x1fUSDT\x1f1.5\x1f')
    expect(identityOf({ ...row, micros: row.micros + 250_000n })).toMatch(/^1767225600\.250000\x1f/)
  })

  it('leaves out what differs between layouts', () => {
    expect(identityOf({ ...row, userId: null, extra: '{"a":"b"}' })).toBe(identityOf(row))
  })
})

describe('identifyRows', () => {
  it('gives ids that are the first half of a SHA-256', () => {
    const text = `${identityOf(row)}\x1f0`
    const id = createHash('sha256').update(text).digest('hex').slice(0, 32)
    expect(identifyRows([row])[0]?.rowId).toBe(id)
    expect(rowIdOf(identityOf(row), 0)).toBe(id)
  })

  it('numbers identical rows, so that none is lost and each keeps its id', () => {
    const ids = identifyRows(Array.from({ length: 28 }, () => ({ ...row }))).map(({ rowId }) => rowId)
    expect(new Set(ids).size).toBe(28)
    expect(ids[27]).toBe(rowIdOf(identityOf(row), 27))
  })

  it('counts anew in another second', () => {
    const later = { ...row, micros: row.micros + 1_000_000n }
    const [first, second] = identifyRows([later, row])
    expect(first?.rowId).toBe(rowIdOf(identityOf(row), 0))
    expect(second?.rowId).toBe(rowIdOf(identityOf(later), 0))
  })

  it('gives the same rows, order and ids whatever order they came in', () => {
    const rows = fc.array(
      fc.record({
        micros: fc.integer({ min: 0, max: 1 }).map(second => BigInt(second) * 1_000_000n),
        userId: fc.constantFrom('1', null),
        wallet: fc.constantFrom('Spot', 'Funding'),
        operation: fc.constantFrom('Send', 'Fee'),
        asset: fc.constant('USDT'),
        amount: fc.bigInt({ min: -1n, max: 0n }),
        remark: fc.constantFrom('', 'x'),
        extra: fc.constant(null),
      }),
      { minLength: 30, maxLength: 90 },
    )
    const shuffled = rows.chain(made =>
      fc.tuple(fc.constant(made), fc.shuffledSubarray(made, { minLength: made.length })),
    )
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        const identified = identifyRows([...one])
        expect(identifyRows([...other])).toEqual(identified)
        expect(new Set(identified.map(({ rowId }) => rowId)).size).toBe(one.length)
      }),
    )
  })
})
