/** A report file turned into one data file a covered day, with proof that nothing was lost on the way. */
import { join } from 'node:path'
import { type ActivityRow, type IdentifiedRow, identifyRows, UNIT_SEPARATOR } from '../domain/activity.ts'
import { covers, type Day, type DayRange, dayOfMicros, daysOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { type ByteSource, watchedSource } from './byte-source.ts'
import type { AddedColumns } from './column-names.ts'
import type { ContainerKind } from './container.ts'
import {
  type DayDigest,
  type DayExpectation,
  listOperations,
  type OperationCounts,
  writeDayFile,
} from './day-file.ts'
import { daySpill } from './day-spill.ts'
import { unreadable } from './file-fault.ts'
import { type FileLimits, limitsOf } from './limits.ts'
import { quarantineFile } from './quarantine.ts'
import { type PartSummary, readStatement, type StatementItem } from './statement.ts'
import { addAmount, listSums, type WalletSum, type WalletSums } from './wallet-sums.ts'

export interface DigestOptions {
  /** The days the file is about; rows of other days are counted and left out. */
  readonly range: DayRange
  /** An existing folder of the caller's: the results are written there. */
  readonly folder: string
  /** Key-value metadata of every data file. */
  readonly metadata: Readonly<Record<string, string>>
  /** Minutes east of UTC of times that tell no zone. */
  readonly zoneMinutes?: number
  readonly limits?: Partial<FileLimits>
  /** Names of columns beside those of the table, by meaning. */
  readonly columns?: AddedColumns
  /** Called as the work goes on, with bytes of the file and rows read so far. */
  readonly onProgress?: (progress: DigestProgress) => void
}

export interface DigestProgress {
  readonly bytes: number
  readonly rows: number
}

export interface StatementDigest {
  readonly container: ContainerKind
  /** `A`, `B` or `C`; joined by `+` where parts differ; `none` without any header. */
  readonly layout: string
  /** Codes of what is worth knowing, such as `assumed-utc`. */
  readonly notes: readonly string[]
  /** read = written + quarantined + outside. */
  readonly rows: RowCounts
  /** Every day of the range, also those without rows. */
  readonly days: DayDigest[]
  /** Of the rows written. */
  readonly operations: Array<{ operation: string; category: string; rows: number }>
  /** Of the rows written. */
  readonly sums: WalletSum[]
  /** Quarantined rows by reason. */
  readonly reasons: Readonly<Record<string, number>>
  /** Rows outside the range by day. */
  readonly outsideDays: Readonly<Record<Day, number>>
  /** The rows that could not be read, as JSON lines; `undefined` when there are none. */
  readonly quarantine: { readonly path: string; readonly size: number } | undefined
}

export interface RowCounts {
  read: number
  written: number
  quarantined: number
  outside: number
}

/**
 * Digests a file of any size in the memory its busiest hour needs. The same file and metadata give the
 * same bytes. Throws `file-unreadable`, `file-damaged` and `count-mismatch`; then nothing in `folder` counts.
 */
export async function digestStatement(source: ByteSource, options: DigestOptions): Promise<StatementDigest> {
  const reading = await readRows(source, options)
  const operations: OperationCounts = new Map()
  const sums: WalletSums = new Map()
  const days: DayDigest[] = []
  for (const day of daysOf(options.range)) {
    const expected = reading.days.get(day) ?? { rows: 0, sums: new Map() }
    const file = { day, path: join(options.folder, `${day}.parquet`), metadata: options.metadata }
    days.push(await writeDayFile(file, identified(reading.spill.take(day)), expected, operations))
    for (const [key, amount] of expected.sums) sums.set(key, (sums.get(key) ?? 0n) + amount)
  }
  const { counts, quarantine } = reading
  checkCounts(counts, days)
  return {
    ...describeParts(reading.parts),
    rows: counts,
    days,
    operations: listOperations(operations),
    sums: listSums(sums),
    reasons: quarantine.reasons(),
    outsideDays: Object.fromEntries([...reading.outsideDays].sort(([a], [b]) => (a < b ? -1 : 1))),
    quarantine: await quarantine.close(),
  }
}

/** Hours in order of time, each sorted on its own, are a day in the table's order. */
async function* identified(hours: AsyncIterable<ActivityRow[]>): AsyncGenerator<IdentifiedRow[]> {
  for await (const rows of hours) yield identifyRows(rows)
}

/** Reads the whole file once, and sets each row aside where it belongs. */
async function readRows(source: ByteSource, options: DigestOptions) {
  const { range, folder } = options
  const limits = limitsOf(options.limits)
  const parts: PartSummary[] = []
  const counts: RowCounts = { read: 0, written: 0, quarantined: 0, outside: 0 }
  const days = new Map<Day, { rows: number; sums: WalletSums }>()
  const outsideDays = new Map<Day, number>()
  const names = { pairs: new Set<string>(), operations: new Set<string>() }
  const spill = daySpill(folder)
  const quarantine = quarantineFile(join(folder, 'quarantine.jsonl'), limits.quarantineBytes)
  const dayOf = rememberingDay()

  function place(item: StatementItem): void {
    counts.read += 1
    if (item.kind === 'unreadable') {
      const { kind, ...row } = item
      counts.quarantined += 1
      quarantine.add({ ...partName(parts), ...row })
      return
    }
    const day = dayOf(item.row.micros)
    if (covers(range, day)) keep(day, item.row)
    else {
      counts.outside += 1
      outsideDays.set(day, (outsideDays.get(day) ?? 0) + 1)
    }
  }

  function keep(day: Day, row: ActivityRow): void {
    const seen = days.get(day) ?? { rows: 0, sums: new Map() }
    days.set(day, seen)
    seen.rows += 1
    addAmount(seen.sums, row.wallet, row.asset, row.amount)
    names.operations.add(row.operation)
    names.pairs.add(`${row.wallet}${UNIT_SEPARATOR}${row.asset}`)
    counts.written += 1
    spill.add(day, row)
  }

  let bytes = 0
  const watched = watchedSource(source, count => (bytes = Math.min(source.size, bytes + count)))
  const { zoneMinutes, columns } = options
  const statement = readStatement(watched, { zoneMinutes, limits, columns, onPart: part => parts.push(part) })
  for await (const items of statement) {
    items.forEach(place)
    checkNames(names, limits)
    await spill.relieve()
    await quarantine.relieve()
    options.onProgress?.({ bytes, rows: counts.read })
  }
  return { parts, counts, days: days as ReadonlyMap<Day, DayExpectation>, outsideDays, spill, quarantine }
}

/** Names come from outside and are counted in memory, so there is a limit to them. */
function checkNames(names: Record<'pairs' | 'operations', Set<string>>, limits: FileLimits): void {
  if (Math.max(names.pairs.size, names.operations.size) <= limits.names) return
  throw unreadable(
    'too-many-names',
    `The file names more than ${limits.names} assets or operations, the limit.`,
  )
}

/** Most rows fall on the day of the row before. */
function rememberingDay(): (micros: bigint) => Day {
  const DAY_MICROS = 86_400_000_000n
  let start = 0n
  let day = ''
  return micros => {
    if (day !== '' && micros >= start && micros < start + DAY_MICROS) return day
    day = dayOfMicros(micros)
    start = (micros / DAY_MICROS) * DAY_MICROS
    return day
  }
}

function partName(parts: readonly PartSummary[]): { part?: string } {
  const current = parts.at(-1)
  return current === undefined || current.container.parts.length === 1 ? {} : { part: current.part.name }
}

function describeParts(parts: readonly PartSummary[]) {
  const container = parts[0]!.container
  const layouts = new Set(parts.flatMap(({ layout }) => layout?.name ?? []))
  const assumed = parts.some(({ zone }) => zone?.from === 'assumed')
  const headerless = parts.some(({ layout }) => layout?.headerless === true)
  return {
    container: container.kind,
    layout: layouts.size === 0 ? 'none' : [...layouts].sort().join('+'),
    notes: [...container.notes, ...(assumed ? ['assumed-utc'] : []), ...(headerless ? ['no-header'] : [])],
  }
}

function checkCounts({ read, written, quarantined, outside }: RowCounts, days: readonly DayDigest[]): void {
  const inFiles = days.reduce((sum, { rows }) => sum + rows, 0)
  if (read === written + quarantined + outside && written === inFiles) return
  const message = 'The rows read are not the rows written, quarantined and outside the range together.'
  throw new DaybookError('count-mismatch', message, {
    details: { read, written, quarantined, outside, inFiles },
  })
}
