/** `daybook reconcile`: whether the balances of a day and its movements add up. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readAmount } from '../domain/amount.ts'
import type { Day } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { reconciliationKey } from '../domain/keys.ts'
import type { ExplanationRecord, Finding, Tolerances, Verdict } from '../domain/reconciliation.ts'
import type { ReconcileOutcome } from '../stages/reconcile.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { readDay } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface ReconcileOptions extends CommonOptions {
  readonly account?: string
  readonly day: Day
  readonly tolerance?: ReadonlyMap<string, bigint>
  readonly toleranceReason?: string
}

export function reconcileCommand(): Command {
  return createCommand('reconcile', 'hold the balances of a day against each other and its movements')
    .addOption(new Option('--day <day>', 'the day').argParser(readDay).makeOptionMandatory())
    .option('--account <name>', 'only this account; all that tell balances when absent')
    .option('--tolerance <asset=amount>', 'a difference that is let pass; may be said again', addTolerance)
    .option('--tolerance-reason <text>', 'why; goes with --tolerance')
    .addHelpText(
      'after',
      `
Exits with 5 when a difference was found, with 4 when a side is not complete yet. Findings are kept; a later run that
finds something else supersedes them.

Examples:
  daybook reconcile --day 2026-10-31
  daybook reconcile --account main --day 2026-10-31 --tolerance USDT=0.01 --tolerance-reason "dust"`,
    )
    .action(exitsWith(runReconcile))
}

function addTolerance(text: string, earlier: ReadonlyMap<string, bigint> = new Map()) {
  const split = text.indexOf('=')
  const amount = readAmount(text.slice(split + 1))
  if (split < 1 || typeof amount !== 'bigint' || amount < 0n)
    throw new InvalidArgumentError('Expected an asset and an amount, such as USDT=0.01.')
  return new Map([...earlier, [text.slice(0, split), amount]])
}

function tolerancesOf({ tolerance, toleranceReason }: ReconcileOptions): Tolerances {
  if ((tolerance === undefined) !== (toleranceReason === undefined))
    throw new DaybookError('usage-invalid', '--tolerance and --tolerance-reason go together.')
  const reason = toleranceReason ?? ''
  return new Map([...(tolerance ?? [])].map(([asset, amount]) => [asset, { amount, reason }]))
}

async function runReconcile(options: ReconcileOptions): Promise<ExitCode> {
  const tolerances = tolerancesOf(options)
  const { withSession, chooseAccount } = await import('./session.ts')
  const { reconcile } = await import('../stages/reconcile.ts')
  const { explanationsOf } = await import('../stores/reconciliation-log.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const accounts =
      options.account === undefined
        ? daybook.accounts.filter(({ provider }) => provider.balances !== undefined)
        : [chooseAccount(daybook, options.account, 'balances')]
    const results = []
    const lines: string[] = []
    for (const account of accounts) {
      const outcome = await reconcile(daybook.context, account, { day: options.day, tolerances })
      const explanations = await explanationsOf(daybook.context.store, account.ref, options.day)
      const key = reconciliationKey(account.ref, options.day, outcome.record.run)
      results.push({ outcome: outcome.outcome, key, ...outcome.record, explanations })
      lines.push(...(lines.length === 0 ? [] : ['']), ...textOf(account, outcome, explanations))
    }
    terminal.result('reconcile', { day: options.day, accounts: results }, lines)
    return exitCodeOf(results.map(({ verdict }) => verdict))
  })
}

function exitCodeOf(verdicts: readonly Verdict[]): ExitCode {
  if (verdicts.includes('break')) return EXIT.discrepancy
  return verdicts.includes('incomplete') ? EXIT.notReady : EXIT.done
}

function textOf(
  { ref }: WiredAccount,
  { outcome, record }: ReconcileOutcome,
  explanations: readonly ExplanationRecord[],
): string[] {
  const title = `${ref.provider}/${ref.account} ${record.day}: ${record.verdict} (run ${record.run}${outcome === 'unchanged' ? ', as before' : ''})`
  const groups = Map.groupBy(record.findings, ({ check, verdict }) => `${check} ${verdict}`)
  return [title, ...[...groups].flatMap(([name, findings]) => linesOf(name, findings, explanations))]
}

/** What needs nobody is counted; everything else has a line. */
function linesOf(
  name: string,
  findings: readonly Finding[],
  explanations: readonly ExplanationRecord[],
): string[] {
  const [first] = findings
  if (first === undefined) return []
  if (first.verdict === 'matched' || first.verdict === 'not_checkable')
    return [`  ${name}: ${findings.length === 1 ? first.says : `${findings.length} times`}`]
  return findings.flatMap(one => [
    `  ${name}: ${one.id}${amountsOf(one)}${one.class === null ? '' : `; likely ${one.class}`}; ${one.says}`,
    ...(one.firstBad === null
      ? []
      : [`    first between ${one.firstBad.from} and ${one.firstBad.to}: ${one.firstBad.days.join(', ')}`]),
    ...explanations
      .filter(({ finding }) => finding === one.id)
      .map(({ at, by, kind, says }) => `    ${kind} by ${by} at ${at}: ${says}`),
  ])
}

function amountsOf({ difference, expected, actual, tolerance }: Finding): string {
  if (expected === null || actual === null) return ''
  return ` difference ${difference ?? 'unknown'} (expected ${expected}, actual ${actual}, tolerance ${tolerance})`
}
