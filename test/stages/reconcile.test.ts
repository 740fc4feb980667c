import { beforeEach, describe, expect, it } from 'vitest'
import type { ActivityRow } from '../../src/domain/activity.ts'
import { addDays, type Day } from '../../src/domain/calendar.ts'
import { reconciliationKey } from '../../src/domain/keys.ts'
import type { BalanceProof, Finding, Tolerances } from '../../src/domain/reconciliation.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import {
  explanationsOf,
  reconciliationsOf,
  recordExplanation,
  recordReconciliation,
} from '../../src/stores/reconciliation-log.ts'
import {
  accountOf,
  microsOf,
  PROOF,
  putActivity,
  putSnapshot,
  REF,
  reconcileDay,
  type ToldBalance,
  UNIT,
} from '../support/balance-world.ts'
import { memoryStore } from '../support/memory-store.ts'

const DAY = '2026-10-10'

let store: ObjectStore
beforeEach(() => {
  store = memoryStore()
})

function run(
  day: Day = DAY,
  { proof = PROOF, tolerances = new Map() }: { proof?: BalanceProof; tolerances?: Tolerances } = {},
  account = accountOf(proof),
) {
  return reconcileDay(store, day, { account, tolerances })
}

type Told = ToldBalance

const snapshotAt = (instant: string, rows: readonly Told[], day?: Day) =>
  putSnapshot(store, instant, rows, day)

const held = (units: bigint, wallet = 'Spot', asset = 'USDT'): Told => ({
  wallet,
  asset,
  available: units * UNIT,
  onHold: 0n,
})

type Row = readonly [instant: string, units: bigint, more?: Partial<ActivityRow>]

function activity(day: Day, rows: readonly Row[], generatedAt?: string) {
  const whole = rows.map(([time, units, more]) => ({
    micros: microsOf(`${day}T${time}Z`),
    amount: units * UNIT,
    ...more,
  }))
  return putActivity(store, day, whole, generatedAt)
}

const NOON = 'T12:00:00.000Z'
const days = (first: Day, count: number) => Array.from({ length: count }, (_, index) => addDays(first, index))

/** Noon readings of four days, and rows of which each pair sees one. */
async function quietWorld(balances: readonly bigint[], rows: Readonly<Record<Day, readonly Row[]>> = {}) {
  for (const [index, day] of days('2026-10-08', balances.length).entries()) {
    await snapshotAt(`${day}${NOON}`, [held(balances[index]!)])
    await activity(day, rows[day] ?? [['18:00:00', 5n]])
  }
}

async function pairOf(day: Day = DAY, options: Parameters<typeof run>[1] = {}): Promise<Finding> {
  const { record } = await run(day, options)
  return record.findings.find(({ check }) => check === 'R6')!
}

