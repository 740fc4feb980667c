/** Medians, and what of them is required. */
import { type EngineEntry, engineNamed } from './engines.ts'
import type { Run } from './measure.ts'

export interface Summary {
  readonly engine: EngineEntry
  readonly rows: number
  readonly runs: number
  readonly rowsPerSecond: number
  /** Slowest and fastest run, in rows a second. */
  readonly spread: readonly [number, number]
  readonly cpuMs: number
  readonly wallMs: number
  readonly peakRssBytes: number
  readonly outputBytes: number
}

export function summaryOf(name: string, rows: number, runs: readonly Run[]): Summary {
  const wallMs = median(runs.map(run => run.wallMs))
  const speeds = runs.map(run => (rows * 1000) / run.wallMs)
  return {
    engine: engineNamed(name),
    rows,
    runs: runs.length,
    rowsPerSecond: (rows * 1000) / wallMs,
    spread: [Math.min(...speeds), Math.max(...speeds)],
    cpuMs: median(runs.map(run => run.cpuMs)),
    wallMs,
    peakRssBytes: Math.max(...runs.map(run => run.peakRssBytes)),
    outputBytes: median(runs.map(run => run.outputBytes)),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Requirement {
  readonly text: string
  readonly measured: string
  readonly holds: boolean
}

const MIB = 1024 ** 2

/** The requirements that these summaries can answer: speeds of one file, memory of the largest. */
export function requirementsOf(timed: readonly Summary[], large: readonly Summary[]): Requirement[] {
  return [
    ...speed(timed, 'daybook-1', 'duckdb-1', 3),
    // Its gzip works in threads of node's own, so both cores are used on both sides.
    ...speed(timed, 'daybook-2', 'csv-parse', 10),
    ...speed(timed, 'daybook-2', 'polars-2', 1),
    ...packed(timed, 'daybook-1-gz'),
    ...packed(timed, 'daybook-1-zip'),
    ...memory(large, 'daybook-1', 256),
    ...memory(large, 'daybook-2', 400),
  ]
}

const named = (summaries: readonly Summary[], name: string) =>
  summaries.filter(({ engine }) => engine.name === name)

function speed(summaries: readonly Summary[], ours: string, peer: string, least: number): Requirement[] {
  const [mine] = named(summaries, ours)
  const [other] = named(summaries, peer)
  if (mine === undefined || other === undefined) return []
  const ratio = mine.rowsPerSecond / other.rowsPerSecond
  const text = `${ours} at least ${least}× ${peer}`
  return [{ text, measured: `${ratio.toFixed(2)}×`, holds: ratio >= least }]
}

function packed(summaries: readonly Summary[], name: string): Requirement[] {
  const [mine] = named(summaries, name)
  const [plain] = named(summaries, 'daybook-1')
  if (mine === undefined || plain === undefined) return []
  const ratio = mine.wallMs / plain.wallMs
  const text = `${name} takes at most 1.25× the time of the plain csv`
  return [{ text, measured: `${ratio.toFixed(2)}×`, holds: ratio <= 1.25 }]
}

function memory(summaries: readonly Summary[], name: string, mostMib: number): Requirement[] {
  return named(summaries, name).map(({ rows, peakRssBytes }) => ({
    text: `${name} peaks at most at ${mostMib} MiB with ${rows / 1e6}M rows`,
    measured: `${Math.round(peakRssBytes / MIB)} MiB`,
    holds: peakRssBytes <= mostMib * MIB,
  }))
}
