/** Snapshots and the `balances` table: the answers are the fact, and a table's file follows from them. */
import {
  BALANCE_SCHEMA_VERSION,
  type BalanceRow,
  type SnapshotRecord,
  snapshotRecord,
} from '../domain/balance.ts'
import type { Day } from '../domain/calendar.ts'
import { writeJson } from '../domain/json.ts'
import {
  type AccountRef,
  balancesKey,
  balancesPrefix,
  parseSnapshotKey,
  snapshotKey,
  snapshotsPrefix,
} from '../domain/keys.ts'
import { encodeBalances } from '../formats/balance-file.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord } from './record.ts'

/** Where a snapshot is: the day it is filed under and its name. */
export interface SnapshotPlace {
  readonly day: Day
  readonly name: string
}

/** Records a snapshot under a name that begins with `name`; others may be taken in the same millisecond. */
export async function recordSnapshot(
  store: ObjectStore,
  ref: AccountRef,
  name: string,
  record: SnapshotRecord,
): Promise<SnapshotPlace> {
  for (let number = 1; ; number++) {
    const place = { day: record.day, name: number === 1 ? name : `${name}-${number}` }
    if ((await createRecord(store, snapshotKey(ref, place.day, place.name), record)) === 'created')
      return place
  }
}

export async function readSnapshot(
  store: ObjectStore,
  ref: AccountRef,
  { day, name }: SnapshotPlace,
): Promise<SnapshotRecord | undefined> {
  return (await readRecord(store, snapshotKey(ref, day, name), snapshotRecord))?.record
}

/** Every snapshot of an account, or of one day, in the order they were taken in within a day. */
export async function* listSnapshots(
  store: ObjectStore,
  ref: AccountRef,
  day?: Day,
): AsyncGenerator<SnapshotPlace> {
  for await (const { key } of store.list(snapshotsPrefix(ref, day))) {
    const place = parseSnapshotKey(key)
    if (place !== undefined) yield place
  }
}

/** The snapshots whose table file is missing, because whoever took them died in between. */
export async function unpublishedSnapshots(store: ObjectStore, ref: AccountRef): Promise<SnapshotPlace[]> {
  const published = new Set<string>()
  for await (const { key } of store.list(balancesPrefix(ref))) published.add(key)
  const places = await Array.fromAsync(listSnapshots(store, ref))
  return places.filter(({ day, name }) => !published.has(balancesKey(ref, day, name)))
}

/** Publishes a snapshot's rows as one object of the table, created once. Answers its key. */
export async function publishBalances(
  store: ObjectStore,
  ref: AccountRef,
  place: SnapshotPlace,
  record: SnapshotRecord,
  rows: readonly BalanceRow[],
): Promise<string> {
  const key = balancesKey(ref, place.day, place.name)
  const assumptions = [...new Set(record.answers.flatMap(answer => answer.assumptions))]
  const metadata = {
    'daybook.schema_version': BALANCE_SCHEMA_VERSION,
    'daybook.snapshot': snapshotKey(ref, place.day, place.name),
    'daybook.taken_at': record.takenAt,
    'daybook.assumptions': writeJson(assumptions),
  }
  await store.create(key, encodeBalances(rows, metadata))
  return key
}
