/** `daybook`: its commands, and the run of the one that was asked for. */
import { Command } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { archiveCommand } from './archive.ts'
import { reportFailure } from './command.ts'
import { coverageCommand } from './coverage.ts'
import { demoCommand } from './demo.ts'
import { describeCommand } from './describe.ts'
import { doctorCommand } from './doctor.ts'
import { downloadCommand } from './download.ts'
import { explainCommand } from './explain.ts'
import { exportCommand } from './export.ts'
import { fetchActivityCommand } from './fetch-activity.ts'
import { importCommand } from './import.ts'
import { notifyDebitCommand } from './notify-debit.ts'
import { parseCommand } from './parse.ts'
import { planCommand } from './plan.ts'
import { quotaCommand } from './quota.ts'
import { reconcileCommand } from './reconcile.ts'
import { reparseCommand } from './reparse.ts'
import { sandboxCommand } from './sandbox.ts'
import { serveCommand } from './serve.ts'
import { settleCommand } from './settle.ts'
import { snapshotCommand } from './snapshot.ts'
import { statusCommand } from './status.ts'
import { submitCommand } from './submit.ts'
import { sweepCommand } from './sweep.ts'

// A reader such as `head` may go away before everything is written; that is its right, not a failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', error => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  })
}

const { version } = packageJson

const program = new Command('daybook')
  .description(
    "Keeps a merchant's book of balance activity. Settings come from the environment; see the README.",
  )
  .version(version)
  .exitOverride()
  .showHelpAfterError('(try --help)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 refused by quota, 4 not ready, 5 discrepancy.
Try it: npm run demo`,
  )

for (const command of [
  demoCommand(),
  submitCommand(),
  serveCommand(),
  statusCommand(),
  sweepCommand(),
  importCommand(),
  settleCommand(),
  quotaCommand(),
  coverageCommand(),
  planCommand(),
  archiveCommand(),
  parseCommand(),
  reparseCommand(),
  downloadCommand(),
  exportCommand(),
  describeCommand(),
  snapshotCommand(),
  fetchActivityCommand(),
  reconcileCommand(),
  explainCommand(),
  notifyDebitCommand(),
  doctorCommand(),
  sandboxCommand(),
]) {
  program.addCommand(command.exitOverride())
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error, process.argv)
}
