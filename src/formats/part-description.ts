/** What a part of a file looks like, before anything in it is judged: no ids, no amounts. */

import { type ColumnNames, MEANINGS, type Meaning } from '../domain/column-names.ts'
import type { Part } from './container.ts'
import { type CsvRecord, readCsv } from './csv.ts'
import { type HeaderReading, readHeader } from './layout.ts'
import type { FileLimits } from './limits.ts'
import { unpackCells } from './packed-line.ts'
import { type Separator, sniffSeparator } from './separator.ts'
import { blotted, numberShapeOf, shapeOf, type Tally, tally } from './shapes.ts'

export interface PartDescription {
  readonly encoding: 'utf-8' | 'not utf-8'
  readonly bom: boolean
  readonly eol: Record<string, number>
  readonly lastLineEnded: boolean
  /** What stands between cells. */
  readonly separator: Separator
  readonly quoting: Record<string, number>
  readonly cellsPerRow: Record<string, number>
  /** The first line's cells; their shapes where they may be values rather than names. */
  readonly header: string[]
  readonly columns: ColumnDescription[]
  readonly missing: readonly Meaning[]
  readonly ambiguous: readonly Meaning[]
  readonly times: Record<string, number>
  readonly numbers: Record<string, number>
  /** Rows by how many digits stand behind the point of a plain number. */
  readonly decimals: Record<string, number>
}

export interface ColumnDescription {
  readonly column: string
  /** What the column is proposed to mean; `null` when nobody knows. */
  readonly meaning: Meaning | null
  readonly shapes: Record<string, number>
}

const SHAPES = 12
const COLUMNS = 100

/** Reads a part to its end, however odd it is. */
export async function describePart(
  part: Part,
  limits: FileLimits,
  names: ColumnNames,
  onRecords: (count: number) => void,
): Promise<PartDescription> {
  const bom = { seen: false }
  const eol = tally(3)
  const { separator, text } = await sniffSeparator(watchEnds(part.read(), bom, eol), names)
  const observer = recordObserver(names, separator)
  for await (const records of readCsv(text, { ...limits, separator })) {
    records.forEach(observer.see)
    onRecords(records.length)
  }
  return { bom: bom.seen, eol: eol.list(), separator, ...observer.describe() }
}

/** Counts the line ends and looks for a byte order mark as the bytes go by. */
async function* watchEnds(
  chunks: AsyncIterable<Uint8Array>,
  bom: { seen: boolean },
  eol: Tally,
): AsyncGenerator<Uint8Array> {
  const head: number[] = []
  let previous = 0
  for await (const chunk of chunks) {
    if (head.length < 3) head.push(...chunk.subarray(0, 3 - head.length))
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      eol.add((at === 0 ? previous : chunk[at - 1]) === 13 ? 'crlf' : 'lf')
    }
    previous = chunk.at(-1) ?? previous
    yield chunk
  }
  bom.seen = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf
}

function recordObserver(names: ColumnNames, separator: Separator) {
  const quoting = tally(3)
  const cellsPerRow = tally(20)
  const times = tally(SHAPES)
  const numbers = tally(SHAPES)
  const decimals = tally(40)
  const shapes: Tally[] = []
  let header: readonly string[] | undefined
  let reading: HeaderReading = readHeader([])
  let lastLineEnded = true
  let encoding: PartDescription['encoding'] = 'utf-8'

  function see(record: CsvRecord): void {
    lastLineEnded = record.ended
    if (record.fault === 'not-utf8') encoding = 'not utf-8'
    if (record.fault !== undefined || record.text === '') return
    const cells = unpackCells(record.cells, record.quoted, separator)
    if (header === undefined) {
      header = cells
      reading = readHeader(header, names)
      return
    }
    quoting.add(quotingOf(record))
    cellsPerRow.add(String(cells.length))
    cells.slice(0, COLUMNS).forEach((cell, index) => {
      shapes[index] ??= tally(SHAPES)
      shapes[index].add(shapeOf(cell))
    })
    seeTime(cells[reading.columns.time ?? -1])
    seeNumber(cells[reading.columns.amount ?? -1])
  }

  function seeTime(cell: string | undefined): void {
    if (cell !== undefined) times.add(shapeOf(cell))
  }

  function seeNumber(cell: string | undefined): void {
    if (cell === undefined) return
    const shape = numberShapeOf(cell.trim())
    numbers.add(shape)
    if (shape === 'plain' || shape === 'plus') decimals.add(String((cell.trim().split('.')[1] ?? '').length))
  }

  function describe() {
    const cells = showCells(header ?? [], reading)
    const meanings = new Map(MEANINGS.map(meaning => [reading.columns[meaning], meaning]))
    const width = Math.min(COLUMNS, Math.max(cells.length, shapes.length))
    return {
      encoding,
      lastLineEnded,
      quoting: quoting.list(),
      cellsPerRow: cellsPerRow.list(),
      header: cells,
      columns: Array.from({ length: width }, (_, index) => ({
        column: cells[index] || `column ${index + 1}`,
        meaning: meanings.get(index) ?? null,
        shapes: shapes[index]?.list() ?? {},
      })),
      missing: reading.missing,
      ambiguous: reading.ambiguous,
      times: times.list(),
      numbers: numbers.list(),
      decimals: decimals.list(),
    }
  }

  return { see, describe }
}

function quotingOf({ quoted, text }: CsvRecord): string {
  if (!quoted) return 'bare'
  return text.startsWith('"') ? 'quoted' : 'some cells quoted'
}

/** A line without a single known name may be a row: then only the shapes of its cells are shown. */
function showCells(header: readonly string[], { columns }: HeaderReading): string[] {
  const isHeader = Object.keys(columns).length > 0 || header.every(cell => !/\d/.test(cell))
  return header.slice(0, COLUMNS).map(cell => (isHeader ? blotted(cell.trim()) : shapeOf(cell)))
}
