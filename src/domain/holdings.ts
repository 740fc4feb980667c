/** What every asset of every wallet held at its readings, gathered from movements as they pass. */
import { type ActivityRow, compareIdentities } from './activity.ts'
import type { Amount } from './amount.ts'
import type { BalanceRow } from './balance.ts'
import { UNKNOWN_CATEGORY } from './operations.ts'
import type { Holding } from './pair-checks.ts'
import { type BalanceProof, placeOf } from './reconciliation.ts'
import { areInOrder, type ReadingWindow, stretchesOf, type TallyMaker, tallyMaker } from './snapshot-pair.ts'

/** All that one snapshot tells. */
export interface Snapshot extends ReadingWindow {
  /** The object that tells it. */
  readonly key: string
  readonly rows: readonly BalanceRow[]
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

export interface HoldingMaker {
  /** Takes a movement; identical ones follow one another. */
  add(row: ActivityRow & { readonly category: string }): void
  /** `untold`: wallets with movements that nobody tells a balance of, or whose readings overlap. */
  result(): { holdings: Holding[]; untold: string[] }
}

/** `snapshots` are in the order of time; `around` names the last before the day and the first after it. */
export function holdingMaker(
  snapshots: readonly Snapshot[],
  around: { readonly before: number; readonly after: number },
  { precision, wholeOperations }: BalanceProof,
): HoldingMaker {
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
  return {
    add(row) {
      const at = windows.get(row.wallet)
      if (at === undefined) untold.add(row.wallet)
      else take(at, gathered.get(row.wallet)!, row)
    },
    result() {
      const holdings = [...gathered].flatMap(([place, assets]) =>
        [...assets].map(([asset, found]) => holdingOf(place, asset, windows.get(place)!, found)),
      )
      const byName = (a: Holding, b: Holding) =>
        a.place < b.place ? -1 : a.place > b.place ? 1 : a.asset < b.asset ? -1 : a.asset > b.asset ? 1 : 0
      return { holdings: holdings.sort(byName), untold: [...untold].sort() }
    },
  }

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
    const readings = snapshots.map(({ key, rows }, index) => ({
      key,
      ...at[index]!,
      balance: rows.find(row => placeOf(row) === place && row.asset === asset),
      isWhole: rows.some(row => placeOf(row) === place && wholeOperations.includes(row.operation)),
    }))
    return { place, asset, readings, ...around, tally: tally.result(), repeated, unknown, amounts }
  }
}

/** When a wallet was read; of a wallet that told nothing, when the snapshot was taken. */
function windowAt(snapshot: Snapshot, place: string): ReadingWindow {
  const rows = snapshot.rows.filter(row => placeOf(row) === place)
  return rows.length === 0 ? snapshot : windowOf(rows)
}

/** From the first sending to the last answer. */
export function windowOf(rows: readonly BalanceRow[]): ReadingWindow {
  let { sentMicros, answeredMicros } = rows[0]!
  for (const row of rows) {
    if (row.sentMicros < sentMicros) sentMicros = row.sentMicros
    if (row.answeredMicros > answeredMicros) answeredMicros = row.answeredMicros
  }
  return { sentMicros, answeredMicros }
}
