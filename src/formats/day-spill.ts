/**
 * Rows set aside on disk, a file an hour, so that memory holds one hour at a time and not the report. An
 * hour can be sorted and identified on its own: both begin with the time.
 */
import { createReadStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ActivityRow, UNIT_SEPARATOR } from '../domain/activity.ts'
import type { Day } from '../domain/calendar.ts'

/** How many characters may wait in memory, over all hours. */
const WAITING_LIMIT = 8 * 1024 ** 2
const FIELDS = 8
const HOURS = 24
const HOUR_MICROS = 3_600_000_000n
const DAY_MICROS = 24n * HOUR_MICROS

export interface DaySpill {
  add(day: Day, row: ActivityRow): void
  /** Writes to disk when enough is waiting. */
  relieve(): Promise<void>
  /** The rows of a day, once, an hour at a time; inside the hour in the order they came. */
  take(day: Day): AsyncGenerator<ActivityRow[]>
}

export function daySpill(folder: string): DaySpill {
  const waiting = new Map<string, string[]>()
  const spilled = new Set<string>()
  let size = 0
  const pathOf = (name: string) => join(folder, `${name}.spill`)

  async function flush(): Promise<void> {
    for (const [name, texts] of waiting) {
      // The first write replaces what an earlier run may have left.
      await writeFile(pathOf(name), texts.join(''), { flag: spilled.has(name) ? 'a' : 'w' })
      spilled.add(name)
    }
    waiting.clear()
    size = 0
  }

  return {
    add(day, row) {
      const name = hourName(day, (row.micros % DAY_MICROS) / HOUR_MICROS)
      const text = writeRow(row)
      size += text.length
      const texts = waiting.get(name)
      if (texts === undefined) waiting.set(name, [text])
      else texts.push(text)
    },
    async relieve() {
      if (size > WAITING_LIMIT) await flush()
    },
    async *take(day) {
      await flush()
      for (let hour = 0; hour < HOURS; hour++) {
        const name = hourName(day, hour)
        if (!spilled.delete(name)) continue
        yield await readRows(pathOf(name))
        await rm(pathOf(name))
      }
    },
  }
}

function hourName(day: Day, hour: number | bigint): string {
  return `${day}T${hour < 10 ? '0' : ''}${hour}`
}

/** Every field ends with the separator, which no cell can hold; so line feeds need no care. */
function writeRow(row: ActivityRow): string {
  const fields = [
    row.micros.toString(),
    row.userId ?? '',
    row.wallet,
    row.operation,
    row.asset,
    row.amount.toString(),
    row.remark,
    row.extra ?? '',
  ]
  return fields.join(UNIT_SEPARATOR) + UNIT_SEPARATOR
}

async function readRows(path: string): Promise<ActivityRow[]> {
  const rows: ActivityRow[] = []
  const known = new Map<string, string>()
  let rest = ''
  for await (const text of createReadStream(path, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
    const fields = (rest + text).split(UNIT_SEPARATOR)
    rest = fields.splice(fields.length - 1 - ((fields.length - 1) % FIELDS)).join(UNIT_SEPARATOR)
    for (let at = 0; at < fields.length; at += FIELDS) rows.push(readRow(fields, at, known))
  }
  return rows
}

function readRow(fields: readonly string[], at: number, known: Map<string, string>): ActivityRow {
  const field = (index: number) => fields[at + index]!
  return {
    micros: BigInt(field(0)),
    userId: shared(field(1), known) || null,
    wallet: shared(field(2), known),
    operation: shared(field(3), known),
    asset: shared(field(4), known),
    amount: BigInt(field(5)),
    remark: shared(field(6), known),
    extra: field(7) || null,
  }
}

/** Names repeat: one copy of each serves all rows. */
function shared(text: string, known: Map<string, string>): string {
  const same = known.get(text)
  if (same !== undefined) return same
  if (known.size < 10_000) known.set(text, text)
  return text
}
