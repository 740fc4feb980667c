/** Who downloaded or did what. */
import { type AuditRecord, auditRecord } from '../domain/audit.ts'
import { instantName } from '../domain/balance.ts'
import { type Day, dayOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { auditKey, auditPrefix } from '../domain/keys.ts'
import { mapAtOnce } from './at-once.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

/** Records an act under an id that nobody else has. Durable when it returns; answers the key. */
export async function recordAudit(store: ObjectStore, id: string, record: AuditRecord): Promise<string> {
  const at = new Date(record.at)
  const key = auditKey(dayOf(at), `${instantName(at)}-${id}`)
  if ((await createRecord(store, key, record)) === 'created') return key
  throw new DaybookError('store-refused', `The audit object ${key} exists.`, { details: { key } })
}

export interface KeptAudit extends AuditRecord {
  readonly key: string
}

const AT_ONCE = 16

/** The acts of a day, the newest first, from the first whose key lies before `before`. */
export async function auditOf(
  store: ObjectStore,
  day: Day,
  { most, before }: { readonly most: number; readonly before?: string },
): Promise<KeptAudit[]> {
  const keys: string[] = []
  for await (const { key } of store.list(auditPrefix(day)))
    if (before === undefined || key < before) keys.push(key)
  const newest = keys.slice(-most).reverse()
  const found = await mapAtOnce(newest, AT_ONCE, async key => {
    const read = await readRecord(store, key, auditRecord)
    return read === undefined ? [] : [{ ...read.record, key }]
  })
  return found.flat()
}
