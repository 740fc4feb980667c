/** What is known of an object without reading it. `size` is in bytes; `etag` is opaque. */
export interface ObjectHead {
  readonly key: string
  readonly size: number
  readonly etag: string
}

export interface StoredObject extends ObjectHead {
  readonly bytes: Uint8Array
}

/** What an object is made of: bytes at hand, or a stream of any length. */
export type Body = Uint8Array | AsyncIterable<Uint8Array>

export type CreateOutcome = { outcome: 'created'; etag: string } | { outcome: 'exists' }
export type ReplaceOutcome = { outcome: 'replaced'; etag: string } | { outcome: 'stale' }

/**
 * Bytes `start` up to, not including, `end`; to the end of the object when `end` is absent. What lies past
 * the end of the object is left out, so a range may come back shorter, or empty.
 */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

/**
 * A bucket. Every write is conditional and durable when it returns, and an object is visible whole or not
 * at all; there is no delete, because facts are never deleted.
 *
 * Keys that are not made of safe segments throw `key-refused`. A store that cannot be reached throws
 * `store-unavailable`; one that says no throws `store-refused`.
 */
export interface ObjectStore {
  /** Where this is, for people: a folder or `s3://bucket/prefix`. Never holds a secret. */
  readonly address: string

  /** The whole object in memory, or `undefined`; for small objects. */
  get(key: string): Promise<StoredObject | undefined>

  head(key: string): Promise<ObjectHead | undefined>

  /**
   * Creates the object unless it exists: of any number of racing calls exactly one answers `created`.
   * A call whose success was lost on the way back recognises its own object and answers `created`.
   * When `body` throws, nothing becomes visible and the error is passed on.
   */
  create(key: string, body: Body): Promise<CreateOutcome>

  /** Replaces the object if `etag` is still its current one; a missing object is `stale`. */
  replace(key: string, body: Body, etag: string): Promise<ReplaceOutcome>

  /** Every object whose key begins with `prefix`, in ascending key order (by code unit). */
  list(prefix: string): AsyncIterable<ObjectHead>

  /**
   * The object's bytes as a stream; each chunk belongs to the caller, who may let go of its memory.
   * Throws `not-found` when there is none.
   */
  read(key: string, range?: ByteRange): AsyncIterable<Uint8Array>

  /** A link that lets its holder download the object for a while; absent where the store has none. */
  presign?(key: string, options: PresignOptions): Promise<string>

  /** How far the store itself protects what it holds; absent where it has no such settings. */
  examine?(): Promise<StoreLevel>
}

/** What a bucket is set to; `unknown` where these credentials may not ask. */
export interface StoreLevel {
  /** How far its clock is ahead of this machine's; `undefined`: it does not tell. */
  readonly aheadMs: number | undefined
  readonly versioning: 'on' | 'off' | 'unknown'
  /** Object Lock: `none`, `no retention`, or mode and time such as `compliance for 3650 days`. */
  readonly lock: string
  /** What becomes of a write without a condition, which a bucket policy can deny. */
  readonly overwriting: 'denied' | 'allowed' | 'unknown'
}

export interface PresignOptions {
  readonly expiresInSeconds: number
  /** The file name the browser offers. */
  readonly fileName: string
}
