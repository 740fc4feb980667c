/**
 * Reconciling over random ledgers, readings and breaks. The test knows when everything happened; the store
 * holds only what providers tell of it: rows cut to the second by a clock that is off, and readings that are
 * true at some instant of their window.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRows } from '../../src/domain/activity.ts'
import { formatAmount, readAmount } from '../../src/domain/amount.ts'
import { addDays, dayOfMicros, startOfDayMicros } from '../../src/domain/calendar.ts'
import { holdingMaker, windowOf } from '../../src/domain/holdings.ts'
import { checkPairs } from '../../src/domain/pair-checks.ts'
import { daysTouched, type Finding } from '../../src/domain/reconciliation.ts'
import { pairAround } from '../../src/stores/balance-readings.ts'
import {
  balanceRowOf,
  movementOf,
  PROOF,
  putActivity,
  putSnapshot,
  reconcileDay,
  type ToldBalance,
} from '../support/balance-world.ts'
import { memoryStore } from '../support/memory-store.ts'

const DAY = '2026-10-10'
const [START, END] = [startOfDayMicros(DAY), startOfDayMicros(addDays(DAY, 1))]
const DAYS = [-2, -1, 0, 1, 2].map(offset => addDays(DAY, offset))
const SECOND = 1_000_000n
const MILLI = 1_000n
const HOUR = 3_600n * SECOND
/** How far the clock of the rows may be off, and what a row's time is told in. */
const [CLOCK, RESOLUTION] = [SECOND, SECOND]

const HOLDINGS = [
  { wallet: 'Spot', asset: 'USDT' },
  { wallet: 'Spot', asset: 'BTC' },
  { wallet: 'Funding', asset: 'USDT' },
] as const
const WALLETS = ['Spot', 'Funding'] as const

interface Window {
  readonly sent: bigint
  readonly answered: bigint
  readonly instant: bigint
}
interface Reading {
  readonly at: bigint
  readonly windows: Readonly<Record<(typeof WALLETS)[number], Window>>
}
interface Row {
  readonly holding: number
  readonly instant: bigint
  readonly amount: bigint
}
type Break =
  | { readonly kind: 'none' }
  | { readonly kind: 'missing' | 'doubled' | 'late'; readonly row: number }
  | { readonly kind: 'changed'; readonly row: number; readonly by: bigint }
  | { readonly kind: 'misread'; readonly reading: number; readonly holding: number; readonly by: bigint }
  | { readonly kind: 'left-out'; readonly reading: number; readonly holding: number; readonly whole: boolean }
  | { readonly kind: 'day-lost' | 'day-early'; readonly day: number }

const micros = (least: bigint, most: bigint) => fc.bigInt(least / MILLI, most / MILLI).map(ms => ms * MILLI)
const wait = micros(0n, 2_500n * MILLI)

const group = (least: bigint, most: bigint, minLength: number, maxLength: number) =>
  fc.array(micros(least, most), { minLength, maxLength })

const readings: fc.Arbitrary<Reading[]> = fc
  .tuple(
    group(START - 26n * HOUR, START - HOUR, 0, 2),
    group(START - HOUR / 2n, START - 10n * SECOND, 1, 3),
    group(START + 10n * SECOND, END - 20n * SECOND, 0, 3),
    group(END + 10n * SECOND, END + HOUR / 2n, 1, 3),
    group(END + HOUR, END + 26n * HOUR, 0, 2),
    fc.array(fc.tuple(wait, wait, wait, fc.bigInt(0n, 100n), fc.bigInt(0n, 100n)), {
      minLength: 13,
      maxLength: 13,
    }),
  )
  .map(([...parts]) => {
    const times = parts.slice(0, 5).flat() as bigint[]
    const shapes = parts[5] as [bigint, bigint, bigint, bigint, bigint][]
    const made: Reading[] = []
    for (const at of times.sort((a, b) => (a < b ? -1 : 1))) {
      const last = made.at(-1)?.windows.Funding.answered
      if (last !== undefined && last >= at) continue
      const [first, pause, second, share, other] = shapes[made.length]!
      const Spot = { sent: at, answered: at + first, instant: at + (first * share) / 100n }
      const sent = Spot.answered + pause
      const Funding = { sent, answered: sent + second, instant: sent + (second * other) / 100n }
      made.push({ at, windows: { Spot, Funding } })
    }
    return made
  })

