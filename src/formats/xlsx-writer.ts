/**
 * An Excel workbook as a stream (ECMA-376 part 1): sheets of inline strings, so that nothing has to be known
 * before it is written. Text never becomes a formula: a formula is an element of its own, and none is written.
 */
import { type Day, daysBetween } from '../domain/calendar.ts'
import { looksLikeFormula } from './cell-text.ts'
import { type ZipEntry, zipBytes } from './zip-writer.ts'

export type SheetCell =
  | { readonly text: string }
  /** Text of digits: kept exactly, and shown as numbers are. */
  | { readonly digits: string }
  /** A plain decimal. The file holds it exactly; a spreadsheet rounds it to 15 digits when it opens the file. */
  | { readonly number: string }
  | { readonly count: number }
  | { readonly day: Day }
  | null

export interface SheetColumn {
  readonly title: string
  /** In characters. */
  readonly width: number
}

export interface Sheet {
  readonly name: string
  readonly columns: readonly SheetColumn[]
  /** Piece by piece; more rows than a sheet can have go on in a next sheet. */
  readonly rows: AsyncIterable<ReadonlyArray<readonly SheetCell[]>>
}

/** The most rows of a sheet, the header's among them. */
export const SHEET_ROWS = 1_048_576

/** The most characters of a cell. */
const CELL_CHARACTERS = 32_767

/** The bytes of a workbook. Sheets are read one after the other, each to its end before the next is asked for. */
export function workbookBytes(
  sheets: AsyncIterable<Sheet>,
  sheetRows = SHEET_ROWS,
): AsyncGenerator<Uint8Array> {
  return zipBytes(entriesOf(sheets, sheetRows), { level: 1 })
}

async function* entriesOf(sheets: AsyncIterable<Sheet>, sheetRows: number): AsyncGenerator<ZipEntry> {
  const names: string[] = []
  const sheetPath = () => `xl/worksheets/sheet${names.length}.xml`
  for await (const { name, columns, rows } of sheets) {
    const source = rowSource(rows)
    for (let part = 1; part === 1 || (await source.hasMore()); part++) {
      names.push(part === 1 ? name : `${name} ${part}`)
      yield { name: sheetPath(), read: () => sheetXml(columns, source, sheetRows - 1) }
    }
  }
  for (const [name, xml] of packageParts(names)) yield { name, read: () => [Buffer.from(XML + xml)] }
}

/** Rows that are taken in portions. */
function rowSource(rows: Sheet['rows']) {
  const pieces = rows[Symbol.asyncIterator]()
  let piece: ReadonlyArray<readonly SheetCell[]> = []
  let at = 0
  async function hasMore(): Promise<boolean> {
    while (at === piece.length) {
      const next = await pieces.next()
      if (next.done === true) return false
      piece = next.value
      at = 0
    }
    return true
  }
  return {
    hasMore,
    /** Some of the rows, at most `most`; none when there are no more. */
    async take(most: number): Promise<ReadonlyArray<readonly SheetCell[]>> {
      if (!(await hasMore())) return []
      const taken = piece.slice(at, at + most)
      at += taken.length
      return taken
    },
  }
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml'

/** The numbers of the cell formats in `STYLES`. */
const STYLE = { text: 0, header: 1, day: 2, digits: 3, number: 4, quoted: 5 } as const

const PLAIN = 'numFmtId="0" fontId="0" fillId="0" borderId="0"'

/** Quoted: shown as the others, but stays text when a person edits it. */
const STYLES = `<styleSheet xmlns="${MAIN}">${[
  '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="#,##0.00################"/></numFmts>',
  '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>',
  '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>',
  '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>',
  `<cellStyleXfs count="1"><xf ${PLAIN}/></cellStyleXfs>`,
  `<cellXfs count="6"><xf ${PLAIN} xfId="0"/>`,
  '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>',
  formatXf(164),
  `${formatXf(49).replace('/>', ' quotePrefix="1" applyAlignment="1">')}<alignment horizontal="right"/></xf>`,
  formatXf(165),
  formatXf(49).replace('/>', ' quotePrefix="1"/>'),
  '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>',
].join('')}</styleSheet>`

function formatXf(format: number): string {
  return `<xf numFmtId="${format}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`
}

function packageParts(names: readonly string[]): Array<[string, string]> {
  const each = (text: (name: string, number: number) => string) =>
    names.map((name, index) => text(name, index + 1)).join('')
  const sheets = each(
    (name, number) => `<sheet name="${escapeXml(name)}" sheetId="${number}" r:id="rId${number}"/>`,
  )
  const targets = each(
    (_, number) =>
      `<Relationship Id="rId${number}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
  )
  const overrides = each(
    (_, number) =>
      `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${TYPES}.worksheet+xml"/>`,
  )
  return [
    ['xl/styles.xml', STYLES],
    [
      'xl/workbook.xml',
      `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets>${sheets}</sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      `<Relationships xmlns="${PACKAGE}/relationships">${targets}<Relationship Id="styles" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
    ],
    [
      '_rels/.rels',
      `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      '[Content_Types].xml',
      `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPES}.styles+xml"/>${overrides}</Types>`,
    ],
  ]
}

