/** `daybook status`: what there is, and what is unfinished. */
import type { Command } from 'commander'
import { type Attempt, nextTryOf } from '../domain/attempt.ts'
import { addMonths, monthOf } from '../domain/calendar.ts'
import { countText } from '../domain/quantity-text.ts'
import { isUnsettled, spent } from '../domain/quota.ts'
import {
  type AcceptedRecord,
  type Ending,
  isFinished,
  type Manifest,
  type ReportPart,
  type ReportState,
  reportState,
  standingEnd,
  type WalletScope,
} from '../domain/report.ts'
import { type JobRun, nextRun } from '../domain/schedule.ts'
import type { Context } from '../stages/context.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import { tableText } from './terminal.ts'

interface StatusOptions extends CommonOptions {
  readonly account?: string
}

export function statusCommand(): Command {
  return createCommand('status', 'list the reports of every account with their state')
    .option('--account <name>', 'only this merchant account')
    .addHelpText(
      'after',
      `
States: accepted (asked for, the provider is at work), ready (its callback came), archived (the file is here),
parsed (its rows are counted and published), host-refused (its link names a host that is not allowed: nothing is
fetched until the configuration allows it or the provider gives another link), unsolicited (a callback for a report
nobody here asked for), failed, expired or abandoned (the provider will not deliver it; a file that comes all the
same is taken).
An unfinished report is shown with what keeps it and when it is tried next; "daybook sweep" tries what is due.
A slot whose answer was lost is settled by a callback, or by a person with "daybook settle".
Of jobs the last run is shown. A sweep that finds what the one before found is noted every ten minutes only.`,
    )
    .action(exitsWith(runStatus))
}

interface ReportStatusLine {
  readonly reportId: string
  readonly state: ReportState | Ending | 'host-refused'
  /** Of an unfinished report: what the last try came to, and when the next is due. */
  readonly attempt: AttemptLine | null
  readonly days: string | null
  readonly wallets: WalletScope | null
  readonly askedAt: string | null
  readonly rows: number | null
  readonly quarantined: number | null
  /** Days of the report whose rows readers see, of all its days. */
  readonly published: { readonly days: number; readonly of: number } | null
}

interface AttemptLine {
  readonly at: string
  /** Tries in a row that failed. */
  readonly failures: number
  /** Whether waiting can help; `false`: a person must look. */
  readonly retry: boolean
  readonly says: string | null
  readonly nextAt: string
  /** The host that the link names and that is not allowed. */
  readonly refusedHost: string | null
}

async function runStatus(options: StatusOptions): Promise<ExitCode> {
  const { withSession, reportAccounts } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const accounts = reportAccounts(daybook, options.account)
    const statuses = await Promise.all(accounts.map(account => accountStatus(daybook.context, account)))
    const jobs = await daybook.context.work.jobs()
    terminal.say(`Store: ${daybook.context.store.address}`)
    terminal.result('status', { store: daybook.context.store.address, accounts: statuses, jobs }, [
      ...statuses.flatMap(textOf),
      ...jobs.map(job => jobText({ ...job, nextAt: nextRun(job, daybook.context.clock.now()) })),
    ])
    return EXIT.done
  })
}

async function accountStatus(context: Context, { ref, monthlyLimit }: WiredAccount) {
  const month = monthOf(context.clock.now())
  const [recent, reports] = await Promise.all([
    context.ledger.since(ref, addMonths(month, -MONTHS_OF_LOST_ANSWERS)),
    reportStatuses(context, { ref }),
  ])
  const slots = recent.filter(slot => slot.month === month)
  const lost = recent.filter(isUnsettled).map(({ number, claim, ...slot }) => ({
    month: slot.month,
    slot: number,
    days: daysText(claim.request.range),
    askedAt: claim.claimedAt,
  }))
  return { ...ref, quota: { month, spent: spent(slots), limit: monthlyLimit }, lost, reports }
}

/** Slots of so many months before this one are looked through for answers that were lost. */
const MONTHS_OF_LOST_ANSWERS = 12

async function reportStatuses(
  context: Context,
  { ref }: Pick<WiredAccount, 'ref'>,
): Promise<ReportStatusLine[]> {
  const { store, reports } = context
  const { readManifest, reparsedVersions } = await import('../stores/manifests.ts')
  const versions = await reparsedVersions(store, ref)
  const lines: ReportStatusLine[] = []
  for await (const { reportId, parts } of reports.list(ref)) {
    const [accepted, manifest] = await Promise.all([
      parts.has('accepted') ? reports.read(ref, reportId, 'accepted') : undefined,
      parts.has('manifest')
        ? readManifest(store, reports, ref, reportId, versions.get(reportId) ?? 0)
        : undefined,
    ])
    const attempt = isFinished(parts) ? null : await attemptOf(context, ref, reportId)
    const isRefused = (attempt?.refusedHost ?? null) !== null
    const state = isRefused ? 'host-refused' : await stateOf(context, ref, reportId, parts)
    lines.push({ reportId, state, attempt, ...questionOf(accepted), ...resultOf(manifest) })
  }
  return lines
}

