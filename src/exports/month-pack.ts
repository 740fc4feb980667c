/**
 * What closing a month rests on, as a zip: a statement of completeness, the reports with their hashes, the findings
 * and what was said of them, exact totals.
 * The same objects always give the same bytes, once every day of the month can be asked for.
 */
import { formatAmount } from '../domain/amount.ts'
import { addDays, type DayRange, daysOf, type Month, rangeOfMonth } from '../domain/calendar.ts'
import { coverageOf, type KnownReport } from '../domain/coverage.ts'
import { firstFutureDay } from '../domain/day-standing.ts'
import { writePrettyJson } from '../domain/json.ts'
import { type AccountRef, activityKey } from '../domain/keys.ts'
import { type DayKnown, type MonthStatement, monthStatement } from '../domain/month-statement.ts'
import type { ArchiveRecord } from '../domain/report.ts'
import { safeText } from '../formats/cell-text.ts'
import { csvLine } from '../formats/csv-writer.ts'
import type { ZipEntry } from '../formats/zip-writer.ts'
import type { Clock } from '../host.ts'
import type { Provider } from '../providers/provider.ts'
import { mapAtOnce } from '../stores/at-once.ts'
import { type CoverageStores, loadCoverageFacts } from '../stores/coverage-facts.ts'
import type { ObjectStore } from '../stores/object-store.ts'
import { explanationsOf, reconciliationsOf } from '../stores/reconciliation-log.ts'
import { hashedZip, textEntry } from './hashed-zip.ts'
import { publishedRows, type RowsOptions } from './rows.ts'
import { type TotalRow, totalsOf } from './totals.ts'

/** A file name of plain characters; `.zip` goes behind it. */
export function monthPackName({ provider, account }: AccountRef, month: Month): string {
  return `month-${provider}-${account}-${month}`
}

/** A month with everything that the pack tells of it, but for the rows. */
export interface MonthFacts {
  readonly ref: AccountRef
  readonly range: DayRange
  readonly statement: MonthStatement
  readonly known: readonly DayKnown[]
  /** The reports that were asked for with a day of the month in them, in the order of their ids' text. */
  readonly reports: ReadonlyArray<KnownReport & { readonly archived: ArchiveRecord | undefined }>
}

/** How many days or reports are read at once. */
const AT_ONCE = 8

/** Everything that is known of a month, as the desk's page of it judges it. */
export async function loadMonth(
  stores: CoverageStores & { readonly clock: Clock },
  { ref, provider }: { readonly ref: AccountRef; readonly provider: Provider },
  month: Month,
): Promise<MonthFacts> {
  const range = rangeOfMonth(month)
  const facts = await loadCoverageFacts(stores, ref, range.start)
  const coverage = provider.reports === undefined ? [] : coverageOf(facts, range)
  const future = firstFutureDay(stores.clock.now(), provider.reports?.window?.newestBeforeTodayDays)
  const known = await mapAtOnce(
    [...daysOf(range).entries()],
    AT_ONCE,
    async ([at, day]): Promise<DayKnown> => {
      const [runs, explanations] = await Promise.all([
        reconciliationsOf(stores.store, ref, day),
        explanationsOf(stores.store, ref, day),
      ])
      return { day, coverage: coverage[at], runs, explanations, isFuture: day >= future }
    },
  )
  const touching = facts.reports.filter(({ request }) => request.range.start < range.end)
  const reports = await mapAtOnce(touching, AT_ONCE, async report => ({
    ...report,
    archived: await stores.reports.read(ref, report.reportId, 'archive'),
  }))
  return { ref, range, statement: monthStatement(ref, month, known), known, reports }
}

/** The pack of a month as a stream; throws as `publishedRows` does. */
export function monthPack(
  store: ObjectStore,
  facts: MonthFacts,
  options: RowsOptions = {},
): AsyncGenerator<Uint8Array> {
  const { ref, range } = facts
  async function* entries(): AsyncGenerator<ZipEntry> {
    const { statement } = facts
    yield textEntry('README.txt', readmeOf(facts))
    yield textEntry('statement.txt', statementText(statement))
    yield textEntry('statement.json', writePrettyJson(statement))
    yield textEntry('statement.csv', statementCsv(statement))
    yield textEntry('reports.csv', reportsCsv(facts))
    yield textEntry('findings.csv', findingsCsv(facts))
    yield textEntry('findings.json', writePrettyJson(facts.known.map(findingsData)))
    const perDay: string[] = [csvLine(['date', ...TOTAL_TITLES])]
    const whole = totalsOf()
    const byDay = new Map(daysOf(range).map(day => [day, totalsOf()]))
    for await (const { day, rows } of publishedRows(store, ref, range, options)) {
      byDay.get(day)?.add(rows)
      whole.add(rows)
    }
    for (const [day, totals] of byDay)
      perDay.push(...totals.list().map(total => csvLine([day, ...totalCells(total)])))
    yield textEntry(
      'totals.csv',
      [csvLine(TOTAL_TITLES), ...whole.list().map(total => csvLine(totalCells(total)))].join(''),
    )
    yield textEntry('totals-by-day.csv', perDay.join(''))
  }
  return hashedZip(monthPackName(ref, facts.statement.month), entries())
}

