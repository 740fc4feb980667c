/** Turns an archived file into published days, a quarantine and a manifest. */
import { rm } from 'node:fs/promises'
import { PARSER_VERSION } from '../domain/activity.ts'
import type { AcceptedRecord, DayOrigin, Manifest } from '../domain/report.ts'
import {
  digestArchived,
  keepQuarantine,
  manifestOf,
  type ParseJob,
  publishDays,
  quarantineKeyOf,
} from '../stores/archived-report.ts'
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
  const { store, reports, clock } = context
  const known = await reports.read(account.ref, reportId, 'manifest')
  if (known !== undefined) return { outcome: 'already-parsed', manifest: known }
  const archived = await reports.read(account.ref, reportId, 'archive')
  if (archived === undefined) return { outcome: 'not-archived' }
  const accepted = await reports.read(account.ref, reportId, 'accepted')
  if (accepted === undefined) return { outcome: 'range-unknown' }

  const { ref, zoneMinutes } = account
  const job: ParseJob = { ref, accepted, archived, origin: originOf(account, accepted), zoneMinutes }
  const folder = await context.makeWorkFolder()
  try {
    const digest = await digestArchived(store, job, folder, ({ bytes, rows }) =>
      context.onProgress?.({ stage: 'parse', reportId, bytes, rows, totalBytes: archived.size }),
    )
    const quarantine = await keepQuarantine(store, digest, quarantineKeyOf(job, false))
    const days = await publishDays(store, job, digest)
    return await keepManifest(
      context,
      account,
      manifestOf(job, digest, { days, quarantine, parsedAt: clock.now() }),
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
function originOf(account: Account, accepted: AcceptedRecord): DayOrigin {
  const { reportId, via } = accepted
  const asked = new Date(accepted.askedAt)
  const made = account.provider.reports?.createdAt(reportId)
  const believed = made !== undefined && Math.abs(made.getTime() - asked.getTime()) <= BELIEVED_MS
  const at = via === 'match' ? new Date(asked.getTime() - 5_000) : believed ? made : asked
  return { reportId, generatedAt: at.toISOString(), parserVersion: PARSER_VERSION }
}

/** Records the manifest. Of two runs at once, the first record stands; both published the same bytes. */
async function keepManifest(
  { reports, log }: ParseContext,
  account: Account,
  manifest: Manifest,
): Promise<ParseOutcome> {
  const { reportId, rows, days } = manifest
  if ((await reports.create(account.ref, reportId, 'manifest', manifest)) === 'created') {
    log.info('report.parsed', { ...account.ref, reportId, ...rows, days: days.length })
    return { outcome: 'parsed', manifest }
  }
  const standing = await reports.read(account.ref, reportId, 'manifest')
  return { outcome: 'already-parsed', manifest: standing ?? manifest }
}
