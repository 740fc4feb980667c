import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastMinute, nextMinute, nextRun, readCron } from '../../src/domain/schedule.ts'

const next = (text: string, after: string) => nextMinute(readCron(text)!, new Date(after))?.toISOString()

describe('five fields', () => {
  it.each([
    ['30 4 * * *', '2026-10-15T04:29:59Z', '2026-10-15T04:30:00.000Z'],
    ['30 4 * * *', '2026-10-15T04:30:00Z', '2026-10-16T04:30:00.000Z'],
    ['*/15 * * * *', '2026-10-15T23:46:00Z', '2026-10-16T00:00:00.000Z'],
    ['5,3 8-10 * * *', '2026-10-15T08:03:00Z', '2026-10-15T08:05:00.000Z'],
    ['0 0 29 2 *', '2026-10-15T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 29 2 *', '2096-03-01T00:00:00Z', '2104-02-29T00:00:00.000Z'],
    ['0 6 * * 1-5', '2026-10-16T06:00:00Z', '2026-10-19T06:00:00.000Z'],
    ['0 6 * * 7', '2026-10-15T00:00:00Z', '2026-10-18T06:00:00.000Z'],
    ['0 6 1 * 0', '2026-10-15T00:00:00Z', '2026-10-18T06:00:00.000Z'],
    ['0 6 16 * 0', '2026-10-15T00:00:00Z', '2026-10-16T06:00:00.000Z'],
    ['59 23 31 12 *', '2026-12-31T23:59:00Z', '2027-12-31T23:59:00.000Z'],
  ])('%s after %s is %s', (text, after, expected) => {
    expect(next(text, after)).toBe(expected)
  })

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '0 0 30 2 *',
    '5-3 * * * *',
    '*/0 * * * *',
    'a * * * *',
    '* * * * 8',
  ])('refuses %j', text => {
    expect(readCron(text)).toBeUndefined()
  })

  it('names no minute twice and leaves none out, compared with looking at every minute', () => {
    const field = (most: number) => fc.oneof(fc.constant('*'), fc.nat(most).map(String))
    const start = Date.UTC(2026, 1, 27)
    fc.assert(
      fc.property(field(59), field(23), fc.nat(4000), (minute, hour, offset) => {
        const times = readCron(`${minute} ${hour} * * *`)!
        const after = new Date(start + offset * 60_000 + 17_000)
        let at = Math.ceil(after.getTime() / 60_000) * 60_000
        const fits = (ms: number) => {
          const date = new Date(ms)
          return (
            (minute === '*' || date.getUTCMinutes() === Number(minute)) &&
            (hour === '*' || date.getUTCHours() === Number(hour))
          )
        }
        while (!fits(at)) at += 60_000
        expect(nextMinute(times, after)).toEqual(new Date(at))
        expect(lastMinute(times, new Date(at))).toEqual(new Date(at))
      }),
    )
  })
})

describe('the next run of a record', () => {
  const now = new Date('2026-10-15T12:00:00Z')
  const [past, later] = ['2026-10-15T11:59:00.000Z', '2026-10-15T12:01:00.000Z']

  it('is not told once it is past, of a job that runs every so often: not every run is written down', () => {
    expect(nextRun({ dueAt: null, nextAt: past }, now)).toBeNull()
    expect(nextRun({ dueAt: null, nextAt: later }, now)).toBe(later)
  })

  it('is told also when it is past, of a job that is due at minutes: nobody ran it', () => {
    expect(nextRun({ dueAt: past, nextAt: past }, now)).toBe(past)
    expect(nextRun({ dueAt: past, nextAt: null }, now)).toBeNull()
  })
})
