/**
 * Rows that came after their place was written, and days that must therefore be written again. The rows go
 * to disk in sorted runs, a day's file becomes some runs more, and a merge gives them back in order: memory
 * is bounded whatever the order of the file.
 */
import { join } from 'node:path'
import type { Day } from '../domain/calendar.ts'
import { isIdentical } from './batch-order.ts'
import type { ByteSource } from './byte-source.ts'
import { type DayFile, type DayFileOptions, openDayFile, type WrittenDay } from './day-file.ts'
import { daySpans } from './day-spans.ts'
import type { GroupEncoder } from './group-encoder.ts'
import { addRow, newBatch, type RowBatch, rowAt, TEXT_COLUMNS } from './row-batch.ts'
import type { OrderedRows } from './row-group.ts'
import { addRecord } from './row-record.ts'
import { type RecordSink, type Run, type RunFile, runFile } from './run-file.ts'
import { mergeRuns } from './run-merge.ts'

export function lateRows(folder: string, dayOf: (micros: number) => Day) {
  const spill = runFile(join(folder, 'late.runs'))
  /** What is needed for one day only. */
  const scratch = runFile(join(folder, 'day.runs'))
  const runs = new Map<Day, Run[]>()

  async function add(rows: OrderedRows, from: number, to: number): Promise<void> {
    for (const { day, start, end } of daySpans(rows, from, to, dayOf)) {
      const run = await writeRun(spill, rows, start, end)
      const others = runs.get(day)
      if (others === undefined) runs.set(day, [run])
      else others.push(run)
    }
  }

  /** Writes a day again, with the rows its file has so far. */
  async function rewrite(
    options: DayFileOptions,
    soFar: ByteSource | undefined,
    encoder: GroupEncoder,
  ): Promise<WrittenDay> {
    const all = [...(runs.get(options.day) ?? [])]
    if (soFar !== undefined) {
      const { readActivityBatches } = await import('./parquet.ts')
      for await (const batch of readActivityBatches(soFar)) {
        const order = Uint32Array.from(batch.time.keys())
        all.push(await writeRun(scratch, { batch, order }, 0, batch.rows))
      }
    }
    const file = await openDayFile(options, encoder)
    try {
      const numbered = numberedRows(file)
      await mergeRuns(all, numbered, scratch)
      await numbered.relieve()
      await scratch.clear()
      return await file.close()
    } catch (error) {
      await file.abandon()
      throw error
    }
  }

  async function close(): Promise<void> {
    await spill.close()
    await scratch.close()
  }

  return { add, days: () => runs.keys(), rewrite, close }
}

/** Rows `from` up to `to` as one run. */
function writeRun(
  file: RunFile,
  { batch, order }: Pick<OrderedRows, 'batch' | 'order'>,
  from: number,
  to: number,
): Promise<Run> {
  return file.write(async run => {
    for (let index = from; index < to; index++) {
      run.addRow(batch, order[index]!)
      if (run.isFull()) await run.relieve()
    }
  })
}

/** Rows that are handed on together, and bytes of their texts. */
const BATCH_ROWS = 8192
const BATCH_TEXT_BYTES = 4 * 1024 ** 2

/** Adds rows that come in order to a file, and numbers the identical ones. */
function numberedRows(file: DayFile): RecordSink {
  const order = Uint32Array.from(new Uint32Array(BATCH_ROWS).keys())
  const occurrence = new Uint32Array(BATCH_ROWS)
  let batch = newBatch(BATCH_ROWS)
  /** Rows before this one are in the file; the last of them is kept to be compared with. */
  let done = 0

  return {
    add(record) {
      const row = batch.rows
      addRecord(batch, record)
      const isRepeated = row > 0 && isIdentical(batch, row - 1, row)
      occurrence[row] = isRepeated ? occurrence[row - 1]! + 1 : 0
    },
    isFull: () => batch.rows === BATCH_ROWS || isHeavy(batch),
    async relieve() {
      await file.add({ batch, order, occurrence }, done, batch.rows)
      if (batch.rows === 0) return
      const last = rowAt(batch, batch.rows - 1)
      occurrence[0] = occurrence[batch.rows - 1]!
      if (isHeavy(batch)) batch = newBatch(BATCH_ROWS)
      batch.rows = 0
      batch.amount.wide = []
      addRow(batch, last)
      done = 1
    },
  }
}

/** Whether the texts of a batch, those of rows that are gone among them, take so much that it must be renewed. */
function isHeavy({ tables }: RowBatch): boolean {
  const bytes = TEXT_COLUMNS.reduce((sum, column) => {
    const table = tables[column]
    return sum + table.startOf(table.count())
  }, 0)
  return bytes > BATCH_TEXT_BYTES
}