const amount = fc.oneof(
  fc.constantFrom(-4n, -3n, -1n, 1n, 2n, 5n).map(units => units * 10n ** 18n),
  fc
    .bigInt(-(10n ** 14n), 10n ** 14n)
    .filter(units => units !== 0n)
    .map(units => units * 10n ** 10n),
)

const place = fc.oneof(
  { weight: 3, arbitrary: micros(START - 30n * HOUR, END + 30n * HOUR).map(at => () => at) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...WALLETS), fc.bigInt(-4n * SECOND, 4n * SECOND)).map(
      ([pick, wallet, by]) =>
        (all: readonly Reading[]) =>
          all[pick % all.length]!.windows[wallet].sent + by,
    ),
  },
)

const breaks: fc.Arbitrary<Break> = fc.oneof(
  fc.constant({ kind: 'none' } as const),
  fc.record({ kind: fc.constantFrom('missing', 'doubled', 'late'), row: fc.nat() }),
  fc.record({ kind: fc.constant('changed' as const), row: fc.nat(), by: amount }),
  fc.record({ kind: fc.constant('misread' as const), reading: fc.nat(), holding: fc.nat(2), by: amount }),
  fc.record({
    kind: fc.constant('left-out' as const),
    reading: fc.nat(),
    holding: fc.nat(2),
    whole: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('day-lost', 'day-early'), day: fc.nat(2) }),
)

const world = fc
  .record({
    readings,
    places: fc.array(fc.record({ holding: fc.nat(2), place, amount }), { minLength: 1, maxLength: 24 }),
    openings: fc.tuple(...HOLDINGS.map(() => fc.bigInt(10n ** 26n, 10n ** 27n))),
    skew: fc.bigInt(-CLOCK, CLOCK),
    broken: breaks,
    tolerance: fc.option(fc.constantFrom(10n ** 10n, 2n * 10n ** 18n, 10n ** 30n), { nil: undefined }),
  })
  .map(({ places, ...rest }) => ({
    ...rest,
    rows: places.map(
      ({ holding, place: at, amount: moved }): Row => ({
        holding,
        instant: at(rest.readings),
        amount: moved,
      }),
    ),
  }))
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

/** A row as it is told: in whole seconds of the provider's clock. */
interface Told {
  readonly holding: number
  readonly at: bigint
  readonly amount: bigint
}

const toldOf = ({ skew }: World, { holding, instant, amount: moved }: Row): Told => ({
  holding,
  at: ((instant + skew) / SECOND) * SECOND,
  amount: moved,
})

/** The book as it is told, and by how much which entries of it are wrong. */
function bookOf(one: World): { book: Told[]; wrong: Told[] } {
  const right = one.rows.map(row => toldOf(one, row))
  const { broken } = one
  if (!('row' in broken)) return { book: right, wrong: [] }
  const index = broken.row % right.length
  const target = right[index]!
  const without = right.filter((_, each) => each !== index)
  const minus = { ...target, amount: -target.amount }
  switch (broken.kind) {
    case 'missing':
      return { book: without, wrong: [minus] }
    case 'doubled':
      return { book: [...right, target], wrong: [target] }
    case 'changed': {
      const changed = { ...target, amount: target.amount + broken.by }
      return { book: [...without, changed], wrong: [{ ...target, amount: broken.by }] }
    }
    case 'late': {
      const late = { ...target, at: target.at + 24n * HOUR }
      return { book: [...without, late], wrong: [minus, late] }
    }
  }
}

function heldAt({ rows, openings, readings: all }: World, holding: number, reading: number): bigint {
  const { instant } = all[reading]!.windows[HOLDINGS[holding]!.wallet]
  return rows
    .filter(row => row.holding === holding && row.instant <= instant)
    .reduce((sum, row) => sum + row.amount, openings[holding]!)
}

