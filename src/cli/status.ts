/** `daybook status`: what there is, and what is unfinished. */
import type { Command } from 'commander'
import { monthOf } from '../domain/calendar.ts'
import { isUnsettled, spent } from '../domain/quota.ts'
import {
  type AcceptedRecord,
  type Manifest,
  type ReportState,
  reportState,
  type WalletScope,
} from '../domain/report.ts'
import type { Context } from '../stages/context.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import { countText, tableText } from './terminal.ts'

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
parsed (its rows are counted and published), unsolicited (a callback for a report nobody here asked for).
What stops a report is in the log of "daybook serve", and "daybook archive REPORT" says it at once.`,
    )
    .action(exitsWith(runStatus))
}

interface ReportStatusLine {
  readonly reportId: string
  readonly state: ReportState
  readonly days: string | null
  readonly wallets: WalletScope | null
  readonly askedAt: string | null
  readonly rows: number | null
  readonly quarantined: number | null
  /** Days of the report whose rows readers see, of all its days. */
  readonly published: { readonly days: number; readonly of: number } | null
}

async function runStatus(options: StatusOptions): Promise<ExitCode> {
  const { withSession, chooseAccount } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const accounts =
      options.account === undefined
        ? daybook.accounts.filter(({ provider }) => provider.reports !== undefined)
        : [chooseAccount(daybook, options.account)]
    const statuses = await Promise.all(accounts.map(account => accountStatus(daybook.context, account)))
    terminal.say(`Store: ${daybook.context.store.address}`)
    terminal.result(
      'status',
      { store: daybook.context.store.address, accounts: statuses },
      statuses.flatMap(textOf),
    )
    return EXIT.done
  })
}

async function accountStatus(context: Context, { ref, monthlyLimit }: WiredAccount) {
  const month = monthOf(context.clock.now())
  const [slots, reports] = await Promise.all([
    context.ledger.month(ref, month),
    reportStatuses(context, { ref }),
  ])
  const lost = slots.filter(isUnsettled).map(({ number, claim }) => ({
    slot: number,
    days: daysText(claim.request.range),
    askedAt: claim.claimedAt,
  }))
  return { ...ref, quota: { month, spent: spent(slots), limit: monthlyLimit }, lost, reports }
}

async function reportStatuses(
  { reports }: Context,
  { ref }: Pick<WiredAccount, 'ref'>,
): Promise<ReportStatusLine[]> {
  const lines: ReportStatusLine[] = []
  for await (const { reportId, parts } of reports.list(ref)) {
    const [accepted, manifest] = await Promise.all([
      parts.has('accepted') ? reports.read(ref, reportId, 'accepted') : undefined,
      parts.has('manifest') ? reports.read(ref, reportId, 'manifest') : undefined,
    ])
    lines.push({ reportId, state: reportState(parts), ...questionOf(accepted), ...resultOf(manifest) })
  }
  return lines
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
      ({ slot, days, askedAt }) =>
        `  slot ${slot}: the answer for ${days}, asked at ${askedAt}, was lost; it counts as spent and waits for a callback`,
    ),
  ]
  if (reports.length > 0) return [...lines, ...tableText(HEADER, reports.map(cellsOf), RIGHT)]
  return lost.length > 0 ? lines : [...lines, 'No reports yet; ask for one with "daybook submit".']
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
    askedAt?.replace(/\.\d+Z$/, 'Z') ?? '',
    rows === null ? '' : countText(rows),
    quarantined === null ? '' : countText(quarantined),
    published === null ? '' : `${published.days} of ${published.of} days`,
  ]
}
