/** What was found about the days of an account, run by run, and what people have said of it. */
import { instantName } from '../domain/balance.ts'
import type { Day } from '../domain/calendar.ts'
import { writeJson } from '../domain/json.ts'
import { type AccountRef, explanationKey, explanationsPrefix, reconciliationKey } from '../domain/keys.ts'
import {
  type ExplanationRecord,
  explanationRecord,
  type ReconciliationRecord,
  reconciliationRecord,
} from '../domain/reconciliation.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

/** The newest run about a day, or `undefined` while there is none. */
export async function newestReconciliation(
  store: ObjectStore,
  ref: AccountRef,
  day: Day,
): Promise<ReconciliationRecord | undefined> {
  return (await reconciliationsOf(store, ref, day)).at(-1)
}

/** Every run about a day, from the first on. Runs are numbered without a gap. */
export async function reconciliationsOf(
  store: ObjectStore,
  ref: AccountRef,
  day: Day,
): Promise<ReconciliationRecord[]> {
  const runs: ReconciliationRecord[] = []
  for (;;) {
    const key = reconciliationKey(ref, day, runs.length + 1)
    const found = await readRecord(store, key, reconciliationRecord)
    if (found === undefined) return runs
    runs.push(found.record)
  }
}

/** Records a run behind those there are; one that found what the newest did is not recorded again. */
export async function recordReconciliation(
  store: ObjectStore,
  ref: AccountRef,
  draft: Omit<ReconciliationRecord, 'run'>,
): Promise<{ outcome: 'recorded' | 'unchanged'; record: ReconciliationRecord }> {
  for (;;) {
    const newest = await newestReconciliation(store, ref, draft.day)
    if (newest !== undefined && contentOf(newest) === contentOf(draft))
      return { outcome: 'unchanged', record: newest }
    const record = { ...draft, run: (newest?.run ?? 0) + 1 }
    const key = reconciliationKey(ref, draft.day, record.run)
    if ((await createRecord(store, key, record)) === 'created') return { outcome: 'recorded', record }
  }
}

function contentOf({ assumptions, findings }: Omit<ReconciliationRecord, 'run'>): string {
  return writeJson([assumptions, findings.map(finding => Object.entries(finding).sort())])
}

/** Adds what a person says; nothing that was said before is touched. */
export async function recordExplanation(
  store: ObjectStore,
  ref: AccountRef,
  record: ExplanationRecord,
): Promise<string> {
  const name = instantName(new Date(record.at))
  for (let number = 1; ; number++) {
    const key = explanationKey(ref, record.day, number === 1 ? name : `${name}~${number}`)
    if ((await createRecord(store, key, record)) === 'created') return key
  }
}

/** What was said of a day's findings, in the order it was said in. */
export async function explanationsOf(
  store: ObjectStore,
  ref: AccountRef,
  day: Day,
): Promise<ExplanationRecord[]> {
  const found: ExplanationRecord[] = []
  for await (const { key } of store.list(explanationsPrefix(ref, day))) {
    const read = await readRecord(store, key, explanationRecord)
    if (read !== undefined) found.push(read.record)
  }
  return found
}
