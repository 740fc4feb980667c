/** Turns an archived file into published days, a quarantine and a manifest. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { ACTIVITY_SCHEMA_VERSION, PARSER_VERSION } from '../domain/activity.ts'
import { DaybookError } from '../domain/errors.ts'
import { activityKey, quarantineKey, reportKeys } from '../domain/keys.ts'
import type { AcceptedRecord, ArchiveRecord, Manifest } from '../domain/report.ts'
import { digestStatement, type StatementDigest } from '../formats/digest.ts'
import { type DayOrigin, dayMetadata, publishDay, storedSource } from '../stores/activity-table.ts'
import type { Account, Context } from './context.ts'

export type ParseOutcome =
  | { outcome: 'parsed'; manifest: Manifest }
  | { outcome: 'already-parsed'; manifest: Manifest }
  | { outcome: 'not-archived' }
  /** The file is kept, but nobody knows which days it was asked for. */
  | { outcome: 'range-unknown' }

type ParseContext = Pick<Context, 'store' | 'reports' | 'clock' | 'log' | 'makeWorkFolder' | 'onProgress'>

export async function parse(
  context: ParseContext,
  account: Account,
  reportId: string,
): Promise<ParseOutcome> {
  const { reports } = context
  const known = await reports.read(account.ref, reportId, 'manifest')
  if (known !== undefined) return { outcome: 'already-parsed', manifest: known }
  const archived = await reports.read(account.ref, reportId, 'archive')
  if (archived === undefined) return { outcome: 'not-archived' }
  const accepted = await reports.read(account.ref, reportId, 'accepted')
  if (accepted === undefined) return { outcome: 'range-unknown' }

  const origin = originOf(account, accepted, archived)
  const folder = await context.makeWorkFolder()
  try {
    const digest = await digestArchived(context, account, { accepted, archived, origin, folder })
    const withheld = reasonToWithhold(accepted, digest)
    await keepQuarantine(context, account, reportId, digest)
    const days: Manifest['days'] = []
    for (const { day, path, rows, sha256 } of digest.days) {
      const key = activityKey(account.ref, day)
      const publication =
        withheld === undefined ? await publishDay(context.store, key, path, origin) : 'withheld'
      days.push({ day, rows, key, sha256, publication })
    }
    return await keepManifest(
      context,
      account,
      manifestOf(context, { accepted, archived, origin, digest, days, withheld }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** How far an id's time may lie from the asking and still be believed: ids need not be clocks. */
const BELIEVED_MS = 86_400_000

/**
 * A report matched by time alone counts as made when its slot was claimed, less the second that an id cuts
 * off: so one whose answer is known always wins over it. A file that a person brought counts as generated when
 * they say it was; see `importFile`.
 */
function originOf(account: Account, accepted: AcceptedRecord, archived: ArchiveRecord): DayOrigin {
  const { reportId, via } = accepted
  const asked = new Date(accepted.askedAt)
  const made = account.provider.reports?.createdAt(reportId)
  const believed = made !== undefined && Math.abs(made.getTime() - asked.getTime()) <= BELIEVED_MS
  const at = via === 'match' ? new Date(asked.getTime() - 5_000) : believed ? made : asked
  return { reportId, generatedAt: at.toISOString(), sourceSha256: archived.sha256 }
}

interface Job {
  readonly accepted: AcceptedRecord
  readonly archived: ArchiveRecord
  readonly origin: DayOrigin
}

async function digestArchived(
  { store, onProgress }: ParseContext,
  account: Account,
  { accepted, archived, origin, folder }: Job & { folder: string },
): Promise<StatementDigest> {
  const { reportId } = accepted
  const key = reportKeys(account.ref, reportId).file(archived.file)
  const head = await store.head(key)
  if (head === undefined || (await sha256Of(store, key)) !== archived.sha256) {
    const message = `The archived file ${key} is not the one that was recorded: it is gone or its SHA-256 differs.`
    throw new DaybookError('file-damaged', message, { details: { key } })
  }
  return digestStatement(storedSource(store, head, archived.name), {
    range: accepted.request.range,
    folder,
    metadata: dayMetadata(origin),
    ...(account.zoneMinutes === undefined ? {} : { zoneMinutes: account.zoneMinutes }),
    ...(onProgress === undefined
      ? {}
      : {
          onProgress: ({ bytes, rows }) =>
            onProgress({ stage: 'parse', reportId, bytes, rows, totalBytes: archived.size }),
        }),
  })
}

/** What was verified when it arrived is verified again before it is read: the store is not ours alone. */
async function sha256Of(store: Context['store'], key: string): Promise<string> {
  const sha256 = createHash('sha256')
  for await (const chunk of store.read(key)) sha256.update(chunk)
  return sha256.digest('hex')
}

/**
 * A published day is always a whole day. A report about one wallet would hide the other one's rows, and a
 * report that was matched to its request by time alone must at least keep to the days of that request
 * (the end date, which may or may not be part of the file, says nothing).
 */
function reasonToWithhold({ request, via }: AcceptedRecord, digest: StatementDigest): string | undefined {
  if (request.wallets !== 'all') return `withheld: the report is about the ${request.wallets} wallet only`
  const strangers = Object.keys(digest.outsideDays).some(day => day !== request.range.end)
  return via === 'match' && strangers
    ? 'withheld: matched by time, but its rows lie outside the days asked for'
    : undefined
}

async function keepQuarantine(
  { store }: ParseContext,
  account: Account,
  reportId: string,
  { quarantine }: StatementDigest,
): Promise<void> {
  if (quarantine === undefined) return
  await store.create(quarantineKey(account.ref, reportId), createReadStream(quarantine.path))
}

function manifestOf(
  { clock }: ParseContext,
  {
    accepted,
    archived,
    origin,
    digest,
    days,
    withheld,
  }: Job & {
    digest: StatementDigest
    days: Manifest['days']
    withheld: string | undefined
  },
): Omit<Manifest, 'quarantine'> {
  return {
    reportId: accepted.reportId,
    request: accepted.request,
    generatedAt: origin.generatedAt,
    parsedAt: clock.now().toISOString(),
    parserVersion: PARSER_VERSION,
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
    notes: [...digest.notes, ...(withheld === undefined ? [] : [withheld])],
  }
}

/** Records the manifest. Of two runs at once, the first record stands; both published the same bytes. */
async function keepManifest(
  { reports, log }: ParseContext,
  account: Account,
  summary: Omit<Manifest, 'quarantine'>,
): Promise<ParseOutcome> {
  const { reportId, rows } = summary
  const quarantine = rows.quarantined === 0 ? null : quarantineKey(account.ref, reportId)
  const manifest: Manifest = { ...summary, quarantine }
  if ((await reports.create(account.ref, reportId, 'manifest', manifest)) === 'created') {
    log.info('report.parsed', { ...account.ref, reportId, ...rows, days: summary.days.length })
    return { outcome: 'parsed', manifest }
  }
  const standing = await reports.read(account.ref, reportId, 'manifest')
  return { outcome: 'already-parsed', manifest: standing ?? manifest }
}
