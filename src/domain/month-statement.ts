/** Whether a month is all there and adds up: a pure function of coverage, findings and what people said of them. */
import { addDays, type Day, type Month } from './calendar.ts'
import { type DayCoverage, type DayState, rangesOf } from './coverage.ts'
import type { AccountRef } from './keys.ts'
import type { ExplanationRecord, ReconciliationRecord, Verdict } from './reconciliation.ts'

/** What is known of one day when a month is closed. */
export interface DayKnown {
  readonly coverage: DayCoverage
  /** The newest run; absent while the day was never reconciled. */
  readonly reconciliation?: ReconciliationRecord
  readonly explanations: readonly ExplanationRecord[]
}

export interface DayStatement {
  readonly day: Day
  readonly spot: DayState
  readonly funding: DayState
  /** The reports that the wallets' rows are from. */
  readonly reportIds: readonly string[]
  /** Unreadable rows of these reports; which day such a row belongs to cannot always be told. */
  readonly quarantined: number
  readonly proof: Verdict | 'not-run'
  /** The ids of findings that are breaks, and of those the ones that nobody has explained. */
  readonly breaks: readonly string[]
  readonly unexplained: readonly string[]
}

/**
 * `proved`: every day is published and its balances agree with its rows. `complete`: every day is published
 * without an unreadable row, and no break is left unexplained, but not every day is proved. `incomplete`: anything
 * else.
 */
export type MonthVerdict = 'proved' | 'complete' | 'incomplete'

export interface MonthStatement {
  readonly provider: string
  readonly account: string
  readonly month: Month
  readonly verdict: MonthVerdict
  readonly days: readonly DayStatement[]
  /** Why it is not better than it is, one sentence a matter; empty when it is proved. */
  readonly lacking: readonly string[]
}

/** Verdicts that leave nothing open. */
const PROVED: ReadonlySet<DayStatement['proof']> = new Set(['matched', 'within_tolerance'])

export function monthStatement(ref: AccountRef, month: Month, known: readonly DayKnown[]): MonthStatement {
  const days = known.map(statementOfDay)
  const unpublished = days.filter(({ spot, funding }) => spot !== 'published' || funding !== 'published')
  const quarantined = days.filter(day => day.quarantined > 0)
  const unexplained = days.filter(day => day.unexplained.length > 0)
  const explained = days.filter(day => day.breaks.length > 0 && day.unexplained.length === 0)
  const unproved = days.filter(({ proof }) => !PROVED.has(proof) && proof !== 'break')
  const isComplete =
    days.length > 0 && [unpublished, quarantined, unexplained].every(some => some.length === 0)
  const isProved = isComplete && unproved.length === 0 && explained.length === 0
  return {
    ...ref,
    month,
    verdict: isProved ? 'proved' : isComplete ? 'complete' : 'incomplete',
    days,
    lacking: [
      ...matter(unpublished, 'not published for both wallets'),
      ...matter(quarantined, 'from a report with rows that could not be read'),
      ...matter(unexplained, 'with a difference that nobody has explained'),
      ...matter(explained, 'with a difference that was explained'),
      ...matter(unproved, 'not proved by balances'),
    ],
  }
}

function matter(days: readonly DayStatement[], says: string): string[] {
  if (days.length === 0) return []
  const stretches = rangesOf(days.map(({ day }) => day)).map(({ start, end }) => {
    const last = addDays(end, -1)
    return start === last ? start : `${start} to ${last}`
  })
  return [`${days.length} ${days.length === 1 ? 'day' : 'days'} ${says}: ${stretches.join(', ')}.`]
}

function statementOfDay({ coverage, reconciliation, explanations }: DayKnown): DayStatement {
  const { spot, funding } = coverage.wallets
  const breaks = (reconciliation?.findings ?? [])
    .filter(({ verdict }) => verdict === 'break')
    .map(({ id }) => id)
  const answered = new Set(
    explanations.filter(({ kind }) => kind === 'explained').map(({ finding }) => finding),
  )
  return {
    day: coverage.day,
    spot: spot.state,
    funding: funding.state,
    reportIds: [...new Set([spot.reportId, funding.reportId].filter(id => id !== null))],
    quarantined: Math.max(spot.quarantined, funding.quarantined),
    proof: reconciliation?.verdict ?? 'not-run',
    breaks,
    unexplained: breaks.filter(id => !answered.has(id)),
  }
}
