/**
 * The rows of a worksheet (ECMA-376 part 1, 18.3). Where a cell stands is told by the cell; the `dimension`
 * of the sheet is not asked, because real exports have it wrong.
 */
import { unreadable } from './file-fault.ts'
import type { FileLimits } from './limits.ts'
import { cellText, type SharedStrings } from './xlsx-strings.ts'
import { readXml } from './xml.ts'

export interface SheetRow {
  /** From 1, as the spreadsheet shows it. */
  readonly number: number
  /** By column; what is empty is `''`, or missing at the end. */
  readonly cells: readonly string[]
}

/** The most rows that the format can have. */
const MOST_ROWS = 1_048_576

/** The rows that are there, piece by piece. */
export async function* readSheet(
  chunks: AsyncIterable<Uint8Array>,
  strings: SharedStrings,
  limits: FileLimits,
): AsyncGenerator<SheetRow[]> {
  const gathered = rowGatherer(strings, limits)
  for await (const _ of readXml(chunks, gathered.handler)) {
    const rows = gathered.take()
    if (rows.length > 0) yield rows
  }
}

function rowGatherer(strings: SharedStrings, limits: FileLimits) {
  const text = cellText()
  let rows: SheetRow[] = []
  let row = 0
  let cells: string[] = []
  let size = 0
  let type = ''

  function open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'row') openRow(attributes.r)
    else if (name === 'c') openCell(attributes)
    else text.open(name)
  }

  function openRow(told: string | undefined): void {
    const number = told === undefined ? row + 1 : wholeNumber(told)
    if (number === undefined || number <= row || number > MOST_ROWS) throw misplaced('row')
    row = number
    cells = []
    size = 0
  }

  function openCell({ r, t = 'n' }: Readonly<Record<string, string>>): void {
    const column = r === undefined ? cells.length : columnOf(r)
    if (column === undefined || column < cells.length) throw misplaced('cell')
    if (column >= limits.columns) {
      throw unreadable('too-many-columns', `The sheet has more than ${limits.columns} columns, the limit.`)
    }
    while (cells.length < column) cells.push('')
    type = t
    text.start()
  }

  function close(name: string): void {
    text.close(name)
    if (name === 'c') closeCell()
    if (name === 'row') rows.push({ number: row, cells })
  }

  function closeCell(): void {
    const cell = cellValue(type, text.take(), strings)
    text.start()
    cells.push(cell)
    size += cell.length
    // Many cells can share one long string, so a row can be longer than all the file.
    if (size > limits.lineBytes) {
      throw unreadable(
        'xlsx-sheet',
        `Row ${row} of the sheet holds more than ${limits.lineBytes} characters.`,
      )
    }
  }

  function take(): SheetRow[] {
    const taken = rows
    rows = []
    return taken
  }

  return { handler: { open, text: text.add, close }, take }
}

function cellValue(type: string, text: string, strings: SharedStrings): string {
  if (type === 'n') return numberText(text.trim())
  if (type === 'b') return text.trim() === '1' ? 'TRUE' : 'FALSE'
  if (type !== 's') return text
  const shared = strings.get(wholeNumber(text.trim()) ?? -1)
  if (shared === undefined)
    throw unreadable('xlsx-sheet', 'A cell of the sheet refers to a text that is missing.')
  return shared
}

/** So many digits survive in a binary float of 64 bits, which is what a spreadsheet makes of a number. */
const EXACT_DIGITS = 15

/**
 * A number cell holds the text of a float. Up to 15 digits it is the decimal that was meant; more digits are
 * what a float made of it, so it is marked as approximate and no amount can be read from it.
 */
export function numberText(text: string): string {
  const digits = text.replace(/[eE].*$/, '').replace(/[^0-9]/g, '')
  const significant = digits.replace(/^0+/, '').replace(/0+$/, '')
  return significant.length > EXACT_DIGITS ? `~${text}` : text
}

/** The column of a reference such as `AB12`, from 0. */
function columnOf(reference: string): number | undefined {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference)?.[1]
  if (letters === undefined) return undefined
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : undefined
}

function misplaced(what: string): Error {
  return unreadable('xlsx-sheet', `The sheet cannot be read: a ${what} is not in its place.`)
}
