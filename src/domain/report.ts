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
  /** The slot that was spent; `null` for a file that a person brought. */
  slot: z.object({ month: z.string(), number: count }).nullable(),
  /** When it was asked for; of a file that a person brought, when it counts as generated. */
  askedAt: instant,
  /**
   * `answer`: the provider said so; `match`: found by its creation time after the answer was lost;
   * `settle`: a person said so after the answer was lost; `import`: a person brought the file and its days.
   */
  via: z.enum(['answer', 'match', 'settle', 'import']),
  /** The provider's answer as it came, or `null` when it was lost or there was none. */
  answer: z.string().nullable(),
  recordedAt: instant,
  /** The person or process that vouches for it, where the provider does not. */
  by: z.string().optional(),
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
  /**
   * Where the link came from; `import`: a person brought the file; `store`: the bytes stood there from a run
   * that died before this record.
   */
  via: z.enum(['callback', 'query', 'import', 'store']),
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

/** How a report can end without a file. */
export const ENDINGS = ['failed', 'expired', 'abandoned'] as const
export type Ending = (typeof ENDINGS)[number]

/** `ended.json`, `ended-called.json`: the provider will not deliver, and what it said. */
export const endedRecord = z.object({
  reportId: z.string(),
  /**
   * `failed`: the provider says so; `expired`: the link has run out and no new one was given; `abandoned`:
   * the provider has not known the report, or has been at work on it, for longer than is waited.
   */
  outcome: z.enum(ENDINGS),
  /** The provider's word for it. */
  status: z.enum(['failed', 'expired', 'absent', 'processing']),
  /** Since when it has said so. */
  since: instant,
  /** Its last answer, or `null` when it is not at hand. */
  answer: z.string().nullable(),
  endedAt: instant,
  by: z.string(),
})
export type EndedRecord = z.infer<typeof endedRecord>

/**
 * The records a report can have. `ended` was written while no callback was known, `ended-called` with the
 * callback at hand: so that a callback which comes after an end is news, and one that came before is not.
 */
export const REPORT_PARTS = ['accepted', 'callback', 'archive', 'manifest', 'ended', 'ended-called'] as const
export type ReportPart = (typeof REPORT_PARTS)[number]
export type EndedPart = 'ended' | 'ended-called'

/**
 * `unsolicited`: a callback for a report nobody here is known to have asked for; `ended`: see the record for
 * which of the endings it is.
 */
export type ReportState = 'accepted' | 'unsolicited' | 'ready' | 'archived' | 'parsed' | 'ended'

/**
 * A report's state follows from which of its records exist; it is stored nowhere, and the order in which
 * they came does not matter. A file always wins: a report that has ended is archived all the same when a
 * person brings its file, and is ready again when a callback comes that the end did not know of.
 */
export function reportState(parts: ReadonlySet<ReportPart>): ReportState {
  if (parts.has('manifest')) return 'parsed'
  if (parts.has('archive')) return 'archived'
  if (standingEnd(parts) !== undefined) return 'ended'
  if (!parts.has('accepted')) return 'unsolicited'
  return parts.has('callback') ? 'ready' : 'accepted'
}

/** The record that says how a report without a file has ended, or `undefined` while it has not. */
export function standingEnd(parts: ReadonlySet<ReportPart>): EndedPart | undefined {
  if (parts.has('manifest') || parts.has('archive')) return undefined
  const part = endedPart(parts)
  return parts.has(part) ? part : undefined
}

/** The record under which a report with these records would end now. */
export function endedPart(parts: ReadonlySet<ReportPart>): EndedPart {
  return parts.has('callback') ? 'ended-called' : 'ended'
}

/** Whether nothing is left to do, until something new arrives. */
export function isFinished(parts: ReadonlySet<ReportPart>): boolean {
  const state = reportState(parts)
  return state === 'parsed' || state === 'ended'
}