describe('a pair of snapshots around a day', () => {
  it('matches when the balance moved by what the rows say', async () => {
    await quietWorld([100n, 105n, 110n, 115n, 120n])
    const { record, outcome } = await run()
    expect(outcome).toBe('recorded')
    expect(record.verdict).toBe('matched')
    expect(record.findings.find(({ check }) => check === 'R6')).toMatchObject({
      id: 'R6/Spot/USDT',
      expected: '10',
      actual: '10',
      difference: '0',
      tolerance: '0',
      verdict: 'matched',
      window: { from: '2026-10-09T12:00:00.000Z', to: '2026-10-11T12:00:00.300Z' },
    })
    expect(record.assumptions).toEqual(['told by the test', 'movements move available + on hold'])
  })

  it.each([
    ['missing-row', [100n, 105n, 110n, 118n, 123n], {}, '3', ['2026-10-10', '2026-10-11']],
    [
      'late-row',
      [100n, 105n, 117n, 122n, 127n],
      {
        '2026-10-10': [
          ['18:00:00', 5n],
          ['18:30:00', 7n],
        ],
      },
      '7',
      ['2026-10-09', '2026-10-10'],
    ],
    ['wrong-balance', [100n, 105n, 117n, 115n, 120n], {}, '7', ['2026-10-10']],
    [
      'duplicate',
      [100n, 105n, 110n, 115n, 120n],
      {
        '2026-10-09': [
          ['18:00:00', 5n],
          ['18:00:00', 5n],
        ],
      },
      '-5',
      ['2026-10-09', '2026-10-10'],
    ],
    [
      'unknown-operation',
      [100n, 105n, 110n, 115n, 120n],
      {
        '2026-10-10': [
          ['18:00:00', 5n],
          ['19:00:00', -2n, { operation: 'Surprise' }],
        ],
      },
      '2',
      ['2026-10-10', '2026-10-11'],
    ],
  ] as const)('breaks where it does: %s', async (name, balances, rows, difference, badDays) => {
    await quietWorld(balances, rows)
    const { record } = await run()
    expect(record.verdict).toBe('break')
    expect(record.findings.find(({ check }) => check === 'R6')).toMatchObject({
      verdict: 'break',
      difference,
      class: name,
      firstBad: { days: badDays },
    })
  })

  it('sees one leg of a transfer', async () => {
    for (const [index, day] of days('2026-10-08', 5).entries()) {
      const moved = index > 2 ? 40n : 0n
      await snapshotAt(`${day}${NOON}`, [held(100n - moved), held(10n + moved, 'Funding')])
      await activity(day, [])
    }
    const { record } = await run()
    const pairs = record.findings.filter(({ check }) => check === 'R6')
    expect(pairs.map(({ place, difference, class: likely }) => [place, difference, likely])).toEqual([
      ['Funding', '40', 'internal-transfer'],
      ['Spot', '-40', 'internal-transfer'],
    ])
  })

  it('is unproven where a row of the second of a reading could be on either side', async () => {
    await quietWorld([100n, 105n, 110n, 115n, 120n], { '2026-10-09': [['12:00:00', 5n]] })
    expect(await pairOf()).toMatchObject({
      verdict: 'unproven',
      difference: '0',
      expectedLeast: '5',
      expectedMost: '10',
    })
  })

  it('proves the day by readings close by where the nearest leave open on which side a row is', async () => {
    const rows: Row[] = [['23:58:00', 5n]]
    for (const day of days('2026-10-08', 5)) await activity(day, day === '2026-10-09' ? rows : [])
    await snapshotAt('2026-10-09T23:50:00.000Z', [held(100n)])
    await snapshotAt('2026-10-09T23:57:59.000Z', [held(100n)])
    await snapshotAt('2026-10-09T23:58:00.000Z', [held(105n)])
    await snapshotAt('2026-10-11T00:02:00.000Z', [held(105n)])
    const { from, to } = (await pairOf()).window!
    const { evidence } = await pairOf()
    expect(evidence.slice(0, 2).map(key => key.slice(-28, -8))).toEqual([
      '20261009T235000.000Z',
      '20261011T000200.000Z',
    ])
    expect(await pairOf()).toMatchObject({ verdict: 'matched', difference: '0' })
    expect([from, to]).toEqual(['2026-10-09T23:50:00.000Z', '2026-10-11T00:02:00.300Z'])
  })

  it('stays broken where the nearest readings show it and something outside undoes it', async () => {
    const rows: Row[] = [['23:58:00', 5n]]
    for (const day of days('2026-10-08', 5)) await activity(day, day === '2026-10-09' ? rows : [])
    await snapshotAt('2026-10-09T23:50:00.000Z', [held(100n)])
    await snapshotAt('2026-10-09T23:58:00.000Z', [held(98n)])
    await snapshotAt('2026-10-11T00:02:00.000Z', [held(105n)])
    expect(await pairOf()).toMatchObject({ verdict: 'break', difference: '2' })
  })

  it('lets a difference pass only within what was declared, and says so', async () => {
    await quietWorld([100n, 105n, 110n, 118n, 123n])
    const tolerance = (units: bigint) => ({
      tolerances: new Map([['USDT', { amount: units * UNIT, reason: 'agreed' }]]),
    })
    expect(await pairOf(DAY, tolerance(3n))).toMatchObject({
      verdict: 'within_tolerance',
      difference: '3',
      tolerance: '3',
      toleranceReason: 'agreed',
    })
    expect(await pairOf(DAY, tolerance(2n))).toMatchObject({ verdict: 'break', tolerance: '2' })
  })

  it('proves nothing where the balance that movements move is not confirmed, or holds are not told', async () => {
    await quietWorld([100n, 105n, 110n, 115n, 120n])
    expect(await pairOf(DAY, { proof: { ...PROOF, confirmed: false } })).toMatchObject({
      verdict: 'unproven',
      difference: '0',
    })
    store = memoryStore()
    for (const day of days('2026-10-08', 5)) {
      await snapshotAt(`${day}${NOON}`, [{ asset: 'USDT', available: 100n * UNIT }])
      await activity(day, [])
    }
    expect(await pairOf()).toMatchObject({ verdict: 'unproven', difference: '0' })
  })

  it('is incomplete, never a break, while a day is missing or not final', async () => {
    for (const day of days('2026-10-08', 5)) await snapshotAt(`${day}${NOON}`, [held(day > DAY ? 9n : 5n)])
    for (const day of days('2026-10-08', 5)) if (day !== DAY) await activity(day, [])
    expect(await pairOf()).toMatchObject({
      verdict: 'incomplete',
      class: 'missing-report',
      difference: '4',
      firstBad: null,
    })
    // Told less than three days after it began: a report made then may lack some of it.
    await activity(DAY, [], '2026-10-12T23:59:59.999Z')
    const early = await pairOf()
    expect(early).toMatchObject({ verdict: 'incomplete' })
    expect(early.says).toContain('2026-10-10 is not final yet')
  })

  it('is incomplete without a reading on each side, and where an asset is not told any more', async () => {
    await activity(DAY, [])
    expect(await pairOf()).toMatchObject({ verdict: 'incomplete' })
    for (const day of days('2026-10-09', 3)) {
      await snapshotAt(
        `${day}${NOON}`,
        day > DAY ? [held(1n, 'Spot', 'BTC')] : [held(1n, 'Spot', 'BTC'), held(0n)],
      )
      await activity(day, [])
    }
    const { record } = await run()
    expect(record.findings.find(({ id }) => id === 'R6/Spot/USDT')).toMatchObject({
      verdict: 'incomplete',
      class: 'vanished-currency',
      expected: null,
    })
  })

  it('tells of wallets whose balances nobody tells', async () => {
    await quietWorld([100n, 105n, 110n, 115n, 120n], {
      '2026-10-10': [
        ['18:00:00', 5n],
        ['18:00:00', 1n, { wallet: 'Earn' }],
      ],
    })
    const { record } = await run()
    expect(record.findings.find(({ id }) => id === 'R6/Earn')).toMatchObject({ verdict: 'not_checkable' })
    expect(record.verdict).toBe('matched')
  })
})

