import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  areInOrder,
  comparePair,
  firstBadReading,
  type ReadingWindow,
  type Tally,
  tallyMaker,
} from '../../src/domain/snapshot-pair.ts'

const SECOND = 1_000_000n
const PRECISION = { resolutionMicros: SECOND, clockMicros: 0n }

const window = (sentMicros: bigint, answeredMicros: bigint): ReadingWindow => ({ sentMicros, answeredMicros })
const at = (second: bigint, micros = 0n) => second * SECOND + micros

function tallyOf(
  windows: readonly ReadingWindow[],
  rows: readonly (readonly [bigint, bigint])[],
  precision = PRECISION,
): Tally {
  const maker = tallyMaker(windows, precision)
  for (const [micros, amount] of rows) maker.add(micros, amount)
  return maker.result()
}

describe('a pair of readings', () => {
  const windows = [window(at(10n, 200_000n), at(10n, 700_000n)), window(at(20n, 200_000n), at(21n, 100n))]
  const compare = (rows: [bigint, bigint][], closing: bigint) =>
    comparePair(tallyOf(windows, rows), 0, 1, 0n, closing)

  it.each([
    [
      'equals the rows that are in between for certain',
      [
        [11n, 5n],
        [19n, 7n],
      ],
      12n,
      'equal',
      0n,
    ],
    [
      'leaves out rows that are before or after for certain',
      [
        [9n, 5n],
        [11n, 2n],
        [22n, 7n],
      ],
      2n,
      'equal',
      0n,
    ],
    ['differs, with the sign', [[11n, 5n]], 3n, 'different', -2n],
    ['differs the other way', [[11n, 5n]], 9n, 'different', 4n],
    [
      'is open when a row within the second of the first reading counts',
      [
        [10n, 5n],
        [11n, 1n],
      ],
      6n,
      'open',
      0n,
    ],
    [
      'is open when it does not',
      [
        [10n, 5n],
        [11n, 1n],
      ],
      1n,
      'open',
      0n,
    ],
    [
      'is open at every second of the last window',
      [
        [20n, 5n],
        [21n, 3n],
      ],
      3n,
      'open',
      0n,
    ],
    [
      'differs when no choice of sides fits, by the nearest',
      [
        [10n, 5n],
        [11n, 1n],
      ],
      3n,
      'different',
      2n,
    ],
    [
      'differs below all of them',
      [
        [10n, -5n],
        [11n, 1n],
      ],
      -6n,
      'different',
      -2n,
    ],
    [
      'is not opened by rows of zero',
      [
        [10n, 0n],
        [11n, 1n],
      ],
      1n,
      'equal',
      0n,
    ],
  ] as const)('%s', (_, rows, closing, finding, difference) => {
    const told = compare(
      rows.map(([second, amount]) => [at(second), amount]),
      closing,
    )
    expect([told.finding, told.difference]).toEqual([finding, difference])
  })

  it('takes a row at the very end of a second as before a reading sent with the next', () => {
    const edges = [window(at(10n), at(10n)), window(at(20n), at(20n))]
    // The reading at 20.000000 may be before or after a row of second 20, and is after one of second 19.
    expect(comparePair(tallyOf(edges, [[at(19n), 1n]]), 0, 1, 0n, 1n).finding).toBe('equal')
    expect(comparePair(tallyOf(edges, [[at(20n), 1n]]), 0, 1, 0n, 1n).finding).toBe('open')
    expect(comparePair(tallyOf(edges, [[at(10n), 1n]]), 0, 1, 0n, 1n).finding).toBe('open')
  })

  it('widens by what the clocks may differ', () => {
    const rows = [[at(12n), 1n]] as const
    const near = window(at(10n), at(11n))
    const far = window(at(20n), at(21n))
    expect(comparePair(tallyOf([near, far], rows), 0, 1, 0n, 1n).finding).toBe('equal')
    const slack = { resolutionMicros: SECOND, clockMicros: SECOND }
    expect(comparePair(tallyOf([near, far], rows, slack), 0, 1, 0n, 1n).finding).toBe('open')
  })

  it('says nothing of a difference among too many sums, but still sees what lies outside all of them', () => {
    const rows = Array.from({ length: 40 }, (_, index) => [at(10n), 2n ** BigInt(index)] as const)
    const tally = tallyOf(windows, rows)
    expect(comparePair(tally, 0, 1, 0n, 12_345n)).toMatchObject({ finding: 'open', difference: null })
    expect(comparePair(tally, 0, 1, 0n, 2n ** 40n)).toMatchObject({ finding: 'different', difference: 1n })
    expect(comparePair(tally, 0, 1, 0n, -3n)).toMatchObject({ finding: 'different', difference: -3n })
  })

  it('knows windows whose instants cannot be put in order', () => {
    expect(areInOrder([window(1n, 2n), window(3n, 3n)])).toBe(true)
    expect(areInOrder([window(1n, 3n), window(3n, 4n)])).toBe(false)
    expect(areInOrder([window(2n, 1n)])).toBe(false)
  })
})

