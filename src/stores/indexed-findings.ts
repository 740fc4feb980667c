/** What was found about the days of an account and what was said of it, kept in memory: both never change. */
import type { Day } from '../domain/calendar.ts'
import {
  type AccountRef,
  explanationsPrefix,
  parseExplanationKey,
  parseReconciliationKey,
  reconciliationsPrefix,
} from '../domain/keys.ts'
import {
  type ExplanationRecord,
  explanationRecord,
  type ReconciliationRecord,
  reconciliationRecord,
} from '../domain/reconciliation.ts'
import { mapAtOnce } from './at-once.ts'
import type { ObjectStore } from './object-store.ts'
import { readRecord } from './record.ts'

export interface DayFindings {
  /** Every run, in order. */
  readonly runs: readonly ReconciliationRecord[]
  /** In the order they were said in. */
  readonly explanations: readonly ExplanationRecord[]
}

export interface FindingIndex {
  /** Everything there is now, by day; days about which nothing was found are absent. */
  load(): Promise<ReadonlyMap<Day, DayFindings>>
}

const AT_ONCE = 16

export function indexedFindings(store: ObjectStore, ref: AccountRef): FindingIndex {
  const runs = new Map<string, ReconciliationRecord>()
  const explanations = new Map<string, ExplanationRecord>()

  async function readNew(prefix: string, read: (key: string) => Promise<unknown> | undefined) {
    const keys: string[] = []
    for await (const { key } of store.list(prefix)) keys.push(key)
    await mapAtOnce(keys, AT_ONCE, async key => read(key))
    return keys
  }

  return {
    async load() {
      const [runKeys, explanationKeys] = await Promise.all([
        readNew(reconciliationsPrefix(ref), key =>
          runs.has(key) || parseReconciliationKey(key) === undefined
            ? undefined
            : readRecord(store, key, reconciliationRecord).then(read => read && runs.set(key, read.record)),
        ),
        readNew(explanationsPrefix(ref), key =>
          explanations.has(key) || parseExplanationKey(key) === undefined
            ? undefined
            : readRecord(store, key, explanationRecord).then(
                read => read && explanations.set(key, read.record),
              ),
        ),
      ])
      const found = new Map<Day, { runs: ReconciliationRecord[]; explanations: ExplanationRecord[] }>()
      const at = (day: Day) => {
        const known = found.get(day) ?? { runs: [], explanations: [] }
        found.set(day, known)
        return known
      }
      for (const record of runKeys.flatMap(key => runs.get(key) ?? [])) at(record.day).runs.push(record)
      for (const record of explanationKeys.flatMap(key => explanations.get(key) ?? []))
        at(record.day).explanations.push(record)
      for (const each of found.values()) each.runs.sort((a, b) => a.run - b.run)
      return found
    },
  }
}
