/** One of the processes that run seeds; it tells its parent of each. See `shards.ts`. */
import { brokenPromises } from './promises.ts'
import type { RanSeed } from './shards.ts'
import { runSeed, warmUp } from './world.ts'

const [from, to, step] = process.argv.slice(2).map(text => Number.parseInt(text, 10))

// Nobody listens any more, or all is said.
process.on('disconnect', () => process.exit())

await warmUp()
for (let seed = from!; seed < to!; seed += step!) {
  const run = await runSeed(seed)
  const ran: RanSeed = {
    seed,
    broken: await brokenPromises(run),
    trace: run.trace,
    reports: run.provider.books.length,
    parsed: [...run.objects.byKey.keys()].filter(key => key.endsWith('/manifest.json')).length,
    crashes: run.crashes,
    calls: run.calls,
    troubles: [...run.provider.troubles],
  }
  await new Promise(sent => process.send!(ran, sent))
}
process.disconnect()
