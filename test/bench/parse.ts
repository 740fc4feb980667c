/** `npm run bench:parse`: Daybook's parser against what a user would otherwise reach for. */
import { parseArgs } from 'node:util'
import { ensureDataset, type Packing } from './dataset.ts'
import { ENGINES, engineNamed } from './engines.ts'
import { measure, outputCheck, type Run } from './measure.ts'
import { growthText, machineText, notesOf, record, requirementsText, tableOf } from './report.ts'
import { type Requirement, requirementsOf, type Summary, summaryOf } from './summary.ts'

const { values: flags } = parseArgs({
  options: {
    /** Timed rounds. */
    runs: { type: 'string', default: '5' },
    /** One round with a small file, for CI: outputs are checked, ratios only printed. */
    quick: { type: 'boolean', default: false },
    /** Rows of the timed file. */
    rows: { type: 'string' },
    /** Names of engines, separated by commas. */
    only: { type: 'string' },
    /** Without the runs that measure memory with small and large files. */
    'no-memory': { type: 'boolean', default: false },
    /** Exit code 0 whatever the ratios are. */
    'no-fail': { type: 'boolean', default: false },
    /** Leave the README as it is. */
    'no-record': { type: 'boolean', default: false },
  },
})

const QUICK_ROWS = 200_000
const QUICK_ENGINES = [
  'daybook-1',
  'daybook-2',
  'daybook-1-gz',
  'daybook-1-zip',
  'duckdb-1',
  'polars-2',
  'csv-parse',
]
const TIMED_ROWS = 5_000_000
const SMALL_ROWS = 1_000_000
const LARGE_ROWS = 20_000_000
/** The others would take minutes with the large file, and nothing is required of their memory. */
const MEMORY_ENGINES = ['daybook-1', 'daybook-2', 'duckdb-1', 'duckdb-1-no-occurrence', 'polars-2']

const note = (text: string) => process.stderr.write(`${text}\n`)

function chosen(names: readonly string[]): string[] {
  const wanted = flags.only?.split(',').map(name => engineNamed(name).name)
  return names.filter(name => wanted === undefined || wanted.includes(name))
}

/** One run of each engine, whose outputs must be the truth and agree. */
async function checkedRound(names: readonly string[], rows: number): Promise<Map<string, Run[]>> {
  const check = outputCheck(rows)
  const runs = new Map<string, Run[]>()
  for (const name of names) {
    const engine = engineNamed(name)
    const run = await measure(engine, rows, folder => check(engine, folder))
    note(`${name}: ${describe(run, rows)}, output checked`)
    runs.set(name, [run])
  }
  return runs
}

/** Interleaved, so that whatever else the machine does falls on all engines alike. */
async function timedRounds(
  names: readonly string[],
  rows: number,
  rounds: number,
): Promise<Map<string, Run[]>> {
  const runs = new Map<string, Run[]>(names.map(name => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const run = await measure(engineNamed(name), rows)
      note(`round ${round} of ${rounds}, ${name}: ${describe(run, rows)}`)
      runs.get(name)!.push(run)
    }
  }
  return runs
}

function describe({ wallMs, peakRssBytes }: Run, rows: number): string {
  const speed = (rows / wallMs / 1000).toFixed(2)
  return `${(wallMs / 1000).toFixed(1)} s, ${speed} M rows/s, ${Math.round(peakRssBytes / 1024 ** 2)} MiB`
}

const summaries = (runs: Map<string, Run[]>, rows: number) =>
  [...runs].map(([name, list]) => summaryOf(name, rows, list))

/** The timed file: a round that is checked and not counted, then the rounds that count. */
async function timed(): Promise<Summary[]> {
  const rows = Number.parseInt(flags.rows ?? String(flags.quick ? QUICK_ROWS : TIMED_ROWS), 10)
  const names = chosen(flags.quick ? QUICK_ENGINES : ENGINES.map(({ name }) => name))
  const packings = new Set<Packing>(names.map(name => engineNamed(name).packing))
  await ensureDataset(rows, [...packings])
  const checked = await checkedRound(names, rows)
  const counted = flags.quick ? checked : await timedRounds(names, rows, Number.parseInt(flags.runs, 10))
  return summaries(counted, rows)
}

async function memory(rows: number): Promise<Summary[]> {
  const names = chosen(MEMORY_ENGINES)
  if (names.length === 0) return []
  await ensureDataset(rows, ['csv'])
  return summaries(await checkedRound(names, rows), rows)
}

const speeds = await timed()
const withMemory = !flags.quick && !flags['no-memory']
const small = withMemory ? await memory(SMALL_ROWS) : []
const large = withMemory ? await memory(LARGE_ROWS) : []
const requirements = requirementsOf(speeds, large)
const result = resultText(speeds, small, large, requirements)
process.stdout.write(`${result}\n`)
const isWhole = withMemory && flags.only === undefined && flags.rows === undefined
if (isWhole && !flags['no-record']) record(result)
const isHeld = requirements.every(({ holds }) => holds)
if (!isHeld && !flags.quick && !flags['no-fail']) process.exitCode = 1

function resultText(
  speeds: readonly Summary[],
  small: readonly Summary[],
  large: readonly Summary[],
  requirements: readonly Requirement[],
): string {
  const [first] = speeds
  const parts = [
    machineText(`npm run bench:parse -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, '')),
  ]
  if (first !== undefined) {
    const file = `${(first.rows / 1e6).toString()}M rows`
    parts.push(`${file}, medians of ${first.runs} interleaved runs:`, tableOf(speeds), notesOf(speeds))
  }
  for (const summaries of [small, large]) {
    if (summaries.length > 0)
      parts.push(`${summaries[0]!.rows / 1e6}M rows, one run each:`, tableOf(summaries))
  }
  if (small.length > 0) parts.push(growthText(small, large))
  if (!flags.quick && requirements.length > 0) parts.push(requirementsText(requirements))
  return parts.join('\n\n')
}
