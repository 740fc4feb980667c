/** A report file turned into one data file a covered day, with proof that nothing was lost on the way. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type Day, type DayRange, dayOfMicros, daysOf } from '../domain/calendar.ts'
import type { AddedColumns } from '../domain/column-names.ts'
import { DaybookError } from '../domain/errors.ts'
import { type ByteSource, watchedSource } from './byte-source.ts'
import type { ContainerKind } from './container.ts'
import { type DayDigest, listOperations } from './day-file.ts'
import { type DayFiles, dayFiles } from './day-files.ts'
import { BATCH_ROWS, giveRoomBack, takeRoom } from './digest-room.ts'
import { inlineEncoder, threadedEncoder } from './group-encoder.ts'
import type { OperationCounts } from './group-work.ts'
import { type FileLimits, limitsOf } from './limits.ts'
import { addSums } from './pair-sums.ts'
import { quarantineFile } from './quarantine.ts'
import type { RowBatch } from './row-batch.ts'
import { DAY_MICROS, type RowCounts, rowIntake } from './row-intake.ts'
import { rowStream } from './row-stream.ts'
import type { PartSummary } from './statement.ts'
import { readBatches, rowsOfLine, type UnreadableItem } from './statement-batches.ts'
import { listSums, sameSums, type WalletSum, type WalletSums } from './wallet-sums.ts'

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
  /** How many threads may work, this one included; 2 for a large file. Changes nothing but speed and memory. */
  readonly threads?: number
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

/**
 * Digests a file of any size in bounded memory. The same file and metadata give the same bytes. Throws
 * `file-unreadable`, `file-damaged` and `count-mismatch`; then nothing in `folder` counts.
 */
export async function digestStatement(source: ByteSource, options: DigestOptions): Promise<StatementDigest> {
  const threads = options.threads ?? threadsFor(source)
  const room = takeRoom()
  const encoder = threads > 1 ? threadedEncoder(threads - 1) : inlineEncoder(room)
  const dayOf = rememberingDay()
  const files = dayFiles(options.folder, options.metadata, dayOf, encoder)
  try {
    const reading = await readRows(source, options, files, dayOf, room.batch)
    const written = await files.finish(daysOf(options.range))
    const { counts, quarantine } = reading
    const sums: WalletSums = new Map()
    const operations: OperationCounts = new Map()
    for (const day of written) {
      addSums(sums, day.sums)
      for (const [key, count] of day.operations) operations.set(key, (operations.get(key) ?? 0) + count)
    }
    const days = written.map(({ digest }) => digest)
    checkCounts(counts, reading.rowsOfDays, days)
    checkSums(reading.sums, sums)
    // Only after a success is it certain that nothing works in it any more.
    if (source.size <= SMALL_BYTES && counts.read <= SMALL_ROWS) giveRoomBack(room)
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
  } finally {
    await files.abandon()
    await encoder.close()
  }
}

/** From this size on a second thread is worth its start. */
const LARGE_BYTES = 8 * 1024 ** 2

/** Files that cannot have made a room's dictionaries large; with both, also not by being packed. */
const SMALL_BYTES = 1024 ** 2
const SMALL_ROWS = 10_000

function threadsFor(source: ByteSource): number {
  return source.size >= LARGE_BYTES && availableParallelism() >= 2 ? 2 : 1
}

/** Reads the whole file once, and hands each row on to where it belongs. */
async function readRows(
  source: ByteSource,
  options: DigestOptions,
  files: DayFiles,
  dayOf: (micros: number) => Day,
  batch: RowBatch,
) {
  const { range, folder, zoneMinutes, columns } = options
  const limits = limitsOf(options.limits)
  const parts: PartSummary[] = []
  const counts: RowCounts = { read: 0, written: 0, quarantined: 0, outside: 0 }
  const quarantine = quarantineFile(join(folder, 'quarantine.jsonl'), limits.quarantineBytes)
  const stream = rowStream(batch, files)
  const intake = rowIntake(batch, range, dayOf, counts, limits)

  function onUnreadable({ kind, ...row }: UnreadableItem): void {
    counts.read += 1
    counts.quarantined += 1
    quarantine.add({ ...partName(parts), ...row })
  }

  async function settle(last: boolean): Promise<void> {
    intake.addUp()
    await stream.settle(last)
    intake.restart()
  }

  let bytes = 0
  const watched = watchedSource(source, count => (bytes = Math.min(source.size, bytes + count)))
  const onPart = (part: PartSummary) => parts.push(part)
  const most = BATCH_ROWS - rowsOfLine(limits)
  for await (const _ of readBatches(watched, batch, { limits, zoneMinutes, columns, onPart, onUnreadable })) {
    intake.admit()
    if (batch.rows > most || stream.isHeavy()) await settle(false)
    await quarantine.relieve()
    options.onProgress?.({ bytes, rows: counts.read })
  }
  await settle(true)
  const { sums, rowsOfDays, outsideDays } = intake
  return { parts, counts, sums, rowsOfDays, outsideDays, quarantine }
}

/** Most rows fall on the day of the row before. */
function rememberingDay(): (micros: number) => Day {
  let start = 0
  let day = ''
  return micros => {
    if (day !== '' && micros >= start && micros < start + DAY_MICROS) return day
    day = dayOfMicros(BigInt(micros))
    start = Math.floor(micros / DAY_MICROS) * DAY_MICROS
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

function checkCounts(
  { read, written, quarantined, outside }: RowCounts,
  rowsOfDays: Float64Array,
  days: readonly DayDigest[],
): void {
  const inFiles = days.reduce((sum, { rows }) => sum + rows, 0)
  const isEveryDayWhole = days.every(({ rows }, index) => rows === rowsOfDays[index])
  if (read === written + quarantined + outside && written === inFiles && isEveryDayWhole) return
  const message = 'The rows read are not the rows written, quarantined and outside the range together.'
  throw new DaybookError('count-mismatch', message, {
    details: { read, written, quarantined, outside, inFiles },
  })
}

/** What was read, and what was counted from the columns of the files, must be the same money. */
function checkSums(read: WalletSums, written: WalletSums): void {
  if (sameSums(read, written)) return
  throw new DaybookError('count-mismatch', 'The amounts written are not those that were read.')
}
