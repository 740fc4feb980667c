/** `daybook submit`: asks for a report. */
import { type Command, Option } from 'commander'
import { daysBetween } from '../domain/calendar.ts'
import { countOf } from '../domain/quantity-text.ts'
import { type ReportRequest, WALLET_SCOPES, type WalletScope } from '../domain/report.ts'
import type { SubmitOutcome } from '../stages/submit.ts'
import { createCommand, exitsWith } from './command.ts'
import { type DayOptions, dayOptions, daysText, rangeOf } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface SubmitOptions extends CommonOptions, DayOptions {
  readonly account?: string
  readonly wallet: WalletScope
  readonly again?: boolean
  readonly reason: string
}

export function submitCommand(): Command {
  const command = createCommand('submit', 'ask Binance Pay for a balance report, under the monthly quota')
  for (const option of dayOptions()) command.addOption(option)
  return command
    .option('--account <name>', 'the merchant account; not needed when there is one')
    .addOption(
      new Option('--wallet <wallet>', 'a report about one wallet is archived but not published')
        .choices(WALLET_SCOPES)
        .default('all'),
    )
    .option('--again', 'ask although the same days have been asked for; spends quota')
    .option('--reason <text>', 'why, for the record', 'command')
    .addHelpText(
      'after',
      `
At most 89 days at once, and nothing newer than three days ago (UTC). The result is the report's id. The file
comes later: run "daybook serve" to take the callback, or "daybook archive" to ask for it.

Example:
  daybook submit --month 2026-09`,
    )
    .action(exitsWith(runSubmit))
}

async function runSubmit(options: SubmitOptions): Promise<ExitCode> {
  const request: ReportRequest = { range: rangeOf(options), wallets: options.wallet }
  const { withSession, chooseAccount } = await import('./session.ts')
  const { submit } = await import('../stages/submit.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const account = chooseAccount(daybook, options.account, 'reports')
    const input = { request, reason: options.reason, again: options.again ?? false }
    const outcome = await submit(daybook.context, account, input)
    terminal.say(explain(outcome, request))
    const id = 'reportId' in outcome && outcome.reportId !== undefined ? [outcome.reportId] : []
    terminal.result('submit', { account: account.ref.account, request, ...outcome }, id)
    return exitCodeOf(outcome)
  })
}

/** What became of a request, in a sentence. */
export function explain(outcome: SubmitOutcome, { range }: ReportRequest): string {
  const days = daysText(range)
  switch (outcome.outcome) {
    case 'accepted':
      return `Asked for ${days} (${countOf(daysBetween(range.start, range.end), 'day')}); slot ${outcome.slot} of ${outcome.month}.`
    case 'already-requested':
      return outcome.reportId === undefined
        ? `${days} was asked for at ${outcome.askedAt} (slot ${outcome.slot} of ${outcome.month}), but the answer was lost; the report may exist. Its callback settles that. To ask once more, and spend quota, add --again.`
        : `${days} was asked for at ${outcome.askedAt}; nothing was spent. To ask once more, add --again.`
    case 'quota-exhausted':
      return `All ${outcome.limit} reports of ${outcome.month} are used; the next can be asked for from ${outcome.opensAt.toISOString()}.`
    case 'month-turning':
      return `The month is turning and it is not certain whose quota would be spent; ask again from ${outcome.opensAt.toISOString()}.`
    case 'not-askable':
      return outcome.says
    case 'rejected':
      return `${outcome.says} No report was made and no quota was spent.`
    case 'unknown':
      return `${outcome.says} A report may have been made, so slot ${outcome.slot} of ${outcome.month} counts as spent until a callback settles it. Nothing is asked again by itself.`
  }
}

export function exitCodeOf(outcome: SubmitOutcome): ExitCode {
  switch (outcome.outcome) {
    case 'accepted':
      return EXIT.done
    case 'already-requested':
      return outcome.reportId === undefined ? EXIT.notReady : EXIT.done
    case 'quota-exhausted':
      return EXIT.quota
    case 'month-turning':
    case 'unknown':
      return EXIT.notReady
    case 'not-askable':
      return EXIT.usage
    case 'rejected':
      return EXIT.failed
  }
}
