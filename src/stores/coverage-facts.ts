/** Reads what coverage follows from. */
import type { Day } from '../domain/calendar.ts'
import type { CoverageFacts, KnownReport } from '../domain/coverage.ts'
import type { AccountRef } from '../domain/keys.ts'
import { type AcceptedRecord, type Manifest, type ReportState, reportState } from '../domain/report.ts'
import { readManifest, reparsedVersions } from './manifests.ts'
import type { ObjectStore } from './object-store.ts'
import type { QuotaLedger } from './quota-ledger.ts'
import type { ReportLog, ReportParts } from './report-log.ts'

export interface CoverageStores {
  readonly store: ObjectStore
  readonly ledger: QuotaLedger
  readonly reports: ReportLog
}

/** How many reports are read at once. */
const AT_ONCE = 16

/** Everything that is known of the days from `from` on. */
export async function loadCoverageFacts(
  { store, ledger, reports }: CoverageStores,
  ref: AccountRef,
  from: Day,
): Promise<CoverageFacts> {
  // A range is only ever asked for after its end, so older months hold nothing about these days.
  const slots = await ledger.since(ref, from.slice(0, 7))
  const versions = await reparsedVersions(store, ref)
  const known: KnownReport[] = []
  const listed = await Array.fromAsync(reports.list(ref))
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    const some = listed.slice(at, at + AT_ONCE).map(report => readReport(report))
    for (const report of await Promise.all(some)) {
      if (report !== undefined && report.request.range.end > from) known.push(report)
    }
  }
  return { reports: known, slots }

  async function readReport({ reportId, parts }: ReportParts): Promise<KnownReport | undefined> {
    const accepted = parts.has('accepted') ? await reports.read(ref, reportId, 'accepted') : undefined
    if (accepted === undefined) return undefined
    const manifest = parts.has('manifest')
      ? await readManifest(store, reports, ref, reportId, versions.get(reportId) ?? 0)
      : undefined
    return knownReportOf({ reportId, parts, accepted, manifest })
  }
}

/** What coverage takes from a report's records; nothing while it is not known what was asked for. */
export function knownReportOf({
  reportId,
  parts,
  accepted,
  manifest,
}: ReportParts & {
  readonly accepted: AcceptedRecord | undefined
  readonly manifest: Manifest | undefined
}): KnownReport | undefined {
  if (accepted === undefined) return undefined
  const { request, askedAt } = accepted
  const state = coveredAs(reportState(parts))
  return { reportId, request, askedAt, state, ...(manifest === undefined ? {} : { manifest }) }
}

function coveredAs(state: ReportState): KnownReport['state'] {
  if (state === 'parsed' || state === 'archived') return state
  return state === 'ended' ? 'failed' : 'requested'
}