const isHit = ({ broken, readings: all }: World, reading: number, holding: number) =>
  'reading' in broken && broken.reading % all.length === reading && broken.holding === holding

/** What one reading tells of both wallets. */
function toldAt(one: World, reading: number): ToldBalance[] {
  const { broken } = one
  const { windows } = one.readings[reading]!
  const operation = broken.kind === 'left-out' && !broken.whole ? 'one-by-one' : 'whole'
  const balanceOf = (wallet: (typeof WALLETS)[number], asset: string, available: bigint) => {
    const { sent, answered } = windows[wallet]
    return { wallet, asset, available, onHold: 0n, operation, sentMicros: sent, answeredMicros: answered }
  }
  const told = HOLDINGS.flatMap(({ wallet, asset }, holding) => {
    const hit = isHit(one, reading, holding)
    if (broken.kind === 'left-out' && hit) return []
    const misread = broken.kind === 'misread' && hit ? broken.by : 0n
    return balanceOf(wallet, asset, heldAt(one, holding, reading) + misread)
  })
  // A wallet of one asset would not be told at all where that is left out.
  return [...told, balanceOf('Funding', 'DUST', 0n)]
}

const rowsOf = (one: World) =>
  bookOf(one)
    .book.filter(({ at }) => DAYS.includes(dayOfMicros(at)))
    .map(({ holding, at, amount: moved }) => movementOf({ ...HOLDINGS[holding]!, micros: at, amount: moved }))

const tolerancesOf = ({ tolerance }: World) =>
  new Map(
    tolerance === undefined
      ? []
      : ['USDT', 'BTC'].map(asset => [asset, { amount: tolerance, reason: 'agreed' }] as const),
  )

/** What the checks find, without a store. */
function foundByChecks(one: World): Finding[] {
  const snapshots = one.readings.map((_, reading) => {
    const rows = toldAt(one, reading).map(balanceRowOf)
    return { key: `${reading}`, rows, ...windowOf(rows) }
  })
  const { from: before, to: after } = pairAround(snapshots, DAY)
  const maker = holdingMaker(snapshots, { before: before!, after: after! }, PROOF)
  for (const row of rowsOf(one).sort(compareRows)) maker.add({ ...row, category: 'deposit' })
  const lacking = 'day' in one.broken ? [{ day: DAY, why: 'is lacking' }] : []
  const daysOf = daysTouched(PROOF)
  const rules = { proof: PROOF, tolerances: tolerancesOf(one), unit: 10n ** 10n, daysOf }
  return checkPairs(maker.result().holdings, { lacking, evidence: [] }, rules)
}

/** What the stage finds in a store. */
async function foundInStore(one: World): Promise<Finding[]> {
  const store = memoryStore()
  for (const [reading, { at }] of one.readings.entries())
    await putSnapshot(store, textOf(at), toldAt(one, reading))
  const rows = rowsOf(one)
  for (const [index, day] of DAYS.entries()) {
    const hit = 'day' in one.broken && one.broken.day + 1 === index ? one.broken.kind : 'none'
    if (hit === 'day-lost') continue
    const early = hit === 'day-early' ? `${addDays(day, 2)}T00:00:00.000Z` : undefined
    await putActivity(
      store,
      day,
      rows.filter(({ micros: at }) => dayOfMicros(at) === day),
      early,
    )
  }
  const { record } = await reconcileDay(store, DAY, { tolerances: tolerancesOf(one) })
  return record.findings.filter(({ check }) => check === 'R6')
}

const sideOf = (at: bigint, { sent, answered }: Window) =>
  answered + CLOCK < at ? 'after' : at + RESOLUTION <= sent - CLOCK ? 'before' : 'either'

const textOf = (micros: bigint) => new Date(Number(micros / MILLI)).toISOString()

const sizeOf = (value: bigint) => (value < 0n ? -value : value)

