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
async function readAndFetch() {
  const account = three.account('onerway')
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

  it.each([['missing-row'], ['doubled-row']] as const)('shows the difference of a %s', async breakKind => {
    three.sandbox.setKnobs({ breakKind, breakDay: '2026-10-10' })
    const record = await readAndFetch()
    const pairs = record.findings.filter(({ check }) => check === 'R6')
    expect(pairs.filter(({ difference }) => difference !== '0')).toMatchObject([
      { asset: 'USD', verdict: 'unproven', firstBad: { days: expect.arrayContaining(['2026-10-10']) } },
    ])
  })
})
