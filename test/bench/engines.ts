/** The engines that are compared, each in a process of its own. */
import type { Packing } from './dataset.ts'
import type { Engine } from './engine.ts'

export interface EngineEntry {
  readonly name: string
  /** What it does, and what it does less than Daybook. */
  readonly note: string
  readonly threads: number
  readonly packing: Packing
  /** Whether its output has row ids that must be Daybook's. */
  readonly rowIds: boolean
  readonly output: 'parquet' | 'jsonl'
  /** Loads only what this engine needs. */
  readonly load: () => Promise<Engine>
}

const loadDaybook = async () => (await import('./engine-daybook.ts')).runDaybook
const loadDuckdb = async () => (await import('./engine-duckdb.ts')).runDuckdb
const loadDuckdbPlain = async () => (await import('./engine-duckdb.ts')).runDuckdbWithoutOccurrence
const loadPolars = async () => (await import('./engine-polars.ts')).runPolars
const loadCsvParse = async () => (await import('./engine-csv-parse.ts')).runCsvParse

const EVERYTHING = 'all of it: row id with occurrence, sorted days, counts and sums proved'
const ONE_FILE = 'one unsorted file, no proof'

function daybook(threads: number, packing: Packing): EngineEntry {
  const name = `daybook-${threads}${packing === 'csv' ? '' : `-${packing}`}`
  return { name, note: EVERYTHING, threads, packing, rowIds: true, output: 'parquet', load: loadDaybook }
}

function duckdb(threads: number, occurrence: boolean): EngineEntry {
  const note = occurrence ? `row id with occurrence; ${ONE_FILE}` : `row id without occurrence; ${ONE_FILE}`
  const load = occurrence ? loadDuckdb : loadDuckdbPlain
  const name = occurrence ? `duckdb-${threads}` : `duckdb-${threads}-no-occurrence`
  return { name, note, threads, packing: 'csv', rowIds: occurrence, output: 'parquet', load }
}

export const ENGINES: readonly EngineEntry[] = [
  daybook(1, 'csv'),
  daybook(2, 'csv'),
  daybook(1, 'gz'),
  daybook(1, 'zip'),
  daybook(2, 'gz'),
  daybook(2, 'zip'),
  duckdb(1, true),
  duckdb(2, true),
  duckdb(1, false),
  duckdb(2, false),
  {
    name: 'polars-2',
    note: `no row id; ${ONE_FILE}`,
    threads: 2,
    packing: 'csv',
    rowIds: false,
    output: 'parquet',
    load: loadPolars,
  },
  {
    name: 'csv-parse',
    note: 'JSON lines gz: no row id, amounts as text, no types, no proof',
    threads: 1,
    packing: 'csv',
    rowIds: false,
    output: 'jsonl',
    load: loadCsvParse,
  },
]

export function engineNamed(name: string): EngineEntry {
  const engine = ENGINES.find(entry => entry.name === name)
  if (engine === undefined) throw new Error(`There is no engine ${name}.`)
  return engine
}