/** What is known of one holding of a world. */
function viewOf(one: World, holding: number) {
  const { wallet } = HOLDINGS[holding]!
  const windows = one.readings.map(reading => reading.windows[wallet])
  // A snapshot is before or after the day as a whole, with both its wallets.
  const before = one.readings.findLastIndex(({ windows: each }) => each.Funding.answered <= START)
  const after = one.readings.findIndex(({ at }) => at >= END)
  const { book, wrong } = bookOf(one)
  const mine = book.filter(row => row.holding === holding && row.amount !== 0n)
  const isExact = (reading: number) => mine.every(({ at }) => sideOf(at, windows[reading]!) !== 'either')
  const isUsable = (reading: number) =>
    isExact(reading) && !(one.broken.kind === 'left-out' && isHit(one, reading, holding))
  const near = (reading: number, edge: number) => sizeOf(windows[reading]!.sent - windows[edge]!.sent) <= HOUR
  const numbers = windows.map((_, index) => index)
  const openings = numbers.filter(index => index <= before && near(index, before))
  const closings = numbers.filter(index => index >= after && near(index, after))
  return {
    windows,
    before,
    after,
    openings,
    closings,
    isExact,
    wrong: wrong.filter(row => row.holding === holding),
    isPairExact: isExact(before) && isExact(after),
    isProvable: openings.some(isUsable) && closings.some(isUsable),
    isAllExact: numbers.every(isExact),
  }
}
type View = ReturnType<typeof viewOf>

const isInside = ({ windows, before, after }: View, { at }: Told) =>
  sideOf(at, windows[before]!) === 'after' && sideOf(at, windows[after]!) === 'before'
const isOutside = ({ windows, openings, closings }: View, { at }: Told) =>
  sideOf(at, windows[openings[0]!]!) === 'before' || sideOf(at, windows[closings.at(-1)!]!) === 'after'

const amountOf = (text: string | null) => {
  const read = readAmount(text ?? '')
  if (typeof read !== 'bigint') throw new Error(`no amount: ${text}`)
  return read
}

function expectDifference(finding: Finding, difference: bigint, tolerance: bigint | undefined): void {
  const verdict = tolerance !== undefined && sizeOf(difference) <= tolerance ? 'within_tolerance' : 'break'
  expect([finding.verdict, finding.difference]).toEqual([verdict, formatAmount(difference)])
}

function expectAgreement(finding: Finding, view: View): void {
  expect(['matched', 'unproven']).toContain(finding.verdict)
  expect(['0', null]).toContain(finding.difference)
  expect(finding.verdict).toBe(view.isProvable ? 'matched' : 'unproven')
  if (view.isProvable) expect(finding).toMatchObject({ difference: '0', firstBad: null })
}

/** The place told is the stretch from the last reading before it to the first one after it. */
function expectNarrow({ firstBad }: Finding, { windows }: View, at: bigint): void {
  if (windows.some(window => sideOf(at, window) === 'either')) return
  const from = windows.findLast(window => sideOf(at, window) === 'after')!
  const to = windows.find(window => sideOf(at, window) === 'before')!
  expect(firstBad).toMatchObject({ from: textOf(from.sent), to: textOf(to.answered) })
}

/** Whether the place told covers an instant of the book. */
function expectCovered({ firstBad }: Finding, at: bigint): void {
  const [from, to] = [firstBad!.from, firstBad!.to].map(text => BigInt(Date.parse(text)) * MILLI)
  expect(from! <= at + RESOLUTION + CLOCK && at <= to! + MILLI + CLOCK).toBe(true)
  expect(firstBad!.days).toContain(dayOfMicros(at))
}

