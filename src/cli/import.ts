/** `daybook import`: takes a file that a person downloaded. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DaybookError, isFault } from '../domain/errors.ts'
import { bytesText } from '../domain/quantity-text.ts'
import { type ReportRequest, WALLET_SCOPES, type WalletScope } from '../domain/report.ts'
import type { ImportInput, ImportOutcome } from '../stages/import.ts'
import { createCommand, exitsWith } from './command.ts'
import { type DayOptions, dayOptions, daysText, rangeOf } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { openFile } from './local-file.ts'
import { operationsTable, summaryOf } from './parse.ts'
import type { CommonOptions, Session } from './session.ts'

interface ImportOptions extends CommonOptions, DayOptions {
  readonly account?: string
  readonly wallet: WalletScope
  readonly report?: string
  readonly generatedAt?: Date
  readonly by?: string
}

export function importCommand(): Command {
  const command = createCommand(
    'import',
    'take a file that a person downloaded, as a report; spends no quota',
  )
    .argument('<file>', 'a balance report on this machine, in any container and layout that is read')
    .option('--account <name>', 'the merchant account; not needed when there is one')
  for (const option of dayOptions()) command.addOption(option)
  return command
    .addOption(
      new Option('--wallet <wallet>', 'a file about one wallet is archived but not published')
        .choices(WALLET_SCOPES)
        .default('all'),
    )
    .option('--report <id>', 'the report that the file is of, where it was asked for but never fetched')
    .addOption(
      new Option(
        '--generated-at <instant>',
        'when the provider made the file, such as 2026-10-15T12:00:00Z',
      ).argParser(readInstant),
    )
    .option('--by <name>', 'who brings it, for the record; the name of the user when absent')
    .addHelpText(
      'after',
      `
The days must be covered whole. Importing the same file again changes nothing. A day that a report of the
provider covers keeps that report's rows, unless --generated-at says that the file is newer.

Example:
  daybook import october.csv --from 2026-10-01 --to 2026-10-31`,
    )
    .action(exitsWith(runImport))
}

function readInstant(text: string): Date {
  const instant = new Date(text)
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(instant.getTime()))
    return instant
  throw new InvalidArgumentError('Expected an instant with its zone, such as 2026-10-15T12:00:00Z.')
}

async function runImport(path: string, options: ImportOptions): Promise<ExitCode> {
  const request = requestOf(options)
  const file = await openFile(path)
  const { withSession, chooseAccount, accountOfReport } = await import('./session.ts')
  const { personName } = await import('../host.ts')
  return withSession(options, async session => {
    const { daybook } = session
    const account =
      options.report === undefined
        ? chooseAccount(daybook, options.account, 'reports')
        : await accountOfReport(daybook, options.account, options.report)
    return importAndParse(session, account, {
      file,
      request,
      reportId: options.report,
      generatedAt: options.generatedAt,
      by: options.by ?? personName(),
    })
  })
}

/** The days are needed unless the report is known, which only the store can tell. */
function requestOf(options: ImportOptions): ReportRequest | undefined {
  const { day, month, from, to } = options
  const isNamed = [day, month, from, to].some(value => value !== undefined)
  if (!isNamed && options.report !== undefined) return undefined
  return { range: rangeOf(options), wallets: options.wallet }
}

async function importAndParse(
  { daybook, terminal }: Session,
  account: Session['daybook']['accounts'][number],
  input: ImportInput,
): Promise<ExitCode> {
  const [{ importFile }, { advance }] = await Promise.all([
    import('../stages/import.ts'),
    import('../pipeline.ts'),
  ])
  const imported = await importFile(daybook.context, account, input).catch(tellHowToLook)
  terminal.say(explain(imported))
  const { reportId } = imported
  const said = { account: account.ref.account, reportId, outcome: imported.outcome }
  if (imported.outcome === 'other-file') {
    terminal.result('import', { ...said, archived: imported.archived }, [])
    return EXIT.failed
  }
  const { parse } = await advance(daybook.context, account, reportId)
  if (parse === undefined || !('manifest' in parse)) {
    terminal.result('import', said, [reportId])
    return EXIT.notReady
  }
  for (const line of summaryOf(parse.manifest)) terminal.say(line)
  const { request, askedAt, by } = imported.accepted
  terminal.result('import', { ...said, request, generatedAt: askedAt, by, manifest: parse.manifest }, [
    reportId,
    ...operationsTable(parse.manifest),
  ])
  return EXIT.done
}

/** What cannot be read is not kept; what it holds and which columns are not known, another command tells. */
function tellHowToLook(error: unknown): never {
  if (!isFault(error, 'file-unreadable')) throw error
  const says = `${error.message} Nothing was kept; "daybook describe" shows how the file is read.`
  throw new DaybookError(error.code, says, { details: error.details, cause: error })
}

function explain(outcome: ImportOutcome): string {
  const { archived } = outcome
  switch (outcome.outcome) {
    case 'imported':
      return `Imported ${archived.name}, ${bytesText(archived.size)}, for ${daysText(outcome.accepted.request.range)}.`
    case 'already-imported':
      return `Imported before: ${archived.name}, ${bytesText(archived.size)}; what was said then stands.`
    case 'other-file':
      return `Report ${outcome.reportId} has another file, ${archived.name}, which stays. Leave out --report to import this one beside it.`
  }
}