const TOTAL_TITLES = ['wallet', 'asset', 'rows', 'in', 'out', 'net']

function totalCells({ wallet, asset, rows, paidIn, paidOut }: TotalRow): string[] {
  const amounts = [paidIn, paidOut, paidIn + paidOut].map(formatAmount)
  return [safeText(wallet), safeText(asset), rows.toString(), ...amounts]
}

function statementCsv({ days }: MonthStatement): string {
  const lines = days.map(({ day, standing, spot, funding, reportIds, proof, ...counts }) =>
    csvLine([
      day,
      standing,
      spot ?? '',
      funding ?? '',
      reportIds.join(' '),
      counts.quarantined.toString(),
      proof,
      `${counts.breaks.length}`,
      `${counts.unexplained.length}`,
    ]),
  )
  const titles = [
    'date',
    'standing',
    'spot',
    'funding',
    'reports',
    'quarantined',
    'proof',
    'breaks',
    'unexplained',
  ]
  return [csvLine(titles), ...lines].join('')
}

const VERDICTS: Readonly<Record<MonthStatement['verdict'], string>> = {
  proved: 'Balances and rows of every day agree.',
  complete: 'Every day is there. Some rest on what a person has answered, and not on balances alone.',
  incomplete: 'The month is not complete.',
}

/** The statement as a person reads it. */
function statementText({ provider, account, month, verdict, days, lacking }: MonthStatement): string {
  const table = days.map(({ day, standing, spot, funding, proof }) => {
    const state = spot === funding ? (spot ?? '-') : `spot ${spot}, funding ${funding}`
    return `${day}  ${standing.padEnd(11)}  ${state.padEnd(12)}  ${proof}`
  })
  return [
    `Statement of completeness: ${provider}/${account}, ${month} (UTC days)`,
    '',
    `${verdict.toUpperCase()}: ${VERDICTS[verdict]}`,
    ...lacking.map(says => `- ${says}`),
    '',
    'date        standing     rows          proof',
    ...table,
    '',
  ].join('\n')
}

function reportsCsv({ reports }: MonthFacts): string {
  const titles = [
    'report',
    'from',
    'to',
    'wallets',
    'state',
    'asked_at',
    'generated_at',
    'file',
    'bytes',
    'sha256',
  ]
  const counts = ['read', 'written', 'quarantined', 'outside'] as const
  const lines = reports.map(({ reportId, request, state, askedAt, manifest, archived }) =>
    csvLine([
      safeText(reportId),
      request.range.start,
      addDays(request.range.end, -1),
      request.wallets,
      state,
      askedAt,
      manifest?.generatedAt ?? '',
      safeText(archived?.file ?? ''),
      archived?.size.toString() ?? '',
      archived?.sha256 ?? '',
      ...counts.map(count => manifest?.rows[count].toString() ?? ''),
    ]),
  )
  return [csvLine([...titles, ...counts]), ...lines].join('')
}

/** Every finding that is more than a match, with what was said of it. */
function findingsCsv({ known }: MonthFacts): string {
  const titles = [
    'date',
    'finding',
    'verdict',
    'class',
    'expected',
    'actual',
    'difference',
    'tolerance',
    'says',
    'explanations',
  ]
  const lines = known.flatMap(({ day, runs, explanations }) =>
    (runs.at(-1)?.findings ?? [])
      .filter(({ verdict }) => verdict !== 'matched' && verdict !== 'not_checkable')
      .map(finding =>
        csvLine([
          day,
          safeText(finding.id),
          finding.verdict,
          finding.class ?? '',
          finding.expected ?? '',
          finding.actual ?? '',
          finding.difference ?? '',
          finding.tolerance,
          safeText(finding.says),
          safeText(
            explanations
              .filter(one => one.finding === finding.id)
              .map(({ at, by, kind, says }) => `${kind} by ${by} at ${at}: ${says}`)
              .join('; '),
          ),
        ]),
      ),
  )
  return [csvLine(titles), ...lines].join('')
}

function findingsData({ day, runs, explanations }: DayKnown) {
  return { day, reconciliation: runs.at(-1) ?? null, explanations }
}

function readmeOf({ ref, range, statement }: MonthFacts): string {
  return `${ref.provider}/${ref.account}, ${statement.month}: ${range.start} up to, not including, ${range.end} (UTC)

statement.txt, .json, .csv   whether every day is there, and whether balances prove it
reports.csv                  every report with a day of the month, and the SHA-256 of its file as it was archived
findings.csv, .json          what was found when balances and rows were compared, and what was said of it
totals.csv                   sums of the published rows by wallet and asset, exact; totals-by-day.csv by day
SHA256SUMS                   of all files here: sha256sum -c SHA256SUMS

The rows themselves are the objects ${activityKey(ref, 'YYYY-MM-DD')}; "daybook export rows" writes them
as CSV or for a spreadsheet, "daybook export evidence" the original file of a report with its signature.
In the CSV files a text that a spreadsheet could take for a formula has an apostrophe in front.
`
}
