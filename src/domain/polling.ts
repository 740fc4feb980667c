/**
 * When a report is looked at again, and when that ends. Nothing here is stored: every answer follows from
 * records and from the last try. Times are milliseconds unless they are dates.
 */
import type { EndedRecord, Ending } from './report.ts'

export interface PollPolicy {
  /** From the asking to the first poll, while nothing has been learnt of the account. */
  readonly firstMs: number
  /** No report is polled more often than this. */
  readonly leastMs: number
  /** How long the provider must have said that a link has run out before the report has ended. */
  readonly expiredMs: number
  /** How long the provider may not know a report before it is given up. */
  readonly absentMs: number
  /** How long the provider may be at work on a report before it is given up. */
  readonly abandonMs: number
}

/** The longest time between two tries, whatever happened. */
export const LONGEST_WAIT_MS = 3_600_000
const FIRST_WAIT_MS = 2_000
/** The longest time where only another configuration can help: a try then finds out if the provider has moved. */
export const LONGEST_REFUSED_MS = 86_400_000

/** How long a finished report took; `query`: at most so long, for it was found ready and not announced. */
export interface Duration {
  readonly ms: number
  readonly by: 'callback' | 'query'
}

/** So many of an account's newest reports teach how long the next one takes. */
export const MOST_DURATIONS = 20

/**
 * How long after the asking an account's reports are usually ready. Callbacks tell it exactly: four of five
 * had come by then. Polls tell only that a report took no longer, so of those the shortest counts; a poll
 * that came late never makes the next one later.
 */
export function usualMs(durations: readonly Duration[], policy: PollPolicy): number {
  const times = (by: Duration['by']) =>
    durations
      .filter(duration => duration.by === by)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b)
  const called = times('callback')
  const polled = times('query')
  const usual = called.length > 0 ? called[Math.ceil(called.length * 0.8) - 1] : polled[0]
  return Math.min(Math.max(usual ?? policy.firstMs, policy.leastMs), LONGEST_WAIT_MS)
}

/** The first poll of a report that nothing has been heard of. */
export function firstPollAt(askedAt: Date, usual: number): Date {
  return new Date(askedAt.getTime() + usual)
}

/** The next poll of a report that was not ready: half as much again of the time it has taken so far. */
export function nextPollAt(askedAt: Date, now: Date, policy: PollPolicy): Date {
  const elapsed = Math.max(0, now.getTime() - askedAt.getTime())
  const wait = Math.min(Math.max(elapsed / 2, policy.leastMs), LONGEST_WAIT_MS)
  return new Date(now.getTime() + Math.round(wait))
}

/**
 * The next try after one that failed: later and later, and what a retry cannot mend as late as any, since a
 * person must mend it. A link that will run out is tried again while half its life is left.
 */
export function nextTryAt(
  now: Date,
  failures: number,
  { retry, leastMs, linkEndsAt }: { retry: boolean; leastMs: number; linkEndsAt: Date | undefined },
): Date {
  const patience = retry ? Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS) : LONGEST_WAIT_MS
  const left = linkEndsAt === undefined ? 0 : linkEndsAt.getTime() - now.getTime()
  const wait = left > 0 ? Math.min(patience, Math.max(left / 2, FIRST_WAIT_MS)) : patience
  return new Date(now.getTime() + Math.max(Math.round(wait), leastMs))
}

/** The next try after a link to a host that nobody allows: hours later, up to a day. */
export function nextTryOfRefused(now: Date, failures: number): Date {
  return new Date(now.getTime() + Math.min(LONGEST_WAIT_MS * 2 ** (failures - 1), LONGEST_REFUSED_MS))
}

/** How a report ends of which the provider says this, and has said it since then; `undefined`: not yet. */
export function endingOf(
  status: EndedRecord['status'],
  since: Date,
  now: Date,
  policy: PollPolicy,
): Ending | undefined {
  const forMs = now.getTime() - since.getTime()
  switch (status) {
    case 'failed':
      return 'failed'
    case 'expired':
      return forMs >= policy.expiredMs ? 'expired' : undefined
    case 'absent':
      return forMs >= policy.absentMs ? 'abandoned' : undefined
    case 'processing':
      return forMs >= policy.abandonMs ? 'abandoned' : undefined
  }
}
