/** The manifests of a report: the first is a part of the report, each later parse leaves one beside it. */
import { type AccountRef, parseReportKey, reportKeys, reportsPrefix } from '../domain/keys.ts'
import { type Manifest, manifestRecord } from '../domain/report.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'
import type { ReportLog } from './report-log.ts'

const REPARSE = /^reparses\/(\d+)\.json$/

/** The manifest of the newest parse, or `undefined` when the report was never parsed. */
export async function newestManifest(
  store: ObjectStore,
  reports: ReportLog,
  ref: AccountRef,
  reportId: string,
): Promise<Manifest | undefined> {
  let newest = 0
  for await (const { key } of store.list(`${reportKeys(ref, reportId).folder}reparses/`)) {
    newest = Math.max(newest, versionIn(parseReportKey(ref, key)?.part))
  }
  return readManifest(store, reports, ref, reportId, newest)
}

/** The newest version of the parser that parsed each report again; one listing. */
export async function reparsedVersions(
  store: ObjectStore,
  ref: AccountRef,
): Promise<ReadonlyMap<string, number>> {
  const versions = new Map<string, number>()
  for await (const { key } of store.list(reportsPrefix(ref))) {
    const parsed = parseReportKey(ref, key)
    const version = versionIn(parsed?.part)
    if (parsed === undefined || version === 0) continue
    versions.set(parsed.reportId, Math.max(version, versions.get(parsed.reportId) ?? 0))
  }
  return versions
}

function versionIn(part: string | undefined): number {
  return Number.parseInt(REPARSE.exec(part ?? '')?.[1] ?? '0', 10)
}

/** The manifest of that later parse; the first one when `version` is 0. */
export async function readManifest(
  store: ObjectStore,
  reports: ReportLog,
  ref: AccountRef,
  reportId: string,
  version: number,
): Promise<Manifest | undefined> {
  if (version === 0) return reports.read(ref, reportId, 'manifest')
  return (await readRecord(store, reportKeys(ref, reportId).reparse(`${version}`), manifestRecord))?.record
}

/** Keeps the manifest of a later parse; of two runs of one parser the first record stands. */
export async function keepReparse(store: ObjectStore, ref: AccountRef, manifest: Manifest): Promise<void> {
  await createRecord(store, reportKeys(ref, manifest.reportId).reparse(manifest.parserVersion), manifest)
}
