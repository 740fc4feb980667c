/** What an archived file becomes: days, a quarantine, a manifest. Shared by the first parse and every later one. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { ACTIVITY_SCHEMA_VERSION } from '../domain/activity.ts'
import type { AddedColumns } from '../domain/column-names.ts'
import { DaybookError } from '../domain/errors.ts'
import { type AccountRef, activityKey, quarantineKey, reportKeys } from '../domain/keys.ts'
import type { AcceptedRecord, ArchiveRecord, DayOrigin, Manifest } from '../domain/report.ts'
import { type DigestProgress, digestStatement, type StatementDigest } from '../formats/digest.ts'
import { type DayFile, dayMetadata, publishDay, storedSource } from './activity-table.ts'
import type { ObjectStore } from './object-store.ts'

/** One parse of one report. */
export interface ParseJob {
  readonly ref: AccountRef
  readonly accepted: AcceptedRecord
  readonly archived: ArchiveRecord
  readonly origin: DayOrigin
  /** Minutes east of UTC of times in a file that does not name its zone. */
  readonly zoneMinutes: number | undefined
  /** Names of columns beside those of the table, by meaning. */
  readonly columns: AddedColumns | undefined
}

/** Digests the archived file into `folder`. Throws `file-damaged` when it is not the one that was recorded. */
export async function digestArchived(
  store: ObjectStore,
  { ref, accepted, archived, origin, zoneMinutes, columns }: ParseJob,
  folder: string,
  onProgress?: (progress: DigestProgress) => void,
): Promise<StatementDigest> {
  const key = reportKeys(ref, accepted.reportId).file(archived.file)
  const head = await store.head(key)
  if (head === undefined || (await sha256Of(store, key)) !== archived.sha256) {
    const message = `The archived file ${key} is not the one that was recorded: it is gone or its SHA-256 differs.`
    throw new DaybookError('file-damaged', message, { details: { key } })
  }
  return digestStatement(storedSource(store, head, archived.name), {
    range: accepted.request.range,
    folder,
    metadata: dayMetadata(origin, archived.sha256),
    ...(zoneMinutes === undefined ? {} : { zoneMinutes }),
    ...(columns === undefined ? {} : { columns }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
}

/** What was verified when it arrived is verified again before it is read: the store is not ours alone. */
async function sha256Of(store: ObjectStore, key: string): Promise<string> {
  const sha256 = createHash('sha256')
  for await (const chunk of store.read(key)) sha256.update(chunk)
  return sha256.digest('hex')
}

/**
 * A published day is always a whole day. A report about one wallet would hide the other one's rows, and a
 * report that was matched to its request by time alone must at least keep to the days of that request
 * (the end date, which may or may not be part of the file, says nothing).
 */
export function reasonToWithhold(
  { request, via }: AcceptedRecord,
  digest: StatementDigest,
): string | undefined {
  if (request.wallets !== 'all') return `withheld: the report is about the ${request.wallets} wallet only`
  const strangers = Object.keys(digest.outsideDays).some(day => day !== request.range.end)
  return via === 'match' && strangers
    ? 'withheld: matched by time, but its rows lie outside the days asked for'
    : undefined
}

/** The files of a digest's days. */
export function dayFilesOf({ ref, origin }: ParseJob, { days }: StatementDigest): DayFile[] {
  return days.map(({ day, path }) => ({ ref, day, path, origin }))
}

/** Publishes every day of a digest, or says that they are withheld. */
export async function publishDays(
  store: ObjectStore,
  job: ParseJob,
  digest: StatementDigest,
): Promise<Manifest['days']> {
  const withheld = reasonToWithhold(job.accepted, digest) !== undefined
  const days: Manifest['days'] = []
  for (const [index, file] of dayFilesOf(job, digest).entries()) {
    const { day, rows, sha256 } = digest.days[index]!
    const publication = withheld ? ({ publication: 'withheld' } as const) : await publishDay(store, file)
    days.push({ day, rows, key: activityKey(job.ref, day), sha256, ...publication })
  }
  return days
}

/** Keeps the rows that could not be read; answers their key, or `null` when there are none. */
export async function keepQuarantine(
  store: ObjectStore,
  { quarantine }: StatementDigest,
  key: string,
): Promise<string | null> {
  if (quarantine === undefined) return null
  await store.create(key, createReadStream(quarantine.path))
  return key
}

/** The key of a parse's quarantine: that of a later parse tells its version. */
export function quarantineKeyOf({ ref, origin }: ParseJob, later: boolean): string {
  return quarantineKey(ref, origin.reportId, later ? origin.parserVersion : undefined)
}

export function manifestOf(
  { accepted, archived, origin }: ParseJob,
  digest: StatementDigest,
  { days, quarantine, parsedAt }: { days: Manifest['days']; quarantine: string | null; parsedAt: Date },
): Manifest {
  const withheld = reasonToWithhold(accepted, digest)
  return {
    reportId: accepted.reportId,
    request: accepted.request,
    generatedAt: origin.generatedAt,
    parsedAt: parsedAt.toISOString(),
    parserVersion: origin.parserVersion,
    schemaVersion: ACTIVITY_SCHEMA_VERSION,
    source: {
      file: archived.file,
      sha256: archived.sha256,
      container: digest.container,
      layout: digest.layout,
    },
    rows: digest.rows,
    days,
    sums: digest.sums,
    operations: digest.operations,
    reasons: digest.reasons,
    quarantine,
    notes: [...digest.notes, ...(withheld === undefined ? [] : [withheld])],
  }
}
