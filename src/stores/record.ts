/** Records: small JSON objects with a schema, created once. */
import { z } from 'zod'
import { DaybookError } from '../domain/errors.ts'
import { parseCounts, writePrettyJson } from '../domain/json.ts'
import type { ObjectStore } from './object-store.ts'

/** A record and the tag that a later replacement must name. */
export interface TaggedRecord<T> {
  readonly record: T
  readonly etag: string
}

/** Creates the record unless it exists. */
export async function createRecord(
  store: ObjectStore,
  key: string,
  record: unknown,
): Promise<'created' | 'exists'> {
  return (await store.create(key, encode(record))).outcome
}

/** Replaces the record if `etag` is still current. */
export async function replaceRecord(
  store: ObjectStore,
  key: string,
  record: unknown,
  etag: string,
): Promise<'replaced' | 'stale'> {
  return (await store.replace(key, encode(record), etag)).outcome
}

/**
 * Writes the record over the one that has this tag; without a tag, only where there is none. Answers the new
 * tag, or `undefined` when somebody else has written since.
 */
export async function writeRecord(
  store: ObjectStore,
  key: string,
  record: unknown,
  etag: string | undefined,
): Promise<string | undefined> {
  const written =
    etag === undefined
      ? await store.create(key, encode(record))
      : await store.replace(key, encode(record), etag)
  return 'etag' in written ? written.etag : undefined
}

/** Reads a record, or `undefined` when there is none. Throws `record-invalid` when it does not fit. */
export async function readRecord<S extends z.ZodType>(
  store: ObjectStore,
  key: string,
  schema: S,
): Promise<TaggedRecord<z.infer<S>> | undefined> {
  const object = await store.get(key)
  if (object === undefined) return undefined
  return { record: decode(object.bytes, key, schema), etag: object.etag }
}

function encode(record: unknown): Uint8Array {
  return Buffer.from(writePrettyJson(record))
}

function decode<S extends z.ZodType>(bytes: Uint8Array, key: string, schema: S): z.infer<S> {
  const parsed = schema.safeParse(parseRecord(bytes, key))
  if (parsed.success) return parsed.data
  const message = `The record ${key} is not as Daybook writes it:\n${z.prettifyError(parsed.error)}`
  throw new DaybookError('record-invalid', message, { details: { key }, cause: parsed.error })
}

function parseRecord(bytes: Uint8Array, key: string): unknown {
  try {
    return parseCounts(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new DaybookError('record-invalid', `The record ${key} is not JSON.`, { details: { key }, cause })
  }
}
