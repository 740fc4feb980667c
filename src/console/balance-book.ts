/** What an account held, reading by reading, beside what the movements in between imply. */
import { type Amount, formatAmount } from '../domain/amount.ts'
import {
  addDays,
  type Day,
  type DayRange,
  dayOfMicros,
  daysOf,
  startOfDayMicros,
} from '../domain/calendar.ts'
import { targetOf } from '../domain/pair-checks.ts'
import { placeOf, type Target } from '../domain/reconciliation.ts'
import type { Account } from '../stages/context.ts'
import { mapAtOnce } from '../stores/at-once.ts'
import { type PublishedBalances, publishedBalances } from '../stores/balance-readings.ts'
import { listSnapshots } from '../stores/balance-table.ts'
import type { DayMovementsReader } from '../stores/day-movements.ts'
import type { ObjectStore } from '../stores/object-store.ts'
import type { BalancesView } from './views.ts'

export interface BalanceBook {
  view(range: DayRange, chosen?: { readonly place: string; readonly asset: string }): Promise<BalancesView>
}

const AT_ONCE = 16

/** A day may be long, and a piece of each is in memory. */
const DAYS_AT_ONCE = 4

export function balanceBook(
  store: ObjectStore,
  { ref, provider }: Pick<Account, 'ref' | 'provider'>,
  movements: DayMovementsReader,
): BalanceBook {
  const read = new Map<string, PublishedBalances>()
  const isDayEnd = provider.balances?.basis === 'day-end'
  const target: Target = provider.balances?.proof?.target ?? 'total'

  async function snapshotsIn(range: DayRange): Promise<PublishedBalances[]> {
    const places = (await Array.fromAsync(listSnapshots(store, ref))).filter(
      ({ day }) => range.start <= day && day < range.end,
    )
    await mapAtOnce(places, AT_ONCE, async place => {
      const name = `${place.day}/${place.name}`
      const found = read.get(name) ?? (await publishedBalances(store, ref, place))
      if (found !== undefined) read.set(name, found)
    })
    return places
      .flatMap(({ day, name }) => read.get(`${day}/${name}`) ?? [])
      .sort((a, b) => (a.sentMicros < b.sentMicros ? -1 : a.sentMicros > b.sentMicros ? 1 : 0))
  }

  function figureOf(snapshot: PublishedBalances, place: string, asset: string): Amount | null {
    const row = snapshot.rows.find(each => placeOf(each) === place && each.asset === asset)
    if (row === undefined) return null
    return isDayEnd ? row.closing : targetOf(row, target).amount
  }

  /** The sums between readings; `null` where a day in between is not published. */
  async function sumsBetween(
    snapshots: readonly PublishedBalances[],
    place: string,
    asset: string,
  ): Promise<(Amount | null)[]> {
    const first = snapshots[0]
    const last = snapshots.at(-1)
    const sums: (Amount | null)[] = snapshots.slice(1).map(() => 0n)
    if (first === undefined || last === undefined) return sums
    const cuts = snapshots.map(({ sentMicros }) => sentMicros)
    const range = { start: dayOfMicros(first.sentMicros), end: addDays(dayOfMicros(last.sentMicros), 1) }
    const days = daysOf(range)
    const cutsOf = (day: Day) => {
      const [begin, end] = [startOfDayMicros(day), startOfDayMicros(addDays(day, 1))]
      return cuts.filter(cut => begin <= cut && cut < end)
    }
    const read = await mapAtOnce(days, DAYS_AT_ONCE, day => movements.read(ref, day, cutsOf(day)))
    for (const [at, day] of days.entries()) {
      const begin = startOfDayMicros(day)
      const inDay = cutsOf(day)
      const before = cuts.filter(cut => cut < begin).length
      const found = read[at]
      const moved = found?.movements.find(each => each.wallet === place && each.asset === asset)
      for (let piece = 0; piece <= inDay.length; piece++) {
        // Piece 0 lies after the last reading before this day; the first reading begins sum 0.
        const index = before + piece - 1
        const sum = sums[index]
        if (index < 0 || index >= sums.length || sum === undefined) continue
        if (found === undefined || sum === null) sums[index] = null
        else sums[index] = sum + (moved?.pieces[piece] ?? 0n)
      }
    }
    return sums
  }

  return {
    async view(range, chosen) {
      const snapshots = await snapshotsIn(range)
      const holdings = holdingsOf(snapshots)
      const { place, asset } = chosen ?? holdings[0] ?? {}
      const shown =
        place === undefined || asset === undefined
          ? null
          : { place, asset, points: await pointsOf(snapshots, place, asset) }
      return {
        ...ref,
        from: range.start,
        to: addDays(range.end, -1),
        target: isDayEnd ? 'closing' : target,
        holdings,
        series: shown,
      }
    },
  }

  function holdingsOf(snapshots: readonly PublishedBalances[]): BalancesView['holdings'] {
    const latest = new Map<string, BalancesView['holdings'][number]>()
    for (const snapshot of snapshots) {
      for (const row of snapshot.rows) {
        const place = placeOf(row)
        const name = `${place}\n${row.asset}`
        const amount = figureOf(snapshot, place, row.asset)
        latest.set(name, {
          place,
          asset: row.asset,
          latest: amount === null ? null : formatAmount(amount),
          at: instantOf(snapshot.sentMicros),
          parts: (latest.get(name)?.parts ?? 0) + 1,
        })
      }
    }
    const byName = (a: { place: string; asset: string }, b: { place: string; asset: string }) =>
      a.asset < b.asset ? -1 : a.asset > b.asset ? 1 : a.place < b.place ? -1 : a.place > b.place ? 1 : 0
    return [...latest.values()].sort(byName)
  }

  async function pointsOf(snapshots: readonly PublishedBalances[], place: string, asset: string) {
    const sums = isDayEnd ? snapshots.slice(1).map(() => null) : await sumsBetween(snapshots, place, asset)
    return snapshots.map((snapshot, at) => {
      const actual = figureOf(snapshot, place, asset)
      const previous = at === 0 ? null : figureOf(snapshots[at - 1]!, place, asset)
      const sum = at === 0 ? null : sums[at - 1]!
      const implied = previous === null || sum === null ? null : previous + sum
      return {
        at: instantOf(snapshot.sentMicros),
        snapshot: snapshot.key,
        actual: actual === null ? null : formatAmount(actual),
        implied: implied === null ? null : formatAmount(implied),
        difference: implied === null || actual === null ? null : formatAmount(actual - implied),
      }
    })
  }
}

function instantOf(micros: bigint): string {
  return new Date(Number.parseInt((micros / 1000n).toString(), 10)).toISOString()
}
