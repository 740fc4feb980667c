/** The read model: everything the desk tells of an account, made of the stores' records and nothing else. */
import { nextTryOf } from '../domain/attempt.ts'
import {
  addDays,
  addMonths,
  type Day,
  type DayRange,
  dayOf,
  daysOf,
  type Month,
  monthOf,
} from '../domain/calendar.ts'
import { type ClosingRecord, changedSince } from '../domain/closing.ts'
import { type CoverageFacts, coverageOf } from '../domain/coverage.ts'
import {
  type DayKnowledge,
  daysOfMonth,
  isAnswered,
  lacksOf,
  openFindings,
  STANDINGS,
  type Standing,
  standingOf,
} from '../domain/day-standing.ts'
import { DaybookError } from '../domain/errors.ts'
import { type AccountRef, reportKeys } from '../domain/keys.ts'
import { isSpent, isUnsettled, type Slot, spent } from '../domain/quota.ts'
import { isFinished, isSameRows, reportState } from '../domain/report.ts'
import { nextRun } from '../domain/schedule.ts'
import { newestDay, type PlannedAccount } from '../planning.ts'
import type { Context } from '../stages/context.ts'
import { closingsOf } from '../stores/closing-log.ts'
import { dayMovementsReader } from '../stores/day-movements.ts'
import { type DayFindings, indexedFindings } from '../stores/indexed-findings.ts'
import { type IndexedReport, indexedReports } from '../stores/indexed-reports.ts'
import { balanceBook } from './balance-book.ts'
import { amountLine } from './format.ts'
import { type Fresh, fresh } from './fresh.ts'
import type {
  BalancesView,
  DayLine,
  DayView,
  FindingLine,
  MonthView,
  OverviewView,
  QuotaView,
  ReportLine,
  ReportView,
} from './views.ts'

export type BookContext = Pick<
  Context,
  'store' | 'ledger' | 'reports' | 'work' | 'clock' | 'mayBeAlive' | 'allowsHost'
>

export interface ReportFilter {
  readonly state?: string | undefined
  readonly wallets?: string | undefined
  /** Reports about any day from here on, and up to here. */
  readonly from?: Day | undefined
  readonly to?: Day | undefined
  /** A part of the id, of the file's name, or of its SHA-256. */
  readonly search?: string | undefined
}

/** What the desk knows of one account. */
export interface AccountBook {
  readonly account: PlannedAccount
  readonly ref: AccountRef
  overview(): Promise<OverviewView>
  days(range: DayRange): Promise<DayLine[]>
  day(day: Day): Promise<DayView>
  /** The newest first. */
  reports(filter: ReportFilter): Promise<ReportLine[]>
  /** `undefined` for an id that nothing is known of. */
  report(reportId: string): Promise<ReportView | undefined>
  balances(range: DayRange, chosen?: { place: string; asset: string }): Promise<BalancesView>
  /** The newest days first. */
  findings(range: DayRange): Promise<FindingLine[]>
  month(month: Month): Promise<MonthView>
  quota(): Promise<QuotaView | null>
  /** What a closing of the month would rest on now. */
  closingDays(month: Month): Promise<ClosingRecord['days']>
  /** The first and the last day about which anything can be known. */
  span(): Promise<DayRange>
  /** Makes the next look go to the store. */
  forget(): void
  /** Changes whenever what the desk tells may have changed. */
  version(): Promise<string>
}

export interface Book {
  readonly accounts: readonly AccountBook[]
  /** Throws `not-found`. */
  find(ref: AccountRef): AccountBook
}

/** How old what a page shows may be, in milliseconds. */
const FRESH_MS = 1_000

/** Everything is listed as often as this. */
const EVERYTHING_MS = 600_000

export function openBook(context: BookContext, accounts: readonly PlannedAccount[]): Book {
  const books = accounts.map(account => accountBook(context, account))
  return {
    accounts: books,
    find({ provider, account }) {
      const found = books.find(({ ref }) => ref.provider === provider && ref.account === account)
      if (found !== undefined) return found
      throw new DaybookError('not-found', `There is no account ${provider}/${account}.`)
    },
  }
}

interface Known {
  readonly facts: CoverageFacts
  readonly reports: ReadonlyMap<string, IndexedReport>
  readonly findings: ReadonlyMap<Day, DayFindings>
}

