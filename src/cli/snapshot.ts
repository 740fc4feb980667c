/** `daybook snapshot`: what the accounts hold, or held as days closed. */
import { type Command, Option } from 'commander'
import { addDays, type Day, type DayRange, daysOf } from '../domain/calendar.ts'
import { DaybookError, findFault } from '../domain/errors.ts'
import { countOf } from '../domain/quantity-text.ts'
import type { SnapshotOutcome } from '../stages/snapshot.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { readDay } from './days.ts'
import { EXIT, EXIT_OF_FAULT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import type { Terminal } from './terminal.ts'

interface SnapshotOptions extends CommonOptions {
  readonly account?: string
  readonly provider?: string
  readonly day?: Day
  readonly from?: Day
  readonly to?: Day
  readonly again?: boolean
  readonly reason: string
}

export function snapshotCommand(): Command {
  return createCommand('snapshot', 'record what the accounts hold, or held as days closed')
    .option('--account <name>', 'only this account; all that tell balances when absent')
    .option('--provider <name>', 'only accounts of this provider')
    .addOption(new Option('--day <day>', 'one day, of providers that tell days').argParser(readDay))
    .addOption(new Option('--from <day>', 'the first day to fill in').argParser(readDay).conflicts('day'))
    .addOption(new Option('--to <day>', 'the last day; it counts').argParser(readDay).conflicts('day'))
    .option('--again', 'ask for days that are here already')
    .option('--reason <text>', 'why, for the record', 'command')
    .addHelpText(
      'after',
      `
"daybook serve" does this every day. Binance Pay and Onerway tell only what is held now: what is not asked for
now can never be asked for. PayerMax tells how days closed, ninety back; --from and --to fill in what is missing, and
days that are here are not asked for again.

Examples:
  daybook snapshot
  daybook snapshot --account pm --from 2026-09-01 --to 2026-09-30`,
    )
    .action(exitsWith(runSnapshot))
}

type Line = { readonly account: string; readonly provider: string } & (
  | SnapshotOutcome
  | { outcome: 'failed'; code: string; says: string; exit: ExitCode }
)

async function runSnapshot(options: SnapshotOptions): Promise<ExitCode> {
  const range = rangeOf(options)
  const { withSession } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const lines: Line[] = []
    for (const account of accountsOf(daybook, options)) {
      for (const day of range === undefined ? [undefined] : daysOf(range)) {
        lines.push(await take(daybook, account, day, options, terminal))
      }
    }
    const results = lines.map(({ exit: _, ...line }: Line & { exit?: ExitCode }) => line)
    const keys = lines.flatMap(line => (line.outcome === 'taken' ? [line.key] : []))
    terminal.result('snapshot', { snapshots: results }, keys)
    return exitCodeOf(lines)
  })
}

/** One account's fault must not keep the others from being read: what is not read now is lost. */
async function take(
  { context }: Daybook,
  account: WiredAccount,
  day: Day | undefined,
  { reason, again = false }: SnapshotOptions,
  terminal: Terminal,
): Promise<Line> {
  const { snapshot } = await import('../stages/snapshot.ts')
  const who = { provider: account.ref.provider, account: account.ref.account }
  try {
    const input = { reason, again, ...(day === undefined ? {} : { day }) }
    const outcome = await snapshot(context, account, input)
    terminal.say(`${who.provider}/${who.account}: ${explain(outcome)}`)
    return { ...who, ...outcome }
  } catch (error) {
    const fault = findFault(error)
    if (fault === undefined || fault.code.startsWith('store-')) throw error
    terminal.say(`${who.provider}/${who.account}: ${fault.message}`)
    return {
      ...who,
      outcome: 'failed',
      code: fault.code,
      says: fault.message,
      exit: EXIT_OF_FAULT[fault.code],
    }
  }
}

function explain(outcome: SnapshotOutcome): string {
  switch (outcome.outcome) {
    case 'taken':
      return `${countOf(outcome.rows, 'balance')} of ${outcome.day}${outcome.assumptions.map(text => `\n  assumed: ${text}`).join('')}`
    case 'already-taken':
      return `the balances of ${outcome.day} are here; nothing was asked. To ask once more, add --again.`
    case 'not-askable':
      return outcome.says
  }
}

/** The accounts that tell balances and that the options name. Throws `usage-invalid` when there are none. */
function accountsOf({ accounts }: Daybook, options: SnapshotOptions): WiredAccount[] {
  const named = accounts.filter(
    ({ ref }) =>
      (options.account === undefined || ref.account === options.account) &&
      (options.provider === undefined || ref.provider === options.provider),
  )
  const wantsDays = options.day !== undefined || options.from !== undefined
  const fitting = named.filter(
    ({ provider }) =>
      provider.balances !== undefined && (!wantsDays || provider.balances.basis === 'day-end'),
  )
  if (fitting.length > 0) return fitting
  const names = accounts.map(({ ref }) => `${ref.provider}/${ref.account}`).join(', ')
  const what = wantsDays ? 'tells the balances of days' : 'tells balances'
  throw new DaybookError('usage-invalid', `No account that is named so ${what}; there are: ${names}.`)
}

function rangeOf({ day, from, to }: SnapshotOptions): DayRange | undefined {
  if (day !== undefined) return { start: day, end: addDays(day, 1) }
  if (from === undefined && to === undefined) return undefined
  if (from === undefined || to === undefined)
    throw new DaybookError('usage-invalid', '--from and --to, the first and the last day, go together.')
  if (from <= to) return { start: from, end: addDays(to, 1) }
  throw new DaybookError('usage-invalid', `--to ${to} lies before --from ${from}.`)
}

function exitCodeOf(lines: readonly Line[]): ExitCode {
  const failed = lines.flatMap(line => (line.outcome === 'failed' ? [line.exit] : []))
  if (failed.length > 0) return failed[0]!
  return lines.some(({ outcome }) => outcome === 'not-askable') ? EXIT.usage : EXIT.done
}
