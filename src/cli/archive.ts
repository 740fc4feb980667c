/** `daybook archive`: fetches the file of a report. */
import type { Command } from 'commander'
import { bytesText } from '../domain/quantity-text.ts'
import type { ArchiveOutcome } from '../stages/archive.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface ArchiveOptions extends CommonOptions {
  readonly account?: string
}

export function archiveCommand(): Command {
  return createCommand('archive', 'fetch the file of a report and keep it as it came')
    .argument('<report>', 'the report id')
    .option('--account <name>', 'the merchant account; found by the report when absent')
    .addHelpText(
      'after',
      `
Uses the callback's link, or asks Binance Pay for one; that costs no quota. Exit code 4: not ready yet.`,
    )
    .action(exitsWith(runArchive))
}

async function runArchive(reportId: string, options: ArchiveOptions): Promise<ExitCode> {
  const { accountOfReport, withSession } = await import('./session.ts')
  const { archive } = await import('../stages/archive.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const account = await accountOfReport(daybook, options.account, reportId)
    const outcome = await archive(daybook.context, account, reportId)
    terminal.say(explain(outcome))
    const sha256 = 'record' in outcome ? [outcome.record.sha256] : []
    terminal.result('archive', { account: account.ref.account, reportId, ...outcome }, sha256)
    return exitCodeOf(outcome)
  })
}

function explain(outcome: ArchiveOutcome): string {
  switch (outcome.outcome) {
    case 'archived':
      return `Archived ${outcome.record.name}, ${bytesText(outcome.record.size)}.`
    case 'already-archived':
      return `Archived before: ${outcome.record.name}, ${bytesText(outcome.record.size)}.`
    case 'not-ready':
      return 'Binance Pay is still making the report; try again later.'
    case 'undeliverable':
      return {
        failed: 'Binance Pay says that making the report failed.',
        expired: 'The link of the report has expired and Binance Pay gives no new one.',
        absent: 'Binance Pay does not know this report.',
      }[outcome.status]
  }
}

function exitCodeOf({ outcome }: ArchiveOutcome): ExitCode {
  if (outcome === 'not-ready') return EXIT.notReady
  return outcome === 'undeliverable' ? EXIT.failed : EXIT.done
}
