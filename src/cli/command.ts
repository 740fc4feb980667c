/** How every command is made: its common options, its exit code, and what a person reads when it fails. */
import { Command, CommanderError } from 'commander'
import { DaybookError, findFault } from '../domain/errors.ts'
import { writeJson } from '../domain/json.ts'
import { EXIT, EXIT_OF_FAULT, type ExitCode } from './exit-codes.ts'

/** A command with the options that all of them take. */
export function createCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .option('--json', 'print the result as one JSON object')
    .option('-q, --quiet', 'print nothing but the result')
    .option('-v, --verbose', 'print the log too')
    .configureHelp({ sortOptions: false })
    .showHelpAfterError('(try --help)')
}

/** Runs what a command does and takes its answer as the exit code. */
export function exitsWith<A extends unknown[]>(
  run: (...args: A) => Promise<ExitCode>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = await run(...args)
  }
}

/** Says what went wrong and answers the exit code. A fault is explained in a sentence; anything else is a bug. */
export function reportFailure(error: unknown, argv: readonly string[]): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (isOfMachine(error) && error.code === 'EPIPE') return EXIT.done
  const fault = findFault(error) ?? (isOfMachine(error) ? faultOfMachine(error) : undefined)
  const code = fault?.code ?? 'unexpected'
  const says = fault?.message ?? (error instanceof Error ? (error.stack ?? error.message) : String(error))
  if (argv.includes('--json')) {
    process.stdout.write(
      `${writeJson({ version: 1, error: { code, says, retry: fault?.retry ?? false } })}\n`,
    )
  } else {
    process.stderr.write(
      fault === undefined ? `daybook: this should not have happened\n${says}\n` : `daybook: ${says}\n`,
    )
  }
  return fault === undefined ? EXIT.failed : EXIT_OF_FAULT[fault.code]
}

/** A refusal of the operating system, such as a folder that cannot be written: no bug of ours. */
function isOfMachine(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function faultOfMachine(error: NodeJS.ErrnoException): DaybookError {
  return new DaybookError('usage-invalid', `This machine does not let it happen: ${error.message}.`, {
    cause: error,
  })
}
