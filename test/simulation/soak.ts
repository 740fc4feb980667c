/** `npm run soak [-- --seeds N] [--from K] [--seed K]`: many runs, or one again. */
import { parseArgs } from 'node:util'
import { brokenPromises } from './promises.ts'
import { runSeed, warmUp } from './world.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' } },
})
const whole = (text: string | undefined, otherwise: number) =>
  text === undefined ? otherwise : Number.parseInt(text, 10)
const from = whole(values.seed ?? values.from, 1)
const count = values.seed === undefined ? whole(values.seeds, 100_000) : 1

const begun = Date.now()
const troubles = new Map<string, number>()
let [failed, calls, crashes, reports] = [0, 0, 0, 0]

await warmUp()
for (let seed = from; seed < from + count; seed++) {
  const run = await runSeed(seed)
  const broken = await brokenPromises(run)
  calls += run.calls
  crashes += run.crashes
  reports += run.provider.books.length
  for (const [kind, times] of run.provider.troubles) troubles.set(kind, (troubles.get(kind) ?? 0) + times)
  if (broken.length > 0) {
    failed += 1
    process.stdout.write(`\nnpm run soak -- --seed ${seed}\n${broken.map(line => `  ${line}\n`).join('')}`)
  }
  const done = seed - from + 1
  if (done % 500 === 0) process.stdout.write(`\r${done} of ${count}, ${failed} failed, ${seconds()} s `)
}

const listed = [...troubles].sort().map(([kind, times]) => `${kind} ${times}`)
process.stdout.write(
  `\n${count} seeds, ${failed} failed, ${reports} reports, ${crashes} crashes, ${calls} store requests, ${seconds()} s\n${listed.join(', ')}\n`,
)
process.exitCode = failed === 0 ? 0 : 1

function seconds(): number {
  return Math.round((Date.now() - begun) / 1000)
}
