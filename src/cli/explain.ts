/** `daybook explain`: what a person knows of a finding, beside it. */
import { type Command, Option } from 'commander'
import type { Day } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { personName } from '../host.ts'
import { createCommand, exitsWith } from './command.ts'
import { readDay } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface ExplainOptions extends CommonOptions {
  readonly account?: string
  readonly day: Day
  readonly why: string
  readonly by?: string
  readonly answered?: boolean
}

export function explainCommand(): Command {
  return createCommand('explain', 'note what is known of a finding; changes no number and no verdict')
    .argument('<finding>', 'its name, as "daybook reconcile" tells it, such as R6/Spot/USDT')
    .addOption(new Option('--day <day>', 'the day').argParser(readDay).makeOptionMandatory())
    .requiredOption('--why <text>', 'what is known')
    .option('--account <name>', 'the account; not needed when only one tells balances')
    .option('--by <name>', 'who says so; you when absent')
    .option('--answered', 'the matter is answered, not only noted')
    .addHelpText(
      'after',
      `
Example:
  daybook explain R6/Spot/USDT --day 2026-10-31 --why "refund booked by hand" --answered`,
    )
    .action(exitsWith(runExplain))
}

async function runExplain(name: string, options: ExplainOptions): Promise<ExitCode> {
  const { withSession, chooseAccount } = await import('./session.ts')
  const { newestReconciliation, recordExplanation } = await import('../stores/reconciliation-log.ts')
  return withSession(options, async ({ daybook: { context, ...daybook }, terminal }) => {
    const { ref } = chooseAccount({ context, ...daybook }, options.account, 'balances')
    const { day, why, by = personName(), answered = false } = options
    const newest = await newestReconciliation(context.store, ref, day)
    const found = newest?.findings.find(({ id }) => id === name)
    if (newest === undefined || found === undefined)
      throw new DaybookError('not-found', `There is no finding ${name} of ${day}; see "daybook reconcile".`)
    if (why === '' || by === '') throw new DaybookError('usage-invalid', '--why and --by must say something.')
    const at = context.clock.now().toISOString()
    const kind = answered ? 'explained' : 'note'
    const record = { day, finding: name, run: newest.run, kind, says: why, by, at } as const
    const key = await recordExplanation(context.store, ref, record)
    terminal.result('explain', { key, ...record }, [key])
    return EXIT.done
  })
}
