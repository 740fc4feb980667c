/** Reads what coverage follows from. */
import { addDays, type Day, startOfDay } from '../domain/calendar.ts'
import type { CoverageFacts, KnownReport } from '../domain/coverage.ts'
import type { AccountRef } from '../domain/keys.ts'
import { type AcceptedRecord, type Manifest, type ReportState, reportState } from '../domain/report.ts'
import { mapAtOnce } from './at-once.ts'
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

/** How far the clock of ids may be off. */
const ID_MARGIN_DAYS = 2

/**
 * Everything that is known of the days from `from` on. No report holds days after it was made, so where
 * `madeAt` tells when that was, older ones are not read, unless a slot of these months names them: what it
 * costs then does not grow with the history, but for its listing.
 */
export async function loadCoverageFacts(
  { store, ledger, reports }: CoverageStores,
  ref: AccountRef,
  from: Day,
  madeAt: (reportId: string) => Date | undefined = () => undefined,
): Promise<CoverageFacts> {
  // A range is only ever asked for after its end, so older months hold nothing about these days.
  const slots = await ledger.since(ref, from.slice(0, 7))
  const versions = await reparsedVersions(store, ref)
  const named = new Set(slots.map(({ outcome }) => outcome?.outcome === 'accepted' && outcome.reportId))
  const oldest = startOfDay(addDays(from, -ID_MARGIN_DAYS))
  const mayHold = (reportId: string) => named.has(reportId) || (madeAt(reportId) ?? oldest) >= oldest
  const listed: ReportParts[] = []
  for await (const report of reports.list(ref)) if (mayHold(report.reportId)) listed.push(report)
  const read = await mapAtOnce(listed, AT_ONCE, readReport)
  const known = read.filter(report => report !== undefined)
  return { reports: known.filter(({ request }) => request.range.end > from), slots }

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
