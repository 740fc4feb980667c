/**
 * The `activity` table: one Parquet object a day and account. Publishing replaces one object whole, and of
 * two origins of a day the later one stands, in whatever order they are published.
 *
 * An object is replaced only by its etag, by whoever has read that what stands is of an earlier origin; so
 * its origin only ever grows. An object whose rows would not change is left alone, and then it lags behind
 * what is known: a report between the two must not replace it. So whoever finds a day standing first
 * creates a record of what it is about to replace, and then lists those records. One who sees a later
 * origin there gives way. One who would leave the object alone does so only if no origin between the
 * object's and its own is there: whoever records itself after that listing sees the later record and gives
 * way. One who died between record and replacing is finished by the next run of its parse.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { ACTIVITY_SCHEMA_VERSION } from '../domain/activity.ts'
import type { Day } from '../domain/calendar.ts'
import { compareOrigins, parseReplacementName, replacementName } from '../domain/day-origin.ts'
import { DaybookError } from '../domain/errors.ts'
import { type AccountRef, activityKey, replacementKey, replacementsPrefix } from '../domain/keys.ts'
import { type DayChange, type DayOrigin, dayChange, dayOrigin, isSameRows } from '../domain/report.ts'
import type { ByteSource } from '../formats/byte-source.ts'
import { diffDays } from '../formats/day-diff.ts'
import { readActivityMetadata } from '../formats/parquet.ts'
import type { ObjectHead, ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

const METADATA = {
  schemaVersion: 'daybook.schema_version',
  parserVersion: 'daybook.parser_version',
  reportId: 'daybook.report_id',
  generatedAt: 'daybook.generated_at',
  sourceSha256: 'daybook.source_sha256',
} as const

/** What a day's file says of itself, so that it can be judged without any other object. */
export function dayMetadata(origin: DayOrigin, sourceSha256: string): Record<string, string> {
  return {
    [METADATA.schemaVersion]: ACTIVITY_SCHEMA_VERSION,
    [METADATA.parserVersion]: origin.parserVersion,
    [METADATA.reportId]: origin.reportId,
    [METADATA.generatedAt]: origin.generatedAt,
    [METADATA.sourceSha256]: sourceSha256,
  }
}

/** A day of an account, and the file that holds its rows. */
export interface DayFile {
  readonly ref: AccountRef
  readonly day: Day
  readonly path: string
  readonly origin: DayOrigin
}

/** `change` is absent when nothing of another origin stood there. */
export type Publication =
  | { readonly publication: 'published'; readonly change?: DayChange }
  | { readonly publication: 'newer-kept' }

/** Publishes a day, unless a later origin stands there or is about to. */
export async function publishDay(store: ObjectStore, file: DayFile): Promise<Publication> {
  const { ref, day, path, origin } = file
  const key = activityKey(ref, day)
  for (;;) {
    const found = await compareDay(store, file)
    if (found.finding === 'nothing-stands') {
      if ((await store.create(key, createReadStream(path))).outcome === 'created')
        return { publication: 'published' }
      continue
    }
    if (found.finding === 'later-stands') return { publication: 'newer-kept' }
    if (found.finding === 'stands') return published(await recordedChange(store, file))
    const { change } = found
    await createRecord(store, replacementKey(ref, day, replacementName(origin, change.replaced)), change)
    const others = await recordedOrigins(store, ref, day)
    if (others.some(other => compareOrigins(other.origin, origin) > 0)) return { publication: 'newer-kept' }
    const contested = others.some(
      other => compareOrigins(other.origin, change.replaced) > 0 && compareOrigins(other.origin, origin) < 0,
    )
    if (isSameRows(change) && !contested) return published(change)
    if ((await store.replace(key, createReadStream(path), change.replaced.etag)).outcome === 'replaced')
      return published(change)
  }
}

function published(change: DayChange | undefined): Publication {
  return { publication: 'published', ...(change === undefined ? {} : { change }) }
}