function expectBrokenRows(finding: Finding, view: View, { tolerance, broken }: World): void {
  const inside = view.wrong.filter(row => isInside(view, row))
  if (view.wrong.every(row => isOutside(view, row))) return void expectAgreement(finding, view)
  const sum = inside.reduce((total, row) => total - row.amount, 0n)
  const isSettled = view.wrong.every(row => isInside(view, row) || isOutside(view, row))
  if (!isSettled) return
  if (sum !== 0n) {
    expect(finding.verdict).not.toBe('matched')
    if (view.isPairExact) expectDifference(finding, sum, tolerance)
    if (view.isAllExact) {
      expectCovered(finding, inside[0]!.at)
      const likely =
        broken.kind === 'late' ? ['late-row', 'missing-row', 'duplicate'] : ['missing-row', 'duplicate']
      expectNarrow(finding, view, inside[0]!.at)
      if (finding.class !== 'internal-transfer') expect(likely).toContain(finding.class)
    }
    return
  }
  // A row told a day late, within the pair: only a reading in between can tell.
  if (!view.isAllExact) return
  const [lost, late] = [inside[0]!, inside[1]!]
  const between = view.windows.filter(
    (window, index) =>
      index > view.before &&
      index < view.after &&
      sideOf(lost.at, window) === 'before' &&
      sideOf(late.at, window) === 'after',
  )
  if (between.length === 0) return void expectAgreement(finding, view)
  expectDifference(finding, -lost.amount, tolerance)
  expect(finding.class).toBe('late-row')
  expectCovered(finding, lost.at)
}

function expectBrokenReading(finding: Finding, view: View, one: World, hit: number, by: bigint): void {
  const { before, after } = view
  const isEdge = hit === before || hit === after
  if (
    by === 0n ||
    (hit < before && !view.openings.includes(hit)) ||
    (hit > after && !view.closings.includes(hit))
  )
    return void expectAgreement(finding, view)
  const { from, to } = finding.window!
  const { sent, answered } = view.windows[hit]!
  if (from === textOf(sent) || to === textOf(answered)) expect(finding.verdict).not.toBe('matched')
  if (!view.isAllExact) return
  if (hit < before || hit > after) return void expectAgreement(finding, view)
  expectDifference(finding, hit === before ? -by : by, one.tolerance)
  const isLeftOut = one.broken.kind === 'left-out'
  if (isLeftOut) return void expect(finding.class).toBe('vanished-currency')
  if (!isEdge) expect(['wrong-balance', 'late-row', 'internal-transfer']).toContain(finding.class)
  if (finding.class === 'wrong-balance' && !isEdge)
    expect(finding.firstBad).toMatchObject({ from: textOf(sent), to: textOf(answered) })
}

function expectRight(one: World, all: readonly Finding[]): void {
  const findings = all.filter(({ asset }) => asset !== 'DUST')
  expect(findings).toHaveLength(HOLDINGS.length)
  for (const [holding, { wallet, asset }] of HOLDINGS.entries()) {
    const finding = findings.find(each => each.place === wallet && each.asset === asset)!
    const view = viewOf(one, holding)
    const { broken } = one
    if (finding.difference !== null)
      expect(amountOf(finding.expected) + amountOf(finding.difference)).toBe(amountOf(finding.actual))
    if ('day' in broken) {
      expect(finding.verdict).toBe('incomplete')
    } else if ('reading' in broken && broken.holding === holding) {
      const hit = broken.reading % one.readings.length
      if (broken.kind === 'misread') expectBrokenReading(finding, view, one, hit, broken.by)
      else if (broken.whole) expectBrokenReading(finding, view, one, hit, -heldAt(one, holding, hit))
      else if (hit === view.before || hit === view.after) expect(finding.verdict).toBe('incomplete')
      else expectAgreement(finding, view)
    } else if (view.wrong.length > 0) {
      expectBrokenRows(finding, view, one)
    } else {
      expectAgreement(finding, view)
    }
  }
}

describe('over random ledgers, readings and breaks', () => {
  const bounds = { interruptAfterTimeLimit: 60_000, endOnFailure: true }

  it('nothing matches falsely, nothing breaks falsely, and differences are exact', () => {
    fc.assert(
      fc.property(world, one => expectRight(one, foundByChecks(one))),
      { ...bounds, numRuns: 3_000 },
    )
  }, 90_000)

  it('the stage finds the same in a store', async () => {
    await fc.assert(
      fc.asyncProperty(world, async one => {
        const findings = await foundInStore(one)
        expectRight(one, findings)
      }),
      { ...bounds, numRuns: 25 },
    )
  }, 90_000)
})
