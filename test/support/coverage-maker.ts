/** Made reports and slots, for tests of what follows from them. */
import type { KnownReport } from '../../src/domain/coverage.ts'
import type { Slot, SlotOutcome } from '../../src/domain/quota.ts'
import type { Manifest, ReportRequest } from '../../src/domain/report.ts'

export function madeManifest(
  reportId: string,
  request: ReportRequest,
  days: readonly { day: string; publication: 'published' | 'newer-kept' | 'withheld' }[],
  { generatedAt = '2026-10-05T00:00:00.000Z', quarantined = 0, parserVersion = '1' } = {},
): Manifest {
  return {
    reportId,
    request,
    generatedAt,
    parsedAt: generatedAt,
    parserVersion,
    schemaVersion: '1',
    source: { file: 'f', sha256: 'a'.repeat(64), container: 'csv', layout: 'B' },
    rows: { read: quarantined, written: 0, quarantined, outside: 0 },
    days: days.map(one => ({ ...one, rows: 0, key: 'k', sha256: 'a'.repeat(64) })),
    sums: [],
    operations: [],
    reasons: {},
    quarantine: null,
    notes: [],
  }
}

export function madeReport(
  reportId: string,
  request: ReportRequest,
  state: KnownReport['state'],
  askedAt: string,
  manifest?: Manifest,
): KnownReport {
  return { reportId, request, askedAt, state, ...(manifest === undefined ? {} : { manifest }) }
}

export function madeSlot(
  number: number,
  request: ReportRequest,
  outcome: SlotOutcome | undefined,
  { month = '2026-10', claimedAt = '2026-10-05T00:00:00.000Z' } = {},
): Slot {
  const claim = { request, reason: 'test', again: false, by: 'test', claimId: `${number}`, claimedAt }
  return { month, number, claim, outcome }
}
