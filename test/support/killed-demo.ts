/** Runs the demo in a process of its own, kills it with SIGKILL, and runs it again until it is done. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { activityTable, queryRows } from '../../src/cli/duckdb.ts'
import { objectKeys } from './test-daybook.ts'

/** Kill when this many files lie in the folder, or this many of balances, and so many milliseconds later. */
export type KillPoint = { readonly delayMs: number } & (
  | { readonly files: number }
  | { readonly balances: number }
)

export interface DemoResult {
  /** How many of the runs were killed before they could end. */
  readonly killed: number
  /** The sandbox's own count of the reports it made. */
  readonly generations: number
  /** Every published row as text: its id and all else. */
  readonly rows: string
  readonly keys: string[]
  /** Of every account and day, whether it adds up. */
  readonly verdicts: readonly string[]
}

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')

/** Runs the demo, killed at each point in turn, then to its end. */
export async function demoKilledAt(points: readonly KillPoint[]): Promise<DemoResult> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-kill-'))
  try {
    let killed = 0
    for (const point of points) if (await runKilled(folder, point)) killed++
    const { code, told, talk } = await ended(start(folder))
    // With `--json` the error is on one stream, and the log on the other.
    if (code !== 0) throw new Error(`the last run of the demo ended with ${code}:\n${told}\n${talk}`)
    return {
      killed,
      generations: (await readdir(join(folder, 'sandbox/reports'))).filter(name => name.endsWith('.json'))
        .length,
      rows: JSON.stringify(
        await queryRows(`SELECT * FROM ${activityTable(join(folder, 'store'))} ORDER BY row_id`),
      ),
      keys: await objectKeys(join(folder, 'store')),
      verdicts: verdictsOf(told),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function start(folder: string): ChildProcess {
  return spawn(process.execPath, [MAIN, 'demo', '--folder', folder, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function verdictsOf(told: string): string[] {
  const { reconciled } = JSON.parse(told) as { reconciled: Record<string, string>[] }
  return reconciled.map(({ provider, day, verdict }) => `${provider} ${day} ${verdict}`)
}

async function runKilled(folder: string, point: KillPoint): Promise<boolean> {
  const child = start(folder)
  const watch = setInterval(() => {
    if (!isReached(folder, point)) return
    clearInterval(watch)
    setTimeout(() => child.kill('SIGKILL'), point.delayMs)
  }, 1)
  const { signal } = await ended(child)
  clearInterval(watch)
  return signal === 'SIGKILL'
}

function isReached(folder: string, point: KillPoint): boolean {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const balances = files.filter(({ parentPath }) => /\/store\/(balances|snapshots)\//.test(parentPath)).length
  return 'balances' in point ? balances >= point.balances : files.length - balances >= point.files
}

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly told: string
  readonly talk: string
}

function ended(child: ChildProcess): Promise<Ended> {
  let talk = ''
  let told = ''
  child.stdout?.on('data', chunk => {
    told += chunk
  })
  child.stderr?.on('data', chunk => {
    talk += chunk
  })
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code, signal) => done({ code, signal, told, talk }))
  })
}
