import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTime } from '../../src/formats/time.ts'

describe('readTime', () => {
  it.each([
    ['2021-01-01 00:00:00', 0, '2021-01-01T00:00:00.000Z'],
    ['25-01-04 10:00:00', 0, '2025-01-04T10:00:00.000Z'],
    ['25-01-04 06:59:59', 420, '2025-01-03T23:59:59.000Z'],
    ['25-01-04 18:00:00', -360, '2025-01-05T00:00:00.000Z'],
    ['24-02-29 05:30:00', 330, '2024-02-29T00:00:00.000Z'],
    ['2021-01-01 00:00:00.5', 0, '2021-01-01T00:00:00.500Z'],
  ])('reads %s at %s minutes as %s', (text, offset, instant) => {
    expect(readTime(text, offset)).toBe(BigInt(Date.parse(instant)) * 1000n)
  })

  it('keeps microseconds', () => {
    expect(readTime('1970-01-01 00:00:00', 0)).toBe('time-impossible')
    expect(readTime('2000-01-01 00:00:00.000001', 0)).toBe(946_684_800_000_001n)
  })

  it.each([
    ['', 'time-empty'],
    ['5/1/2022 14:00', 'time-ambiguous'],
    ['14/04/2020 10:41', 'time-ambiguous'],
    ['2022/01/05 10:00:00', 'time-ambiguous'],
    ['05.01.2022 10:00:00', 'time-ambiguous'],
    ['2022-01-05', 'time-incomplete'],
    ['22-01-05 10:00', 'time-incomplete'],
    ['2023-02-29 10:00:00', 'time-impossible'],
    ['2022-00-10 10:00:00', 'time-impossible'],
    ['2022-12-99 10:00:00', 'time-impossible'],
    ['2022-12-00 10:00:00', 'time-impossible'],
    ['2022-01-05 24:00:00', 'time-impossible'],
    ['2022-01-05 10:60:00', 'time-impossible'],
    ['2022-01-05 23:59:60', 'time-impossible'],
    ['2022-01-05 10:00:00.1234567', 'time-too-precise'],
    ['2022-01-05T10:00:00', 'time-malformed'],
    ['04-01-2025 10:00:00', 'time-malformed'],
    ['44566.5', 'time-malformed'],
  ])('refuses %j as %s', (text, fault) => {
    expect(readTime(text, 0)).toBe(fault)
  })

  it('agrees with the calendar for every second of a century and every offset', () => {
    const second = fc.integer({ min: 946_684_800, max: 4_102_444_799 })
    const offset = fc.integer({ min: -840, max: 840 })
    fc.assert(
      fc.property(second, offset, fc.boolean(), (local, minutes, short) => {
        const text = new Date(local * 1000)
          .toISOString()
          .slice(short ? 2 : 0, 19)
          .replace('T', ' ')
        expect(readTime(text, minutes)).toBe(BigInt(local - minutes * 60) * 1_000_000n)
      }),
    )
  })
})
