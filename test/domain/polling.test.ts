import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Attempt, begin, hear, nextTryOf } from '../../src/domain/attempt.ts'
import {
  endingOf,
  LONGEST_REFUSED_MS,
  LONGEST_WAIT_MS,
  nextPollAt,
  nextTryAt,
  type PollPolicy,
  usualMs,
} from '../../src/domain/polling.ts'

const POLICY: PollPolicy = {
  firstMs: 120_000,
  leastMs: 60_000,
  expiredMs: 3_600_000,
  absentMs: 86_400_000,
  abandonMs: 30 * 86_400_000,
}
const NOW = new Date('2026-10-15T12:00:00Z')
const later = (ms: number) => new Date(NOW.getTime() + ms)
const called = (ms: number) => ({ ms, by: 'callback' as const })
const polled = (ms: number) => ({ ms, by: 'query' as const })

describe('how long a report usually takes', () => {
  it('is the setting while nothing is known', () => {
    expect(usualMs([], POLICY)).toBe(120_000)
  })

  it('is what four of five callbacks kept to, whatever the polls say', () => {
    const durations = [100, 90, 500, 80, 110].map(seconds => called(seconds * 1000))
    expect(usualMs([...durations, polled(7_200_000)], POLICY)).toBe(110_000)
  })

  it('is the shortest that was polled where no callback ever came, so that it never grows by itself', () => {
    expect(usualMs([polled(900_000), polled(300_000), polled(2_000_000)], POLICY)).toBe(300_000)
  })

  it('is never shorter than polls may be apart, nor longer than the longest wait', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000_000).map(called)), durations => {
        const usual = usualMs(durations, POLICY)
        expect(usual).toBeGreaterThanOrEqual(POLICY.leastMs)
        expect(usual).toBeLessThanOrEqual(LONGEST_WAIT_MS)
      }),
    )
  })
})

describe('the next poll', () => {
  it('comes after half the time that has passed', () => {
    expect(nextPollAt(later(-600_000), NOW, POLICY)).toEqual(later(300_000))
  })

  it('keeps within its bounds for every report', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 10_000_000_000 }), agoMs => {
        const wait = nextPollAt(later(-agoMs), NOW, POLICY).getTime() - NOW.getTime()
        expect(wait).toBeGreaterThanOrEqual(POLICY.leastMs)
        expect(wait).toBeLessThanOrEqual(LONGEST_WAIT_MS)
      }),
    )
  })
})

describe('the next try', () => {
  const tryAt = (failures: number, changed = {}) =>
    nextTryAt(NOW, failures, { retry: true, leastMs: 0, linkEndsAt: undefined, ...changed }).getTime() -
    NOW.getTime()

  it('comes later and later, up to an hour', () => {
    expect([1, 2, 3, 4, 30].map(failures => tryAt(failures))).toEqual([2000, 4000, 8000, 16_000, 3_600_000])
  })

  it('waits an hour for a person, but not past half the life of a link', () => {
    expect(tryAt(1, { retry: false })).toBe(3_600_000)
    expect(tryAt(1, { retry: false, linkEndsAt: later(600_000) })).toBe(300_000)
    expect(tryAt(1, { retry: false, linkEndsAt: later(-1) })).toBe(3_600_000)
  })

  it('is never sooner than polls may be apart while the provider is asked', () => {
    expect(tryAt(1, { leastMs: 60_000 })).toBe(60_000)
    expect(tryAt(1, { leastMs: 60_000, linkEndsAt: later(10_000) })).toBe(60_000)
  })
})

describe('an end', () => {
  it.each([
    ['failed', 0, 'failed'],
    ['expired', 3_599_999, undefined],
    ['expired', 3_600_000, 'expired'],
    ['absent', 86_399_999, undefined],
    ['absent', 86_400_000, 'abandoned'],
    ['processing', 86_400_000, undefined],
    ['processing', 30 * 86_400_000, 'abandoned'],
  ] as const)('of a report that has been %s for %i ms is %s', (status, ms, ending) => {
    expect(endingOf(status, later(-ms), NOW, POLICY)).toBe(ending)
  })
})

describe('a try', () => {
  const alive = { mayBeAlive: () => true, allowsHost: () => false }
  const dead = { ...alive, mayBeAlive: () => false }
  const ended: Attempt = { ...begin(undefined, NOW, 'a:1'), endedAt: NOW.toISOString(), begun: 0 }

  it('is due when it was put off to', () => {
    const put = { ...ended, nextAt: later(5000).toISOString() }
    expect(nextTryOf(put, NOW, alive)).toEqual(later(5000))
  })

  it('is not begun beside one that runs, and is when that must be dead', () => {
    const running = begin(undefined, NOW, 'a:1')
    expect(nextTryOf(running, NOW, alive)).toEqual(later(900_000))
    expect(nextTryOf(running, NOW, dead)).toEqual(NOW)
  })

  it('waits longer and longer when processes die at it again and again', () => {
    let attempt = begin(undefined, NOW, 'a:1')
    const waits: number[] = []
    for (let deaths = 0; deaths < 5; deaths++) {
      waits.push(nextTryOf(attempt, NOW, dead).getTime() - NOW.getTime())
      attempt = begin(attempt, NOW, 'a:1')
    }
    expect(waits).toEqual([0, 0, 60_000, 120_000, 240_000])
  })

  it('is believed no longer than the longest wait, whatever the clock did', () => {
    const odd = { ...ended, nextAt: later(LONGEST_WAIT_MS + 1).toISOString() }
    expect(nextTryOf(odd, NOW, alive)).toEqual(NOW)
  })

  it('after a refused host is due at once when that is allowed, and else when it was put off to', () => {
    const refused = {
      ...ended,
      refusedHost: 'odd.example.org',
      nextAt: later(LONGEST_REFUSED_MS).toISOString(),
    }
    expect(nextTryOf(refused, NOW, alive)).toEqual(later(LONGEST_REFUSED_MS))
    const allows = { ...alive, allowsHost: (host: string) => host === 'odd.example.org' }
    expect(nextTryOf(refused, NOW, allows)).toEqual(NOW)
    const odd = { ...refused, nextAt: later(LONGEST_REFUSED_MS + 1).toISOString() }
    expect(nextTryOf(odd, NOW, alive)).toEqual(NOW)
  })

  it('remembers since when the provider says one thing, and begins anew when it says another', () => {
    const first = { ...ended, heard: hear(ended, 'absent', NOW) }
    expect(hear(first, 'absent', later(10)).since).toBe(NOW.toISOString())
    expect(hear(first, 'expired', later(10)).since).toBe(later(10).toISOString())
  })
})