describe('day ends', () => {
  const dayEnd = (day: Day, figures: readonly bigint[], more: Partial<Told> = {}): Told => ({
    wallet: null,
    fundsAccount: 'A1',
    asset: 'USD',
    basis: 'day-end',
    day,
    zone: 'UTC',
    opening: figures[0]! * UNIT,
    inflow: figures[1]! * UNIT,
    outflow: figures[2]! * UNIT,
    closing: figures[3]! * UNIT,
    ...more,
  })
  const put = (day: Day, rows: readonly Told[]) => snapshotAt('2026-10-19T00:00:00.000Z', rows, day)
  const check = async () => (await run(DAY, {}, accountOf(undefined, 'day-end'))).record
  const next = '2026-10-11'

  it.each([
    ['match', [10n, 5n, 2n, 13n], [13n, 0n, 0n, 13n], 'matched', null, null],
    ['have swapped flows', [10n, 5n, 2n, 7n], [7n, 0n, 0n, 7n], 'break', 'R1', 'flows-swapped'],
    ['do not add up', [10n, 5n, 2n, 14n], [14n, 0n, 0n, 14n], 'break', 'R1', 'component-mismatch'],
    ['leave a gap', [10n, 5n, 2n, 13n], [12n, 0n, 0n, 12n], 'break', 'R3', 'roll-forward-gap'],
  ] as const)('%s', async (_, today, tomorrow, verdict, name, likely) => {
    await put(DAY, [dayEnd(DAY, today)])
    await put(next, [dayEnd(next, tomorrow)])
    const record = await check()
    expect(record.verdict).toBe(verdict)
    const bad = record.findings.filter(found => found.verdict === 'break')
    expect(bad.map(found => [found.check, found.class])).toEqual(name === null ? [] : [[name, likely]])
  })

  it('of one zone never meet those of another, and what is missing is not zero', async () => {
    await put(DAY, [dayEnd(DAY, [10n, 5n, 2n, 13n]), dayEnd(DAY, [1n, 0n, 1n, 0n], { asset: 'EUR' })])
    await put(next, [dayEnd(next, [13n, 0n, 0n, 13n], { zone: 'UTC+08:00' })])
    const record = await check()
    expect(record.verdict).toBe('incomplete')
    const rolled = record.findings.filter(found => found.check === 'R3')
    expect(rolled.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['R3/A1/USD/UTC', 'incomplete'],
      ['R3/A1/EUR/UTC', 'incomplete'],
      ['R3/A1/USD/UTC+08:00', 'incomplete'],
    ])
  })

  it('that leave out a currency with an amount break on that day; with nothing they prove nothing', async () => {
    const euro = (day: Day, figures: readonly bigint[]) => dayEnd(day, figures, { asset: 'EUR' })
    const pound = (day: Day, figures: readonly bigint[]) => dayEnd(day, figures, { asset: 'GBP' })
    await put(DAY, [
      dayEnd(DAY, [10n, 5n, 2n, 13n]),
      euro(DAY, [1n, 0n, 1n, 0n]),
      pound(DAY, [0n, 7n, 0n, 7n]),
    ])
    await put(next, [dayEnd(next, [13n, 0n, 0n, 13n]), dayEnd(next, [4n, 0n, 0n, 4n], { asset: 'YEN' })])
    const rolled = (await check()).findings.filter(found => found.check === 'R3')
    expect(rolled.map(({ asset, verdict, firstBad }) => [asset, verdict, firstBad?.days])).toEqual([
      ['USD', 'matched', undefined],
      ['EUR', 'not_checkable', undefined],
      ['GBP', 'break', [next]],
      ['YEN', 'break', [DAY]],
    ])
    for (const found of rolled.slice(2)) expect(found.class).toBe('vanished-currency')
  })

  it('that tell a currency twice break, and a wrong row hides behind no right one', async () => {
    const right = dayEnd(DAY, [10n, 5n, 2n, 13n])
    await put(DAY, [right, dayEnd(DAY, [10n, 5n, 2n, 14n])])
    await put(next, [dayEnd(next, [13n, 0n, 0n, 13n])])
    const bad = (await check()).findings.filter(({ verdict }) => verdict === 'break')
    expect(bad.map(({ id, class: likely }) => [id, likely])).toEqual([
      ['R1/A1/USD/UTC', 'component-mismatch'],
      ['R3/A1/USD/UTC', 'roll-forward-gap'],
      ['R7/A1/USD/UTC', 'duplicate'],
    ])
  })
})

