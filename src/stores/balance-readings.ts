/** Published balances around a day, and the movements in between, as reconciling needs them. */
import { type ActivityRow, compareIdentities } from '../domain/activity.ts'
import type { BalanceRow } from '../domain/balance.ts'
import { addDays, type Day, startOfDay, startOfDayMicros } from '../domain/calendar.ts'
import { coverageOf } from '../domain/coverage.ts'
import { type AccountRef, activityKey, balancesKey } from '../domain/keys.ts'
import { UNKNOWN_CATEGORY } from '../domain/operations.ts'
import { type BalanceProof, type Holding, placeOf } from '../domain/reconciliation.ts'
import {
  areInOrder,
  type ReadingWindow,
  stretchesOf,
  type TallyMaker,
  tallyMaker,
} from '../domain/snapshot-pair.ts'
import { readBalances } from '../formats/balance-file.ts'
import { readActivityMetadata, readStoredGroups } from '../formats/parquet.ts'
import { storedSource } from './activity-table.ts'
import { listSnapshots, type SnapshotPlace } from './balance-table.ts'
import { type CoverageStores, loadCoverageFacts } from './coverage-facts.ts'
import type { ObjectStore } from './object-store.ts'

/** One published snapshot. */
export interface PublishedBalances extends ReadingWindow {
  readonly key: string
  readonly rows: readonly BalanceRow[]
}

/** How many snapshots are looked at before and after a day: the pair around it, and one more to each side. */
const AROUND = 3

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
  const before = places.filter(place => place.day < day)
  const after = places.filter(place => place.day > day)
  const near = [
    ...before.slice(-AROUND),
    ...places.filter(place => place.day === day),
    ...after.slice(0, AROUND),
  ]
  return loadAll(store, ref, near)
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

function windowOf(rows: readonly BalanceRow[]): ReadingWindow {
  let { sentMicros, answeredMicros } = rows[0]!
  for (const row of rows) {
    if (row.sentMicros < sentMicros) sentMicros = row.sentMicros
    if (row.answeredMicros > answeredMicros) answeredMicros = row.answeredMicros
  }
  return { sentMicros, answeredMicros }
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

interface Gathered {
  readonly tally: TallyMaker
  readonly repeated: Holding['repeated'][number][]
  readonly unknown: Holding['unknown'][number][]
  previous: { row: ActivityRow; rows: number } | undefined
}

/** No more than so many rows are kept to tell a class by. */
const MOST_TELLING = 10_000

/** What every asset of every wallet held at the readings, and what moved in between. Reads days as streams. */
export async function loadHoldings(
  store: ObjectStore,
  ref: AccountRef,
  snapshots: readonly PublishedBalances[],
  pair: { readonly from: number; readonly to: number },
  days: readonly Day[],
  { precision }: BalanceProof,
): Promise<{ holdings: Holding[]; untold: string[] }> {
  const places = new Set(snapshots.flatMap(({ rows }) => rows.map(placeOf)))
  const windows = new Map([...places].map(place => [place, snapshots.map(each => windowAt(each, place))]))
  const gathered = new Map<string, Map<string, Gathered>>()
  const untold = new Set<string>()
  for (const [place, at] of windows) {
    if (!areInOrder(at)) {
      windows.delete(place)
      untold.add(place)
      continue
    }
    const assets = new Set(
      snapshots.flatMap(({ rows }) => rows.filter(row => placeOf(row) === place).map(row => row.asset)),
    )
    gathered.set(place, new Map([...assets].map(asset => [asset, gather(at)])))
  }
  for (const day of days) {
    const head = await store.head(activityKey(ref, day))
    if (head === undefined) continue
    for await (const rows of readStoredGroups(storedSource(store, head))) {
      for (const row of rows) {
        const at = windows.get(row.wallet)
        if (at === undefined) untold.add(row.wallet)
        else take(at, gathered.get(row.wallet)!, row)
      }
    }
  }
  const holdings = [...gathered].flatMap(([place, assets]) =>
    [...assets].map(([asset, found]) => holdingOf(place, asset, windows.get(place)!, found)),
  )
  const byName = (a: Holding, b: Holding) =>
    a.place < b.place ? -1 : a.place > b.place ? 1 : a.asset < b.asset ? -1 : a.asset > b.asset ? 1 : 0
  return { holdings: holdings.sort(byName), untold: [...untold].sort() }

  function gather(at: readonly ReadingWindow[]): Gathered {
    return { tally: tallyMaker(at, precision), repeated: [], unknown: [], previous: undefined }
  }

  function take(
    at: readonly ReadingWindow[],
    assets: Map<string, Gathered>,
    row: ActivityRow & { readonly category: string },
  ): void {
    let found = assets.get(row.asset)
    if (found === undefined) {
      found = gather(at)
      assets.set(row.asset, found)
    }
    found.tally.add(row.micros, row.amount)
    const { previous } = found
    const isSame = previous !== undefined && compareIdentities(previous.row, row) === 0
    found.previous = { row, rows: isSame ? previous.rows + 1 : 1 }
    const telling = () => ({ ...stretchesOf(row.micros, at, precision), amount: row.amount })
    if (isSame) {
      if (previous.rows > 1) found.repeated.pop()
      if (found.repeated.length < MOST_TELLING)
        found.repeated.push({ ...telling(), rows: found.previous.rows })
    }
    if (row.category === UNKNOWN_CATEGORY && found.unknown.length < MOST_TELLING)
      found.unknown.push(telling())
  }

  function holdingOf(
    place: string,
    asset: string,
    at: readonly ReadingWindow[],
    { tally, repeated, unknown }: Gathered,
  ): Holding {
    const readings = snapshots.map(({ rows }, index) => ({
      ...at[index]!,
      balance: rows.find(row => placeOf(row) === place && row.asset === asset),
    }))
    return { place, asset, readings, ...pair, tally: tally.result(), repeated, unknown }
  }
}

/** When a wallet was read; of a wallet that told nothing, when the snapshot was taken. */
function windowAt(snapshot: PublishedBalances, place: string): ReadingWindow {
  const rows = snapshot.rows.filter(row => placeOf(row) === place)
  return rows.length === 0 ? snapshot : windowOf(rows)
}
