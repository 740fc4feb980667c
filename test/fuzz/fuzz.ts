/**
 * Reads damaged files for a while: `npm run fuzz -- [SECONDS] [FIRST-SEED]`. A failure prints its seed;
 * `npm run fuzz -- 1 SEED` replays it first.
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { FuzzReport } from './fuzz-child.ts'

const [seconds = '60', first = String(Date.now() % 1_000_000_000)] = process.argv.slice(2)
const HANG_MS = 30_000
const MOST_MIB = 500

const counts = new Map<string, number>()
const failures: string[] = []
let current = Number.parseInt(first, 10)
let runs = 0
let peakMib = 0
let child: ChildProcess
let watchdog: NodeJS.Timeout | undefined

function start(seed: number): void {
  child = fork(new URL('fuzz-child.ts', import.meta.url).pathname, [String(seed)], {
    execArgv: ['--max-old-space-size=300'],
  })
  child.on('message', receive)
  child.on('exit', code => {
    if (code !== null) fail(`the process ended with code ${code}`)
  })
  watch()
}

function receive(message: unknown): void {
  const { seed, outcome, failure, rssMib } = message as FuzzReport
  watch()
  current = seed
  peakMib = Math.max(peakMib, rssMib)
  if (failure !== undefined) note(failure)
  if (rssMib > MOST_MIB) fail(`the process holds ${rssMib.toFixed(0)} MiB`)
  if (outcome === undefined) return
  runs += 1
  const word = outcome.startsWith('rows') ? 'rows' : outcome
  counts.set(word, (counts.get(word) ?? 0) + 1)
}

function watch(): void {
  clearTimeout(watchdog)
  watchdog = setTimeout(() => fail('no end in sight'), HANG_MS)
}

function note(failure: string): void {
  failures.push(`seed ${current}: ${failure}`)
  console.error(failures.at(-1))
}

/** Goes on after the seed that did it, with a fresh process. */
function fail(failure: string): void {
  note(failure)
  child.removeAllListeners()
  child.kill('SIGKILL')
  start(current + 1)
}

start(current)
setTimeout(() => {
  clearTimeout(watchdog)
  child.removeAllListeners()
  child.kill('SIGKILL')
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  for (const [outcome, count] of sorted) console.log(`${String(count).padStart(7)}  ${outcome}`)
  console.log(
    `seeds ${first} to ${current}: ${runs} files, ${failures.length} failures, at most ${peakMib.toFixed(0)} MiB`,
  )
  process.exitCode = failures.length > 0 ? 1 : 0
}, Number.parseFloat(seconds) * 1000)
