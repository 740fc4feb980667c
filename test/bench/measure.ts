/**
 * One run of one engine: its own process, its own empty folder, and what it cost. This process stays
 * small on purpose: Linux starts a child's peak RSS at that of the process that started it.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { DATA_FOLDER, datasetPath, truthOf } from './dataset.ts'
import type { EngineEntry } from './engines.ts'
import { differenceOf, type OutputContent } from './output-content.ts'

export interface Run {
  /** From start to exit of the process. */
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakRssBytes: number
  readonly outputBytes: number
}

const run = promisify(execFile)
const GNU_TIME = '/usr/bin/time'
const RUN_ENGINE = join(import.meta.dirname, 'run-engine.ts')
const CHECK_OUTPUT = join(import.meta.dirname, 'check-output.ts')

/** Runs the engine; `check` may look at the output before it is removed. */
export async function measure(
  engine: EngineEntry,
  rows: number,
  check?: (folder: string) => Promise<void>,
): Promise<Run> {
  mkdirSync(DATA_FOLDER, { recursive: true })
  const work = mkdtempSync(join(DATA_FOLDER, 'run-'))
  const folder = join(work, 'out')
  mkdirSync(folder)
  try {
    const cost = await runTimed(engine, [datasetPath(rows, engine.packing), folder], join(work, 'time.txt'))
    await check?.(folder)
    return { ...cost, outputBytes: bytesIn(folder) }
  } finally {
    rmSync(work, { recursive: true })
  }
}

async function runTimed(engine: EngineEntry, args: readonly string[], timePath: string) {
  const node = [process.execPath, '--no-warnings', RUN_ENGINE, engine.name, ...args]
  const [file, ...rest] = existsSync(GNU_TIME) ? [GNU_TIME, '-f', '%M', '-o', timePath, ...node] : node
  const started = performance.now()
  const { stdout } = await run(file!, rest, { maxBuffer: 1 << 24 })
  const wallMs = performance.now() - started
  const used = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { cpuMicros: number; maxRssKib: number }
  const peakKib = Math.max(used.maxRssKib, wholeProcessKib(timePath))
  return { wallMs, cpuMs: used.cpuMicros / 1000, peakRssBytes: peakKib * 1024 }
}

/** GNU time sees the process to its very end; where it is missing, the process's own word stands. */
function wholeProcessKib(timePath: string): number {
  if (!existsSync(timePath)) return 0
  return Number.parseInt(readFileSync(timePath, 'utf8').trim().split('\n').at(-1)!, 10) || 0
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** A check that all outputs of one file hold the truth and, where they have row ids, the same ones. */
export function outputCheck(rows: number) {
  let known: OutputContent | undefined
  return async (engine: EngineEntry, folder: string): Promise<void> => {
    const args = ['--no-warnings', CHECK_OUTPUT, engine.name, folder]
    const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 24 })
    const content = JSON.parse(stdout) as OutputContent
    const difference = differenceOf(content, await truthOf(rows), known)
    if (difference !== undefined) throw new Error(`${engine.name} wrote something else: ${difference}.`)
    if (engine.rowIds) known ??= content
  }
}
