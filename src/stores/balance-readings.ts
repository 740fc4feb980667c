/** Published balances around a day, and the movements in between, as reconciling needs them. */
import { type ActivityRow, compareIdentities } from '../domain/activity.ts'
import type { Amount } from '../domain/amount.ts'
import type { BalanceRow } from '../domain/balance.ts'
import { addDays, type Day, startOfDay, startOfDayMicros } from '../domain/calendar.ts'
import { coverageOf } from '../domain/coverage.ts'
import { type AccountRef, activityKey, balancesKey } from '../domain/keys.ts'
import { UNKNOWN_CATEGORY } from '../domain/operations.ts'
import type { Holding } from '../domain/pair-checks.ts'
import { type BalanceProof, placeOf } from '../domain/reconciliation.ts'
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
  for (const { day, name } of places) {
    const key = balancesKey(ref, day, name)
    const object = await store.get(key)
    const rows = object === undefined ? [] : await readBalances(object.bytes)
    if (rows.length > 0) found.push({ key, rows, ...windowOf(rows) })
  }
  return found.sort((a, b) => (a.sentMicros < b.sentMicros ? -1 : a.sentMicros > b.sentMicros ? 1 : 0))
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
  /** By stretch; `undefined` once there are too many. */
  amounts: Set<Amount>[] | undefined
  kept: number
  previous: { row: ActivityRow; rows: number } | undefined
}

/** No more than so many rows, and so many amounts, are kept to tell a class by. */
const MOST_TELLING = 10_000

/** What every asset of every wallet held at the readings, and what moved in between. Reads days as streams. */
export async function loadHoldings(
  store: ObjectStore,
  ref: AccountRef,
  snapshots: readonly PublishedBalances[],
  around: { readonly before: number; readonly after: number },
  days: readonly Day[],
  { precision, wholeOperations }: BalanceProof,
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
    const amounts = Array.from({ length: at.length + 1 }, () => new Set<Amount>())
    const tally = tallyMaker(at, precision)
    return { tally, repeated: [], unknown: [], amounts, kept: 0, previous: undefined }
  }

  function take(
    windows: readonly ReadingWindow[],
    assets: Map<string, Gathered>,
    row: ActivityRow & { readonly category: string },
  ): void {
    let found = assets.get(row.asset)
    if (found === undefined) {
      found = gather(windows)
      assets.set(row.asset, found)
    }
    found.tally.add(row.micros, row.amount)
    const at = stretchesOf(row.micros, windows, precision)
    keepAmount(found, at, row.amount)
    const { previous } = found
    const isSame = previous !== undefined && compareIdentities(previous.row, row) === 0
    found.previous = { row, rows: isSame ? previous.rows + 1 : 1 }
    const telling = { ...at, amount: row.amount }
    if (isSame) {
      if (previous.rows > 1) found.repeated.pop()
      if (found.repeated.length < MOST_TELLING) found.repeated.push({ ...telling, rows: found.previous.rows })
    }
    if (row.category === UNKNOWN_CATEGORY && found.unknown.length < MOST_TELLING) found.unknown.push(telling)
  }

  function keepAmount(found: Gathered, at: { first: number; last: number }, amount: Amount): void {
    const { amounts } = found
    for (let stretch = at.first; stretch <= at.last; stretch++) {
      if (amounts === undefined || amounts[stretch]!.has(amount)) continue
      amounts[stretch]!.add(amount)
      found.kept++
    }
    if (found.kept > MOST_TELLING) found.amounts = undefined
  }

  function holdingOf(
    place: string,
    asset: string,
    at: readonly ReadingWindow[],
    { tally, repeated, unknown, amounts }: Gathered,
  ): Holding {
    const readings = snapshots.map(({ rows }, index) => ({
      ...at[index]!,
      balance: rows.find(row => placeOf(row) === place && row.asset === asset),
      isWhole: rows.some(row => placeOf(row) === place && wholeOperations.includes(row.operation)),
    }))
    return { place, asset, readings, ...around, tally: tally.result(), repeated, unknown, amounts }
  }
}

/** When a wallet was read; of a wallet that told nothing, when the snapshot was taken. */
function windowAt(snapshot: PublishedBalances, place: string): ReadingWindow {
  const rows = snapshot.rows.filter(row => placeOf(row) === place)
  return rows.length === 0 ? snapshot : windowOf(rows)
}