describe('what was found', () => {
  it('is superseded by a run that finds something else, and kept', async () => {
    await quietWorld([100n, 105n, 110n, 118n, 123n])
    expect((await run()).record).toMatchObject({ run: 1, verdict: 'break' })
    expect(await run()).toMatchObject({ outcome: 'unchanged', record: { run: 1 } })
    const tolerances = new Map([['USDT', { amount: 3n * UNIT, reason: 'agreed' }]])
    expect(await run(DAY, { tolerances })).toMatchObject({ outcome: 'recorded', record: { run: 2 } })
    const runs = await reconciliationsOf(store, REF, DAY)
    expect(runs.map(({ verdict }) => verdict)).toEqual(['break', 'within_tolerance'])
    expect(await store.head(reconciliationKey(REF, DAY, 2))).toMatchObject({
      key: 'reconciliations/tiny/one/2026-10-10-2.json',
    })
  })

  it('is recorded once by runs at the same time that find the same', async () => {
    await quietWorld([100n, 105n, 110n, 115n, 120n])
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => run()))
    expect(outcomes.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(1)
    expect(await reconciliationsOf(store, REF, DAY)).toHaveLength(1)
  })

  it('has every run of those that find different things at the same time', async () => {
    await quietWorld([100n, 105n, 110n, 115n, 120n])
    const { record } = await run()
    const drafts = ['a', 'b', 'c'].map(text => ({ ...record, assumptions: [text] }))
    await Promise.all(drafts.map(draft => recordReconciliation(store, REF, draft)))
    const runs = await reconciliationsOf(store, REF, DAY)
    expect(runs.map(found => found.run)).toEqual([1, 2, 3, 4])
  })

  it('is explained beside the numbers, which stay', async () => {
    await quietWorld([100n, 105n, 110n, 118n, 123n])
    const { record } = await run()
    const said = {
      day: DAY,
      finding: 'R6/Spot/USDT',
      run: 1,
      kind: 'explained',
      says: 'booked by hand',
      by: 'Ada',
      at: '2026-10-20T00:00:00.000Z',
    } as const
    await recordExplanation(store, REF, said)
    await recordExplanation(store, REF, { ...said, kind: 'note', says: 'and more' })
    expect((await explanationsOf(store, REF, DAY)).map(({ says }) => says)).toEqual([
      'booked by hand',
      'and more',
    ])
    expect(await run()).toMatchObject({ outcome: 'unchanged', record })
  })
})
