import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, covers, type DayRange, daysBetween, daysOf } from '../../src/domain/calendar.ts'
import {
  type Cadence,
  dueRange,
  fewestRanges,
  newestPeriod,
  spreadOver,
  usable,
} from '../../src/domain/plan.ts'

const START = '2026-01-01'
const day = (number: number) => addDays(START, number)

/** The least number of windows that hold all wanted days, by trying every set of windows. */
function bruteForce(wanted: readonly number[], length: number, windowDays: number): number {
  const starts = Array.from({ length }, (_, index) => index)
  const holds = (chosen: readonly number[]) =>
    wanted.every(one => chosen.some(start => start <= one && one < start + windowDays))
  let least = wanted.length
  for (let set = 0; set < 2 ** length; set++) {
    const chosen = starts.filter(start => (set >> start) & 1)
    if (chosen.length < least && holds(chosen)) least = chosen.length
  }
  return least
}

/** The least [ranges, days] of all ways to divide the wanted days into runs. */
function cheapestDivision(wanted: readonly number[], windowDays: number): [number, number] {
  let cheapest: [number, number] = [Number.POSITIVE_INFINITY, 0]
  for (let cuts = 0; cuts < 2 ** (wanted.length - 1); cuts++) {
    const runs: number[][] = [[wanted[0]!]]
    for (let index = 1; index < wanted.length; index++) {
      if ((cuts >> (index - 1)) & 1) runs.push([])
      runs.at(-1)!.push(wanted[index]!)
    }
    const spans = runs.map(run => run.at(-1)! - run[0]! + 1)
    if (spans.some(span => span > windowDays)) continue
    const days = spans.reduce((sum, span) => sum + span, 0)
    if (runs.length < cheapest[0] || (runs.length === cheapest[0] && days < cheapest[1]))
      cheapest = [runs.length, days]
  }
  return cheapest
}

describe('the fewest ranges', () => {
  it('are as few as brute force finds, and hold every day', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 10 }), { maxLength: 11 }),
        fc.integer({ min: 1, max: 6 }),
        (numbers, windowDays) => {
          const wanted = numbers.toSorted((a, b) => a - b)
          const ranges = fewestRanges(wanted.map(day), windowDays)
          expect(ranges.length).toBe(bruteForce(wanted, 11, windowDays))
          for (const one of wanted) expect(ranges.filter(range => covers(range, day(one))).length).toBe(1)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('ask for as few days as any other choice of as few ranges', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 16 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 8 }),
        (numbers, windowDays) => {
          const wanted = numbers.toSorted((a, b) => a - b)
          const ranges = fewestRanges(wanted.map(day), windowDays)
          const total = ranges.reduce((sum, { start, end }) => sum + daysBetween(start, end), 0)
          expect([ranges.length, total]).toEqual(cheapestDivision(wanted, windowDays))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('leave out what is held where that costs nothing', () => {
    const wanted = [
      ...daysOf({ start: '2026-07-01', end: '2026-08-01' }),
      ...daysOf({ start: '2026-09-01', end: '2026-11-18' }),
    ]
    expect(fewestRanges(wanted, 89)).toEqual([
      { start: '2026-07-01', end: '2026-08-01' },
      { start: '2026-09-01', end: '2026-11-18' },
    ])
  })

  it('are no longer than allowed, do not overlap, and begin and end with a day that is wanted', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 900 }), { maxLength: 80 }), numbers => {
        const wanted = numbers.toSorted((a, b) => a - b).map(day)
        const ranges = fewestRanges(wanted, 89)
        for (const [index, { start, end }] of ranges.entries()) {
          expect(daysBetween(start, end)).toBeLessThanOrEqual(89)
          expect(wanted).toContain(start)
          expect(wanted).toContain(addDays(end, -1))
          if (index > 0) expect(ranges[index - 1]!.end <= start).toBe(true)
        }
      }),
    )
  })

  it('of a year are five', () => {
    expect(fewestRanges(daysOf({ start: '2024-01-01', end: '2025-01-01' }), 89).length).toBe(5)
  })

  it('stay the same when the first of them has been asked for', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 1 }), numbers => {
        const wanted = numbers.toSorted((a, b) => a - b).map(day)
        const [first, ...others] = fewestRanges(wanted, 89)
        const left = wanted.filter(one => !covers(first!, one))
        expect(fewestRanges(left, 89)).toEqual(others)
      }),
    )
  })
})

