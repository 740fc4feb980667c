/** `daybook quota`: what the month's reports were spent on. */
import type { Command } from 'commander'
import { monthOf } from '../domain/calendar.ts'
import { opensAt, type Slot, spent } from '../domain/quota.ts'
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
    .option('--account <name>', 'the merchant account; not needed when there is one')
    .option('--month <month>', 'YYYY-MM; this month (UTC) when absent', readMonth)
    .action(exitsWith(runQuota))
}

async function runQuota(options: QuotaOptions): Promise<ExitCode> {
  const { withSession, chooseAccount } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const { ref, monthlyLimit } = chooseAccount(daybook, options.account)
    const month = options.month ?? monthOf(daybook.context.clock.now())
    const slots = await daybook.context.ledger.month(ref, month)
    const used = spent(slots)
    const left = Math.max(0, monthlyLimit - used)
    const summary = {
      account: ref.account,
      month,
      limit: monthlyLimit,
      spent: used,
      left,
      opensAt: opensAt(month),
    }
    terminal.result('quota', { ...summary, slots }, [
      `${ref.provider}/${ref.account}, ${month}: ${used} of ${monthlyLimit} used, ${left} left`,
      ...(slots.length === 0
        ? []
        : tableText(['slot', 'outcome', 'days', 'claimed at', 'reason'], slots.map(lineOf))),
    ])
    return EXIT.done
  })
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
      return 'unknown (no answer recorded)'
    case 'accepted':
      return `accepted ${outcome.reportId}`
    case 'rejected':
      return `rejected ${outcome.code}`
    case 'unknown':
      return 'unknown'
  }
}
