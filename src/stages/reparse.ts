/** Parses an archived report again with the parser of today; needs no provider. */
import { rm } from 'node:fs/promises'
import { PARSER_VERSION } from '../domain/activity.ts'
import type { Day } from '../domain/calendar.ts'
import { activityKey } from '../domain/keys.ts'
import type { DayOrigin, Manifest } from '../domain/report.ts'
import type { StatementDigest } from '../formats/digest.ts'
import { compareDay, type DayFinding } from '../stores/activity-table.ts'
import {
  dayFilesOf,
  digestArchived,
  keepQuarantine,
  manifestOf,
  type ParseJob,
  publishDays,
  quarantineKeyOf,
  reasonToWithhold,
} from '../stores/archived-report.ts'
import { keepReparse, newestManifest } from '../stores/manifests.ts'
import type { Account, Context } from './context.ts'

export interface ReparseInput {
  /** Only shows what would change. */
  readonly dryRun: boolean
  /** Hears what would change before anything does. */
  readonly onDifference?: (difference: ReparseDifference) => void
}

export interface ReparseDifference {
  readonly before: Manifest
  /** Of this parse, with what each day would meet. */
  readonly rows: Manifest['rows']
  readonly days: readonly DayDifference[]
}

export type DayDifference = { readonly day: Day; readonly rows: number } & (
  | DayFinding
  | { readonly finding: 'withheld' }
)

export type ReparseOutcome =
  | { outcome: 'reparsed'; difference: ReparseDifference; manifest: Manifest }
  | { outcome: 'compared'; difference: ReparseDifference }
  /** This parser, or a later one, has parsed it, and all its days stand. */
  | { outcome: 'current'; parserVersion: string }
  /** There is no first parse yet. */
  | { outcome: 'not-parsed' }

type ReparseContext = Pick<Context, 'store' | 'reports' | 'clock' | 'log' | 'makeWorkFolder' | 'onProgress'>

export async function reparse(
  context: ReparseContext,
  { ref, zoneMinutes, columns }: Pick<Account, 'ref' | 'zoneMinutes' | 'columns'>,
  reportId: string,
  { dryRun, onDifference }: ReparseInput,
): Promise<ReparseOutcome> {
  const { store, reports, clock, log } = context
  const [first, before, archived, accepted] = await Promise.all([
    reports.read(ref, reportId, 'manifest'),
    newestManifest(store, reports, ref, reportId),
    reports.read(ref, reportId, 'archive'),
    reports.read(ref, reportId, 'accepted'),
  ])
  if (!first || !before || !archived || !accepted) return { outcome: 'not-parsed' }
  const { parserVersion } = before
  if (!isOlder(parserVersion) && (await allStand(context, ref, before)))
    return { outcome: 'current', parserVersion }

  const origin: DayOrigin = { reportId, generatedAt: first.generatedAt, parserVersion: PARSER_VERSION }
  const job: ParseJob = { ref, accepted, archived, origin, zoneMinutes, columns }
  const folder = await context.makeWorkFolder()
  try {
    const digest = await digestArchived(store, job, folder, ({ bytes, rows }) =>
      context.onProgress?.({ stage: 'parse', reportId, bytes, rows, totalBytes: archived.size }),
    )
    const difference = { before, rows: digest.rows, days: await compareDays(context, job, digest) }
    onDifference?.(difference)
    if (dryRun) return { outcome: 'compared', difference }
    const quarantine = await keepQuarantine(store, digest, quarantineKeyOf(job, isOlder(first.parserVersion)))
    const days = await publishDays(store, job, digest)
    const manifest = manifestOf(job, digest, { days, quarantine, parsedAt: clock.now() })
    // A parse that only restores what this parser had published is no new fact.
    if (isOlder(parserVersion)) await keepReparse(store, ref, manifest)
    log.info('report.reparsed', { ...ref, reportId, parserVersion: PARSER_VERSION, ...digest.rows })
    return { outcome: 'reparsed', difference, manifest }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isOlder(parserVersion: string): boolean {
  return Number.parseInt(parserVersion, 10) < Number.parseInt(PARSER_VERSION, 10)
}

async function allStand(
  { store }: ReparseContext,
  ref: Account['ref'],
  { days }: Manifest,
): Promise<boolean> {
  for (const { day, publication } of days) {
    if (publication === 'published' && (await store.head(activityKey(ref, day))) === undefined) return false
  }
  return true
}

async function compareDays(
  { store }: ReparseContext,
  job: ParseJob,
  digest: StatementDigest,
): Promise<DayDifference[]> {
  const withheld = reasonToWithhold(job.accepted, digest) !== undefined
  const days: DayDifference[] = []
  for (const [index, file] of dayFilesOf(job, digest).entries()) {
    const finding = withheld ? ({ finding: 'withheld' } as const) : await compareDay(store, file)
    days.push({ day: file.day, rows: digest.days[index]!.rows, ...finding })
  }
  return days
}
