/** The public keys that providers have signed with, kept as evidence and for the next start. */
import { z } from 'zod'
import { publicKeyKey } from '../domain/keys.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

/** `keys/<provider>/<serial>.json`: a key as it was printed, and when it was first seen. */
const publicKeyRecord = z.object({
  serial: z.string(),
  publicKey: z.string(),
  /** The address of the API that printed it. */
  printedBy: z.string(),
  firstSeenAt: z.iso.datetime(),
})
export type PublicKeyRecord = z.infer<typeof publicKeyRecord>

/** The keys of one provider. A serial must be a safe segment of a key. */
export interface PublicKeys {
  read(serial: string): Promise<PublicKeyRecord | undefined>
  create(record: PublicKeyRecord): Promise<'created' | 'exists'>
}

export function publicKeys(store: ObjectStore, provider: string): PublicKeys {
  return {
    read: async serial => (await readRecord(store, publicKeyKey(provider, serial), publicKeyRecord))?.record,
    create: record => createRecord(store, publicKeyKey(provider, record.serial), record),
  }
}
