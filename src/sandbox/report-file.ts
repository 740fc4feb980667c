/** The lines of a report file: header variants, quoting, times, numbers, line ends and damage. */

import { brokenRows } from './broken-rows.ts'
import { chanceOf } from './chance.ts'
import type { Knobs } from './knobs.ts'
import type { LedgerQuery } from './ledger.ts'
import type { LedgerRow } from './ledger-events.ts'
import { javaDecimal, trimmedDecimal } from './number-text.ts'

/** What one CSV file holds. */
export interface CsvSource {
  readonly reportId: string
  readonly userId: string
  readonly query: LedgerQuery
  readonly knobs: Knobs
  /** Whether this is the last part of the report: damage at the end happens there only. */
  readonly last: boolean
}

interface Layout {
  readonly header: readonly string[]
  cells(row: LedgerRow, userId: string, zoneMinutes: number): string[]
  quote(cell: string, column: number): string
}

const COLUMNS = ['Account', 'Operation', 'Coin', 'Change', 'Remark'] as const

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`
const quotedIfNeeded = (cell: string) => (/[",\r\n]/.test(cell) ? quoted(cell) : cell)

const layoutB: Layout = {
  header: ['User_ID', 'UTC_Time', ...COLUMNS],
  cells: (row, userId) => [userId, timeText(row.second, 0), ...plainCells(row, javaDecimal(row.units))],
  quote: quotedIfNeeded,
}

const LAYOUTS: Record<Knobs['fileLayout'], Layout> = {
  A: {
    header: ['UTC_Time', ...COLUMNS],
    cells: row => [timeText(row.second, 0), ...plainCells(row, javaDecimal(row.units))],
    quote: (cell, column) => (column === 5 ? quoted(cell) : quotedIfNeeded(cell)),
  },
  'B-bare': layoutB,
  'B-quoted': { ...layoutB, quote: quoted },
  C: {
    header: ['User ID', 'Time', ...COLUMNS],
    cells: (row, userId, zoneMinutes) => [
      userId,
      timeText(row.second, zoneMinutes).slice(2),
      ...plainCells(row, trimmedDecimal(row.units)),
    ],
    quote: quotedIfNeeded,
  },
}

function plainCells(row: LedgerRow, change: string): string[] {
  return [row.wallet, row.operation, row.coin, change, row.remark]
}

function timeText(second: number, zoneMinutes: number): string {
  const text = new Date((second + zoneMinutes * 60) * 1000).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`
}

/** The text of a CSV file in pieces, of which only a few thousand rows exist at a time. */
export function* csvText(source: CsvSource): Generator<string> {
  const { knobs } = source
  const eol = knobs.fileEol === 'CRLF' ? '\r\n' : '\n'
  let held = headerLine(source)
  let begin = knobs.fileBom ? '\uFEFF' : ''
  for (const lines of bodyLines(source)) {
    if (lines.length === 0) continue
    yield `${begin}${[held, ...lines.slice(0, -1)].join(eol)}${eol}`
    held = lines.at(-1)!
    begin = ''
  }
  yield `${begin}${lastLine(held, source, eol)}`
}

function lastLine(line: string, { knobs, last }: CsvSource, eol: string): string {
  if (knobs.fileTruncated && last) return line.slice(0, Math.ceil(line.length * 0.6))
  return knobs.fileFinalNewline ? line + eol : line
}

function headerLine({ knobs }: CsvSource): string {
  const layout = LAYOUTS[knobs.fileLayout]
  // The header of layout A is bare; only rows have their remark always quoted.
  const quote = knobs.fileLayout === 'B-quoted' ? quoted : quotedIfNeeded
  const names = knobs.fileHeader === '' ? layout.header : knobs.fileHeader.split(',')
  return [...names, ...(knobs.fileExtraColumn ? ['EUR_Value'] : [])].map(quote).join(',')
}

function* bodyLines(source: CsvSource): Generator<string[]> {
  const { knobs } = source
  if (knobs.fileEmpty === 'no-data-message') yield ['No data matches the criteria.']
  if (knobs.fileEmpty !== 'no') return
  const layout = LAYOUTS[knobs.fileLayout]
  for (const rows of brokenRows(source.query, knobs)) {
    const ordered = knobs.fileOrder === 'shuffled' ? shuffledInSeconds(rows, source.reportId) : rows
    yield ordered.map(row => {
      const cells = layout.cells(row, source.userId, knobs.fileZoneOffsetMinutes)
      if (knobs.fileExtraColumn) cells.push('1.07')
      return cells.map(layout.quote).join(',')
    })
  }
}

/** The same seconds in the same order, the rows inside each in an order of this report's own. */
function shuffledInSeconds(rows: LedgerRow[], reportId: string): LedgerRow[] {
  const chance = chanceOf(`${reportId} ${rows[0]?.second}`)
  const groups = new Map<number, LedgerRow[]>()
  for (const row of rows) {
    const group = groups.get(row.second)
    if (group === undefined) groups.set(row.second, [row])
    else group.push(row)
  }
  for (const group of groups.values()) chance.shuffle(group)
  return [...groups.values()].flat()
}
