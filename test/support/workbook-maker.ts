/** Workbooks as exports have them: a preamble, a header far down, merged columns, a wrong dimension. */
import { zipOf } from './statement-source.ts'

/** A cell with its XML: a type, and what stands inside. */
export interface MadeCell {
  readonly at: string
  readonly xml: string
  readonly type?: string
}

/** The columns of the real export: merged cells leave the others empty. */
export const STATEMENT_COLUMNS = ['C', 'D', 'F', 'G', 'I', 'J', 'L'] as const

const HEADER = ['User ID', 'Time', 'Account', 'Operation', 'Coin', 'Change', 'Remark']

export interface WorkbookForm {
  readonly header?: readonly string[]
  readonly headerRow?: number
  readonly label?: string
  readonly strings?: 'shared' | 'inline'
}

/** A workbook of one sheet with these rows of seven cells. */
export async function workbookOf(
  rows: readonly (readonly string[])[],
  form: WorkbookForm = {},
): Promise<Buffer> {
  const { header = HEADER, headerRow = 10, label = 'Period(UTC+5)', strings = 'shared' } = form
  const pool: string[] = []
  const textCell = (at: string, text: string): MadeCell => {
    if (strings === 'inline')
      return { at, type: 'inlineStr', xml: `<is><t xml:space="preserve">${escaped(text)}</t></is>` }
    if (!pool.includes(text)) pool.push(text)
    return { at, type: 's', xml: `<v>${pool.indexOf(text)}</v>` }
  }
  const line = (number: number, cells: readonly string[]) =>
    sheetRow(
      number,
      cells.map((cell, index) => textCell(`${STATEMENT_COLUMNS[index]}${number}`, cell)),
    )
  const xml = [
    ...(headerRow > 6 ? [sheetRow(2, [textCell('A2', 'Transaction History')])] : []),
    ...(headerRow > 6
      ? [sheetRow(6, [textCell('C6', label), textCell('F6', '2026-10-01 to 2026-10-31')])]
      : []),
    line(headerRow, header),
    ...rows.map((cells, index) => line(headerRow + 1 + index, cells)),
  ].join('')
  return workbookFrom({ Sheet0: xml }, pool)
}

/** A workbook of these sheets, given as the XML of their rows. */
export function workbookFrom(
  sheets: Readonly<Record<string, string>>,
  strings: readonly string[] = [],
  changes: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const names = Object.keys(sheets)
  const files: Record<string, string> = {
    '[Content_Types].xml': '<Types/>',
    'xl/workbook.xml': `${DECLARATION}<workbook xmlns:r="r"><sheets>${names
      .map((name, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`)
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships>${names
      .map((_, index) => `<Relationship Id="rId${index + 1}" Target="worksheets/sheet${index + 1}.xml"/>`)
      .join('')}</Relationships>`,
    'xl/sharedStrings.xml': `${DECLARATION}<sst>${strings.map(text => `<si><t>${escaped(text)}</t></si>`).join('')}</sst>`,
  }
  names.forEach((name, index) => {
    files[`xl/worksheets/sheet${index + 1}.xml`] =
      `${DECLARATION}<worksheet><dimension ref="A1:C3"/><sheetData>${sheets[name]}</sheetData><mergeCells/></worksheet>`
  })
  return zipOf({ ...files, ...changes })
}

export function sheetRow(number: number, cells: readonly MadeCell[]): string {
  return `<row r="${number}">${cells.map(sheetCell).join('')}</row>`
}

function sheetCell({ at, type, xml }: MadeCell): string {
  return `<c r="${at}"${type === undefined ? '' : ` t="${type}"`}>${xml}</c>`
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
