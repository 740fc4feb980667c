/** `npm run soak [-- --seeds N] [--from K] [--workers N] [--seed K]`: many runs, or one again. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { replay, runSeeds } from './shards.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    workers: { type: 'string' },
    seed: { type: 'string' },
  },
})
const whole = (text: string | undefined, otherwise: number) =>
  text === undefined ? otherwise : Number.parseInt(text, 10)
const from = whole(values.seed ?? values.from, 1)
const count = values.seed === undefined ? whole(values.seeds, 100_000) : 1
const processes = Math.min(count, whole(values.workers, availableParallelism()))

const begun = Date.now()
let [done, failed] = [0, 0]

const totals = await runSeeds({ from, count, processes }, ({ seed, broken, trace }) => {
  done += 1
  if (broken.length > 0) {
    failed += 1
    print(`${replay(seed)}\n${broken.map(line => `  ${line}\n`).join('')}`)
  }
  if (count === 1) print(`trace ${trace}\n`)
  if (done % Math.max(500, Math.floor(count / 50)) === 0)
    print(`${done} of ${count}, ${failed} failed, ${seconds()} s\n`)
})
const { seeds, reports, crashes, calls, troubles } = totals
print(
  `${seeds} seeds, ${failed} failed, ${reports} reports, ${crashes} crashes, ${calls} store requests, ${seconds()} s\n`,
)
print(
  `${[...troubles]
    .sort()
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ')}\n`,
)
process.exitCode = failed === 0 ? 0 : 1

function print(text: string): void {
  process.stdout.write(text)
}

function seconds(): number {
  return Math.round((Date.now() - begun) / 1000)
}
