/**
 * The reports of an account, kept in memory by a process that answers many questions about them. Records are
 * created once, so what was read stays read; a refresh looks at the open reports and at what has arrived, as
 * a sweep does, and now and then at everything.
 */
import { addDays, type Day, dayOf } from '../domain/calendar.ts'
import type { CoverageFacts } from '../domain/coverage.ts'
import type { AccountRef } from '../domain/keys.ts'
import {
  type AcceptedRecord,
  type ArchiveRecord,
  type EndedRecord,
  isFinished,
  type Manifest,
  type ReportPart,
  standingEnd,
} from '../domain/report.ts'
import type { Clock } from '../host.ts'
import { mapAtOnce } from './at-once.ts'
import { knownReportOf } from './coverage-facts.ts'
import { readManifest, reparsedVersions } from './manifests.ts'
import type { ObjectStore } from './object-store.ts'
import type { ReportLog, ReportParts } from './report-log.ts'

export interface IndexedReport {
  readonly reportId: string
  readonly parts: ReadonlySet<ReportPart>
  readonly accepted: AcceptedRecord | undefined
  readonly archive: ArchiveRecord | undefined
  readonly manifest: Manifest | undefined
  readonly ended: EndedRecord | undefined
}

export interface ReportIndex {
  /** Every report, at most `STALE_MS` old. */
  current(): Promise<ReadonlyMap<string, IndexedReport>>
  /** Makes the next look go to the store: for whoever has just changed something. */
  invalidate(): void
  /** Grows whenever something has changed. */
  version(): number
  /** Everything that coverage follows from, but for the slots. */
  coverageReports(): Promise<CoverageFacts['reports']>
}

interface IndexStores {
  readonly store: ObjectStore
  readonly reports: ReportLog
  readonly clock: Pick<Clock, 'now'>
}

/** A page that is asked for again within this time need not look into the store again. */
const STALE_MS = 1_000

/** A later parse by another process leaves no mark; everything is listed as often as this. */
const EVERYTHING_MS = 600_000

const AT_ONCE = 16

export function indexedReports({ store, reports, clock }: IndexStores, ref: AccountRef): ReportIndex {
  const known = new Map<string, IndexedReport>()
  const parsedBy = new Map<string, number>()
  let version = 0
  let invalidations = 0
  let refreshedMs = Number.NEGATIVE_INFINITY
  let listedMs = Number.NEGATIVE_INFINITY
  let marksFrom: Day = ''
  let refreshing: Promise<void> | undefined
  let listing: Promise<void> | undefined

  async function current(): Promise<ReadonlyMap<string, IndexedReport>> {
    // A clock that is set back must not make what is known stay for longer.
    const nowMs = clock.now().getTime()
    if (listedMs === Number.NEGATIVE_INFINITY) await listEverything()
    // What is known is shown while everything is listed anew.
    else if (Math.abs(nowMs - listedMs) > EVERYTHING_MS) listEverything().catch(() => {})
    if (Math.abs(nowMs - refreshedMs) > STALE_MS) await refresh()
    return known
  }

  function listEverything(): Promise<void> {
    listing ??= (async () => {
      const begunAt = clock.now()
      const before = invalidations
      const versions = await reparsedVersions(store, ref)
      const listed = await Array.fromAsync(reports.list(ref))
      await readAll(listed, versions)
      listedMs = begunAt.getTime()
      markRefreshed(begunAt, before)
    })().finally(() => {
      listing = undefined
    })
    return listing
  }

  function refresh(): Promise<void> {
    if (refreshing !== undefined) return refreshing
    const own = (async () => {
      const begunAt = clock.now()
      const before = invalidations
      const candidates = new Set<string>()
      for (const { reportId, parts } of known.values()) if (!isFinished(parts)) candidates.add(reportId)
      for (let day = marksFrom; day <= dayOf(begunAt); day = addDays(day, 1))
        for (const id of await reports.arrivals(ref, day)) candidates.add(id)
      const found = await mapAtOnce([...candidates], AT_ONCE, async reportId => ({
        reportId,
        parts: await reports.parts(ref, reportId),
      }))
      await readAll(found.filter(({ parts }) => parts.size > 0))
      markRefreshed(begunAt, before)
    })().finally(() => {
      if (refreshing === own) refreshing = undefined
    })
    refreshing = own
    return own
  }

  /** A look that began before the index was invalidated may have missed why. */
  function markRefreshed(begunAt: Date, before: number): void {
    if (before === invalidations) refreshedMs = begunAt.getTime()
    marksFrom = addDays(dayOf(begunAt), -1)
  }

  async function readAll(found: readonly ReportParts[], versions?: ReadonlyMap<string, number>) {
    const changed = found.filter(({ reportId, parts }) => {
      const has = known.get(reportId)
      const isReparsed =
        versions !== undefined && (versions.get(reportId) ?? 0) > (parsedBy.get(reportId) ?? 0)
      return has === undefined || has.parts.size !== parts.size || isReparsed
    })
    await mapAtOnce(changed, AT_ONCE, report => readOne(report, versions?.get(report.reportId)))
    if (changed.length > 0) version++
  }

  async function readOne({ reportId, parts }: ReportParts, reparsed = parsedBy.get(reportId) ?? 0) {
    const has = known.get(reportId)
    const end = standingEnd(parts)
    const [accepted, archive, manifest, ended] = await Promise.all([
      has?.accepted ?? (parts.has('accepted') ? reports.read(ref, reportId, 'accepted') : undefined),
      has?.archive ?? (parts.has('archive') ? reports.read(ref, reportId, 'archive') : undefined),
      parts.has('manifest') ? readManifest(store, reports, ref, reportId, reparsed) : undefined,
      end === undefined ? undefined : reports.read(ref, reportId, end),
    ])
    // Looks overlap, and of a report that one has seen grow another may tell what it was before.
    if ((known.get(reportId)?.parts.size ?? 0) > parts.size) return
    parsedBy.set(reportId, reparsed)
    known.set(reportId, { reportId, parts, accepted, archive, manifest, ended })
  }

  return {
    current,
    invalidate() {
      invalidations++
      refreshedMs = Number.NEGATIVE_INFINITY
      refreshing = undefined
    },
    version: () => version,
    async coverageReports() {
      return [...(await current()).values()].flatMap(report => knownReportOf(report) ?? [])
    },
  }
}