/** A world whose instants are known, and the book and readings that are told of it. */
interface World {
  readonly rows: readonly { readonly instant: bigint; readonly amount: bigint }[]
  readonly windows: readonly ReadingWindow[]
  readonly balances: readonly bigint[]
}

const SPAN = 40

const world: fc.Arbitrary<World> = fc
  .record({
    rows: fc.array(
      fc.record({
        instant: fc.oneof(
          fc.bigInt(0n, BigInt(SPAN) * SECOND),
          fc.integer({ min: 0, max: SPAN }).map(second => BigInt(second) * SECOND),
        ),
        amount: fc.oneof(fc.bigInt(-4n, 4n), fc.bigInt(-(10n ** 30n), 10n ** 30n)),
      }),
      { maxLength: 30 },
    ),
    opening: fc.bigInt(-(10n ** 30n), 10n ** 30n),
    readings: fc.array(
      fc.record({
        gap: fc.oneof(fc.bigInt(1n, 3n * SECOND), fc.bigInt(5n * SECOND, 12n * SECOND)),
        length: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2_500_000n)),
        share: fc.bigInt(0n, 100n),
      }),
      { minLength: 2, maxLength: 7 },
    ),
  })
  .map(({ rows, opening, readings }) => {
    const windows: ReadingWindow[] = []
    const balances: bigint[] = []
    let now = 0n
    for (const { gap, length, share } of readings) {
      const sent = now + gap
      now = sent + length
      windows.push({ sentMicros: sent, answeredMicros: now })
      const instant = sent + (length * share) / 100n
      const before = rows.filter(row => row.instant <= instant)
      balances.push(before.reduce((sum, row) => sum + row.amount, opening))
    }
    return { rows, windows, balances }
  })

const told = ({ rows }: World) =>
  rows.map(({ instant, amount }) => [(instant / SECOND) * SECOND, amount] as const)

/** Every pair of readings, the ones far apart included. */
const pairs = (count: number) =>
  Array.from({ length: count }, (_, from) => from).flatMap(from =>
    Array.from({ length: count - from - 1 }, (_, more) => [from, from + more + 1] as const),
  )

