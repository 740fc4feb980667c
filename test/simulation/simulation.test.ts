import { beforeAll, describe, expect, it } from 'vitest'
import { brokenPromises } from './promises.ts'
import { type FinishedRun, runSeed, warmUp } from './world.ts'

const SEEDS = 2_000

/** Everything a provider can do to us; a run that meets none of it proves nothing. */
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

/** Everything that a run leaves behind, but for the names of the bucket's versions. */
const traceOf = ({ objects, provider }: FinishedRun) => [
  ...[...objects.byKey].map(
    ([key, { bytes, etag }]) => `${key} ${etag} ${Buffer.from(bytes).toString('base64')}`,
  ),
  ...provider.books.map(({ id }) => id),
]

describe('months of a provider against processes that crash at any moment', () => {
  beforeAll(warmUp)

  it('keep every promise, whatever the seed', { timeout: 0 }, async () => {
    const failed: string[] = []
    const met = new Set<string>()
    let [crashes, parsed] = [0, 0]
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = await runSeed(seed)
      const broken = await brokenPromises(run)
      if (broken.length > 0) failed.push(`npm run soak -- --seed ${seed}: ${broken.join('; ')}`)
      for (const kind of run.provider.troubles.keys()) met.add(kind)
      crashes += run.crashes
      parsed += [...run.objects.byKey.keys()].filter(key => key.endsWith('/manifest.json')).length
    }
    expect(failed).toEqual([])
    expect([...met].sort()).toEqual(TROUBLES)
    expect(crashes).toBeGreaterThan(SEEDS)
    expect(parsed).toBeGreaterThan(SEEDS)
  })

  it('go the same way when a seed is run again', { timeout: 0 }, async () => {
    for (const seed of [3, 17, 42]) expect(traceOf(await runSeed(seed))).toEqual(traceOf(await runSeed(seed)))
  })
})
