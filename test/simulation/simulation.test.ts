import { expect, it } from 'vitest'
import { type RanSeed, replay, runSeeds } from './shards.ts'

const SEEDS = 2_000
const AGAIN = 40

/** Everything a provider can do to us; runs that meet none of it prove nothing. */
const TROUBLES = [
  '404 after callback',
  'callback sent again',
  'crash with a request under way',
  'download breaks',
  'duplicate callback',
  'failed',
  'forged callback',
  'keys cannot be fetched',
  'late callback',
  'link ran out',
  'lost callback',
  'no new link',
  'not known yet',
  'not sent',
  'odd host',
  'portal',
  'provider quota used up',
  'query fails',
  'refused',
  'rotated key',
  'short link',
  'slow answer',
  'slow request',
  'stale callback',
  'stranger',
  'stuck',
  'time-out with effect',
  'time-out with late effect',
  'time-out without effect',
  'unreadable answer',
]

const traces = new Map<number, string>()

it('months of a provider and crashes at any moment keep every promise, whatever the seed', {
  timeout: 1_200_000,
}, async () => {
  const failed: string[] = []
  const totals = await runSeeds({ from: 1, count: SEEDS, processes: 2 }, ({ seed, broken, trace }) => {
    traces.set(seed, trace)
    if (broken.length > 0) failed.push(`${replay(seed)}: ${broken.join('; ')}`)
  })
  expect(failed).toEqual([])
  expect(totals.seeds).toBe(SEEDS)
  expect([...totals.troubles.keys()].sort()).toEqual(TROUBLES)
  expect(totals.crashes).toBeGreaterThan(SEEDS)
  expect(totals.parsed).toBeGreaterThan(SEEDS)
})

it('a seed goes the same way in another process, after other seeds', { timeout: 600_000 }, async () => {
  const again: RanSeed[] = []
  await runSeeds({ from: SEEDS - AGAIN + 1, count: AGAIN, processes: 1 }, ran => again.push(ran))
  expect(again).toHaveLength(AGAIN)
  expect(new Set(again.map(({ trace }) => trace)).size).toBe(AGAIN)
  for (const { seed, trace } of again) expect(`${seed} ${trace}`).toBe(`${seed} ${traces.get(seed)}`)
})
