/** `daybook reparse`: builds days again from the archive, with the parser of today. */
import { type Command, Option } from 'commander'
import { PARSER_VERSION } from '../domain/activity.ts'
import { type Day, dayOf } from '../domain/calendar.ts'
import { coverageOf, WALLETS } from '../domain/coverage.ts'
import { countOf, countText } from '../domain/quantity-text.ts'
import type { DayChange } from '../domain/report.ts'
import type { Context } from '../stages/context.ts'
import type { DayDifference, ReparseDifference, ReparseOutcome } from '../stages/reparse.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { rangeBetween, readDay } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import type { Terminal } from './terminal.ts'

interface ReparseOptions extends CommonOptions {
  readonly account?: string
  readonly from: Day
  readonly to?: Day
  readonly parser: 'current'
  readonly dryRun?: boolean
}

export function reparseCommand(): Command {
  return createCommand('reparse', 'build days again from the archive, with the parser of today')
    .option('--account <name>', 'only this merchant account')
    .requiredOption('--from <day>', 'the first day', readDay)
    .option('--to <day>', 'the last day; today when absent', readDay)
    .addOption(new Option('--parser <parser>', 'which parser').choices(['current']).default('current'))
    .option('--dry-run', 'show what would change, and change nothing')
    .addHelpText(
      'after',
      `
Needs no provider, no credentials and no quota. Every report whose rows stand in these days is parsed again
whole, unless this parser has done so before. The first manifest stays; the new one stands beside it.

Example:
  daybook reparse --from 2026-09-01 --to 2026-09-30 --dry-run`,
    )
    .action(exitsWith(runReparse))
}

interface ReparsedReport {
  readonly provider: string
  readonly account: string
  readonly reportId: string
  readonly outcome: ReparseOutcome['outcome']
  readonly difference: ReparseDifference | null
}

async function runReparse(options: ReparseOptions): Promise<ExitCode> {
  const { withSession, reportAccounts } = await import('./session.ts')
  const { reparse } = await import('../stages/reparse.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const { context } = daybook
    const range = rangeBetween(options.from, options.to ?? dayOf(context.clock.now()))
    const accounts = reportAccounts(daybook, options.account)
    const reports: ReparsedReport[] = []
    for (const account of accounts) {
      for (const reportId of await standingReports(context, account, range)) {
        const onDifference = (difference: ReparseDifference) => sayDifference(terminal, reportId, difference)
        const outcome = await reparse(context, account, reportId, {
          dryRun: options.dryRun ?? false,
          onDifference,
        })
        const difference = 'difference' in outcome ? outcome.difference : null
        reports.push({ ...account.ref, reportId, outcome: outcome.outcome, difference })
      }
    }
    const data = { ...range, parserVersion: PARSER_VERSION, dryRun: options.dryRun ?? false, reports }
    terminal.result('reparse', data, [conclusion(reports)])
    return EXIT.done
  })
}

/** The reports whose rows readers see in these days, in the order of their days. */
async function standingReports(
  context: Context,
  { ref }: WiredAccount,
  range: { readonly start: Day; readonly end: Day },
): Promise<string[]> {
  const { loadCoverageFacts } = await import('../stores/coverage-facts.ts')
  const days = coverageOf(await loadCoverageFacts(context, ref, range.start), range)
  const ids = days.flatMap(({ wallets }) =>
    WALLETS.map(wallet => wallets[wallet])
      .filter(({ state }) => state === 'published')
      .flatMap(({ reportId }) => reportId ?? []),
  )
  return [...new Set(ids)]
}

function sayDifference(terminal: Terminal, reportId: string, difference: ReparseDifference): void {
  const { before, rows, days } = difference
  terminal.say(
    `Report ${reportId}, parser ${before.parserVersion} → ${PARSER_VERSION}: ${countText(before.rows.written)} → ${countText(rows.written)} rows, ${countText(before.rows.quarantined)} → ${countText(rows.quarantined)} quarantined.`,
  )
  const lines = days.flatMap(dayText)
  for (const line of lines.length === 0 ? ['no day changes'] : lines) terminal.say(`  ${line}`)
}

function dayText(found: DayDifference): string[] {
  switch (found.finding) {
    case 'nothing-stands':
      return [`${found.day}  is gone and is built again: ${countOf(found.rows, 'row')}`]
    case 'later-stands':
      return [`${found.day}  stays: a later report stands there`]
    case 'withheld':
      return [`${found.day}  is withheld`]
    case 'stands':
      return []
    case 'earlier-stands': {
      const text = changeText(found.change)
      return text === '' ? [] : [`${found.day}  ${text}`]
    }
  }
}

/** `+2 rows, −1 row, 3 altered; added Spot USDT 12.5; removed Spot BTC 0.1`; empty when nothing changes. */
export function changeText({ added, removed, altered, addedSums, removedSums }: DayChange): string {
  const counts = [
    ...(added === 0 ? [] : [`+${countOf(added, 'row')}`]),
    ...(removed === 0 ? [] : [`−${countOf(removed, 'row')}`]),
    ...(altered === 0 ? [] : [`${countText(altered)} altered`]),
  ]
  const sums = (verb: string, list: DayChange['addedSums']) =>
    list.length === 0
      ? []
      : [`${verb} ${list.map(({ wallet, asset, amount }) => `${wallet} ${asset} ${amount}`).join(', ')}`]
  return [counts.join(', '), ...sums('added', addedSums), ...sums('removed', removedSums)]
    .filter(part => part !== '')
    .join('; ')
}

function conclusion(reports: readonly ReparsedReport[]): string {
  if (reports.length === 0) return 'No report has published any of these days.'
  const count = (outcome: ReparseOutcome['outcome']) =>
    reports.filter(report => report.outcome === outcome).length
  const parts = [
    [count('reparsed'), 'parsed again and published'],
    [count('compared'), 'compared; nothing was changed'],
    [count('current'), 'already as this parser reads them'],
    [count('not-parsed'), 'not parsed yet'],
  ] as const
  return parts
    .filter(([number]) => number > 0)
    .map(([number, says]) => `${countOf(number, 'report')} ${says}.`)
    .join(' ')
}
