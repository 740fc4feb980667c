/** `daybook quota`: what the month's reports were spent on. */
import type { Command } from 'commander'
import { type Month, monthOf } from '../domain/calendar.ts'
import { opensAt, type Slot, spent } from '../domain/quota.ts'
import type { Context } from '../stages/context.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText, readMonth } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import { tableText } from './terminal.ts'

interface QuotaOptions extends CommonOptions {
  readonly account?: string
  readonly month?: string
}

export function quotaCommand(): Command {
  return createCommand('quota', 'show what the reports of a month were spent on')
    .option('--account <name>', 'only this merchant account')
    .option('--month <month>', 'YYYY-MM; this month (UTC) when absent', readMonth)
    .action(exitsWith(runQuota))
}

async function runQuota(options: QuotaOptions): Promise<ExitCode> {
  const { withSession, reportAccounts } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const month = options.month ?? monthOf(daybook.context.clock.now())
    const accounts = reportAccounts(daybook, options.account)
    const quotas = await Promise.all(accounts.map(account => quotaOf(daybook.context, account, month)))
    terminal.result('quota', { month, opensAt: opensAt(month), accounts: quotas }, quotas.flatMap(textOf))
    return EXIT.done
  })
}

async function quotaOf({ ledger }: Context, { ref, monthlyLimit }: WiredAccount, month: Month) {
  const slots = await ledger.month(ref, month)
  const used = spent(slots)
  return { ...ref, month, limit: monthlyLimit, spent: used, left: Math.max(0, monthlyLimit - used), slots }
}

function textOf({
  provider,
  account,
  month,
  limit,
  spent,
  left,
  slots,
}: Awaited<ReturnType<typeof quotaOf>>): string[] {
  const title = `${provider}/${account}, ${month}: ${spent} of ${limit} used, ${left} left`
  if (slots.length === 0) return [title]
  return [title, ...tableText(['slot', 'outcome', 'days', 'claimed at', 'reason'], slots.map(lineOf))]
}

function lineOf({ number, claim, outcome }: Slot): string[] {
  const { request, claimedAt, reason } = claim
  return [
    number.toString().padStart(2, '0'),
    outcomeText(outcome),
    daysText(request.range),
    claimedAt,
    reason,
  ]
}

function outcomeText(outcome: Slot['outcome']): string {
  switch (outcome?.outcome) {
    case undefined:
      return 'unknown (no answer recorded), counts as spent'
    case 'accepted':
      return `accepted ${outcome.reportId}`
    case 'rejected':
      return `given back (${outcome.code})`
    case 'unknown':
      return 'unknown (answer lost), counts as spent'
  }
}
