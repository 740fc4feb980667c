/** `daybook parse`: turns an archived file into published days. */
import type { Command } from 'commander'
import { DaybookError } from '../domain/errors.ts'
import { countOf, countText } from '../domain/quantity-text.ts'
import type { Manifest } from '../domain/report.ts'
import type { MatchOutcome } from '../stages/match.ts'
import type { ParseOutcome } from '../stages/parse.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'
import { tableText } from './terminal.ts'

interface ParseOptions extends CommonOptions {
  readonly account?: string
}

export function parseCommand(): Command {
  return createCommand('parse', 'turn an archived report into published days')
    .argument('<report>', 'the report id')
    .option('--account <name>', 'the merchant account; found by the report when absent')
    .action(exitsWith(runParse))
}

async function runParse(reportId: string, options: ParseOptions): Promise<ExitCode> {
  const { accountOfReport, withSession } = await import('./session.ts')
  const [{ match }, { parse }] = await Promise.all([
    import('../stages/match.ts'),
    import('../stages/parse.ts'),
  ])
  return withSession(options, async ({ daybook, terminal }) => {
    const account = await accountOfReport(daybook, options.account, reportId)
    await expectKnown(daybook, account, reportId)
    const matched = await match(daybook.context, account, reportId)
    const outcome = await withNewest(daybook, account, await parse(daybook.context, account, reportId))
    for (const line of explain(outcome, matched)) terminal.say(line)
    const rows = 'manifest' in outcome ? operationsTable(outcome.manifest) : []
    terminal.result('parse', { account: account.ref.account, reportId, ...outcome }, rows)
    return 'manifest' in outcome ? EXIT.done : EXIT.notReady
  })
}

async function expectKnown({ context }: Daybook, { ref }: WiredAccount, reportId: string): Promise<void> {
  if ((await context.reports.parts(ref, reportId)).size > 0) return
  throw new DaybookError('not-found', `There is no report ${reportId}; "daybook status" lists them.`)
}

/** What readers see of a report that was parsed before follows from its newest parse. */
async function withNewest(
  { context: { store, reports } }: Daybook,
  { ref }: WiredAccount,
  outcome: ParseOutcome,
): Promise<ParseOutcome> {
  if (outcome.outcome !== 'already-parsed') return outcome
  const { newestManifest } = await import('../stores/manifests.ts')
  const newest = await newestManifest(store, reports, ref, outcome.manifest.reportId)
  return newest === undefined ? outcome : { outcome: 'already-parsed', manifest: newest }
}

function explain(outcome: ParseOutcome, matched: MatchOutcome): string[] {
  switch (outcome.outcome) {
    case 'parsed':
      return summaryOf(outcome.manifest)
    case 'already-parsed':
      return ['Parsed before; nothing was changed.', ...summaryOf(outcome.manifest)]
    case 'not-archived':
      return ['The file is not archived yet; run "daybook archive" first.']
    case 'range-unknown':
      return [`The days this report covers are not known: ${explainMatch(matched)}`]
  }
}

function explainMatch(matched: MatchOutcome): string {
  switch (matched.outcome) {
    case 'ambiguous':
      return `the answers of slots ${matched.slots.join(' and ')} were lost, and it may belong to any of them.`
    case 'answer-awaited':
      return `slot ${matched.slot} still waits for its answer; try again in a moment.`
    default:
      return 'nobody here is known to have asked for it.'
  }
}

/** What a manifest says, for a person. */
export function summaryOf({ request, rows, days, reasons, notes }: Manifest): string[] {
  const published = days.filter(day => day.publication === 'published').length
  return [
    `${countOf(rows.read, 'row')} read = ${countText(rows.written)} written + ${countText(rows.quarantined)} quarantined + ${countText(rows.outside)} outside the days asked for.`,
    `${countOf(published, 'day')} of ${days.length} published (${daysText(request.range)}).`,
    ...Object.entries(reasons).map(([reason, count]) => `Quarantined: ${countOf(count, 'row')}, ${reason}.`),
    ...notes.map(note => `Note: ${note}.`),
  ]
}

export function operationsTable({ operations }: Manifest): string[] {
  return tableText(
    ['operation', 'category', 'rows'],
    operations.map(({ operation, category, rows }) => [operation, category, countText(rows)]),
    ['rows'],
  )
}
