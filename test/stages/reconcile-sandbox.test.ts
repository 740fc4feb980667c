import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchActivity } from '../../src/stages/fetch-activity.ts'
import { reconcile } from '../../src/stages/reconcile.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'

let three: ThreeProviders
beforeEach(async () => {
  three = await startThreeProviders()
})
afterEach(() => three.stop())

const DAYS = ['2026-10-08', '2026-10-09', '2026-10-10', '2026-10-11']

/** Readings at four noons, then the movements of those days. */
async function readAndFetch(account = three.account('onerway')) {
  for (const day of DAYS) {
    three.clock.set(`${day}T12:00:00.000Z`)
    await snapshot(three.daybook.context, account, { reason: 'test' })
  }
  three.clock.set('2026-10-15T12:00:00.000Z')
  for (const day of DAYS) await fetchActivity(three.daybook.context, account, day)
  const { record } = await reconcile(three.daybook.context, account, {
    day: '2026-10-10',
    tolerances: new Map(),
  })
  return record
}

describe('reconciling Onerway', () => {
  it('shows no difference, and proves nothing while the target is not confirmed', async () => {
    const record = await readAndFetch()
    const pairs = record.findings.filter(({ check }) => check === 'R6')
    expect(pairs.length).toBeGreaterThan(1)
    for (const pair of pairs) expect(pair).toMatchObject({ verdict: 'unproven', difference: '0' })
    expect(record.assumptions.join()).toContain('unproven until Onerway confirms it')
  })

  it.each([
    ['none', [], []],
    ['missing-row', ['R6 missing-row'], ['2026-10-10']],
    ['doubled-row', ['R6 duplicate'], ['2026-10-10']],
    ['late-row', ['R6 late-row'], ['2026-10-10']],
    ['wrong-total', ['R2 component-mismatch', 'R6 wrong-balance'], ['2026-10-10']],
    ['vanished-currency', ['R6 vanished-currency'], ['2026-10-10']],
  ] as const)('proves and finds, once its target is confirmed: %s', async (breakKind, found, days) => {
    three.sandbox.setKnobs({ breakKind, breakDay: '2026-10-10' })
    const daybook = await three.rewire({ provider: 'onerway', settings: { activityTargetConfirmed: true } })
    const record = await readAndFetch(daybook.accounts.find(({ ref }) => ref.provider === 'onerway')!)
    expect(record.verdict).toBe(breakKind === 'none' ? 'matched' : 'break')
    const bad = record.findings.filter(({ verdict }) => verdict === 'break')
    expect(bad.map(({ check, class: likely }) => `${check} ${likely}`)).toEqual(found)
    for (const { asset, firstBad } of bad) {
      expect(asset).toBe('USD')
      expect(firstBad!.days).toEqual(expect.arrayContaining([...days]))
    }
  })

  it.each([['missing-row'], ['doubled-row']] as const)('shows the difference of a %s', async breakKind => {
    three.sandbox.setKnobs({ breakKind, breakDay: '2026-10-10' })
    const record = await readAndFetch()
    const pairs = record.findings.filter(({ check }) => check === 'R6')
    expect(pairs.filter(({ difference }) => difference !== '0')).toMatchObject([
      { asset: 'USD', verdict: 'unproven', firstBad: { days: expect.arrayContaining(['2026-10-10']) } },
    ])
  })
})
