/** What is known of every day: a pure function of reports, their manifests and the slots. */
import { addDays, covers, type Day, type DayRange, daysOf } from './calendar.ts'
import { isSpent, type Slot } from './quota.ts'
import type { Manifest, ReportRequest, WalletScope } from './report.ts'

/** The wallets whose activity a report can hold. */
export const WALLETS = ['spot', 'funding'] as const
export type Wallet = (typeof WALLETS)[number]

/** What a day can be, from the least to the most that is known of it. */
export const DAY_STATES = [
  /** Nobody has asked for it. */
  'missing',
  /** Asked for, and the provider will not deliver. */
  'failed',
  /** Asked for, but the answer was lost: a report may come. */
  'unanswered',
  /** Asked for, and the provider is at work. */
  'requested',
  /** A file is here, but its rows are not what readers see. */
  'archived',
  /** Readers see its rows. */
  'published',
] as const
export type DayState = (typeof DAY_STATES)[number]

/** What one wallet's day is. A proof against balances would be one more field. */
export interface WalletDay {
  readonly state: DayState
  /** The report that made it so; `null` while no report is known. */
  readonly reportId: string | null
  /** Rows of that report that could not be read. A row without a readable time belongs to no day of it. */
  readonly quarantined: number
}

export interface DayCoverage {
  readonly day: Day
  readonly wallets: Readonly<Record<Wallet, WalletDay>>
}

/** A report of which it is known what it was asked for. */
export interface KnownReport {
  readonly reportId: string
  readonly request: ReportRequest
  readonly askedAt: string
  readonly state: 'requested' | 'failed' | 'archived' | 'parsed'
  /** The newest manifest; absent until it is parsed. */
  readonly manifest?: Manifest
}

export interface CoverageFacts {
  readonly reports: readonly KnownReport[]
  readonly slots: readonly Slot[]
}

/** What one report or slot says of one day. */
interface Word extends WalletDay {
  /** Of two words of one state the later one counts. */
  readonly at: string
}

interface Source {
  readonly request: ReportRequest
  wordOn(day: Day): Word
}

/** What is known of every day of `range`, in order. */
export function coverageOf(facts: CoverageFacts, range: DayRange): DayCoverage[] {
  const sources = sourcesOf(facts)
  return daysOf(range).map(day => {
    const words = sources.filter(({ request }) => covers(request.range, day))
    return { day, wallets: { spot: best(words, day, 'spot'), funding: best(words, day, 'funding') } }
  })
}

const NOTHING: WalletDay = { state: 'missing', reportId: null, quarantined: 0 }

function best(sources: readonly Source[], day: Day, wallet: Wallet): WalletDay {
  let found: Word | undefined
  for (const source of sources) {
    if (!isAbout(source.request.wallets, wallet)) continue
    const word = source.wordOn(day)
    if (found === undefined || compareWords(word, found) > 0) found = word
  }
  if (found === undefined) return NOTHING
  const { state, reportId, quarantined } = found
  return { state, reportId, quarantined }
}

function isAbout(scope: WalletScope, wallet: Wallet): boolean {
  return scope === 'all' || scope === wallet
}

function compareWords(a: Word, b: Word): number {
  const order = DAY_STATES.indexOf(a.state) - DAY_STATES.indexOf(b.state)
  return order !== 0 ? order : a.at < b.at ? -1 : a.at > b.at ? 1 : 0
}

function sourcesOf({ reports, slots }: CoverageFacts): Source[] {
  const known = new Set(reports.map(({ reportId }) => reportId))
  return [...reports.map(reportSource), ...slots.flatMap(slot => slotSource(slot, known))]
}

function reportSource(report: KnownReport): Source {
  const { reportId, request, askedAt, state, manifest } = report
  if (manifest === undefined) {
    const word: Word = {
      state: state === 'parsed' ? 'archived' : state,
      reportId,
      quarantined: 0,
      at: askedAt,
    }
    return { request, wordOn: () => word }
  }
  const published = new Set(
    manifest.days.filter(({ publication }) => publication === 'published').map(({ day }) => day),
  )
  return {
    request,
    wordOn: day => ({
      state: published.has(day) ? 'published' : 'archived',
      reportId,
      quarantined: manifest.rows.quarantined,
      at: manifest.generatedAt,
    }),
  }
}

/** A slot speaks until its report does. */
function slotSource(slot: Slot, known: ReadonlySet<string>): Source[] {
  if (!isSpent(slot)) return []
  const { request, claimedAt } = slot.claim
  const reportId = slot.outcome?.outcome === 'accepted' ? slot.outcome.reportId : null
  if (reportId !== null && known.has(reportId)) return []
  const word: Word = {
    state: reportId === null ? 'unanswered' : 'requested',
    reportId,
    quarantined: 0,
    at: claimedAt,
  }
  return [{ request, wordOn: () => word }]
}

/**
 * The days of `range` that no report about all wallets holds or is expected to bring: those are worth
 * asking for. Only such a report can publish a day.
 */
export function openDays(facts: CoverageFacts, range: DayRange): Day[] {
  const sources = sourcesOf(facts).filter(({ request }) => request.wallets === 'all')
  const withheld = new Set(facts.reports.filter(isWithheld).map(({ reportId }) => reportId))
  return daysOf(range).filter(
    day =>
      !sources.some(source => {
        const { state, reportId } = source.wordOn(day)
        return covers(source.request.range, day) && state !== 'failed' && !withheld.has(reportId ?? '')
      }),
  )
}

/** A report that was parsed and must not publish: no other stage will change that. */
function isWithheld({ manifest }: KnownReport): boolean {
  return manifest?.days.some(({ publication }) => publication === 'withheld') === true
}

/** The days of `range` that have been asked for with all wallets, whatever came of it. */
export function askedDays(facts: CoverageFacts, range: DayRange): ReadonlySet<Day> {
  const requests = sourcesOf(facts).map(({ request }) => request)
  return new Set(
    daysOf(range).filter(day =>
      requests.some(request => request.wallets === 'all' && covers(request.range, day)),
    ),
  )
}

/** Days as ranges without gaps; `days` must be in order. */
export function rangesOf(days: readonly Day[]): DayRange[] {
  const ranges: { start: Day; end: Day }[] = []
  for (const day of days) {
    const last = ranges.at(-1)
    if (last?.end === day) last.end = addDays(day, 1)
    else ranges.push({ start: day, end: addDays(day, 1) })
  }
  return ranges
}
