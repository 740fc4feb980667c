import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dayOf } from '../../src/domain/calendar.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { reconcile } from '../../src/stages/reconcile.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { submit } from '../../src/stages/submit.ts'
import { REF } from '../support/day-maker.ts'
import { eventually, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

const DAY_MS = 86_400_000
let test: TestDaybook
beforeEach(async () => {
  test = await startTestDaybook()
})
afterEach(() => test.stop())

/** Readings at four noons, then a report about the days in between, with a break on the third. */
async function reconcileThird(breakKind: Knobs['breakKind']) {
  const { context } = test.daybook
  const started = test.clock.now().getTime()
  const dayAt = (days: number) => dayOf(new Date(started + days * DAY_MS))
  test.sandbox.setKnobs({ breakKind, breakDay: dayAt(2) })
  for (let day = 0; day < 5; day++) {
    test.clock.shift(day === 0 ? 0 : DAY_MS)
    await snapshot(context, test.account, { reason: 'test' })
  }
  test.clock.shift(6 * DAY_MS)
  const asked = await submit(context, test.account, {
    request: { range: { start: dayAt(0), end: dayAt(5) }, wallets: 'all' },
    reason: 'test',
    again: false,
  })
  if (asked.outcome !== 'accepted') throw new Error(JSON.stringify(asked))
  await eventually(() => context.reports.read(REF, asked.reportId, 'manifest'))
  const { record } = await reconcile(context, test.account, { day: dayAt(2), tolerances: new Map() })
  return { pairs: record.findings.filter(({ check }) => check === 'R6'), day: dayAt(2) }
}

describe('reconciling Binance Pay', () => {
  it('finds that the reports of the sandbox add up to the balances it tells', async () => {
    const { pairs } = await reconcileThird('none')
    expect(pairs.length).toBeGreaterThan(4)
    // A row may lie in the very second of a reading; then nothing is proved, but nothing differs either.
    expect(pairs.filter(({ difference }) => difference !== '0')).toEqual([])
    expect(pairs.filter(({ verdict }) => verdict === 'matched').length).toBeGreaterThan(0)
  })

  it.each([
    ['missing-row', 'missing-row'],
    ['doubled-row', 'duplicate'],
    ['late-row', 'late-row'],
  ] as const)('finds a %s on its day', async (breakKind, likely) => {
    const { pairs, day } = await reconcileThird(breakKind)
    const bad = pairs.filter(({ verdict }) => verdict === 'break')
    expect(bad).toMatchObject([{ asset: 'USDT', class: likely }])
    expect(bad[0]!.firstBad!.days).toContain(day)
  })

  it.each([
    ['wrong-total', 'wrong-balance', ['0.00000001', '0.00000001']],
    ['vanished-currency', 'vanished-currency', [expect.stringMatching(/^-/), expect.stringMatching(/^-/)]],
  ] as const)('finds a %s in the readings of its day', async (breakKind, likely, differences) => {
    const { pairs, day } = await reconcileThird(breakKind)
    const bad = pairs.filter(({ verdict }) => verdict === 'break')
    expect(bad.map(({ place, asset, class: found }) => [place, asset, found])).toEqual([
      ['Funding', 'USDT', likely],
      ['Spot', 'USDT', likely],
    ])
    expect(bad.map(({ difference }) => difference)).toEqual(differences)
    for (const { firstBad } of bad) expect(firstBad!.days.at(-1)).toBe(day)
  })
})
