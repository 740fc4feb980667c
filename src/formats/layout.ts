/** A header's columns by meaning. Throws `file-unreadable` for a header that is not a statement's. */

import { type ColumnNames, KNOWN_NAMES, MEANINGS, type Meaning, REQUIRED } from '../domain/column-names.ts'
import { unreadable } from './file-fault.ts'
import { meaningOf, otherProductOf } from './header-cell.ts'
import { certainColumns } from './row-shape.ts'

/** Which of the known shapes: `A` has no user id, `B` a `UTC_Time`, `C` a time in the exporter's zone. */
export type LayoutName = 'A' | 'B' | 'C'

export interface Layout {
  readonly name: LayoutName
  readonly header: readonly string[]
  /** The index of each meaning's column. */
  readonly columns: Readonly<Partial<Record<Meaning, number>>>
  /** Columns nobody asked for. */
  readonly extra: ReadonlyArray<{ readonly index: number; readonly name: string }>
  /** How many cells a row must have at least: up to the last required one. */
  readonly fewestCells: number
  /** The zone that the header tells, if any: `UTC`, `UTC+8`. */
  readonly zone: string | undefined
  /** The first line is a row already: there is no header, and the columns were told by their shapes. */
  readonly headerless: boolean
}

/** What is seen in a header, before judging whether it suffices. */
export interface HeaderReading {
  readonly columns: Partial<Record<Meaning, number>>
  readonly zone: string | undefined
  readonly missing: readonly Meaning[]
  readonly ambiguous: readonly Meaning[]
}

export function readHeader(header: readonly string[], names: ColumnNames = KNOWN_NAMES): HeaderReading {
  const columns: Partial<Record<Meaning, number>> = {}
  const ambiguous = new Set<Meaning>()
  let zone: string | undefined
  header.forEach((cell, index) => {
    const told = meaningOf(cell, names)
    if (told.meaning === undefined) return
    if (columns[told.meaning] !== undefined) ambiguous.add(told.meaning)
    columns[told.meaning] = index
    zone ??= told.zone
  })
  const missing = REQUIRED.filter(meaning => columns[meaning] === undefined)
  return { columns, zone, missing, ambiguous: [...ambiguous] }
}

/** The layout of a header, or of a first row that can be nothing else. */
export function layoutOf(
  header: readonly string[],
  maxColumns: number,
  names: ColumnNames = KNOWN_NAMES,
): Layout {
  if (header.length > maxColumns) {
    throw unreadable('too-many-columns', `The header has more than ${maxColumns} columns, the limit.`)
  }
  const reading = readHeader(header, names)
  const certain = Object.keys(reading.columns).length === 0 ? certainColumns(header) : undefined
  if (certain === undefined) refuseForeign(header, reading)
  const { columns, zone } = certain === undefined ? reading : { columns: certain, zone: undefined }
  const taken = new Set(Object.values(columns))
  return {
    name: columns.userId === undefined ? 'A' : zone === undefined ? 'C' : 'B',
    header,
    columns,
    extra: namedOnce(header).filter(({ index }) => !taken.has(index)),
    fewestCells: Math.max(...REQUIRED.map(meaning => columns[meaning]!)) + 1,
    zone,
    headerless: certain !== undefined,
  }
}

/** Two columns of one name both keep their cells: the second as `Name (2)`. */
function namedOnce(header: readonly string[]): Array<{ index: number; name: string }> {
  const seen = new Set<string>()
  return header.map((cell, index) => {
    const plain = cell.trim()
    let name = plain
    for (let count = 2; name !== '' && seen.has(name); count++) name = `${plain} (${count})`
    seen.add(name)
    return { index, name }
  })
}

function refuseForeign(header: readonly string[], reading: HeaderReading): void {
  const { missing, ambiguous, columns } = reading
  const shown = showHeader(header, reading)
  const product = otherProductOf(header)
  if (product !== undefined && missing.length > 0) {
    throw unreadable('other-product', `This is ${product}, not an account statement. Header: ${shown}.`, {
      product,
    })
  }
  if (missing.length > 0) refuseMissing(header, missing, Object.keys(columns).length, shown)
  if (ambiguous.length > 0) {
    const names = ambiguous.join(', ')
    throw unreadable('column-ambiguous', `Two columns could be the ${names}. Header: ${shown}.`, { names })
  }
}

function refuseMissing(
  header: readonly string[],
  missing: readonly Meaning[],
  known: number,
  shown: string,
): never {
  const separator = [';', '\t', '|'].find(one => readHeader(header.join(',').split(one)).missing.length === 0)
  if (separator !== undefined) {
    const name = separator === '\t' ? 'tabs' : `"${separator}"`
    throw unreadable('separator', `The cells are separated by ${name}, not by commas. Save it as plain CSV.`)
  }
  if (known === 0) {
    throw unreadable(
      'no-header',
      'The first line names no column that is known here: it may be no header at all.',
      {
        cells: header.length,
      },
    )
  }
  const list = missing.join(', ')
  throw unreadable('column-missing', `No column for ${list} was found. Header: ${shown}.`, {
    missing: list,
    header: shown,
  })
}

/** A header for a message; cells that may be values rather than names are not shown. */
export function showHeader(header: readonly string[], reading: HeaderReading): string {
  if (MEANINGS.every(meaning => reading.columns[meaning] === undefined)) return `${header.length} cells`
  const cells = header.slice(0, 40).map(cell => (/\d{4}/.test(cell) ? '…' : cell.trim().slice(0, 40)))
  return cells.join(',').slice(0, 400)
}
