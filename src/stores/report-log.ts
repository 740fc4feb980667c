/** The records of the reports, over any store. */
import type { z } from 'zod'
import { type Day, dayOf } from '../domain/calendar.ts'
import {
  type AccountRef,
  allArrivalsPrefix,
  arrivalKey,
  arrivalsPrefix,
  parseReportKey,
  reportKeys,
  reportsPrefix,
} from '../domain/keys.ts'
import {
  acceptedRecord,
  archiveRecord,
  callbackRecord,
  endedRecord,
  manifestRecord,
  REPORT_PARTS,
  type ReportPart,
} from '../domain/report.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

const SCHEMAS = {
  accepted: acceptedRecord,
  callback: callbackRecord,
  archive: archiveRecord,
  manifest: manifestRecord,
  ended: endedRecord,
  'ended-called': endedRecord,
} as const satisfies Record<ReportPart, z.ZodType>

/**
 * When a record arrived that a sweep must find although nobody may be left to tell of it; `undefined` for
 * records that are made of others.
 */
const ARRIVED = {
  accepted: ({ recordedAt }) => recordedAt,
  callback: ({ receivedAt }) => receivedAt,
  archive: ({ archivedAt, via }) => (via === 'import' ? archivedAt : undefined),
  manifest: () => undefined,
  ended: () => undefined,
  'ended-called': () => undefined,
} as const satisfies { [P in ReportPart]: (record: z.infer<(typeof SCHEMAS)[P]>) => string | undefined }

type PartRecord<P extends ReportPart> = z.infer<(typeof SCHEMAS)[P]>

export interface ReportParts {
  readonly reportId: string
  readonly parts: ReadonlySet<ReportPart>
}

export interface ReportLog {
  /**
   * Creates a record of a report; what stands there already is never changed. What comes from outside leaves
   * a mark under its day first, so that no record is without one.
   */
  create<P extends ReportPart>(
    ref: AccountRef,
    reportId: string,
    part: P,
    record: PartRecord<P>,
  ): Promise<'created' | 'exists'>
  read<P extends ReportPart>(ref: AccountRef, reportId: string, part: P): Promise<PartRecord<P> | undefined>
  /** Which records a report has; none for an unknown id. */
  parts(ref: AccountRef, reportId: string): Promise<ReadonlySet<ReportPart>>
  /** The reports of which something arrived on a day. */
  arrivals(ref: AccountRef, day: Day): Promise<string[]>
  /** Every report of which something arrived, with the last day on which it did. */
  allArrivals(ref: AccountRef): Promise<Map<string, Day>>
  /** Marks a report as arrived, for who writes more than one record of it. */
  mark(ref: AccountRef, reportId: string, at: Date): Promise<void>
  /** Every report of an account with the records it has, in the order of the ids' text. */
  list(ref: AccountRef): AsyncIterable<ReportParts>
}

const PART_OF_FILE = new Map<string, ReportPart>(REPORT_PARTS.map(part => [`${part}.json`, part]))

function schemaOf<P extends ReportPart>(part: P): z.ZodType<PartRecord<P>> {
  return SCHEMAS[part] as unknown as z.ZodType<PartRecord<P>>
}

export function reportLog(store: ObjectStore): ReportLog {
  async function mark(ref: AccountRef, reportId: string, at: Date): Promise<void> {
    await store.create(arrivalKey(ref, dayOf(at), reportId), new Uint8Array())
  }

  return {
    async create(ref, reportId, part, record) {
      const arrived = (ARRIVED[part] as (record: unknown) => string | undefined)(record)
      if (arrived !== undefined) await mark(ref, reportId, new Date(arrived))
      return createRecord(store, reportKeys(ref, reportId)[part], record)
    },

    mark,

    async arrivals(ref, day) {
      const prefix = arrivalsPrefix(ref, day)
      const ids: string[] = []
      for await (const { key } of store.list(prefix)) ids.push(key.slice(prefix.length))
      return ids
    },

    async allArrivals(ref) {
      const prefix = allArrivalsPrefix(ref)
      const marks = new Map<string, Day>()
      for await (const { key } of store.list(prefix)) {
        const [day, reportId] = key.slice(prefix.length).split('/')
        marks.set(reportId!, day!)
      }
      return marks
    },

    async read(ref, reportId, part) {
      return (await readRecord(store, reportKeys(ref, reportId)[part], schemaOf(part)))?.record
    },

    async parts(ref, reportId) {
      const parts = new Set<ReportPart>()
      const { folder } = reportKeys(ref, reportId)
      for await (const { key } of store.list(folder)) {
        const part = PART_OF_FILE.get(key.slice(folder.length))
        if (part !== undefined) parts.add(part)
      }
      return parts
    },

    async *list(ref) {
      let current: { reportId: string; parts: Set<ReportPart> } | undefined
      for await (const { key } of store.list(reportsPrefix(ref))) {
        const parsed = parseReportKey(ref, key)
        if (parsed === undefined) continue
        if (current?.reportId !== parsed.reportId) {
          if (current !== undefined) yield current
          current = { reportId: parsed.reportId, parts: new Set() }
        }
        const part = PART_OF_FILE.get(parsed.part)
        if (part !== undefined) current.parts.add(part)
      }
      if (current !== undefined) yield current
    },
  }
}
