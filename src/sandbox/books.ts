/** What the sandbox remembers: reports on disk, counts of requests in memory. */
import { z } from 'zod'
import { type Month, monthOf } from '../domain/calendar.ts'
import { knobsSchema, readKnobs } from './knobs.ts'
import type { StateFolder } from './state-folder.ts'

const deliverySchema = z.object({
  /** Null for a stray or custom one; such a delivery is not kept on disk. */
  reportId: z.string().nullable(),
  bizType: z.string(),
  url: z.string(),
  attempt: z.int(),
  atMs: z.int(),
  timestamp: z.string(),
  nonce: z.string(),
  serial: z.string(),
  body: z.string(),
  outcome: z.enum(['acknowledged', 'refused', 'unreachable', 'timed-out']),
  httpStatus: z.int().nullable(),
})

const reportSchema = z.object({
  reportId: z.string(),
  merchant: z.string(),
  walletType: z.enum(['SPOT_WALLET', 'FUNDING_WALLET']).nullable(),
  startDate: z.string(),
  endDate: z.string(),
  /** Instants by the host's clock; what is shown outside is `skewMs` later. */
  acceptedAtMs: z.int(),
  readyAtMs: z.int(),
  linkExpiresAtMs: z.int(),
  skewMs: z.int(),
  /** All knobs in force when it was accepted: they decide its fate and its file. */
  knobs: knobsSchema,
  /** The knobs its own submit brought in a header: they stay above the sandbox's for its callback and link. */
  overrides: z.unknown().transform(readKnobs),
  callback: z.object({ attempts: z.int(), settled: z.boolean(), acknowledged: z.boolean() }),
  fetches: z.int(),
})

/** One delivery of a callback, as it went out and how it was answered. */
export type Delivery = z.infer<typeof deliverySchema>
export type StoredReport = z.infer<typeof reportSchema>

const fileSchema = z.object({ report: reportSchema, deliveries: z.array(deliverySchema) })

/** How many calls an endpoint had, in all and by the code they were answered with. */
export interface RequestCount {
  total: number
  byCode: Record<string, number>
}

export interface CredentialLeak {
  readonly path: string
  readonly headers: readonly string[]
}

/** Everything a test may ask about, as plain data. */
export interface BooksSnapshot {
  readonly reports: readonly StoredReport[]
  /** Reports made, by merchant and UTC month of the sandbox's clock. */
  readonly generationsByMonth: Readonly<Record<string, Readonly<Record<Month, number>>>>
  readonly deliveries: readonly Delivery[]
  /** Since this process started; the only part that a restart forgets. */
  readonly requests: Readonly<Record<string, RequestCount>>
  /** Downloads that brought credentials along. */
  readonly leaks: readonly CredentialLeak[]
}

export interface Books {
  report(id: string): StoredReport | undefined
  reports(): StoredReport[]
  /** Adds or changes a report; it is on disk when this returns. */
  save(report: StoredReport): void
  addDelivery(delivery: Delivery): void
  countRequest(endpoint: string, code: string): void
  addLeak(leak: CredentialLeak): void
  snapshot(): BooksSnapshot
}

export function openBooks(folder: StateFolder): Books {
  const reports = new Map<string, StoredReport>()
  const deliveries: Delivery[] = []
  const requests: Record<string, RequestCount> = {}
  const leaks: CredentialLeak[] = []
  for (const name of folder.list('reports').sort()) {
    const file = fileSchema.parse(folder.read(name))
    reports.set(file.report.reportId, file.report)
    deliveries.push(...file.deliveries)
  }
  deliveries.sort((one, other) => one.atMs - other.atMs)
  const write = (report: StoredReport) =>
    folder.write(`reports/${report.reportId}.json`, {
      report,
      deliveries: deliveries.filter(delivery => delivery.reportId === report.reportId),
    })
  return {
    report: id => reports.get(id),
    reports: () => [...reports.values()],
    save: report => {
      write(report)
      reports.set(report.reportId, report)
    },
    addDelivery: delivery => {
      deliveries.push(delivery)
      const report = delivery.reportId === null ? undefined : reports.get(delivery.reportId)
      if (report !== undefined) write(report)
    },
    countRequest: (endpoint, code) => {
      const count = requests[endpoint] ?? { total: 0, byCode: {} }
      count.total++
      count.byCode[code] = (count.byCode[code] ?? 0) + 1
      requests[endpoint] = count
    },
    addLeak: leak => leaks.push(leak),
    snapshot: () =>
      structuredClone({
        reports: [...reports.values()],
        generationsByMonth: byMonth(reports.values()),
        deliveries,
        requests,
        leaks,
      }),
  }
}

/** The month of the quota a report was made in, by the clock the merchant sees. */
export function monthOfReport(report: StoredReport): Month {
  return monthOf(new Date(report.acceptedAtMs + report.skewMs))
}

function byMonth(reports: Iterable<StoredReport>): Record<string, Record<Month, number>> {
  const counts: Record<string, Record<Month, number>> = {}
  for (const report of reports) {
    const months = counts[report.merchant] ?? {}
    const month = monthOfReport(report)
    months[month] = (months[month] ?? 0) + 1
    counts[report.merchant] = months
  }
  return counts
}
