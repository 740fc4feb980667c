/**
 * Rows that came after their place was written, and days that must therefore be written again: the day's
 * file and its late rows go to disk by the hour and come back in order. Slow, exact, and rare.
 */
import { type ActivityRow, compareRows, identityOf } from '../domain/activity.ts'
import type { Day } from '../domain/calendar.ts'
import type { ByteSource } from './byte-source.ts'
import { type DayFile, type DayFileOptions, openDayFile, type WrittenDay } from './day-file.ts'
import { daySpill } from './day-spill.ts'
import type { GroupEncoder } from './group-encoder.ts'
import { addRow, newBatch, rowAt } from './row-batch.ts'
import type { OrderedRows } from './row-group.ts'

const BATCH_ROWS = 8192

export function lateRows(folder: string, dayOf: (micros: number) => Day) {
  const spill = daySpill(folder)
  const days = new Set<Day>()

  async function add({ batch, order }: OrderedRows, from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) {
      const row = order[index]!
      const day = dayOf(batch.time[row]!)
      days.add(day)
      spill.add(day, rowAt(batch, row))
    }
    await spill.relieve()
  }

  /** Writes a day again, with the rows its file has so far. */
  async function rewrite(
    options: DayFileOptions,
    soFar: ByteSource | undefined,
    encoder: GroupEncoder,
  ): Promise<WrittenDay> {
    if (soFar !== undefined) {
      const { readActivityGroups } = await import('./parquet.ts')
      for await (const rows of readActivityGroups(soFar)) {
        for (const row of rows) spill.add(options.day, row)
        await spill.relieve()
      }
    }
    const file = await openDayFile(options, encoder)
    const writer = inOrder(file)
    for await (const rows of spill.take(options.day)) await writer.add(rows.sort(compareRows))
    return file.close()
  }

  return { add, days: days as ReadonlySet<Day>, rewrite }
}

/** Adds rows that are in order to a file, and numbers the identical ones. */
function inOrder(file: DayFile) {
  let previous = ''
  let count = 0
  return {
    async add(rows: readonly ActivityRow[]): Promise<void> {
      for (let at = 0; at < rows.length; at += BATCH_ROWS) {
        const some = rows.slice(at, at + BATCH_ROWS)
        const batch = newBatch(some.length)
        const occurrence = new Uint32Array(some.length)
        for (const [index, row] of some.entries()) {
          const identity = identityOf(row)
          count = identity === previous ? count + 1 : 0
          previous = identity
          occurrence[index] = count
          addRow(batch, row)
        }
        await file.add({ batch, order: Uint32Array.from(some.keys()), occurrence }, 0, some.length)
      }
    },
  }
}
