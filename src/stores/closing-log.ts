/** The months that people have closed. */
import type { Month } from '../domain/calendar.ts'
import { type ClosingRecord, closingRecord } from '../domain/closing.ts'
import { type AccountRef, closingKey } from '../domain/keys.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

/** Every closing of a month, in order. */
export async function closingsOf(
  store: ObjectStore,
  ref: AccountRef,
  month: Month,
): Promise<ClosingRecord[]> {
  const found: ClosingRecord[] = []
  for (;;) {
    const read = await readRecord(store, closingKey(ref, month, found.length + 1), closingRecord)
    if (read === undefined) return found
    found.push(read.record)
  }
}

/** Records a closing behind those there are. */
export async function recordClosing(
  store: ObjectStore,
  ref: AccountRef,
  draft: Omit<ClosingRecord, 'number'>,
): Promise<ClosingRecord> {
  for (let number = (await closingsOf(store, ref, draft.month)).length + 1; ; number++) {
    const record = { ...draft, number }
    if ((await createRecord(store, closingKey(ref, draft.month, number), record)) === 'created') return record
  }
}
