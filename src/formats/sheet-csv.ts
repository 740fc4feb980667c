/** A worksheet as the CSV text of a statement: from its header on, line for line as the sheet's rows. */
import type { ColumnNames } from '../domain/column-names.ts'
import { readHeader } from './layout.ts'
import type { SheetRow } from './xlsx-rows.ts'
import { readZone } from './zone.ts'

/** So many rows may stand above the header: a title, the user, the period. */
const PREAMBLE_ROWS = 100

/** So many characters are handed on at a time. */
const CHUNK = 128 * 1024

export interface SheetStart {
  /** The row the text begins with. */
  readonly row: number
  /** Whether that row names every required column. */
  readonly isHeader: boolean
  /** The zone in a label above it, such as `Period(UTC+5)`. */
  readonly zone: string | undefined
}

/** Looks for the header: the row that names the most columns. */
export async function findStart(
  rows: AsyncIterable<readonly SheetRow[]>,
  names: ColumnNames,
): Promise<SheetStart> {
  let best = { row: 1, known: 0 }
  let zone: string | undefined
  for await (const batch of rows) {
    for (const { number, cells } of batch) {
      if (number > PREAMBLE_ROWS) return { row: best.row, isHeader: false, zone }
      const { columns, missing } = readHeader(cells, names)
      if (missing.length === 0) return { row: number, isHeader: true, zone }
      const known = Object.keys(columns).length
      if (known > best.known) best = { row: number, known }
      zone ??= cells.map(zoneOfLabel).find(label => label !== undefined)
    }
  }
  return { row: best.row, isHeader: false, zone }
}

function zoneOfLabel(cell: string): string | undefined {
  const label = /\((UTC[^)]*)\)/i.exec(cell)?.[1]
  return label !== undefined && readZone(label) !== undefined ? label : undefined
}

/** The text; rows above `start` and rows that are missing are blank lines, so that line numbers are rows. */
export async function* csvOfSheet(
  rows: AsyncIterable<readonly SheetRow[]>,
  start: SheetStart,
): AsyncGenerator<Uint8Array> {
  let line = 1
  let waiting = ''
  for await (const batch of rows) {
    for (const { number, cells } of batch) {
      waiting += '\n'.repeat(number - line)
      waiting += number < start.row ? '\n' : `${csvLine(cells)}\n`
      line = number + 1
      if (waiting.length < CHUNK) continue
      yield Buffer.from(waiting)
      waiting = ''
    }
  }
  if (waiting !== '') yield Buffer.from(waiting)
}

function csvLine(cells: readonly string[]): string {
  const last = cells.findLastIndex(cell => cell !== '')
  return cells
    .slice(0, last + 1)
    .map(cell => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',')
}