/** What publishing a day would meet. */
export type DayFinding =
  | { readonly finding: 'nothing-stands' }
  /** A report generated later, or a later parse of this one; or its rows stand, which are the same. */
  | { readonly finding: 'later-stands' }
  /** This very file, from a run before. */
  | { readonly finding: 'stands' }
  | { readonly finding: 'earlier-stands'; readonly change: DayChange }

/** Compares a day's file with what stands, and changes nothing. Reads both as streams. */
export async function compareDay(
  store: ObjectStore,
  { ref, day, path, origin }: DayFile,
): Promise<DayFinding> {
  const key = activityKey(ref, day)
  for (;;) {
    const standing = await store.head(key)
    if (standing === undefined) return { finding: 'nothing-stands' }
    const replaced = await unlessReplaced(store, standing, readOrigin)
    if (replaced === undefined) continue
    const order = compareOrigins(replaced, origin)
    if (order > 0) return { finding: 'later-stands' }
    if (order === 0) return { finding: 'stands' }
    const others = await recordedOrigins(store, ref, day)
    if (others.some(other => compareOrigins(other.origin, origin) > 0)) return { finding: 'later-stands' }
    const next = await fileSource(path)
    const diff = await unlessReplaced(store, standing, source => diffDays(source, next))
    if (diff === undefined) continue
    return { finding: 'earlier-stands', change: { replaced: { ...replaced, etag: standing.etag }, ...diff } }
  }
}

/** What `read` makes of the object, or `undefined` when the object was replaced in the meantime. */
async function unlessReplaced<T>(
  store: ObjectStore,
  standing: ObjectHead,
  read: (source: ByteSource) => Promise<T>,
): Promise<T | undefined> {
  const stands = async () => (await store.head(standing.key))?.etag === standing.etag
  try {
    const answer = await read(storedSource(store, standing))
    return (await stands()) ? answer : undefined
  } catch (error) {
    if (await stands()) throw error
    return undefined
  }
}

async function readOrigin(source: ByteSource): Promise<DayOrigin> {
  const metadata = await readActivityMetadata(source)
  const parsed = dayOrigin.safeParse({
    reportId: metadata[METADATA.reportId],
    generatedAt: metadata[METADATA.generatedAt],
    parserVersion: metadata[METADATA.parserVersion],
  })
  if (parsed.success) return parsed.data
  throw new DaybookError('file-damaged', `${source.name} does not say which report its rows are from.`)
}

async function recordedOrigins(store: ObjectStore, ref: AccountRef, day: Day) {
  const prefix = replacementsPrefix(ref, day)
  const found = []
  for await (const { key } of store.list(prefix)) {
    const parsed = parseReplacementName(key.slice(prefix.length).replace(/\.json$/, ''))
    if (parsed !== undefined) found.push({ ...parsed, key })
  }
  return found
}

/**
 * What a run that died after publishing had changed. Of several records the one that names the latest
 * origin led to what stands, because the tries of one origin meet ever later ones.
 */
async function recordedChange(
  store: ObjectStore,
  { ref, day, origin }: DayFile,
): Promise<DayChange | undefined> {
  const own = (await recordedOrigins(store, ref, day))
    .filter(record => compareOrigins(record.origin, origin) === 0)
    .sort((a, b) => compareOrigins(a.replaced, b.replaced))
    .at(-1)
  return own && (await readRecord(store, own.key, dayChange))?.record
}

async function fileSource(path: string): Promise<ByteSource> {
  const { size } = await stat(path)
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    size,
    read: ({ start, end } = { start: 0 }) =>
      createReadStream(path, { start, ...(end === undefined ? {} : { end: end - 1 }) }),
  }
}

/** An object of a store as something the formats can read. */
export function storedSource(store: ObjectStore, { key, size }: ObjectHead, name?: string): ByteSource {
  return { name: name ?? key.slice(key.lastIndexOf('/') + 1), size, read: range => store.read(key, range) }
}
