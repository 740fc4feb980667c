/** `daybook export`: rows for a spreadsheet, the evidence of a report, the pack of a month. */
import { createHash } from 'node:crypto'
import { Command, Option } from 'commander'
import { DaybookError } from '../domain/errors.ts'
import { bytesText, countOf } from '../domain/quantity-text.ts'
import { createCommand, exitsWith } from './command.ts'
import { type DayOptions, dayOptions, daysText, rangeOf, readMonth } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { writeOutput } from './output-file.ts'
import type { CommonOptions, Session } from './session.ts'

interface ExportOptions extends CommonOptions {
  readonly account?: string
  readonly out?: string
}

interface RowsExportOptions extends ExportOptions, DayOptions {
  readonly format: 'csv' | 'xlsx'
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write rows for a spreadsheet, the evidence of a report, or the pack of a month')
    .addCommand(rowsCommand())
    .addCommand(evidenceCommand())
    .addCommand(monthCommand())
}

/** What the three have in common. */
function exportedCommand(
  name: string,
  summary: string,
  account = 'the merchant account; needed where there are several',
): Command {
  return createCommand(name, summary)
    .exitOverride()
    .option('--account <name>', account)
    .option('-o, --out <file>', 'where to write it; "-" for stdout; a name of its own here when absent')
}

function rowsCommand(): Command {
  const command = exportedCommand('rows', 'the published rows of days, as CSV or as an Excel workbook')
  for (const option of dayOptions()) command.addOption(option)
  return command
    .addOption(new Option('--format <format>', 'what to write').choices(['csv', 'xlsx']).default('csv'))
    .addHelpText(
      'after',
      `
Times are UTC. In the CSV a text that a spreadsheet could take for a formula has an apostrophe in front. The workbook
has each amount as exact text and as a number, of which a spreadsheet keeps 15 digits, and exact totals.

Examples:
  daybook export rows --month 2026-10 --format xlsx
  daybook export rows --from 2026-10-01 --to 2026-10-07 --out - | head`,
    )
    .action(exitsWith(runRows))
}

function evidenceCommand(): Command {
  const summary = 'all that is kept of a report, with what it takes to verify it again'
  return exportedCommand('evidence', summary, 'the merchant account; found by the report when absent')
    .argument('<report>', 'the report id')
    .addHelpText('after', '\nThe README.txt in the zip says how to verify it with sha256sum and openssl.')
    .action(exitsWith(runEvidence))
}

function monthCommand(): Command {
  return exportedCommand('month', 'what closing a month rests on: completeness, reports, findings, totals')
    .argument('<month>', 'the month, YYYY-MM', readMonth)
    .addHelpText('after', '\nExits with 4 when the month is not complete; the pack is written all the same.')
    .action(exitsWith(runMonth))
}

async function runRows(options: RowsExportOptions): Promise<ExitCode> {
  const range = rangeOf(options)
  const { withSession, chooseAccount } = await import('./session.ts')
  const { rowsAsCsv, rowsAsXlsx, rowsFileName } = await import('../exports/rows.ts')
  return withSession(options, async session => {
    const { ref } = chooseAccount(session.daybook, options.account)
    const write = options.format === 'csv' ? rowsAsCsv : rowsAsXlsx
    let rows = 0
    const bytes = write(session.daybook.context.store, ref, range, {
      onProgress: done => {
        rows = done.rows
      },
    })
    const name = rowsFileName(ref, range, options.format)
    const told = () => ({ ...ref, ...range, format: options.format, rows })
    return writeExport(session, options, { bytes, name, told, rows: () => rows, says: daysText(range) })
  })
}

async function runEvidence(reportId: string, options: ExportOptions): Promise<ExitCode> {
  const { withSession, accountOfReport } = await import('./session.ts')
  const { evidenceBundle, evidenceName } = await import('../exports/evidence.ts')
  return withSession(options, async session => {
    const account = await accountOfReport(session.daybook, options.account, reportId)
    const bytes = evidenceBundle(session.daybook.context, account, reportId)
    const name = `${evidenceName(account.ref, reportId)}.zip`
    const told = () => ({ ...account.ref, reportId })
    return writeExport(session, options, { bytes, name, told, says: `report ${reportId}` })
  })
}

async function runMonth(month: string, options: ExportOptions): Promise<ExitCode> {
  const { withSession, chooseAccount } = await import('./session.ts')
  const { loadMonth, monthPack, monthPackName } = await import('../exports/month-pack.ts')
  return withSession(options, async session => {
    const account = chooseAccount(session.daybook, options.account)
    const facts = await loadMonth(session.daybook.context, account, month)
    const { verdict, lacking } = facts.statement
    let rows = 0
    const bytes = monthPack(session.daybook.context.store, facts, {
      onProgress: done => {
        rows = done.rows
      },
    })
    const name = `${monthPackName(account.ref, month)}.zip`
    const told = () => ({ ...account.ref, month, verdict, lacking, rows })
    for (const says of lacking) session.terminal.say(says)
    const says = `${month}, ${verdict}`
    const done = await writeExport(session, options, { bytes, name, told, rows: () => rows, says })
    return verdict === 'incomplete' ? EXIT.notReady : done
  })
}

interface Exported {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly name: string
  /** What `--json` tells, once all is written. */
  readonly told: () => Readonly<Record<string, unknown>>
  readonly rows?: () => number
  readonly says: string
}

async function writeExport(
  { terminal }: Session,
  { out, json }: ExportOptions,
  { bytes, name, told, rows, says }: Exported,
): Promise<ExitCode> {
  if (out === '-' && json === true)
    throw new DaybookError('usage-invalid', 'With --json the file cannot go to stdout; name one with --out.')
  const sha256 = createHash('sha256')
  let size = 0
  async function* watched() {
    for await (const chunk of bytes) {
      sha256.update(chunk)
      size += chunk.length
      terminal.progress({ stage: 'export', bytes: size, ...(rows === undefined ? {} : { rows: rows() }) })
      yield chunk
    }
  }
  const path = await writeOutput(watched(), { out, name })
  const digest = sha256.digest('hex')
  const count = rows === undefined ? '' : `, ${countOf(rows(), 'row')}`
  terminal.say(`${says}${count}: ${bytesText(size)}, SHA-256 ${digest}.`)
  if (path !== undefined) terminal.result('export', { ...told(), path, size, sha256: digest }, [path])
  return EXIT.done
}