function accountBook(context: BookContext, account: PlannedAccount): AccountBook {
  const { ref, provider } = account
  const { store, ledger, reports: log, work, clock } = context
  const index = indexedReports(context, ref)
  const findingsOf = indexedFindings(store, ref)
  const movements = dayMovementsReader(store)
  const balances = balanceBook(store, account, movements)
  const makesReports = provider.reports !== undefined

  const allSlots = fresh(clock, EVERYTHING_MS, () => ledger.since(ref, ''))
  const slots = fresh(clock, FRESH_MS, async () => {
    if (!makesReports) return []
    const all = await allSlots()
    const month = monthOf(clock.now())
    // Of older months only those can still change in which an answer was lost.
    const open = all.filter(isUnsettled).map(slot => slot.month)
    const months = new Set([addMonths(month, -1), month, ...open])
    const again = await Promise.all([...months].sort().map(each => ledger.month(ref, each)))
    return [...all.filter(slot => !months.has(slot.month)), ...again.flat()]
  })
  const foundFindings: Fresh<ReadonlyMap<Day, DayFindings>> = fresh(clock, FRESH_MS, findingsOf.load)
  const known: Fresh<Known> = fresh(clock, FRESH_MS, async () => {
    const [reports, covered, ledgerSlots, findings] = await Promise.all([
      index.current(),
      index.coverageReports(),
      slots(),
      foundFindings(),
    ])
    return { reports, findings, facts: { reports: covered, slots: ledgerSlots } }
  })

  /** From this day on nothing can be asked for yet. */
  function firstFutureDay(): Day {
    const now = clock.now()
    if (provider.reports?.window === undefined) return dayOf(now)
    return addDays(newestDay(account, now), 1)
  }

  async function knowledge(range: DayRange): Promise<Map<Day, DayKnowledge & { readonly day: Day }>> {
    const { facts, findings } = await known()
    const future = firstFutureDay()
    // Only what can say something of these days is asked about each of them.
    const near = {
      slots: facts.slots.filter(({ claim: { request } }) => touches(request.range, range)),
      reports: facts.reports.filter(({ request }) => touches(request.range, range)),
    }
    const covered = makesReports ? coverageOf(near, range) : []
    return new Map(
      daysOf(range).map((day, at) => {
        const { runs = [], explanations = [] } = findings.get(day) ?? {}
        return [day, { day, coverage: covered[at], runs, explanations, isFuture: day >= future }]
      }),
    )
  }

  async function quota(month = monthOf(clock.now())): Promise<QuotaView | null> {
    if (!makesReports) return null
    const all = (await slots()).filter(slot => slot.month === month)
    return {
      month,
      limit: account.monthlyLimit,
      reserve: account.planning.reserve,
      spent: spent(all),
      slots: all.map(slotLineOf),
    }
  }

  async function days(range: DayRange): Promise<DayLine[]> {
    return [...(await knowledge(range)).values()].map(dayLineOf)
  }

  async function span(): Promise<DayRange> {
    const { facts, findings } = await known()
    const end = addDays(dayOf(clock.now()), 1)
    const starts = [
      ...facts.reports.map(({ request }) => request.range.start),
      ...facts.slots.filter(isSpent).map(({ claim }) => claim.request.range.start),
      ...findings.keys(),
    ]
    return { start: starts.reduce((a, b) => (a < b ? a : b), end), end }
  }

  function lineOf(report: IndexedReport): ReportLine {
    return reportLineOf(ref, report)
  }

  async function reports(filter: ReportFilter): Promise<ReportLine[]> {
    const all = [...(await known()).reports.values()]
    const lines = all.map(lineOf).filter(line => matches(line, filter))
    return lines.sort(
      (a, b) => compareTexts(b.askedAt ?? '', a.askedAt ?? '') || compareTexts(b.reportId, a.reportId),
    )
  }

  /** One that is not known may have arrived a moment ago. */
  async function foundReport(reportId: string): Promise<IndexedReport | undefined> {
    const found = (await known()).reports.get(reportId)
    if (found !== undefined) return found
    forget()
    return (await known()).reports.get(reportId)
  }

  function forget(): void {
    index.invalidate()
    slots.forget()
    foundFindings.forget()
    known.forget()
  }

  async function working(reportsByNewest: readonly IndexedReport[]) {
    const open = reportsByNewest.filter(({ parts }) => !isFinished(parts)).slice(-MOST_WORKING)
    return Promise.all(
      open.map(async report => {
        const told = await attemptOf(report.reportId)
        return {
          reportId: report.reportId,
          state: lineOf(report).state,
          says: told?.says ?? 'The provider is at work.',
          nextAt: told?.nextAt ?? null,
        }
      }),
    )
  }

  async function attemptOf(reportId: string) {
    const { record } = await work.attempt(ref, reportId)
    if (record === undefined) return null
    const nextAt = nextTryOf(record, clock.now(), context).toISOString()
    const says = record.endedAt === null ? 'It is being worked on.' : (record.says ?? 'It is tried again.')
    return { says, nextAt, retry: record.retry }
  }

  async function findingLines(range: DayRange): Promise<FindingLine[]> {
    const { findings } = await known()
    const lines = [...findings]
      .filter(([day]) => range.start <= day && day < range.end)
      .sort(([a], [b]) => compareTexts(b, a))
    return lines.flatMap(([day, each]) => findingLinesOf(day, each))
  }

  async function closingDays(month: Month): Promise<ClosingRecord['days']> {
    const range = { start: `${month}-01`, end: `${addMonths(month, 1)}-01` }
    const { reports: indexed } = await known()
    return [...(await knowledge(range)).values()].map(each => {
      const line = dayLineOf(each)
      const newest = each.runs.at(-1)
      const answered = newest?.findings.filter(one => isAnswered(one, each.runs, each.explanations)) ?? []
      return {
        day: each.day,
        reportId: line.reportId,
        sha256: indexed.get(line.reportId ?? '')?.archive?.sha256 ?? null,
        run: newest?.run ?? null,
        verdict: newest?.verdict ?? null,
        explained: answered.length,
      }
    })
  }

  return {
    account,
    ref,
    days,
    reports,
    span,
    closingDays,
    quota: () => quota(),
    findings: findingLines,

    async overview() {
      const month = monthOf(clock.now())
      const { reports: indexed, findings } = await known()
      const all = [...indexed.values()]
      const lines = await reports({})
      const standings = new Map<Standing, number>(STANDINGS.map(standing => [standing, 0]))
      for (const { standing } of await days(rangeOfMonth(month)))
        standings.set(standing, (standings.get(standing) ?? 0) + 1)
      const open = [...findings]
        .map(([day, { runs, explanations }]) => ({ day, open: openFindings(runs, explanations).length }))
        .filter(each => each.open > 0)
      const jobs = await work.jobs()
      const name = `${ref.provider}/${ref.account}`
      return {
        ...ref,
        quota: await quota(month),
        lastReport: lines[0] ?? null,
        month: { month, days: Object.fromEntries(standings) as OverviewView['month']['days'] },
        openFindings: open.reduce((sum, each) => sum + each.open, 0),
        oldestOpenDay: open.map(({ day }) => day).sort()[0] ?? null,
        working: await working(all),
        jobs: jobs
          .filter(({ job }) => job === 'sweep' || job.endsWith(`/${name}`))
          .map(run => {
            const { job, outcome, begunAt, says } = run
            return { job, outcome, begunAt, says, nextAt: nextRun(run, clock.now()) }
          }),
      }
    },

    async day(day) {
      const { reports: indexed } = await known()
      const each = (await knowledge({ start: day, end: addDays(day, 1) })).get(day)!
      const published = await movements.read(ref, day)
      const about = [...indexed.values()].filter(
        ({ accepted }) =>
          accepted !== undefined && touches(accepted.request.range, { start: day, end: addDays(day, 1) }),
      )
      const newest = each.runs.at(-1)
      const corrections = about.flatMap(({ reportId, manifest }) => {
        const change = manifest?.days.find(one => one.day === day)?.change
        if (manifest === undefined || change === undefined || isSameRows(change)) return []
        const { generatedAt, parserVersion } = manifest
        return [{ reportId, generatedAt, parserVersion, change }]
      })
      return {
        ...ref,
        line: dayLineOf(each),
        published:
          published === undefined
            ? null
            : {
                key: published.key,
                size: published.size,
                rows: published.rows,
                reportId: published.reportId,
                generatedAt: published.generatedAt,
                operations: published.operations.map(one => ({ ...one })),
                movements: published.movements.map(amountLine),
              },
        reports: about.map(lineOf).sort((a, b) => compareTexts(b.askedAt ?? '', a.askedAt ?? '')),
        runs: each.runs.map(({ run, ranAt, by, verdict }) => ({ run, ranAt, by, verdict })).reverse(),
        assumptions: [...(newest?.assumptions ?? [])],
        findings: findingLinesOf(day, each),
        corrections: corrections.sort((a, b) => compareTexts(b.generatedAt, a.generatedAt)),
      }
    },

    async report(reportId) {
      const indexed = await foundReport(reportId)
      if (indexed === undefined) return undefined
      const [callback, attempt] = await Promise.all([
        indexed.parts.has('callback') ? log.read(ref, reportId, 'callback') : undefined,
        isFinished(indexed.parts) ? null : attemptOf(reportId),
      ])
      const { accepted, archive, manifest, ended } = indexed
      const range = accepted?.request.range
      const lines = range === undefined ? [] : await days(range)
      return {
        line: lineOf(indexed),
        timeline: timelineOf(indexed, callback?.receivedAt, callback?.keySerial, lines),
        evidence: [
          ...(archive === undefined
            ? []
            : [
                { name: 'File', value: reportKeys(ref, reportId).file(archive.file) },
                { name: 'SHA-256 of the file', value: archive.sha256 },
                {
                  name: 'Fetched from',
                  value: archive.host ?? (archive.via === 'import' ? 'a person' : 'unknown'),
                },
              ]),
          ...(callback === undefined
            ? []
            : [
                { name: 'Callback', value: reportKeys(ref, reportId).callback },
                { name: 'SHA-256 of the callback', value: callback.bodySha256 },
                { name: 'Verified with key', value: callback.keySerial },
                { name: 'Signed at', value: callback.signedAt },
              ]),
          ...(accepted === undefined
            ? []
            : [
                { name: 'Request', value: reportKeys(ref, reportId).accepted },
                ...(accepted.by === undefined ? [] : [{ name: 'Vouched for by', value: accepted.by }]),
              ]),
          ...(manifest === undefined
            ? []
            : [
                { name: 'Read as', value: `${manifest.source.container}, ${manifest.source.layout}` },
                { name: 'Parser', value: manifest.parserVersion },
              ]),
          ...(manifest?.quarantine ? [{ name: 'Quarantine', value: manifest.quarantine }] : []),
          ...(ended === undefined
            ? []
            : [{ name: 'Ended', value: `${ended.outcome}: the provider says ${ended.status}` }]),
        ],
        working: attempt,
        days: (manifest?.days ?? []).map(each => ({
          day: each.day,
          rows: each.rows,
          publication: each.publication,
          sha256: each.sha256,
          changed:
            each.change === undefined || isSameRows(each.change)
              ? null
              : `+${each.change.added} −${each.change.removed} rows, ${each.change.altered} altered`,
        })),
        sums: manifest?.sums ?? [],
        operations: manifest?.operations ?? [],
        reasons: manifest?.reasons ?? {},
        notes: manifest?.notes ?? [],
      }
    },

    balances: (range, chosen) => balances.view(range, chosen),

    async month(month) {
      const range = rangeOfMonth(month)
      const each = await knowledge(range)
      const lacks = lacksOf(each)
      const { reports: indexed } = await known()
      const lines = [...each.values()].map(dayLineOf)
      const used = new Set(lines.flatMap(({ reportId }) => reportId ?? []))
      const closings = await closingsOf(store, ref, month)
      const newest = closings.at(-1)
      return {
        ...ref,
        month,
        ready: lacks.length === 0,
        lacks: lacks.map(({ kind, days: lacking }) => ({ kind, days: [...lacking] })),
        days: lines,
        reports: [...used].flatMap(id => indexed.get(id) ?? []).map(lineOf),
        findings: (await findingLines(range)).filter(
          ({ verdict }) => verdict !== 'matched' && verdict !== 'not_checkable',
        ),
        closings,
        changed: newest === undefined ? [] : changedSince(newest, await closingDays(month)),
      }
    },

    forget,

    async version() {
      const { facts, findings } = await known()
      const said = [...findings.values()].map(({ runs, explanations }) => runs.length + explanations.length)
      const settled = facts.slots.map(({ outcome }) => outcome?.outcome ?? '-').join('')
      return `${index.version()}.${findings.size}.${said.reduce((a, b) => a + b, 0)}.${settled.length}.${settled.replaceAll('accepted', '')}`
    },
  }
}

