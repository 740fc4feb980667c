/** What is recorded of a report, and the state that follows from which records exist. */
import { z } from 'zod'
import { isDay } from './calendar.ts'

/** Which wallets a report is about. */
export const WALLET_SCOPES = ['all', 'spot', 'funding'] as const
export type WalletScope = (typeof WALLET_SCOPES)[number]

const day = z.string().refine(isDay, 'expected a day, YYYY-MM-DD')
const instant = z.iso.datetime()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
const count = z.number().int().nonnegative()
const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number as text')

/** What is asked of a provider: the activity of these days in these wallets. */
export const reportRequest = z.object({
  range: z.object({ start: day, end: day }),
  wallets: z.enum(WALLET_SCOPES),
})
export type ReportRequest = z.infer<typeof reportRequest>

/** Whether two requests ask the same question. */
export function sameRequest(a: ReportRequest, b: ReportRequest): boolean {
  return a.wallets === b.wallets && a.range.start === b.range.start && a.range.end === b.range.end
}

/** `accepted.json`: the provider has taken the request and named the report. */
export const acceptedRecord = z.object({
  reportId: z.string(),
  request: reportRequest,
  slot: z.object({ month: z.string(), number: count }),
  askedAt: instant,
  /** `answer`: the provider said so; `match`: found by its creation time after the answer was lost. */
  via: z.enum(['answer', 'match']),
  /** The provider's answer as it came, or `null` when it was lost. */
  answer: z.string().nullable(),
  recordedAt: instant,
})
export type AcceptedRecord = z.infer<typeof acceptedRecord>

/** `callback.json`: the bytes that were verified, and what verified them. */
export const callbackRecord = z.object({
  kind: z.string(),
  id: z.string(),
  receivedAt: instant,
  /** The headers that the signature covers or that name the key. */
  headers: z.record(z.string(), z.string()),
  bodyBase64: z.base64(),
  bodySha256: sha256,
  keySerial: z.string(),
  /** When the sender says it signed. */
  signedAt: instant,
  /** A stale callback proves that the report exists; its link is not used. */
  fresh: z.boolean(),
})
export type CallbackRecord = z.infer<typeof callbackRecord>

/** `archive.json`: the file as it was received. */
export const archiveRecord = z.object({
  reportId: z.string(),
  /** The last segment of the key the bytes stand under. */
  file: z.string(),
  /** The name the provider gave it, which may carry the zone. */
  name: z.string(),
  size: count,
  sha256,
  contentType: z.string().nullable(),
  /** Where the link came from; `store`: the bytes stood there from a run that died before this record. */
  via: z.enum(['callback', 'query', 'store']),
  host: z.string().nullable(),
  archivedAt: instant,
})
export type ArchiveRecord = z.infer<typeof archiveRecord>

const sum = z.object({ wallet: z.string(), asset: z.string(), amount: decimal })

/** Where a day's rows come from; the later of two origins is the one that stands. */
export const dayOrigin = z.object({
  reportId: z.string(),
  /** What orders two reports of one day. */
  generatedAt: instant,
  /** What orders two parses of one report. */
  parserVersion: z.string(),
})
export type DayOrigin = z.infer<typeof dayOrigin>

/** What publishing a day changes against what stands there. */
export const dayChange = z.object({
  replaced: dayOrigin.extend({ etag: z.string() }),
  added: count,
  removed: count,
  /** Rows that stay the same row, but for cells that are not part of its identity. */
  altered: count,
  /** Sums of the rows added and of those removed. */
  addedSums: z.array(sum),
  removedSums: z.array(sum),
})
export type DayChange = z.infer<typeof dayChange>

/** Whether the rows that stand are those that would replace them. */
export function isSameRows({ added, removed, altered }: Omit<DayChange, 'replaced'>): boolean {
  return added + removed + altered === 0
}

/** `manifest.json`: what parse did with the file. Amounts are text. */
export const manifestRecord = z.object({
  reportId: z.string(),
  request: reportRequest,
  /** Which of two reports of a day is the newer one. */
  generatedAt: instant,
  parsedAt: instant,
  parserVersion: z.string(),
  schemaVersion: z.string(),
  source: z.object({ file: z.string(), sha256, container: z.string(), layout: z.string() }),
  /** read = written + quarantined + outside */
  rows: z.object({ read: count, written: count, quarantined: count, outside: count }),
  days: z.array(
    z.object({
      day,
      rows: count,
      key: z.string(),
      sha256,
      /**
       * `published`: this report's rows are what readers see; `newer-kept`: a report generated later had
       * published the day before; `withheld`: the report must not publish, see `notes`.
       */
      publication: z.enum(['published', 'newer-kept', 'withheld']),
      /**
       * Against the rows of another report or parse that stood there; absent when nothing stood. Where it
       * changes nothing, the day's object may have been left as it was.
       */
      change: dayChange.optional(),
    }),
  ),
  sums: z.array(sum),
  operations: z.array(z.object({ operation: z.string(), category: z.string(), rows: count })),
  /** Quarantined rows by reason. */
  reasons: z.record(z.string(), count),
  quarantine: z.string().nullable(),
  notes: z.array(z.string()),
})
export type Manifest = z.infer<typeof manifestRecord>

/** The records a report can have. */
export const REPORT_PARTS = ['accepted', 'callback', 'archive', 'manifest'] as const
export type ReportPart = (typeof REPORT_PARTS)[number]

/** `unsolicited`: a callback for a report nobody here is known to have asked for. */
export type ReportState = 'accepted' | 'unsolicited' | 'ready' | 'archived' | 'parsed'

/** A report's state follows from which of its records exist; it is stored nowhere. */
export function reportState(parts: ReadonlySet<ReportPart>): ReportState {
  if (parts.has('manifest')) return 'parsed'
  if (parts.has('archive')) return 'archived'
  if (!parts.has('accepted')) return 'unsolicited'
  return parts.has('callback') ? 'ready' : 'accepted'
}
