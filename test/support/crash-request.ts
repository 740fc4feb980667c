import type { ReportRequest } from '../../src/domain/report.ts'

/** What the processes that are killed ask for. */
export const CRASH_REQUEST: ReportRequest = {
  range: { start: '2026-10-01', end: '2026-10-04' },
  wallets: 'all',
}
