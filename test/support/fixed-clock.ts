/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/host.ts'

export interface FixedClock extends Clock {
  /** Moves time forward and wakes whoever slept until then; resolves when they have had their turn. */
  advance(ms: number): Promise<void>
  /** Sets the time, forward or back. Wakes nobody. */
  set(instant: Date | string): void
  /** How long each sleep so far was asked to last, in milliseconds. */
  readonly slept: readonly number[]
  /** How many sleep now. */
  sleeping(): number
}

/**
 * Stands at `start`. With `jumps` (the default) a sleep returns at once and takes the time with it; with
 * `waits` it lasts until the test advances the clock.
 */
export function fixedClock(
  start: Date | string = '2026-03-10T12:00:00.000Z',
  sleeps: 'jumps' | 'waits' = 'jumps',
): FixedClock {
  let nowMs = new Date(start).getTime()
  const slept: number[] = []
  const sleepers = new Set<{ untilMs: number; wake: () => void }>()

  async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { untilMs: nowMs + ms, wake: resolve }
    const abort = () => reject(signal?.reason)
    sleepers.add(sleeper)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      sleepers.delete(sleeper)
      signal?.removeEventListener('abort', abort)
    }
  }

  return {
    slept,
    now: () => new Date(nowMs),
    sleeping: () => sleepers.size,
    set: instant => {
      nowMs = new Date(instant).getTime()
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      if (sleeps === 'waits' && ms > 0) return wait(ms, signal)
      nowMs += ms
      await Promise.resolve()
    },
    async advance(ms) {
      nowMs += ms
      const due = [...sleepers].filter(({ untilMs }) => untilMs <= nowMs)
      for (const { wake } of due.sort((one, other) => one.untilMs - other.untilMs)) wake()
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}
