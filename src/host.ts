/** What the machine gives: time, chance and a name for this process. They enter here and nowhere else. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** Time as an input, so that a test can stop it. */
export interface Clock {
  now(): Date
  /** Resolves after `ms` milliseconds; rejects when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
}

/** Chance as an input, so that a test can fix it. */
export interface Random {
  /** `length` random characters of `0-9a-f`. */
  hex(length: number): string
  /** A number from 0 up to, not including, 1; for jitter only. */
  fraction(): number
}

export const systemRandom: Random = {
  hex: length =>
    randomBytes(Math.ceil(length / 2))
      .toString('hex')
      .slice(0, length),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
}

/** Who is doing something, for the records: host and process. */
export function processName(): string {
  return `${hostname()}:${process.pid}`
}