async function stateOf(
  { reports }: Context,
  ref: WiredAccount['ref'],
  reportId: string,
  parts: ReadonlySet<ReportPart>,
): Promise<ReportState | Ending> {
  const end = standingEnd(parts)
  const ended = end === undefined ? undefined : await reports.read(ref, reportId, end)
  return ended?.outcome ?? reportState(parts)
}

async function attemptOf(
  context: Context,
  ref: WiredAccount['ref'],
  reportId: string,
): Promise<AttemptLine | null> {
  const { record } = await context.work.attempt(ref, reportId)
  if (record === undefined) return null
  const { failures, retry } = record
  const nextAt = nextTryOf(record, context.clock.now(), context).toISOString()
  const isRefused = record.refusedHost !== null && !context.allowsHost(record.refusedHost)
  const refusedHost = isRefused ? record.refusedHost : null
  return { at: record.begunAt, failures, retry, says: saysOf(record), nextAt, refusedHost }
}

function saysOf({ endedAt, says, begun }: Attempt): string | null {
  if (endedAt !== null) return says
  return begun > 1 ? `Begun ${begun} times and never ended.` : 'Being worked on.'
}

function questionOf(accepted: AcceptedRecord | undefined) {
  if (accepted === undefined) return { days: null, wallets: null, askedAt: null }
  const { request, askedAt } = accepted
  return { days: daysText(request.range), wallets: request.wallets, askedAt }
}

function resultOf(manifest: Manifest | undefined) {
  if (manifest === undefined) return { rows: null, quarantined: null, published: null }
  const { rows, days } = manifest
  const published = days.filter(({ publication }) => publication === 'published').length
  return {
    rows: rows.written,
    quarantined: rows.quarantined,
    published: { days: published, of: days.length },
  }
}

function textOf({
  provider,
  account,
  quota,
  lost,
  reports,
}: Awaited<ReturnType<typeof accountStatus>>): string[] {
  const lines = [
    `${provider}/${account}: ${quota.spent} of ${quota.limit} reports used in ${quota.month}`,
    ...lost.map(
      ({ slot, days, askedAt, ...of }) =>
        `  slot ${slot} of ${of.month}: the answer for ${days}, asked at ${askedAt}, was lost; it counts as spent until a callback or "daybook settle" settles it`,
    ),
  ]
  if (reports.length > 0)
    return [...lines, ...tableText(HEADER, reports.map(cellsOf), RIGHT), ...reports.flatMap(waitText)]
  return lost.length > 0 ? lines : [...lines, 'No reports yet; ask for one with "daybook submit".']
}

/** `report 4667: The provider does not know it. Failed 3 times; next try 2026-10-15T12:00:00Z` */
function waitText({ reportId, attempt }: ReportStatusLine): string[] {
  if (attempt === null) return []
  const { says, failures, retry, nextAt } = attempt
  const failed = failures === 0 ? '' : ` Failed ${failures === 1 ? 'once' : `${failures} times`}.`
  const person = retry ? '' : ' A person must look.'
  return [`  ${reportId}: ${says ?? ''}${failed}${person} Next try ${shortTime(nextAt)}.`]
}

/** `job sweep: done at 2026-10-15T12:00:00Z (nothing unfinished); next 2026-10-15T12:01:00Z` */
function jobText({ job, outcome, failures, begunAt, says, nextAt }: JobRun): string {
  const tries = failures > 1 ? ` ${failures} times` : ''
  const next = nextAt === null ? '' : `; next ${shortTime(nextAt)}`
  return `job ${job}: ${outcome}${tries} at ${shortTime(begunAt)}${says === '' ? '' : ` (${says})`}${next}`
}

function shortTime(instant: string): string {
  return instant.replace(/\.\d+Z$/, 'Z')
}

const HEADER = ['report', 'state', 'days', 'wallets', 'asked at', 'rows', 'quarantined', 'published']
const RIGHT = ['rows', 'quarantined', 'published']

function cellsOf(report: ReportStatusLine): string[] {
  const { reportId, state, days, wallets, askedAt, rows, quarantined, published } = report
  return [
    reportId,
    state,
    days ?? 'unknown',
    wallets ?? '',
    askedAt === null ? '' : shortTime(askedAt),
    rows === null ? '' : countText(rows),
    quarantined === null ? '' : countText(quarantined),
    published === null ? '' : `${published.days} of ${published.of} days`,
  ]
}
