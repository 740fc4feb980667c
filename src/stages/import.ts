/** Takes a file that a person downloaded: it becomes an archived report, which is then parsed like any other. */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { startOfDay } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { reportKeys, safeSegment } from '../domain/keys.ts'
import { type AcceptedRecord, type ArchiveRecord, type ReportRequest, sameRequest } from '../domain/report.ts'
import type { ByteSource } from '../formats/byte-source.ts'
import { digestStatement } from '../formats/digest.ts'
import type { Account, Context } from './context.ts'

export interface ImportInput {
  readonly file: ByteSource
  /** The whole days that the file covers, and the wallets; not needed for a report whose request is known. */
  readonly request: ReportRequest | undefined
  /** The report that the file is of, when it is one that was asked for or told of. */
  readonly reportId: string | undefined
  /** When the provider made the file, as far as the person knows. */
  readonly generatedAt: Date | undefined
  /** Who brings it, for the record. */
  readonly by: string
}

export type ImportOutcome =
  | { outcome: 'imported'; reportId: string; archived: ArchiveRecord; accepted: AcceptedRecord }
  /** The same file stands there already. */
  | { outcome: 'already-imported'; reportId: string; archived: ArchiveRecord; accepted: AcceptedRecord }
  /** The report has another file, which stays: what arrived is kept. */
  | { outcome: 'other-file'; reportId: string; archived: ArchiveRecord }

type ImportContext = Pick<Context, 'store' | 'reports' | 'clock' | 'log' | 'makeWorkFolder'>

/**
 * The file is read before anything is kept, for what is kept is kept for ever. Then the file comes before the
 * records that name it, so that a run which dies leaves either nothing or what the next one completes.
 *
 * Which of two reports of a day is the newer one goes by when they were generated, and of a file that a
 * person brings that is not known. It then counts as generated at the earliest moment at which its days were
 * over: so it fills gaps, and gives way to every report that the provider is known to have made later. A
 * person who knows better says so.
 */
export async function importFile(
  context: ImportContext,
  account: Account,
  input: ImportInput,
): Promise<ImportOutcome> {
  const { reports, clock, log } = context
  const known = await knownRequest(context, account, input)
  const request = known ?? input.request
  if (request === undefined) throw unclear('Which days does the file cover? Say --from and --to.')
  const generatedAt = generatedAtOf(input, request, known !== undefined, clock.now())
  const sha256 = await sha256Of(input.file)
  const reportId = input.reportId ?? importId(sha256, request)
  const standing = await reports.read(account.ref, reportId, 'archive')
  if (standing !== undefined && standing.sha256 !== sha256)
    return { outcome: 'other-file', reportId, archived: standing }
  if (standing === undefined) await expectReadable(context, account, input.file, request)

  const now = clock.now()
  await reports.mark(account.ref, reportId, now)
  const archived = standing ?? (await keepFile(context, account, reportId, input.file, sha256))
  await reports.create(account.ref, reportId, 'accepted', {
    reportId,
    request,
    slot: null,
    askedAt: generatedAt.toISOString(),
    via: 'import',
    answer: null,
    recordedAt: now.toISOString(),
    by: input.by,
  })
  const made = await reports.create(account.ref, reportId, 'archive', archived)
  const accepted = await reports.read(account.ref, reportId, 'accepted')
  const kept = await reports.read(account.ref, reportId, 'archive')
  if (accepted === undefined || kept === undefined) throw gone(reportId)
  // A download may have been faster; it is the file then, and this one is kept beside it.
  if (kept.sha256 !== sha256) return { outcome: 'other-file', reportId, archived: kept }
  if (made === 'created')
    log.info('report.imported', { ...account.ref, reportId, size: kept.size, sha256, by: input.by })
  return {
    outcome: made === 'created' ? 'imported' : 'already-imported',
    reportId,
    archived: kept,
    accepted,
  }
}