/** Rows made into text at once: enough to be quick, few enough to take little memory. */
const ROWS_A_CHUNK = 512

async function* sheetXml(
  columns: readonly SheetColumn[],
  source: ReturnType<typeof rowSource>,
  most: number,
): AsyncGenerator<Buffer> {
  const letters = columns.map((_, index) => columnLetters(index))
  const widths = columns.map(
    ({ width }, index) => `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`,
  )
  const titles = columns.map(({ title }, index) => stringCell(`${letters[index]}1`, title, STYLE.header))
  yield Buffer.from(
    `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${widths.join('')}</cols><sheetData><row r="1">${titles.join('')}</row>`,
  )
  let written = 0
  while (written < most) {
    const rows = await source.take(Math.min(ROWS_A_CHUNK, most - written))
    if (rows.length === 0) break
    let xml = ''
    for (const cells of rows) {
      written += 1
      const number = written + 1
      xml += `<row r="${number}">`
      for (let index = 0; index < cells.length; index++)
        xml += cellXml(`${letters[index]}${number}`, cells[index]!)
      xml += '</row>'
    }
    yield Buffer.from(xml)
  }
  yield Buffer.from('</sheetData></worksheet>')
}

function cellXml(place: string, cell: SheetCell): string {
  if (cell === null) return ''
  if ('text' in cell)
    return cell.text === ''
      ? ''
      : stringCell(place, cell.text, looksLikeFormula(cell.text) ? STYLE.quoted : STYLE.text)
  if ('digits' in cell) return stringCell(place, cell.digits, STYLE.digits)
  if ('number' in cell) return `<c r="${place}" s="${STYLE.number}"><v>${cell.number}</v></c>`
  if ('count' in cell) return `<c r="${place}"><v>${cell.count}</v></c>`
  return `<c r="${place}" s="${STYLE.day}"><v>${daysBetween('1899-12-30', cell.day)}</v></c>`
}

function stringCell(place: string, text: string, style: number): string {
  return `<c r="${place}" t="inlineStr" s="${style}"><is><t xml:space="preserve">${escapeXml(fitting(text))}</t></is></c>`
}

/** A spreadsheet refuses a file with a longer cell. */
function fitting(text: string): string {
  if (text.length <= CELL_CHARACTERS) return text
  const note = ` [cut: ${text.length} characters; the CSV has them all]`
  return text.slice(0, CELL_CHARACTERS - note.length) + note
}

const NEEDS_ESCAPE = /[&<>"\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_/
const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** XML has no control characters: Excel writes them as `_x000D_`, and what looks like that as `_x005F_x000D_`. */
function escapeXml(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text
  return text
    .toWellFormed()
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replace(
      /[\x00-\x08\x0b-\x1f\ufffe\uffff]/g,
      one => `_x${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
    )
    .replace(/[&<>"]/g, one => NAMED[one]!)
}

/** `A` for 0, `Z` for 25, `AA` for 26. */
function columnLetters(index: number): string {
  const last = String.fromCharCode(65 + (index % 26))
  return index < 26 ? last : columnLetters(Math.floor(index / 26) - 1) + last
}
