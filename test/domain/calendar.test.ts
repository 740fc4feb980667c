import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addDays,
  addMonths,
  covers,
  dayOf,
  dayOfMicros,
  daysBetween,
  daysOf,
  isDay,
  startOfDayMicros,
} from '../../src/domain/calendar.ts'

describe('days', () => {
  it.each([
    ['2024-02-29', true],
    ['2025-02-29', false],
    ['2025-13-01', false],
    ['2025-1-1', false],
    ['2025-01-01T00:00:00Z', false],
    ['', false],
  ])('knows whether %j exists: %s', (text, exists) => {
    expect(isDay(text)).toBe(exists)
  })

  it('lists a range without its end', () => {
    expect(daysOf({ start: '2024-02-28', end: '2024-03-02' })).toEqual([
      '2024-02-28',
      '2024-02-29',
      '2024-03-01',
    ])
    expect(daysOf({ start: '2024-03-02', end: '2024-03-01' })).toEqual([])
    expect(covers({ start: '2024-02-28', end: '2024-03-01' }, '2024-03-01')).toBe(false)
  })

  it('moves over month and year ends', () => {
    expect(addDays('2024-12-31', 1)).toBe('2025-01-01')
    expect(addMonths('2024-11', 3)).toBe('2025-02')
    expect(addMonths('0016-12', 1)).toBe('0017-01')
    expect(daysBetween('2024-02-01', '2024-03-01')).toBe(29)
  })

  it('finds the day of an instant in microseconds, also before 1970', () => {
    expect(dayOfMicros(0n)).toBe('1970-01-01')
    expect(dayOfMicros(-1n)).toBe('1969-12-31')
    const day = fc.integer({ min: -40_000, max: 40_000 })
    const within = fc.bigInt({ min: 0n, max: 86_399_999_999n })
    fc.assert(
      fc.property(day, within, (number, micros) => {
        const expected = dayOf(new Date(number * 86_400_000))
        expect(dayOfMicros(startOfDayMicros(expected) + micros)).toBe(expected)
      }),
    )
  })
})
