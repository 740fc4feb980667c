/**
 * The last try to move a report on: when, by whom, what came of it, and when the next is due. It is written
 * before the work as well as after it, so that a report which kills its process is noticed too; and it is
 * advice: whoever loses it tries sooner than need be, and nothing else is lost.
 */
import { z } from 'zod'
import { LONGEST_REFUSED_MS, LONGEST_WAIT_MS } from './polling.ts'

const instant = z.iso.datetime()
const count = z.number().int().nonnegative()

export const attemptRecord = z.object({
  begunAt: instant,
  by: z.string(),
  /** Tries begun since one last ended: more than one when processes died at it. */
  begun: count,
  /** `null` while it runs, and for ever when its process died. */
  endedAt: instant.nullable(),
  /** Tries in a row that failed. */
  failures: count,
  /** Why the report is not finished, in words. */
  says: z.string().nullable(),
  /** Whether waiting can help; `false`: a person must look. */
  retry: z.boolean(),
  /** What the provider said at last, where it gave no file, and since when it has said so. */
  heard: z
    .object({ status: z.enum(['processing', 'failed', 'expired', 'absent']), since: instant })
    .nullable(),
  nextAt: instant.nullable(),
  /** The host of the only link there is, when nobody allows it. */
  refusedHost: z.string().nullable().default(null),
})
export type Attempt = z.infer<typeof attemptRecord>

/** Longer than a try may take: whoever has not ended it by then is taken for dead. */
const LEASE_MS = 900_000

/** A process may die twice for reasons of its own; from then on the report is suspected. */
const INNOCENT_DEATHS = 2
const DEATH_WAIT_MS = 60_000

export interface AroundTry {
  /** Whether the process of that name may still be at work. */
  readonly mayBeAlive: (processName: string) => boolean
  /** Whether files may be fetched from a host by what is configured now. */
  readonly allowsHost: (host: string) => boolean
}

/** When the next try is due, going by the last one. */
export function nextTryOf(attempt: Attempt, now: Date, { mayBeAlive, allowsHost }: AroundTry): Date {
  const begun = new Date(attempt.begunAt).getTime()
  const { endedAt, nextAt, refusedHost } = attempt
  if (endedAt !== null && refusedHost !== null && allowsHost(refusedHost)) return new Date(endedAt)
  if (endedAt !== null) {
    const longest = refusedHost === null ? LONGEST_WAIT_MS : LONGEST_REFUSED_MS
    return believable(new Date(nextAt ?? endedAt), now, longest)
  }
  if (mayBeAlive(attempt.by)) return believable(new Date(begun + LEASE_MS), now)
  if (attempt.begun <= INNOCENT_DEATHS) return new Date(begun)
  const wait = DEATH_WAIT_MS * 2 ** (attempt.begun - INNOCENT_DEATHS - 1)
  return believable(new Date(begun + Math.min(wait, LONGEST_WAIT_MS)), now)
}

/** A clock that was set back must not make a wait longer than the longest. */
function believable(due: Date, now: Date, longestMs = LONGEST_WAIT_MS): Date {
  return due.getTime() - now.getTime() > longestMs ? now : due
}

/** The record of a try that begins. */
export function begin(last: Attempt | undefined, now: Date, by: string): Attempt {
  return {
    begunAt: now.toISOString(),
    by,
    begun: (last?.endedAt === null ? last.begun : 0) + 1,
    endedAt: null,
    failures: last?.failures ?? 0,
    says: last?.says ?? null,
    retry: last?.retry ?? true,
    heard: last?.heard ?? null,
    nextAt: null,
    refusedHost: null,
  }
}

/** What the provider says now, and since when it has said just that. */
export function hear(
  last: Attempt,
  status: NonNullable<Attempt['heard']>['status'],
  now: Date,
): NonNullable<Attempt['heard']> {
  return last.heard?.status === status ? last.heard : { status, since: now.toISOString() }
}
