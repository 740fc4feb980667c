/** Short ways to make bodies and to use a store, for the tests of stores. */
import type { ObjectStore, StoredObject } from '../../src/stores/object-store.ts'

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

export async function* streamOf(...contents: string[]): AsyncGenerator<Uint8Array> {
  for (const content of contents) yield text(content)
}

/** `size` bytes that are nowhere the same, in chunks of an odd length. */
export async function* bigStream(size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < size; start += 65_537) {
    const chunk = Buffer.alloc(Math.min(65_537, size - start))
    for (let index = 0; index + 4 <= chunk.length; index += 4) chunk.writeUInt32LE(start + index, index)
    yield chunk
  }
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}

export async function textOf(store: ObjectStore, key: string): Promise<string | undefined> {
  return asText(await store.get(key))
}

export function asText(object: StoredObject | undefined): string | undefined {
  return object && new TextDecoder().decode(object.bytes)
}

export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(head => head.key)
}

/** Creates an object that is not there yet, and answers its etag. */
export async function create(store: ObjectStore, key: string, content: string): Promise<string> {
  const created = await store.create(key, text(content))
  if (created.outcome !== 'created') throw new Error(`${key} exists`)
  return created.etag
}

/** Adds one to the number in an object, against whoever else does. */
export async function increment(store: ObjectStore, key: string): Promise<void> {
  for (;;) {
    const current = (await store.get(key))!
    const next = text(String(Number(asText(current)) + 1))
    if ((await store.replace(key, next, current.etag)).outcome === 'replaced') return
  }
}
