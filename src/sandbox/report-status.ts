/** Where a report stands. It follows from its times, so nothing has to happen for it to change. */
import type { StoredReport } from './books.ts'

export type ReportStatus = 'PROCESSING' | 'SUCCESS' | 'FAILED' | 'EXPIRED'

/** The status at `nowMs` by the host's clock; EXPIRED also when its first link's life has ended. */
export function reportStatus(report: StoredReport, nowMs: number): ReportStatus {
  const { outcome } = report.knobs
  if (outcome === 'NEVER' || nowMs < report.readyAtMs) return 'PROCESSING'
  if (outcome === 'FAILED' || outcome === 'EXPIRED') return outcome
  return nowMs < report.linkExpiresAtMs ? 'SUCCESS' : 'EXPIRED'
}
