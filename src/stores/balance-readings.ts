/** Published balances around a day, and the movements in between, as reconciling needs them. */
import { addDays, type Day, startOfDay, startOfDayMicros } from '../domain/calendar.ts'
import { coverageOf } from '../domain/coverage.ts'
import { holdingMaker, type Snapshot, windowOf } from '../domain/holdings.ts'
import { type AccountRef, activityKey, balancesKey } from '../domain/keys.ts'
import type { Holding } from '../domain/pair-checks.ts'
import type { BalanceProof } from '../domain/reconciliation.ts'
import type { ReadingWindow } from '../domain/snapshot-pair.ts'
import { readBalances } from '../formats/balance-file.ts'
import { readActivityMetadata, readStoredGroups } from '../formats/parquet.ts'
import { storedSource } from './activity-table.ts'
import { listSnapshots, type SnapshotPlace } from './balance-table.ts'
import { type CoverageStores, loadCoverageFacts } from './coverage-facts.ts'
import type { ObjectStore } from './object-store.ts'

/** One published snapshot. */
export type PublishedBalances = Snapshot

/** Of the snapshots before and after a day the nearest two count, and those within a day and a bit, up to so many. */
const MOST_AROUND = 24
const LEAST_AROUND = 2
const AROUND_MICROS = 26n * 3_600_000_000n

/** The newest published balances that are filed under a day. */
export async function balancesOfDay(
  store: ObjectStore,
  ref: AccountRef,
  day: Day,
): Promise<PublishedBalances | undefined> {
  const places = await Array.fromAsync(listSnapshots(store, ref, day))
  return (await loadAll(store, ref, places)).at(-1)
}

/** The snapshots around and within a day, in the order of time. */
export async function balancesAround(
  store: ObjectStore,
  ref: AccountRef,
  day: Day,
): Promise<PublishedBalances[]> {
  const places = await Array.fromAsync(listSnapshots(store, ref))
  const near = [
    ...places.filter(place => place.day < day).slice(-MOST_AROUND),
    ...places.filter(place => place.day === day),
    ...places.filter(place => place.day > day).slice(0, MOST_AROUND),
  ]
  const found = await loadAll(store, ref, near)
  const [start, end] = [startOfDayMicros(day), startOfDayMicros(addDays(day, 1))]
  const before = found.filter(({ answeredMicros }) => answeredMicros <= start)
  const after = found.filter(({ sentMicros }) => sentMicros >= end)
  return [
    ...before.filter(
      ({ sentMicros }, index) => index >= before.length - LEAST_AROUND || start - sentMicros <= AROUND_MICROS,
    ),
    ...found.filter(each => !before.includes(each) && !after.includes(each)),
    ...after.filter(
      ({ answeredMicros }, index) => index < LEAST_AROUND || answeredMicros - end <= AROUND_MICROS,
    ),
  ]
}

async function loadAll(
  store: ObjectStore,
  ref: AccountRef,
  places: readonly SnapshotPlace[],
): Promise<PublishedBalances[]> {
  const found: PublishedBalances[] = []
  for (const place of places) {
    const published = await publishedBalances(store, ref, place)
    if (published !== undefined) found.push(published)
  }
  return found.sort((a, b) => (a.sentMicros < b.sentMicros ? -1 : a.sentMicros > b.sentMicros ? 1 : 0))
}

/** One snapshot's rows; `undefined` while they are not published, or when there are none. */
export async function publishedBalances(
  store: ObjectStore,
  ref: AccountRef,
  { day, name }: SnapshotPlace,
): Promise<PublishedBalances | undefined> {
  const key = balancesKey(ref, day, name)
  const object = await store.get(key)
  const rows = object === undefined ? [] : await readBalances(object.bytes)
  return rows.length === 0 ? undefined : { key, rows, ...windowOf(rows) }
}

/** The numbers of the last snapshot that ends before `day` and the first that begins after it. */
export function pairAround(
  snapshots: readonly ReadingWindow[],
  day: Day,
): { from: number | undefined; to: number | undefined } {
  const [start, end] = [startOfDayMicros(day), startOfDayMicros(addDays(day, 1))]
  const from = snapshots.findLastIndex(({ answeredMicros }) => answeredMicros <= start)
  const to = snapshots.findIndex(({ sentMicros }) => sentMicros >= end)
  return { from: from < 0 ? undefined : from, to: to < 0 ? undefined : to }
}

/** Days whose movements are not there, not whole or not final, and the objects of those that are. */
export async function judgeDays(
  stores: CoverageStores,
  ref: AccountRef,
  days: readonly Day[],
  { byReports, finalAfterDays }: { byReports: boolean; finalAfterDays: number },
): Promise<{ lacking: { day: Day; why: string }[]; evidence: string[] }> {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return { lacking: [], evidence: [] }
  const facts = byReports ? await loadCoverageFacts(stores, ref, first) : undefined
  const coverage = facts && coverageOf(facts, { start: first, end: addDays(last, 1) })
  const lacking: { day: Day; why: string }[] = []
  const evidence: string[] = []
  for (const [index, day] of days.entries()) {
    const head = await stores.store.head(activityKey(ref, day))
    const wallets = Object.values(coverage?.[index]?.wallets ?? {})
    const open = wallets.find(({ state }) => state !== 'published')
    if (head === undefined) lacking.push({ day, why: `is ${open?.state ?? 'missing'}` })
    else if (open !== undefined) lacking.push({ day, why: `is ${open.state}` })
    else if (wallets.some(({ quarantined }) => quarantined > 0))
      lacking.push({ day, why: 'has rows in its report that could not be read' })
    else {
      const { 'daybook.generated_at': generatedAt = '' } = await readActivityMetadata(
        storedSource(stores.store, head),
      )
      if (!(new Date(generatedAt) >= startOfDay(addDays(day, finalAfterDays))))
        lacking.push({ day, why: 'is not final yet' })
    }
    if (head !== undefined) evidence.push(`${head.key}@${head.etag.replaceAll('"', '')}`)
  }
  return { lacking, evidence }
}

/** The holdings at these snapshots, with the movements of these days. Reads days as streams. */
export async function loadHoldings(
  store: ObjectStore,
  ref: AccountRef,
  snapshots: readonly PublishedBalances[],
  around: { readonly before: number; readonly after: number },
  days: readonly Day[],
  proof: BalanceProof,
): Promise<{ holdings: Holding[]; untold: string[] }> {
  const maker = holdingMaker(snapshots, around, proof)
  for (const day of days) {
    const head = await store.head(activityKey(ref, day))
    if (head === undefined) continue
    for await (const rows of readStoredGroups(storedSource(store, head))) {
      for (const row of rows) maker.add(row)
    }
  }
  return maker.result()
}
