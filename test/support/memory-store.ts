/** An object store in memory: for tests of what stands on a store. */
import { DaybookError } from '../../src/domain/errors.ts'
import { checkKey, checkPrefix } from '../../src/domain/keys.ts'
import type { Body, ByteRange, ObjectHead, ObjectStore } from '../../src/stores/object-store.ts'

/** The objects of a bucket, so that several stores can look at the same ones. */
export interface MemoryObjects {
  readonly byKey: Map<string, { readonly bytes: Uint8Array; readonly etag: string }>
  writes: number
}

export function memoryObjects(): MemoryObjects {
  return { byKey: new Map(), writes: 0 }
}

const CHUNK_BYTES = 64 * 1024

export function memoryStore(objects: MemoryObjects = memoryObjects()): ObjectStore {
  const headOf = (key: string): ObjectHead | undefined => {
    const found = objects.byKey.get(checkKey(key))
    return found && { key, size: found.bytes.length, etag: found.etag }
  }

  /** Nothing else runs between the caller's look at the key and this. */
  const put = (key: string, bytes: Uint8Array): string => {
    const etag = `"${++objects.writes}"`
    objects.byKey.set(key, { bytes, etag })
    return etag
  }

  return {
    address: 'memory',
    async get(key) {
      const head = headOf(key)
      return head && { ...head, bytes: Uint8Array.from(objects.byKey.get(key)!.bytes) }
    },
    async head(key) {
      return headOf(key)
    },
    async create(key, body) {
      checkKey(key)
      const bytes = await bytesOf(body)
      return objects.byKey.has(key) ? { outcome: 'exists' } : { outcome: 'created', etag: put(key, bytes) }
    },
    async replace(key, body, etag) {
      checkKey(key)
      const bytes = await bytesOf(body)
      if (objects.byKey.get(key)?.etag !== etag) return { outcome: 'stale' }
      return { outcome: 'replaced', etag: put(key, bytes) }
    },
    async *list(prefix) {
      checkPrefix(prefix)
      for (const key of [...objects.byKey.keys()].filter(one => one.startsWith(prefix)).sort()) {
        const head = headOf(key)
        if (head !== undefined) yield head
      }
    },
    async *read(key, range) {
      const found = objects.byKey.get(checkKey(key))
      if (found === undefined) throw new DaybookError('not-found', `There is no object ${key}.`)
      yield* chunksOf(found.bytes, range)
    },
  }
}

/** A copy: what a caller does to its bytes later changes nothing here. */
async function bytesOf(body: Body): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return Uint8Array.from(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Uint8Array.from(chunk))
  return Uint8Array.from(Buffer.concat(chunks))
}

function* chunksOf(bytes: Uint8Array, range: ByteRange = { start: 0 }): Generator<Uint8Array> {
  const end = Math.min(range.end ?? bytes.length, bytes.length)
  for (let start = range.start; start < end; start += CHUNK_BYTES) {
    yield bytes.slice(start, Math.min(end, start + CHUNK_BYTES))
  }
}