/** The request of a report that is known, which the person must not contradict. */
async function knownRequest(
  { reports }: ImportContext,
  { ref }: Account,
  { reportId, request, generatedAt }: ImportInput,
): Promise<ReportRequest | undefined> {
  if (reportId === undefined) return undefined
  if ((await reports.parts(ref, reportId)).size === 0)
    throw new DaybookError('not-found', `There is no report ${reportId}; leave out --report to make one.`)
  const accepted = await reports.read(ref, reportId, 'accepted')
  if (accepted === undefined) return undefined
  if (request !== undefined && !sameRequest(request, accepted.request))
    throw unclear(
      `Report ${reportId} was asked for other days or wallets; leave out --from, --to and --wallet.`,
    )
  if (generatedAt !== undefined && accepted.via !== 'import')
    throw unclear(`When report ${reportId} was made is known; leave out --generated-at.`)
  return accepted.request
}

function generatedAtOf(
  { generatedAt }: ImportInput,
  { range }: ReportRequest,
  isKnown: boolean,
  now: Date,
): Date {
  const earliest = startOfDay(range.end)
  if (earliest > now) throw unclear('The days are not over yet; a file can only cover whole days.')
  if (generatedAt === undefined || isKnown) return earliest
  if (generatedAt < earliest)
    throw unclear('--generated-at lies before the end of the last day, so the file cannot cover it.')
  if (generatedAt > now) throw unclear('--generated-at lies in the future.')
  return generatedAt
}

/** The same file about the same days is the same report, whoever brings it, and however often. */
function importId(sha256: string, { range, wallets }: ReportRequest): string {
  const content = `${sha256} ${range.start} ${range.end} ${wallets}`
  return `import-${createHash('sha256').update(content).digest('hex').slice(0, 32)}`
}

async function sha256Of(file: ByteSource): Promise<string> {
  const sha256 = createHash('sha256')
  for await (const chunk of file.read()) sha256.update(chunk)
  return sha256.digest('hex')
}

/** Throws what parsing would, and `usage-invalid` when no row is of the days. */
async function expectReadable(
  { makeWorkFolder }: ImportContext,
  { zoneMinutes, columns }: Account,
  file: ByteSource,
  { range }: ReportRequest,
): Promise<void> {
  const folder = await makeWorkFolder()
  try {
    const zone = zoneMinutes === undefined ? {} : { zoneMinutes }
    const { rows } = await digestStatement(file, { range, folder, metadata: {}, columns, ...zone })
    if (rows.read > 0 && rows.written === 0)
      throw unclear('The file holds rows, but none that can be read of these days.')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function keepFile(
  { store, clock }: ImportContext,
  { ref }: Account,
  reportId: string,
  file: ByteSource,
  sha256: string,
): Promise<ArchiveRecord> {
  // Under a name of its own, beside one that a download may be writing.
  const name = safeSegment(file.name)
  const key = reportKeys(ref, reportId).file(`${sha256.slice(0, 8)}-${name}`)
  await store.create(key, expectSame(file, sha256))
  return {
    reportId,
    file: key.slice(reportKeys(ref, reportId).filePrefix.length),
    name: file.name,
    size: file.size,
    sha256,
    contentType: null,
    via: 'import',
    host: null,
    archivedAt: clock.now().toISOString(),
  }
}

/** A file that changes while it is read is not kept. */
async function* expectSame(file: ByteSource, expected: string): AsyncGenerator<Uint8Array> {
  const sha256 = createHash('sha256')
  for await (const chunk of file.read()) {
    sha256.update(chunk)
    yield chunk
  }
  if (sha256.digest('hex') !== expected) throw unclear('The file changed while it was read; try again.')
}

function unclear(says: string): DaybookError {
  return new DaybookError('usage-invalid', says)
}

function gone(reportId: string): DaybookError {
  return new DaybookError('record-invalid', `The records of ${reportId} are gone; were facts deleted?`)
}
