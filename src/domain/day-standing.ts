/** What a person wants to know of a day in one look, and what keeps a month from being closed. Pure. */
import { addDays, type Day, dayOf } from './calendar.ts'
import type { DayCoverage } from './coverage.ts'
import type { ExplanationRecord, Finding, ReconciliationRecord } from './reconciliation.ts'

/** From the one that needs a person most to the one that needs nobody. */
export const STANDINGS = [
  /** A difference that nobody has answered. */
  'break',
  /** Nobody has asked for it, or the provider will not deliver. */
  'missing',
  /** Rows of its report could not be read. */
  'quarantined',
  /** Asked for, and not what readers see yet. */
  'pending',
  /** Readers see its rows; nothing has proved them yet. */
  'covered',
  /** Differences, all of which a person has answered. */
  'explained',
  /** The balances and the rows add up. */
  'proved',
  /** It cannot be asked for yet. */
  'future',
] as const
export type Standing = (typeof STANDINGS)[number]

/** What is known of a day. `coverage` is absent where the provider makes no reports. */
export interface DayKnowledge {
  readonly coverage: DayCoverage | undefined
  /** Every run, in order. */
  readonly runs: readonly ReconciliationRecord[]
  readonly explanations: readonly ExplanationRecord[]
  readonly isFuture: boolean
}

export function standingOf(known: DayKnowledge): Standing {
  const { coverage, runs, isFuture } = known
  const proof = provenAs(known)
  if (proof === 'break') return 'break'
  if (coverage === undefined) return proof ?? (runs.length > 0 ? 'pending' : isFuture ? 'future' : 'missing')
  const wallets = Object.values(coverage.wallets)
  const states = wallets.map(({ state }) => state)
  if (states.every(state => state === 'published')) {
    if (wallets.some(({ quarantined }) => quarantined > 0)) return 'quarantined'
    return proof ?? 'covered'
  }
  if (states.some(state => state === 'missing' || state === 'failed')) return isFuture ? 'future' : 'missing'
  return 'pending'
}

function provenAs({ runs, explanations }: DayKnowledge): 'break' | 'explained' | 'proved' | undefined {
  const newest = runs.at(-1)
  if (newest === undefined) return undefined
  if (newest.verdict === 'matched' || newest.verdict === 'within_tolerance') return 'proved'
  if (newest.verdict !== 'break') return undefined
  return openFindings(runs, explanations).some(({ verdict }) => verdict === 'break') ? 'break' : 'explained'
}

/** Whether a finding asks for a person's answer. */
function needsPerson({ verdict }: Finding): boolean {
  return verdict === 'break' || verdict === 'unproven'
}

/** The findings of the newest run that ask for an answer and have none. */
export function openFindings(
  runs: readonly ReconciliationRecord[],
  explanations: readonly ExplanationRecord[],
): Finding[] {
  const found = runs.at(-1)?.findings.filter(needsPerson) ?? []
  return found.filter(finding => !isAnswered(finding, runs, explanations))
}

/** Whether a person has answered these very numbers: an answer to other numbers answers nothing. */
export function isAnswered(
  finding: Finding,
  runs: readonly ReconciliationRecord[],
  explanations: readonly ExplanationRecord[],
): boolean {
  return explanations.some(({ kind, run, finding: id }) => {
    if (kind !== 'explained' || id !== finding.id) return false
    const answered = runs.find(each => each.run === run)?.findings.find(each => each.id === id)
    return (
      answered !== undefined &&
      answered.verdict === finding.verdict &&
      answered.expected === finding.expected &&
      answered.actual === finding.actual
    )
  })
}

/** One thing that keeps a month open. */
export interface Lack {
  readonly kind: 'not-over' | 'missing' | 'pending' | 'quarantined' | 'unproved' | 'break' | 'unproven'
  readonly days: readonly Day[]
}

/** What each keeps a month open with, as people are told on the page and in the pack. */
export const LACK_WORDS: Readonly<Record<Lack['kind'], string>> = {
  'not-over': 'These days cannot be asked for yet',
  missing: 'No report covers these days',
  pending: 'A report is on its way',
  quarantined: 'Rows of these days could not be read',
  unproved: 'These days have not been proved by balances',
  break: 'A difference waits for an answer',
  unproven: 'What a side means is not confirmed, and nobody has answered it',
}

/**
 * The first day that nobody can know anything of yet. `newestBeforeTodayDays` is how long after a day its report
 * can be asked for (days, UTC); `undefined` where there are no reports, or their rules are not known.
 */
export function firstFutureDay(now: Date, newestBeforeTodayDays: number | undefined): Day {
  return newestBeforeTodayDays === undefined ? dayOf(now) : addDays(dayOf(now), 1 - newestBeforeTodayDays)
}

/** What keeps a month open; nothing: it is ready to be closed. */
export function lacksOf(days: ReadonlyMap<Day, DayKnowledge>): Lack[] {
  const kinds = new Map<Lack['kind'], Day[]>()
  const lack = (kind: Lack['kind'], day: Day) => kinds.set(kind, [...(kinds.get(kind) ?? []), day])
  for (const [day, known] of days) {
    const standing = standingOf(known)
    if (standing === 'future') lack('not-over', day)
    else if (standing === 'covered') {
      const verdict = known.runs.at(-1)?.verdict
      const isAnswered = verdict === 'unproven' && openFindings(known.runs, known.explanations).length === 0
      if (!isAnswered) lack(verdict === 'unproven' ? 'unproven' : 'unproved', day)
    } else if (standing === 'explained') {
      if (openFindings(known.runs, known.explanations).length > 0) lack('unproven', day)
    } else if (standing !== 'proved') lack(standing, day)
  }
  return [...kinds].map(([kind, lacking]) => ({ kind, days: lacking }))
}
