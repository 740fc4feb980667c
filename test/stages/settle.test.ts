import { beforeEach, describe, expect, it } from 'vitest'
import { match } from '../../src/stages/match.ts'
import { type SettleInput, settle } from '../../src/stages/settle.ts'
import { sweep } from '../../src/sweep.ts'
import { RANGE, REF, type ReportWorld, reportWorld, START } from '../support/report-world.ts'

const SAID: SettleInput = { month: '2026-10', slot: 1, reportId: '1', by: 'anna', why: 'seen in the portal' }

let world: ReportWorld
beforeEach(async () => {
  world = reportWorld()
  for (const claimId of ['a', 'b'])
    await world.context.ledger.claim(REF, '2026-10', 50, {
      request: { range: RANGE, wallets: 'all' },
      reason: 'test',
      again: true,
      by: 'test:1',
      claimId,
      claimedAt: START,
    })
  await world.context.ledger.settle(REF, '2026-10', 1, { outcome: 'unknown', says: 'lost', at: START })
})

const say = (changed: Partial<SettleInput> = {}) =>
  settle(world.context, world.account, { ...SAID, ...changed })
const outcomeOf = async (number: number) =>
  (await world.context.ledger.month(REF, '2026-10')).find(slot => slot.number === number)?.outcome

describe('a person who settles a slot', () => {
  it('gives it its report, with who said so and why, and the report is fetched', async () => {
    expect(await say()).toMatchObject({ outcome: 'settled' })
    expect(await outcomeOf(1)).toMatchObject({
      outcome: 'accepted',
      reportId: '1',
      settledBy: 'anna',
      why: 'seen in the portal',
      at: START,
    })
    expect(await world.context.reports.read(REF, '1', 'accepted')).toMatchObject({
      via: 'settle',
      by: 'anna',
      slot: { month: '2026-10', number: 1 },
      request: { range: RANGE },
    })
    await world.clock.advance(600_000)
    await sweep(world.context, [world.account])
    expect(await world.parts('1')).toContain('manifest')
  })

  it('gives it back when no report was made', async () => {
    expect(await say({ reportId: undefined })).toMatchObject({ outcome: 'settled' })
    expect(await outcomeOf(1)).toMatchObject({ outcome: 'rejected', settledBy: 'anna' })
  })

  it('says the first word, and it stands', async () => {
    await say()
    expect(await say({ reportId: undefined })).toMatchObject({
      outcome: 'already-settled',
      standing: { outcome: 'accepted' },
    })
    expect(await say({ reportId: '2', by: 'ben' })).toMatchObject({ outcome: 'already-settled' })
    expect(await world.parts('2')).toEqual([])
    expect(await outcomeOf(1)).toMatchObject({ reportId: '1', settledBy: 'anna' })
  })

  it('is one of several at once, and all hear the same', async () => {
    const outcomes = await Promise.all([say(), say({ reportId: '2', by: 'ben' }), say({ reportId: '3' })])
    expect(outcomes.filter(({ outcome }) => outcome === 'settled')).toHaveLength(1)
    const records = await Promise.all(['1', '2', '3'].map(id => world.parts(id)))
    expect(records.filter(parts => parts.includes('accepted'))).toHaveLength(1)
  })

  it('completes what a run began that died between the slot and the record', async () => {
    await world.context.ledger.settle(REF, '2026-10', 1, {
      outcome: 'accepted',
      reportId: '1',
      at: START,
      settledBy: 'anna',
    })
    expect(await say()).toMatchObject({ outcome: 'already-settled' })
    expect(await world.parts('1')).toEqual(['accepted'])
    expect(await match(world.context, world.account, '1')).toEqual({ outcome: 'matched' })
  })

  it('waits while the answer may still come, and not when its process has died', async () => {
    expect(await say({ slot: 2 })).toMatchObject({ outcome: 'answer-awaited' })
    world.dead.add('test:1')
    expect(await say({ slot: 2 })).toMatchObject({ outcome: 'settled' })
  })

  it('cannot give a report to a second slot', async () => {
    await say()
    world.dead.add('test:1')
    expect(await say({ slot: 2 })).toEqual({ outcome: 'other-slot', month: '2026-10', slot: 1 })
    expect(await outcomeOf(2)).toBeUndefined()
  })

  it('hears that there is no such slot', async () => {
    await expect(say({ slot: 9 })).rejects.toMatchObject({ code: 'not-found' })
  })
})
