/** `daybook fetch-activity`: the movements of days, of providers that tell them without a report. */
import type { Command } from 'commander'
import { daysOf } from '../domain/calendar.ts'
import { countOf } from '../domain/quantity-text.ts'
import type { FetchActivityOutcome } from '../stages/fetch-activity.ts'
import { createCommand, exitsWith } from './command.ts'
import { type DayOptions, dayOptions, rangeOf } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface FetchOptions extends CommonOptions, DayOptions {
  readonly account?: string
}

export function fetchActivityCommand(): Command {
  const command = createCommand('fetch-activity', 'ask for the movements of days, where no report is needed')
  for (const option of dayOptions()) command.addOption(option)
  return command
    .option('--account <name>', 'the account; not needed when only one tells movements')
    .addHelpText(
      'after',
      `
Publishes each day as the activity table has it; a later run replaces it with what was told later.

Example:
  daybook fetch-activity --account ow --day 2026-10-31`,
    )
    .action(exitsWith(runFetch))
}

async function runFetch(options: FetchOptions): Promise<ExitCode> {
  const range = rangeOf(options)
  const { withSession, chooseAccount } = await import('./session.ts')
  const { fetchActivity } = await import('../stages/fetch-activity.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const account = chooseAccount(daybook, options.account, 'activity')
    const outcomes: FetchActivityOutcome[] = []
    for (const day of daysOf(range)) {
      const outcome = await fetchActivity(daybook.context, account, day)
      outcomes.push(outcome)
      terminal.say(textOf(outcome))
    }
    const lines = outcomes.flatMap(outcome => (outcome.outcome === 'published' ? [outcome.day] : []))
    terminal.result('fetch-activity', { account: account.ref.account, days: outcomes }, lines)
    return outcomes.some(({ outcome }) => outcome === 'not-askable') ? EXIT.usage : EXIT.done
  })
}

function textOf(outcome: FetchActivityOutcome): string {
  switch (outcome.outcome) {
    case 'published':
      return `${outcome.day}: ${countOf(outcome.rows, 'row')}`
    case 'newer-kept':
      return `${outcome.day}: ${countOf(outcome.rows, 'row')}, kept beside a newer telling, which stands`
    case 'not-askable':
      return outcome.says
  }
}
