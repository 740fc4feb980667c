/** Whether a month is all there and adds up, as a statement; `day-standing.ts` judges the days. Pure. */
import { addDays, type Day, type Month } from './calendar.ts'
import { type DayState, rangesOf } from './coverage.ts'
import {
  type DayKnowledge,
  isAnswered,
  LACK_WORDS,
  lacksOf,
  type Standing,
  standingOf,
} from './day-standing.ts'
import type { AccountRef } from './keys.ts'
import type { Verdict } from './reconciliation.ts'

/** What is known of one day when a month is closed. */
export interface DayKnown extends DayKnowledge {
  readonly day: Day
}

export interface DayStatement {
  readonly day: Day
  readonly standing: Standing
  /** `null` where the provider makes no reports. */
  readonly spot: DayState | null
  readonly funding: DayState | null
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
 * `proved`: balances and rows of every day agree. `complete`: nothing keeps the month open, but some days rest on
 * the answer of a person. `incomplete`: anything else.
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

export function monthStatement(ref: AccountRef, month: Month, known: readonly DayKnown[]): MonthStatement {
  const days = known.map(statementOfDay)
  const lacks = lacksOf(new Map(known.map(each => [each.day, each])))
  const isOpen = days.length === 0 || lacks.length > 0
  const answered = days.filter(({ standing }) => standing === 'explained' || standing === 'covered')
  const isProved = !isOpen && answered.length === 0
  return {
    ...ref,
    month,
    verdict: isProved ? 'proved' : isOpen ? 'incomplete' : 'complete',
    days,
    lacking: [
      ...lacks.map(lack => sentence(LACK_WORDS[lack.kind], lack.days)),
      ...(isOpen || isProved
        ? []
        : [
            sentence(
              'A person has answered for these days',
              answered.map(({ day }) => day),
            ),
          ]),
    ],
  }
}

function sentence(words: string, days: readonly Day[]): string {
  const stretches = rangesOf(days).map(({ start, end }) => {
    const last = addDays(end, -1)
    return start === last ? start : `${start} to ${last}`
  })
  return `${words}: ${stretches.join(', ')}.`
}

function statementOfDay(known: DayKnown): DayStatement {
  const { day, coverage, runs, explanations } = known
  const wallets = Object.values(coverage?.wallets ?? {})
  const newest = runs.at(-1)
  const breaks = newest?.findings.filter(({ verdict }) => verdict === 'break') ?? []
  return {
    day,
    standing: standingOf(known),
    spot: coverage?.wallets.spot.state ?? null,
    funding: coverage?.wallets.funding.state ?? null,
    reportIds: [...new Set(wallets.flatMap(({ reportId }) => reportId ?? []))],
    quarantined: Math.max(0, ...wallets.map(({ quarantined }) => quarantined)),
    proof: newest?.verdict ?? 'not-run',
    breaks: breaks.map(({ id }) => id),
    unexplained: breaks.filter(each => !isAnswered(each, runs, explanations)).map(({ id }) => id),
  }
}