describe('the months of a plan', () => {
  const ranges = (count: number): DayRange[] =>
    Array.from({ length: count }, (_, index) => ({ start: day(index), end: day(index + 1) }))

  it('never plan more than a month has, and use each month before the next', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 15 }),
        (count, monthlyLimit, reserve, spent) => {
          const budget = { monthlyLimit, reserve, spent }
          const planned = spreadOver(ranges(count), budget, new Date('2026-11-20T12:00:00Z'))
          const { monthly, now } = usable(budget)
          expect(planned.length).toBe(monthly === 0 ? 0 : count)
          const perMonth = Map.groupBy(planned, ({ month }) => month)
          for (const [index, [month, some]] of [...perMonth].entries()) {
            expect(some.length).toBeLessThanOrEqual(month === '2026-11' ? now : monthly)
            if (index < perMonth.size - 1) expect(some.length).toBe(month === '2026-11' ? now : monthly)
          }
          for (const { month, from } of planned) {
            if (month === '2026-11') expect(from).toBeNull()
            else expect(from?.toISOString()).toBe(`${month}-01T00:00:05.000Z`)
          }
        },
      ),
    )
  })

  it('begin with the new month at the turn of one', () => {
    const budget = { monthlyLimit: 3, reserve: 1, spent: 3 }
    const planned = spreadOver(ranges(3), budget, new Date('2026-12-31T23:59:30Z'))
    expect(planned.map(({ month }) => month)).toEqual(['2027-01', '2027-01', '2027-02'])
    expect(planned[0]?.from?.toISOString()).toBe('2027-01-01T00:00:05.000Z')
  })
})

describe('what is due', () => {
  const asked = (...days: string[]) => new Set(days)

  it.each([
    ['daily', '2026-11-17', [], { start: '2026-11-17', end: '2026-11-18' }],
    ['daily', '2026-11-17', ['2026-11-17'], undefined],
    ['daily', '2026-11-17', ['2026-11-16'], { start: '2026-11-17', end: '2026-11-18' }],
    // Three days that were missed cost no more than one.
    ['daily', '2026-11-17', ['2026-11-13'], { start: '2026-11-14', end: '2026-11-18' }],
    // Asked for too long ago to be caught up by one report.
    ['daily', '2026-11-17', ['2026-08-19'], { start: '2026-11-17', end: '2026-11-18' }],
    ['daily', '2026-11-17', ['2026-08-20'], { start: '2026-08-21', end: '2026-11-18' }],
    // 2026-11-16 is a Monday.
    ['weekly', '2026-11-15', [], { start: '2026-11-09', end: '2026-11-16' }],
    ['weekly', '2026-11-14', [], { start: '2026-11-02', end: '2026-11-09' }],
    ['weekly', '2026-11-20', ['2026-11-15'], undefined],
    // A person's question about a day inside the week leaves no hole before it.
    ['weekly', '2026-11-15', ['2026-11-11'], { start: '2026-11-09', end: '2026-11-16' }],
    ['monthly', '2026-10-30', [], { start: '2026-09-01', end: '2026-10-01' }],
    ['monthly', '2026-10-31', [], { start: '2026-10-01', end: '2026-11-01' }],
    ['monthly', '2024-02-29', [], { start: '2024-02-01', end: '2024-03-01' }],
    ['monthly', '2026-12-31', ['2026-11-30'], { start: '2026-12-01', end: '2027-01-01' }],
    ['off', '2026-11-17', [], undefined],
  ] as const)('%s, newest %s, asked %j: %j', (cadence, newest, days, due) => {
    expect(dueRange(cadence, newest, asked(...days), 89)).toEqual(due)
  })

  it('covers every day from the first on when it is asked every day, and never more than once a period', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Cadence>('daily', 'weekly', 'monthly'),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 40 }),
        (cadence, steps) => {
          const held = new Set<string>()
          let today = 0
          let requests = 0
          for (const step of steps) {
            today += step
            const due = dueRange(cadence, day(today), held, 89)
            if (due === undefined) continue
            requests++
            expect(daysBetween(due.start, due.end)).toBeLessThanOrEqual(89)
            for (const one of daysOf(due)) held.add(one)
            expect(dueRange(cadence, day(today), held, 89)).toBeUndefined()
          }
          const all = [...held].sort()
          if (all.length > 0) expect(all).toEqual(daysOf({ start: all[0]!, end: addDays(all.at(-1)!, 1) }))
          expect(requests).toBeLessThanOrEqual(steps.length)
        },
      ),
    )
  })

  it('has periods that end with a Monday, or with a month', () => {
    expect(newestPeriod('weekly', '2026-11-16')).toEqual({ start: '2026-11-09', end: '2026-11-16' })
    expect(newestPeriod('monthly', '2026-03-31')).toEqual({ start: '2026-02-01', end: '2026-03-01' })
  })
})
