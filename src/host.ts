/** What the machine gives: time, chance, a name for this process and a place for its files. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
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

/** The person at this machine, for the records, as far as the machine knows. */
export function personName(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return `somebody@${hostname()}`
  }
}

/**
 * A new folder in the machine's temporary one. Folders of processes that have died here are removed, so
 * that a process that is killed again and again does not fill the disk.
 */
export async function makeWorkFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const [, owner] = /^daybook-work-(.+:\d+)-\w{6}$/.exec(name) ?? []
    if (owner === undefined || mayBeAlive(owner)) continue
    // Another user's is not ours to remove.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {})
  }
  return mkdtemp(join(tmpdir(), `daybook-work-${processName()}-`))
}

/** Whether the process that `processName` named may still be at work. Of other machines nothing is known. */
export function mayBeAlive(name: string): boolean {
  const colon = name.lastIndexOf(':')
  return name.slice(0, colon) !== hostname() || isAlive(Number.parseInt(name.slice(colon + 1), 10))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
