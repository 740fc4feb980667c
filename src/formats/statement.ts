/** A report file as rows of activity and unreadable rows, in the order of the file. */
import type { ActivityRow } from '../domain/activity.ts'
import { type AddedColumns, type ColumnNames, columnNames } from '../domain/column-names.ts'
import type { ByteSource } from './byte-source.ts'
import { type Container, openContainer, type Part } from './container.ts'
import { type CsvRecord, readCsv } from './csv.ts'
import { damaged, unreadable } from './file-fault.ts'
import { type Layout, layoutOf } from './layout.ts'
import { type FileLimits, limitsOf } from './limits.ts'
import { unpackCells } from './packed-line.ts'
import { type RowFault, rowReader } from './row-reader.ts'
import { sniffSeparator } from './separator.ts'
import { chooseZone, type OffsetMinutes, type ZoneChoice } from './zone.ts'

export type StatementItem =
  | { readonly kind: 'row'; readonly line: number; readonly row: ActivityRow }
  | { readonly kind: 'unreadable'; readonly line: number; readonly reason: RowFault; readonly text: string }

/** What is known of a part before its first row. */
export interface PartSummary {
  readonly container: Container
  readonly part: Part
  /** `undefined` when the part has no header and says that there is no data. */
  readonly layout: Layout | undefined
  readonly zone: ZoneChoice | undefined
}

export interface StatementOptions {
  /** Minutes east of UTC of times that tell no zone. */
  readonly zoneMinutes?: number | undefined
  readonly limits?: Partial<FileLimits> | undefined
  /** Names of columns beside those of the table, by meaning. */
  readonly columns?: AddedColumns | undefined
  /** How many bytes are worked on at a time; changes nothing but speed and memory. */
  readonly blockBytes?: number | undefined
  /** Called at each part, before its rows. */
  readonly onPart?: ((summary: PartSummary) => void) | undefined
}

const NO_DATA = 'no data matches the criteria.'

/**
 * Reads a statement, batch by batch. Line numbers count from 1 in each part.
 * Throws `file-unreadable` for what is no statement, `file-damaged` for what is cut off or changed.
 */
export async function* readStatement(
  source: ByteSource,
  options: StatementOptions = {},
): AsyncGenerator<StatementItem[]> {
  const limits = limitsOf(options.limits)
  const names = columnNames(options.columns)
  const container = await openContainer(source, limits, names)
  for (const part of container.parts) {
    const { separator, text } = await sniffSeparator(part.read(), names)
    const reader = partReader(part, container, source, { limits, names, separator }, options)
    const blockBytes = options.blockBytes === undefined ? {} : { blockBytes: options.blockBytes }
    for await (const records of readCsv(text, { ...limits, separator, ...blockBytes }))
      yield reader.read(records)
    reader.end()
  }
}

/** The first record of a part is its header, each other one a row. */
export function partReader(
  part: Part,
  container: Container,
  source: ByteSource,
  { limits, names, separator }: { limits: FileLimits; names: ColumnNames; separator: string },
  options: Pick<StatementOptions, 'zoneMinutes' | 'onPart'>,
) {
  let isBegun = false
  /** The text of the header, which may be repeated. */
  let header: string | undefined
  let rowOf: ReturnType<typeof rowReader> | undefined
  /** What a last row without a line feed must be like to count as whole: the rows before it. */
  let fewest = 0
  let commonRows: { layout: Layout; offset: OffsetMinutes } | undefined
  const lastCells = { quotedNeedlessly: false, bare: false }

  function read(records: readonly CsvRecord[]): StatementItem[] {
    const items: StatementItem[] = []
    for (const verbatim of records) {
      if (isBlank(verbatim)) continue
      const record = unpacked(verbatim)
      if (!isBegun) begin(record)
      if (!isNoData(record) && record.text !== header) items.push(itemOf(record))
    }
    return items
  }

  /** A record that is packed into one cell gets its cells back; its text stays as it stands in the file. */
  function unpacked(record: CsvRecord): CsvRecord {
    const cells = unpackCells(record.cells, record.quoted, separator)
    return cells === record.cells ? record : { ...record, cells }
  }

  function begin(record: CsvRecord): void {
    isBegun = true
    if (isNoData(record)) {
      options.onPart?.({ container, part, layout: undefined, zone: undefined })
      return
    }
    if (record.fault !== undefined) throw headerFault(record.fault, part)
    const layout = layoutOf(record.cells, limits.columns, names)
    if (!layout.headerless) header = record.text
    const zone = chooseZone(layout.zone ?? part.zone, [part.name, source.name], options.zoneMinutes)
    fewest = layout.header.length
    lastCells.quotedNeedlessly = record.text.endsWith('"')
    rowOf = rowReader(layout, zone.offset)
    // A header that reads as a row could not be told from its repetitions.
    const isPlain = separator === ',' && !layout.headerless && typeof rowOf(record) === 'string'
    if (isPlain) commonRows = { layout, offset: zone.offset }
    options.onPart?.({ container, part, layout, zone })
  }

  function itemOf(record: CsvRecord): StatementItem {
    if (rowOf === undefined) throw headerFault('no-header', part)
    if (!record.ended && !isWhole(record)) throw cutOff(record)
    if (record.fault === undefined) {
      fewest = Math.min(fewest, record.cells.length)
      lastCells.bare ||= !record.text.endsWith('"')
      lastCells.quotedNeedlessly ||= record.text.endsWith(',""')
    }
    const row = rowOf(record)
    if (typeof row !== 'string') return { kind: 'row', line: record.line, row }
    return { kind: 'unreadable', line: record.line, reason: row, text: record.text }
  }

  /** A file that quotes every last cell, even an empty one, does not end without a quote. */
  function isWhole({ fault, cells, text }: CsvRecord): boolean {
    const quotesAll = lastCells.quotedNeedlessly && !lastCells.bare
    return fault === undefined && cells.length >= fewest && (!quotesAll || text.endsWith('"'))
  }

  function end(): void {
    if (!isBegun) throw unreadable('empty', 'The file holds nothing but blank lines.', { file: part.name })
  }

  return {
    read,
    end,
    /** What common rows are like, once the header is known; nothing when none can be read elsewhere. */
    commonRows: () => commonRows,
    /** Hears what the last cells of whole rows that were read elsewhere looked like. */
    noteLastCells(seen: { anyBare: boolean; anyEmptyQuoted: boolean }): void {
      lastCells.bare ||= seen.anyBare
      lastCells.quotedNeedlessly ||= seen.anyEmptyQuoted
    },
  }
}

function isBlank({ cells, fault, quoted }: CsvRecord): boolean {
  return fault === undefined && !quoted && cells.length === 1 && cells[0]!.trim() === ''
}

/** What stands in the file of a period without activity. */
function isNoData({ cells }: CsvRecord): boolean {
  const first = cells.findIndex(cell => cell.trim() !== '')
  if (first === -1 || cells[first]!.trim().toLowerCase() !== NO_DATA) return false
  return cells.every((cell, index) => index === first || cell.trim() === '')
}

function headerFault(reason: string, part: Part): Error {
  return unreadable(reason, 'The first line cannot be read as a header.', { file: part.name })
}

function cutOff({ line }: CsvRecord): Error {
  return damaged('truncated', `The file is cut off in line ${line}. Fetch it again.`, { line })
}
