/**
 * The `activity` table: one Parquet object a day and account. Publishing replaces one object whole, and of
 * two reports about a day the one generated later stands, in whatever order they are published.
 */
import { createReadStream } from 'node:fs'
import { ACTIVITY_SCHEMA_VERSION, PARSER_VERSION } from '../domain/activity.ts'
import type { ByteSource } from '../formats/byte-source.ts'
import { readActivityMetadata } from '../formats/parquet.ts'
import type { ObjectHead, ObjectStore } from './object-store.ts'

/** Where a day's rows come from. */
export interface DayOrigin {
  readonly reportId: string
  /** ISO 8601, UTC; what orders two reports of one day. */
  readonly generatedAt: string
  readonly sourceSha256: string
}

const METADATA = {
  schemaVersion: 'daybook.schema_version',
  parserVersion: 'daybook.parser_version',
  reportId: 'daybook.report_id',
  generatedAt: 'daybook.generated_at',
  sourceSha256: 'daybook.source_sha256',
} as const

/** What a day's file says of itself, so that it can be judged without any other object. */
export function dayMetadata(origin: DayOrigin): Record<string, string> {
  return {
    [METADATA.schemaVersion]: ACTIVITY_SCHEMA_VERSION,
    [METADATA.parserVersion]: PARSER_VERSION,
    [METADATA.reportId]: origin.reportId,
    [METADATA.generatedAt]: origin.generatedAt,
    [METADATA.sourceSha256]: origin.sourceSha256,
  }
}

/** Publishes the file at `path` as the day object `key`, unless a report generated later stands there. */
export async function publishDay(
  store: ObjectStore,
  key: string,
  path: string,
  origin: DayOrigin,
): Promise<'published' | 'newer-kept'> {
  for (;;) {
    const standing = await store.head(key)
    if (standing === undefined) {
      if ((await store.create(key, createReadStream(path))).outcome === 'created') return 'published'
      continue
    }
    const metadata = await readStanding(store, standing)
    if (metadata === undefined) continue
    const order = compareOrigin(metadata, origin)
    if (order > 0) return 'newer-kept'
    if (order === 0 && metadata[METADATA.parserVersion] === PARSER_VERSION) return 'published'
    if ((await store.replace(key, createReadStream(path), standing.etag)).outcome === 'replaced')
      return 'published'
  }
}

/** The metadata of what stands, or `undefined` when it was replaced while it was read. */
async function readStanding(
  store: ObjectStore,
  standing: ObjectHead,
): Promise<Record<string, string> | undefined> {
  try {
    return await readActivityMetadata(storedSource(store, standing))
  } catch (error) {
    if ((await store.head(standing.key))?.etag === standing.etag) throw error
    return undefined
  }
}

/** Positive when what stands was generated after `origin`, zero when it is the same report. */
function compareOrigin(standing: Readonly<Record<string, string>>, origin: DayOrigin): number {
  const a = `${standing[METADATA.generatedAt]} ${standing[METADATA.reportId]}`
  const b = `${origin.generatedAt} ${origin.reportId}`
  return a > b ? 1 : a < b ? -1 : 0
}

/** An object of a store as something the formats can read. */
export function storedSource(store: ObjectStore, { key, size }: ObjectHead, name?: string): ByteSource {
  return { name: name ?? key.slice(key.lastIndexOf('/') + 1), size, read: range => store.read(key, range) }
}