/** So many unfinished reports are shown. */
const MOST_WORKING = 20

function touches(a: DayRange, b: DayRange): boolean {
  return a.start < b.end && b.start < a.end
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function rangeOfMonth(month: Month): DayRange {
  const days = daysOfMonth(month)
  return { start: days[0]!, end: addDays(days.at(-1)!, 1) }
}

function dayLineOf(known: DayKnowledge & { readonly day: Day }): DayLine {
  const { day, coverage, runs, explanations } = known
  const wallets = coverage === undefined ? undefined : Object.entries(coverage.wallets)
  return {
    day,
    standing: standingOf(known),
    wallets:
      wallets === undefined ? null : Object.fromEntries(wallets.map(([name, { state }]) => [name, state])),
    reportId: wallets?.find(([, { reportId }]) => reportId !== null)?.[1].reportId ?? null,
    quarantined: Math.max(0, ...(wallets ?? []).map(([, { quarantined }]) => quarantined)),
    verdict: runs.at(-1)?.verdict ?? null,
    openFindings: openFindings(runs, explanations).length,
  }
}

function findingLinesOf(day: Day, { runs, explanations }: DayFindings): FindingLine[] {
  const newest = runs.at(-1)
  return (newest?.findings ?? []).map(each => ({
    ...each,
    day,
    run: newest!.run,
    answered: isAnswered(each, runs, explanations),
    explanations: explanations.filter(({ finding: id }) => id === each.id),
  }))
}

function slotLineOf({ month, number, claim, outcome }: Slot): QuotaView['slots'][number] {
  return {
    month,
    number,
    from: claim.request.range.start,
    to: addDays(claim.request.range.end, -1),
    wallets: claim.request.wallets,
    reason: claim.reason,
    by: claim.by,
    claimedAt: claim.claimedAt,
    outcome: outcome?.outcome ?? 'claimed',
    reportId: outcome?.outcome === 'accepted' ? outcome.reportId : null,
  }
}

function reportLineOf(
  ref: AccountRef,
  { reportId, parts, accepted, archive, manifest, ended }: IndexedReport,
): ReportLine {
  const state = reportState(parts)
  const days = manifest?.days
  return {
    ...ref,
    reportId,
    state: state === 'ended' ? (ended?.outcome ?? 'failed') : state,
    from: accepted?.request.range.start ?? null,
    to: accepted === undefined ? null : addDays(accepted.request.range.end, -1),
    wallets: accepted?.request.wallets ?? null,
    askedAt: accepted?.askedAt ?? null,
    via: accepted?.via ?? null,
    slot: accepted?.slot == null ? null : `${accepted.slot.month}/${accepted.slot.number}`,
    file: archive === undefined ? null : { name: archive.name, size: archive.size, sha256: archive.sha256 },
    rows: manifest?.rows ?? null,
    publishedDays: days?.filter(({ publication }) => publication === 'published').length ?? null,
    days: days?.length ?? null,
  }
}

function matches(line: ReportLine, { state, wallets, from, to, search }: ReportFilter): boolean {
  if (state !== undefined && line.state !== state) return false
  if (wallets !== undefined && line.wallets !== wallets) return false
  if (from !== undefined && (line.to === null || line.to < from)) return false
  if (to !== undefined && (line.from === null || line.from > to)) return false
  if (search === undefined) return true
  const texts = [line.reportId, line.file?.name ?? '', line.file?.sha256 ?? '']
  return texts.some(text => text.toLowerCase().includes(search.toLowerCase()))
}

function timelineOf(
  { parts, accepted, archive, manifest, ended }: IndexedReport,
  calledAt: string | undefined,
  keySerial: string | undefined,
  days: readonly DayLine[],
): ReportView['timeline'] {
  const steps: ReportView['timeline'] = []
  if (accepted !== undefined) {
    const says = {
      answer: 'The provider took the request.',
      match: 'The answer was lost; the report was matched by its time.',
      settle: `The answer was lost; ${accepted.by ?? 'a person'} settled it.`,
      import: `${accepted.by ?? 'A person'} brought the file.`,
    }[accepted.via]
    steps.push({ step: 'asked', at: accepted.askedAt, says })
  }
  if (calledAt !== undefined)
    steps.push({ step: 'called', at: calledAt, says: `Its callback was verified with key ${keySerial}.` })
  if (archive !== undefined)
    steps.push({ step: 'archived', at: archive.archivedAt, says: `${archive.name} is kept as it came.` })
  if (manifest !== undefined) {
    const { read, written, quarantined, outside } = manifest.rows
    const says = `${read} rows read = ${written} written + ${quarantined} quarantined + ${outside} outside.`
    steps.push({ step: 'parsed', at: manifest.parsedAt, says })
    const published = manifest.days.filter(({ publication }) => publication === 'published').length
    steps.push({
      step: 'published',
      at: manifest.parsedAt,
      says: `${published} of ${manifest.days.length} days.`,
    })
    const proved = days.filter(({ standing }) => standing === 'proved' || standing === 'explained').length
    steps.push({
      step: 'proved',
      at: null,
      says: `${proved} of ${days.length} days add up or are explained.`,
    })
  }
  if (ended !== undefined && !parts.has('archive'))
    steps.push({
      step: 'ended',
      at: ended.endedAt,
      says: `It has ${ended.outcome === 'failed' ? 'failed' : `been given up: ${ended.outcome}`}.`,
    })
  return steps
}
