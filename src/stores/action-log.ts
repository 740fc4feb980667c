/** Actions that must happen once, however often they are asked for: a form sent twice, a request tried again. */
import { z } from 'zod'
import { actionKeys } from '../domain/keys.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

const intentRecord = z.object({
  at: z.iso.datetime(),
  who: z.string(),
  did: z.string(),
  /** SHA-256 of what was asked, so that one key cannot stand for two questions. */
  asked: z.string(),
})
export type ActionIntent = z.infer<typeof intentRecord>

/** What is shown to whoever asked. */
const resultRecord = z.object({
  at: z.iso.datetime(),
  outcome: z.string(),
  says: z.string(),
  /** What it led to, as plain texts: a report, a day, … */
  about: z.record(z.string(), z.string()),
})
export type ActionResult = z.infer<typeof resultRecord>

export type ActionStanding =
  /** The caller is the first and must go on. */
  | { readonly standing: 'begun' }
  | { readonly standing: 'done'; readonly result: ActionResult }
  /** Somebody is at it, or died at it. */
  | { readonly standing: 'under-way'; readonly since: string }
  /** The key was used for another question. */
  | { readonly standing: 'key-reused' }

/** Begins an action, or says what became of it. The id is made of the person and their key. */
export async function beginAction(
  store: ObjectStore,
  id: string,
  intent: ActionIntent,
): Promise<ActionStanding> {
  const keys = actionKeys(id)
  if ((await createRecord(store, keys.intent, intent)) === 'created') return { standing: 'begun' }
  const [first, done] = await Promise.all([
    readRecord(store, keys.intent, intentRecord),
    readRecord(store, keys.result, resultRecord),
  ])
  if (first?.record.asked !== intent.asked || first.record.did !== intent.did)
    return { standing: 'key-reused' }
  if (done !== undefined) return { standing: 'done', result: done.record }
  return { standing: 'under-way', since: first.record.at }
}

export async function endAction(store: ObjectStore, id: string, result: ActionResult): Promise<void> {
  await createRecord(store, actionKeys(id).result, result)
}

/** What an action came to, for whoever knows its key. */
export async function resultOf(store: ObjectStore, key: string): Promise<ActionResult | undefined> {
  return (await readRecord(store, key, resultRecord))?.record
}
