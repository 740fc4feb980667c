/** What the desk tells, as schemas: the pages show it, and the API answers it as it is. Amounts are text. */
import { z } from 'zod'
import { auditRecord } from '../domain/audit.ts'
import { closingRecord } from '../domain/closing.ts'
import { DAY_STATES } from '../domain/coverage.ts'
import { STANDINGS } from '../domain/day-standing.ts'
import { explanationRecord, finding, VERDICTS } from '../domain/reconciliation.ts'
import { dayChange, ENDINGS, WALLET_SCOPES } from '../domain/report.ts'

const day = z.string().meta({ description: 'a UTC day, YYYY-MM-DD' })
const instant = z.string().meta({ description: 'an instant, ISO 8601 in UTC' })
const amount = z.string().meta({ description: 'an exact decimal number as text' })
const count = z.number().int()

export const REPORT_STATES = ['accepted', 'unsolicited', 'ready', 'archived', 'parsed', ...ENDINGS] as const

export const accountName = z.object({ provider: z.string(), account: z.string() })

export const reportLine = accountName.extend({
  reportId: z.string(),
  state: z.enum(REPORT_STATES),
  /** Both ends count. */
  from: day.nullable(),
  to: day.nullable(),
  wallets: z.enum(WALLET_SCOPES).nullable(),
  askedAt: instant.nullable(),
  via: z.string().nullable(),
  slot: z.string().nullable(),
  file: z.object({ name: z.string(), size: count, sha256: z.string() }).nullable(),
  rows: z.object({ read: count, written: count, quarantined: count, outside: count }).nullable(),
  publishedDays: count.nullable(),
  days: count.nullable(),
})
export type ReportLine = z.infer<typeof reportLine>

export const dayLine = z.object({
  day,
  standing: z.enum(STANDINGS),
  wallets: z.record(z.string(), z.enum(DAY_STATES)).nullable(),
  reportId: z.string().nullable(),
  quarantined: count,
  verdict: z.enum(VERDICTS).nullable(),
  openFindings: count,
})
export type DayLine = z.infer<typeof dayLine>

export const slotLine = z.object({
  month: z.string(),
  number: count,
  from: day,
  to: day,
  wallets: z.enum(WALLET_SCOPES),
  reason: z.string(),
  by: z.string(),
  claimedAt: instant,
  outcome: z.enum(['accepted', 'rejected', 'unknown', 'claimed']),
  reportId: z.string().nullable(),
})

export const quotaView = z.object({
  month: z.string(),
  limit: count,
  reserve: count,
  spent: count,
  slots: z.array(slotLine),
})
export type QuotaView = z.infer<typeof quotaView>

export const jobLine = z.object({
  job: z.string(),
  outcome: z.enum(['running', 'done', 'failed']),
  begunAt: instant,
  says: z.string(),
  nextAt: instant.nullable(),
})

export const overviewView = accountName.extend({
  quota: quotaView.nullable(),
  lastReport: reportLine.nullable(),
  month: z.object({ month: z.string(), days: z.record(z.enum(STANDINGS), count) }),
  openFindings: count,
  oldestOpenDay: day.nullable(),
  working: z.array(
    z.object({
      reportId: z.string(),
      state: z.enum(REPORT_STATES),
      says: z.string(),
      nextAt: instant.nullable(),
    }),
  ),
  jobs: z.array(jobLine),
})
export type OverviewView = z.infer<typeof overviewView>

export const movementLine = z.object({
  wallet: z.string(),
  asset: z.string(),
  rows: count,
  inflow: amount,
  outflow: amount,
  total: amount,
})

export const findingLine = finding.extend({
  day,
  run: count,
  answered: z.boolean(),
  explanations: z.array(explanationRecord),
})
export type FindingLine = z.infer<typeof findingLine>

export const dayView = accountName.extend({
  line: dayLine,
  /** What readers see; `null` while nothing is published. */
  published: z
    .object({
      key: z.string(),
      size: count,
      rows: count,
      reportId: z.string(),
      generatedAt: z.string(),
      operations: z.array(z.object({ operation: z.string(), category: z.string(), rows: count })),
      movements: z.array(movementLine),
    })
    .nullable(),
  reports: z.array(reportLine),
  runs: z.array(z.object({ run: count, ranAt: instant, by: z.string(), verdict: z.enum(VERDICTS) })),
  assumptions: z.array(z.string()),
  findings: z.array(findingLine),
  /** What reports have changed of the day, the newest first. */
  corrections: z.array(
    z.object({ reportId: z.string(), generatedAt: instant, parserVersion: z.string(), change: dayChange }),
  ),
})
export type DayView = z.infer<typeof dayView>

export const timelineStep = z.object({
  step: z.enum(['asked', 'called', 'archived', 'parsed', 'published', 'proved', 'ended']),
  at: instant.nullable(),
  says: z.string(),
})

export const reportView = z.object({
  line: reportLine,
  timeline: z.array(timelineStep),
  evidence: z.array(z.object({ name: z.string(), value: z.string() })),
  working: z.object({ says: z.string(), nextAt: instant.nullable(), retry: z.boolean() }).nullable(),
  days: z.array(
    z.object({
      day,
      rows: count,
      publication: z.string(),
      changed: z.string().nullable(),
      sha256: z.string(),
    }),
  ),
  sums: z.array(z.object({ wallet: z.string(), asset: z.string(), amount })),
  operations: z.array(z.object({ operation: z.string(), category: z.string(), rows: count })),
  reasons: z.record(z.string(), count),
  notes: z.array(z.string()),
})
export type ReportView = z.infer<typeof reportView>

export const balancePoint = z.object({
  at: instant,
  snapshot: z.string(),
  actual: amount.nullable(),
  /** From the reading before and the movements in between; `null` where a day in between is not here. */
  implied: amount.nullable(),
  /** Signed: what the reading tells less what was implied. */
  difference: amount.nullable(),
})

export const balancesView = accountName.extend({
  from: day,
  to: day,
  /** Which figure is shown. */
  target: z.string(),
  holdings: z.array(
    z.object({ place: z.string(), asset: z.string(), latest: amount.nullable(), at: instant, parts: count }),
  ),
  series: z.object({ place: z.string(), asset: z.string(), points: z.array(balancePoint) }).nullable(),
})
export type BalancesView = z.infer<typeof balancesView>

export const monthView = accountName.extend({
  month: z.string(),
  ready: z.boolean(),
  lacks: z.array(
    z.object({
      kind: z.enum(['not-over', 'missing', 'pending', 'quarantined', 'unproved', 'break', 'unproven']),
      days: z.array(day),
    }),
  ),
  days: z.array(dayLine),
  reports: z.array(reportLine),
  findings: z.array(findingLine),
  closings: z.array(closingRecord),
  /** Days that are not as they were at the newest closing. */
  changed: z.array(day),
})
export type MonthView = z.infer<typeof monthView>

export const auditLine = auditRecord.extend({ key: z.string() })
