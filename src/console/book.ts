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
  overlap,
  rangeOfMonth,
} from '../domain/calendar.ts'
import { type ClosingRecord, changedSince } from '../domain/closing.ts'
import { type CoverageFacts, coverageOf } from '../domain/coverage.ts'
import {
  type DayKnowledge,
  firstFutureDay,
  isAnswered,
  lacksOf,
  openFindings,
  STANDINGS,
  type Standing,
} from '../domain/day-standing.ts'
import { DaybookError } from '../domain/errors.ts'
import type { AccountRef } from '../domain/keys.ts'
import { isSpent, isUnsettled, spent } from '../domain/quota.ts'
import { isFinished, isSameRows } from '../domain/report.ts'
import type { PlannedAccount } from '../planning.ts'
import type { Context } from '../stages/context.ts'
import { closingsOf } from '../stores/closing-log.ts'
import { dayMovementsReader } from '../stores/day-movements.ts'
import { type DayFindings, indexedFindings } from '../stores/indexed-findings.ts'
import { type IndexedReport, indexedReports } from '../stores/indexed-reports.ts'
import { balanceBook } from './balance-book.ts'
import { amountLine } from './format.ts'
import { type Fresh, fresh } from './fresh.ts'
import {
  dayLineOf,
  evidenceOf,
  findingLinesOf,
  matches,
  type ReportFilter,
  reportLineOf,
  slotLineOf,
  timelineOf,
} from './lines.ts'
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

  async function knowledge(range: DayRange): Promise<Map<Day, DayKnowledge & { readonly day: Day }>> {
    const { facts, findings } = await known()
    const future = firstFutureDay(clock.now(), provider.reports?.window?.newestBeforeTodayDays)
    // Only what can say something of these days is asked about each of them.
    const near = {
      slots: facts.slots.filter(({ claim: { request } }) => overlap(request.range, range)),
      reports: facts.reports.filter(({ request }) => overlap(request.range, range)),
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
    const range = rangeOfMonth(month)
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
          .map(({ job, outcome, begunAt, says, nextAt }) => ({ job, outcome, begunAt, says, nextAt })),
      }
    },

    async day(day) {
      const { reports: indexed } = await known()
      const each = (await knowledge({ start: day, end: addDays(day, 1) })).get(day)!
      const published = await movements.read(ref, day)
      const about = [...indexed.values()].filter(
        ({ accepted }) =>
          accepted !== undefined && overlap(accepted.request.range, { start: day, end: addDays(day, 1) }),
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
      const { accepted, manifest } = indexed
      const range = accepted?.request.range
      const lines = range === undefined ? [] : await days(range)
      return {
        line: lineOf(indexed),
        timeline: timelineOf(indexed, callback?.receivedAt, callback?.keySerial, lines),
        evidence: evidenceOf(ref, indexed, callback),
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

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
