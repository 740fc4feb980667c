/** `daybook sweep`: finishes what is unfinished, once. */
import type { Command } from 'commander'
import { countOf } from '../domain/quantity-text.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface SweepOptions extends CommonOptions {
  readonly account?: string
  readonly all?: boolean
}

export function sweepCommand(): Command {
  return createCommand('sweep', 'finish every report that is unfinished and due, once')
    .option('--account <name>', 'only this merchant account')
    .option('--all', 'look through the whole history, not only at what is known to be open')
    .addHelpText(
      'after',
      `
Does what "daybook serve" does on its timer, for those who run it from cron. It spends no quota and may run
beside others. A report that failed or is not ready waits for its next try, which "daybook status" shows.
Exit code 4: something is still open.`,
    )
    .action(exitsWith(runSweep))
}

async function runSweep(options: SweepOptions): Promise<ExitCode> {
  const { withSession, reportAccounts } = await import('./session.ts')
  const { sweep } = await import('../sweep.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const accounts = reportAccounts(daybook, options.account)
    const outcome = await sweep(daybook.context, accounts, { everything: options.all === true })
    const { open, finished, tried, waiting, left } = outcome
    terminal.result('sweep', { ...outcome }, [
      `${countOf(open, 'report')} open: ${finished} finished now, ${tried} tried, ${waiting} waiting, ${left} left for later`,
    ])
    return open === finished ? EXIT.done : EXIT.notReady
  })
}
