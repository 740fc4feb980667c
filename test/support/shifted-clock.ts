import type { Clock } from '../../src/host.ts'
import { systemClock } from '../../src/host.ts'

/** A clock that runs, but from `start`: so that no test meets the turn of a real month. */
export function shiftedClock(start = '2026-10-15T12:00:00Z'): Clock & { shift(ms: number): void } {
  let offsetMs = new Date(start).getTime() - systemClock.now().getTime()
  return {
    now: () => new Date(systemClock.now().getTime() + offsetMs),
    sleep: systemClock.sleep,
    shift(ms) {
      offsetMs += ms
    },
  }
}
