/** Whether a merchant may make one more report. */
import { monthOf } from '../domain/calendar.ts'
import { monthOfReport, type StoredReport } from './books.ts'
import type { Knobs } from './knobs.ts'
import { reportStatus } from './report-status.ts'

const ROLLING_MS = 30 * 86_400_000

/** `nowMs` is the host's clock; the month is that of the sandbox's, which the knobs may have moved. */
export function quotaAllows(
  merchant: string,
  reports: readonly StoredReport[],
  knobs: Knobs,
  nowMs: number,
): boolean {
  const month = monthOf(new Date(nowMs + knobs.clockSkewMs))
  const inWindow = (report: StoredReport) =>
    knobs.quotaWindow === 'calendar-month'
      ? monthOfReport(report) === month
      : report.acceptedAtMs > nowMs - ROLLING_MS
  const counted = (report: StoredReport) =>
    knobs.quotaCounts === 'submits' || ['SUCCESS', 'EXPIRED'].includes(reportStatus(report, nowMs))
  const mine = reports.filter(report => report.merchant === merchant && inWindow(report) && counted(report))
  return mine.length + knobs.quotaUsedElsewhere < knobs.quotaPerMonth
}
