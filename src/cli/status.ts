/** `daybook status`: what there is, and what is unfinished. */
import type { Command } from 'commander'
import { monthOf } from '../domain/calendar.ts'
import { spent } from '../domain/quota.ts'
import { type AcceptedRecord, type ReportState, reportState } from '../domain/report.ts'
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
    .action(exitsWith(runStatus))
}

interface ReportStatusLine {
  readonly reportId: string
  readonly state: ReportState
  readonly days: string | null
  readonly askedAt: string | null
  readonly rows: number | null
}

async function runStatus(options: StatusOptions): Promise<ExitCode> {
  const { withSession, chooseAccount } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const accounts =
      options.account === undefined ? daybook.accounts : [chooseAccount(daybook, options.account)]
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
  return { ...ref, quota: { month, spent: spent(slots), limit: monthlyLimit }, reports }
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
    const rows = manifest?.rows.written ?? null
    lines.push({ reportId, state: reportState(parts), ...questionOf(accepted), rows })
  }
  return lines
}

function questionOf(accepted: AcceptedRecord | undefined): { days: string | null; askedAt: string | null } {
  if (accepted === undefined) return { days: null, askedAt: null }
  return { days: daysText(accepted.request.range), askedAt: accepted.askedAt }
}

function textOf({ provider, account, quota, reports }: Awaited<ReturnType<typeof accountStatus>>): string[] {
  const title = `${provider}/${account}: ${quota.spent} of ${quota.limit} reports used in ${quota.month}`
  if (reports.length === 0) return [title, 'No reports yet; ask for one with "daybook submit".']
  const rows = reports.map(({ reportId, state, days, askedAt, rows }) => [
    reportId,
    state,
    days ?? 'unknown days',
    askedAt ?? '',
    rows === null ? '' : countText(rows),
  ])
  return [title, ...tableText(['report', 'state', 'days', 'asked at', 'rows'], rows, ['rows'])]
}
