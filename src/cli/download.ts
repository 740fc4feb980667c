/** `daybook download`: an archived file, checked against its SHA-256, or a link to it. */
import { createHash } from 'node:crypto'
import { type Command, InvalidArgumentError } from 'commander'
import { DaybookError } from '../domain/errors.ts'
import { reportKeys } from '../domain/keys.ts'
import { bytesText } from '../domain/quantity-text.ts'
import type { ArchiveRecord } from '../domain/report.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { writeOutput } from './output-file.ts'
import type { CommonOptions, Session } from './session.ts'

interface DownloadOptions extends CommonOptions {
  readonly account?: string
  readonly out?: string
  readonly link?: boolean
  readonly linkSeconds: number
}

export function downloadCommand(): Command {
  return createCommand('download', 'get an archived file, checked against its SHA-256, or a link to it')
    .argument('<report>', 'the report id')
    .option('--account <name>', 'the merchant account; found by the report when absent')
    .option('-o, --out <file>', 'where to write it; "-" for stdout; its own name here when absent')
    .option('--link', 'print a link instead, where the store can make one')
    .option('--link-seconds <seconds>', 'how long the link works', readSeconds, 900)
    .action(exitsWith(runDownload))
}

/** The longest life that S3 gives a link. */
const LONGEST_LINK_SECONDS = 604_800

function readSeconds(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number.parseInt(text, 10) : 0
  if (seconds >= 1 && seconds <= LONGEST_LINK_SECONDS) return seconds
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${LONGEST_LINK_SECONDS}.`)
}

async function runDownload(reportId: string, options: DownloadOptions): Promise<ExitCode> {
  const { accountOfReport, withSession } = await import('./session.ts')
  return withSession(options, async session => {
    const account = await accountOfReport(session.daybook, options.account, reportId)
    const record = await session.daybook.context.reports.read(account.ref, reportId, 'archive')
    if (record === undefined) {
      throw new DaybookError(
        'not-found',
        `No file of report ${reportId} is archived; "daybook status" lists the reports.`,
      )
    }
    return options.link === true
      ? printLink(session, account, record, options.linkSeconds)
      : writeFile(session, account, record, options.out)
  })
}

async function printLink(
  { daybook, terminal }: Session,
  account: WiredAccount,
  record: ArchiveRecord,
  expiresInSeconds: number,
): Promise<ExitCode> {
  const { store } = daybook.context
  if (store.presign === undefined) {
    throw new DaybookError(
      'usage-invalid',
      `The store ${store.address} makes no links; leave out --link to get the file.`,
    )
  }
  const key = reportKeys(account.ref, record.reportId).file(record.file)
  const link = await store.presign(key, { expiresInSeconds, fileName: record.name })
  terminal.say(`Works for ${expiresInSeconds} s. SHA-256 of the file: ${record.sha256}`)
  terminal.result('download', { account: account.ref.account, ...record, link, expiresInSeconds }, [link])
  return EXIT.done
}

async function writeFile(
  { daybook, terminal }: Session,
  account: WiredAccount,
  record: ArchiveRecord,
  out: string | undefined,
): Promise<ExitCode> {
  const key = reportKeys(account.ref, record.reportId).file(record.file)
  const bytes = expectSha256(daybook.context.store.read(key), record)
  const path = await writeOutput(bytes, { out, name: record.file })
  if (path === undefined) return EXIT.done
  terminal.say(`${bytesText(record.size)}, SHA-256 ${record.sha256} checked.`)
  terminal.result('download', { account: account.ref.account, ...record, path }, [path])
  return EXIT.done
}

/** Passes bytes on and fails at their end when they are not the ones that were archived. */
async function* expectSha256(
  bytes: AsyncIterable<Uint8Array>,
  record: ArchiveRecord,
): AsyncGenerator<Uint8Array> {
  const sha256 = createHash('sha256')
  for await (const chunk of bytes) {
    sha256.update(chunk)
    yield chunk
  }
  if (sha256.digest('hex') === record.sha256) return
  throw new DaybookError(
    'file-damaged',
    `The stored file of report ${record.reportId} is not the one that was archived: its SHA-256 differs.`,
  )
}