describe('over random ledgers and readings', () => {
  it('a book that tells everything never breaks, and matches wherever no row is near a reading', () => {
    fc.assert(
      fc.property(world, one => {
        const tally = tallyOf(one.windows, told(one))
        for (const [from, to] of pairs(one.windows.length)) {
          const found = comparePair(tally, from, to, one.balances[from]!, one.balances[to]!)
          expect(found.finding).not.toBe('different')
          const near = [one.windows[from]!, one.windows[to]!].map(
            ({ sentMicros, answeredMicros }) =>
              told(one).filter(
                ([micros, amount]) =>
                  amount !== 0n && micros <= answeredMicros && micros + SECOND > sentMicros,
              ).length,
          )
          expect(found.eitherSide === 0).toBe(near[0]! + near[1]! === 0)
          if (found.eitherSide === 0) expect(found.finding).toBe('equal')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('a book with a wrong amount in between never matches, and the difference is exact', () => {
    fc.assert(
      fc.property(
        world,
        fc.nat(),
        fc.constantFrom('missing', 'doubled', 'changed'),
        fc.bigInt(1n, 10n ** 20n),
        (one, pick, kind, by) => {
          fc.pre(one.rows.length > 0)
          const rows = told(one)
          const [micros, amount] = rows[pick % rows.length]!
          const wrong = kind === 'missing' ? -amount : kind === 'doubled' ? amount : by
          fc.pre(wrong !== 0n)
          const tally = tallyOf(one.windows, [...rows, [micros, wrong]])
          for (const [from, to] of pairs(one.windows.length)) {
            const [opening, closing] = [one.windows[from]!, one.windows[to]!]
            const within = opening.answeredMicros < micros && micros + SECOND <= closing.sentMicros
            if (!within) continue
            const found = comparePair(tally, from, to, one.balances[from]!, one.balances[to]!)
            expect(found.finding).not.toBe('equal')
            if (found.eitherSide === 0) {
              expect(found).toMatchObject({ finding: 'different', difference: -wrong })
              expect(found.least).toBe(found.most)
            }
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('a break is never told of a wrong row that is before or after both readings for certain', () => {
    fc.assert(
      fc.property(world, fc.bigInt(-9n, 9n), fc.integer({ min: 0, max: 60 }), (one, wrong, second) => {
        const micros = BigInt(second) * SECOND
        const tally = tallyOf(one.windows, [...told(one), [micros, wrong]])
        for (const [from, to] of pairs(one.windows.length)) {
          const before = micros + SECOND <= one.windows[from]!.sentMicros
          const after = one.windows[to]!.answeredMicros < micros
          if (!before && !after) continue
          const found = comparePair(tally, from, to, one.balances[from]!, one.balances[to]!)
          expect(found.finding).not.toBe('different')
        }
      }),
      { numRuns: 300 },
    )
  })

  it('the nearest difference is one that some choice of sides has, and no choice has a smaller one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(-50n, 50n), { maxLength: 8 }),
        fc.bigInt(-100n, 100n),
        fc.bigInt(-400n, 400n),
        (open, certain, moved) => {
          const windows = [window(at(10n), at(10n, 5n)), window(at(20n), at(20n, 5n))]
          const rows = [[at(15n), certain] as const, ...open.map(amount => [at(20n), amount] as const)]
          const found = comparePair(tallyOf(windows, rows), 0, 1, 0n, moved)
          const differences = Array.from({ length: 2 ** open.length }, (_, choice) =>
            open.reduce(
              (sum, amount, index) => ((choice >> index) & 1 ? sum - amount : sum),
              moved - certain,
            ),
          )
          const size = (value: bigint) => (value < 0n ? -value : value)
          const smallest = differences.reduce((least, each) => (size(each) < size(least) ? each : least))
          expect(differences).toContain(found.difference)
          expect(size(found.difference!)).toBe(size(smallest))
          expect(found.finding === 'equal').toBe(differences.every(each => each === 0n))
          expect(found.finding === 'different').toBe(smallest !== 0n)
        },
      ),
    )
  })

  it('the first bad reading is the first one after a single break', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(), (last, pick) => {
        const broken = 1 + (pick % last)
        let looks = 0
        const found = firstBadReading(last, reading => {
          looks++
          return reading >= broken
        })
        expect(found).toBe(broken)
        expect(looks).toBeLessThanOrEqual(Math.ceil(Math.log2(last)) + 1)
      }),
    )
  })
})
