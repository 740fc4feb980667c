/** The data files of all days, written one after the other as rows come in the table's order. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Day } from '../domain/calendar.ts'
import type { ByteSource } from './byte-source.ts'
import { type DayFile, openDayFile, type WrittenDay } from './day-file.ts'
import { daySpans } from './day-spans.ts'
import type { GroupEncoder } from './group-encoder.ts'
import { lateRows } from './late-rows.ts'
import type { OrderedRows } from './row-group.ts'
import type { RowSink } from './row-stream.ts'

export interface DayFiles extends RowSink {
  /** Every day of the list, also those without rows. */
  finish(days: readonly Day[]): Promise<WrittenDay[]>
  /** Lets go of what is open after a fault. */
  abandon(): Promise<void>
}

export function dayFiles(
  folder: string,
  metadata: Readonly<Record<string, string>>,
  dayOf: (micros: number) => Day,
  encoder: GroupEncoder,
): DayFiles {
  /** A day's last groups are still being encoded when the next day begins. */
  const written = new Map<Day, Promise<WrittenDay>>()
  const late = lateRows(folder, dayOf)
  let current: { day: Day; file: DayFile } | undefined
  const optionsOf = (day: Day) => ({ day, path: join(folder, `${day}.parquet`), metadata })

  async function write(rows: OrderedRows, from: number, to: number): Promise<void> {
    for (const { day, start, end } of daySpans(rows, from, to, dayOf)) {
      if (current?.day !== day) {
        closeCurrent()
        current = { day, file: await openDayFile(optionsOf(day), encoder) }
      }
      await current!.file.add(rows, start, end)
    }
  }

  function closeCurrent(): void {
    if (current === undefined) return
    const closing = current.file.close()
    // A fault is thrown by `finish`; until then it must not count as unhandled.
    closing.catch(() => {})
    written.set(current.day, closing)
    current = undefined
  }

  async function finish(days: readonly Day[]): Promise<WrittenDay[]> {
    closeCurrent()
    for (const day of late.days()) {
      const soFar = (await written.get(day)) !== undefined ? await fileOf(optionsOf(day).path) : undefined
      const rewritten = await late.rewrite(optionsOf(day), soFar, encoder)
      written.set(day, Promise.resolve(rewritten))
    }
    await late.close()
    const all: WrittenDay[] = []
    for (const day of days) {
      all.push(await (written.get(day) ?? openDayFile(optionsOf(day), encoder).then(file => file.close())))
    }
    return all
  }

  async function abandon(): Promise<void> {
    await current?.file.abandon()
    await Promise.allSettled(written.values())
    await late.close()
  }

  return { write, setAside: late.add, finish, abandon }
}

async function fileOf(path: string): Promise<ByteSource> {
  return {
    name: basename(path),
    size: (await stat(path)).size,
    read: ({ start, end } = { start: 0 }) =>
      createReadStream(path, { start, ...(end === undefined ? {} : { end: end - 1 }) }),
  }
}
