/**
 * The keys that sign callbacks, by serial. A serial is opaque text that matches whatever its case. Keys
 * rotate without notice, so an unknown serial makes the ring ask for the keys again; it does so at most
 * once per interval, however many strangers invent serials.
 */
import type { KeyObject } from 'node:crypto'
import { isSafeSegment } from '../../domain/keys.ts'
import type { Clock } from '../../host.ts'
import { errorFields, type Log } from '../../log.ts'
import { readPublicKey } from '../rsa-keys.ts'
import type { CertificateEntry } from './certificates.ts'

/** Where keys are kept, so that they are evidence and a restart needs no network. */
export interface KeyRecords {
  read(serial: string): Promise<KeyRecord | undefined>
  /** What stands there already is never changed. */
  create(record: KeyRecord): Promise<'created' | 'exists'>
}

interface KeyRecord {
  readonly serial: string
  readonly publicKey: string
  readonly printedBy: string
  readonly firstSeenAt: string
}

export interface KeyRing {
  /** The key of a serial, or `undefined`. Throws `provider-unreachable` when it had to be fetched and could not. */
  find(serial: string): Promise<KeyObject | undefined>
  /** Fetches the keys now and answers their serials. */
  refresh(): Promise<string[]>
}

export interface KeyRingOptions {
  readonly provider: string
  /** The API's address: a key that another one printed, such as a sandbox, is not trusted. */
  readonly baseUrl: string
  readonly fetchKeys: () => Promise<CertificateEntry[]>
  readonly records: KeyRecords
  readonly clock: Clock
  readonly log: Log
  /** The shortest time between two fetches that unknown serials can cause. */
  readonly refetchAfterMs: number
  readonly smallestBits?: number
}

const MOST_UNKNOWN = 1000

export function keyRing(options: KeyRingOptions): KeyRing {
  const keys = new Map<string, KeyObject>()
  /** Serials that neither the store nor the last fetch knew: strangers' inventions cost nothing twice. */
  const unknown = new Set<string>()
  let fetching: Promise<string[]> | undefined
  /** Why the last fetch brought no answer: then an unknown serial is not refused, but left open. */
  let failure: { readonly error: unknown } | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY

  async function fromStore(serial: string): Promise<KeyObject | undefined> {
    if (!isSafeSegment(serial) || unknown.has(serial)) return undefined
    const record = await options.records.read(serial)
    return record?.printedBy === options.baseUrl ? tryRead(serial, record.publicKey) : undefined
  }

  async function refresh(): Promise<string[]> {
    fetchedAt = options.clock.now().getTime()
    const entries = await options.fetchKeys()
    unknown.clear()
    const serials: string[] = []
    for (const entry of entries) {
      if (await keep(entry)) serials.push(foldSerial(entry.serial))
    }
    return serials
  }

  /** Takes up a key and records it when it is new. One key that cannot be read does not spoil the others. */
  async function keep({ serial, publicKey }: CertificateEntry): Promise<boolean> {
    const name = foldSerial(serial)
    if (keys.has(name)) return true
    const key = tryRead(name, publicKey)
    if (key === undefined) return false
    if (isSafeSegment(name)) await record(name, publicKey)
    keys.set(name, key)
    return true
  }

  function tryRead(serial: string, publicKey: string): KeyObject | undefined {
    try {
      return readPublicKey(publicKey, options.smallestBits)
    } catch (error) {
      options.log.warn('key.refused', { serial, ...errorFields(error) })
      return undefined
    }
  }

  async function record(serial: string, publicKey: string): Promise<void> {
    const firstSeenAt = options.clock.now().toISOString()
    const outcome = await options.records.create({
      serial,
      publicKey,
      printedBy: options.baseUrl,
      firstSeenAt,
    })
    if (outcome === 'created') options.log.warn('key.first-seen', { provider: options.provider, serial })
  }

  function refetch(): Promise<string[]> {
    fetching ??= refresh()
      .then(serials => {
        failure = undefined
        return serials
      })
      .catch(error => {
        failure = { error }
        throw error
      })
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }

  function mayRefetch(): boolean {
    const waitedMs = options.clock.now().getTime() - fetchedAt
    // A clock that was set back must not make the wait longer.
    return waitedMs < 0 || waitedMs >= options.refetchAfterMs
  }

  return {
    refresh: refetch,

    async find(serial) {
      const name = foldSerial(serial)
      const known = keys.get(name) ?? (await fromStore(name))
      if (known !== undefined) {
        keys.set(name, known)
        return known
      }
      if (fetching !== undefined || mayRefetch()) await refetch()
      else if (failure !== undefined && !keys.has(name)) throw failure.error
      if (!keys.has(name) && unknown.size < MOST_UNKNOWN) unknown.add(name)
      return keys.get(name)
    },
  }
}

/** The one way in which a serial is written in keys of objects. */
export function foldSerial(serial: string): string {
  return serial.toUpperCase()
}
