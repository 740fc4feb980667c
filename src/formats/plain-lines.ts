/** The scanner of lines in plain TypeScript: what the kernel does, for whoever cannot run it, and to read. */
import type { FastLines, LineShape } from './fast-lines.ts'
import { readUnits } from './fast-number.ts'
import { fastTime } from './fast-time.ts'
import { AMOUNT, ASSET, REMARK, TIME, WALLET } from './line-roles.ts'
import { roleTexts } from './role-texts.ts'
import { type RowBatch, TEXT_COLUMNS } from './row-batch.ts'
import { EMPTY_TEXT, hashOf } from './text-table.ts'

const LINE_FEED = 10
const RETURN = 13
const SPACE = 32
const QUOTE = 34
const COMMA = 44

/** What a cell may consist of: printable ASCII but quotes and commas. Anything else stops the scanner. */
const STOP = 0
const ORDINARY = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte < 127 && byte !== QUOTE && byte !== COMMA ? 1 : STOP,
)

export function plainLines({ roles, offset, lineBytes }: LineShape, batch: RowBatch): FastLines {
  const columns = roles.length
  const capacity = batch.time.length
  const time = fastTime(offset)
  const codesByRole = TEXT_COLUMNS.map(column => batch.codes[column])
  let texts = roleTexts(batch)
  let bytes: Uint8Array = new Uint8Array(0)
  /** The text that stood last where a cell of this role began with such bytes. */
  const guesses = new Int32Array(TEXT_COLUMNS.length << 8)
  const units = batch.amount.units
  const times = batch.time
  const taken = { lines: 0, anyBare: false, anyEmptyQuoted: false }
  // What the file has no column for is empty in every row.
  const absent = TEXT_COLUMNS.filter((_, role) => !roles.includes(role)).map(column => batch.codes[column])

  /** Reads one line as row `row` of the batch; answers where the next line begins, or -1. */
  function line(start: number, row: number): number {
    let at = start
    for (let column = 0; column < columns; column++) {
      const role = roles[column]!
      const isQuoted = bytes[at] === QUOTE
      if (isQuoted) at += 1
      const from = at
      if (role === TIME) at = time.read(bytes, from, times, row)
      else if (role === AMOUNT) at = readUnits(bytes, from, units, row)
      else at = text(from, isQuoted, role, row)
      if (at < 0) return -1
      if (isQuoted) {
        if (bytes[at] !== QUOTE) return -1
        at += 1
      }
      if (column < columns - 1) {
        if (bytes[at] !== COMMA) return -1
        at += 1
      }
    }
    return lineEnd(start, at)
  }

  /** Reads a cell of text; answers where it ended, or -1. A guess saves looking for its end and its code. */
  function text(from: number, isQuoted: boolean, role: number, row: number): number {
    const table = texts.tables[role]!
    const first = bytes[from]!
    // Empty: names must not be; a user id and a remark may.
    if (isQuoted ? first === QUOTE : first < SPACE || first === COMMA) {
      if (role >= WALLET && role <= ASSET) return -1
      codesByRole[role]![row] = EMPTY_TEXT
      return from
    }
    const guess =
      (role << 8) | ((first + bytes[from + 1]! * 5 + bytes[from + 3]! * 17 + bytes[from + 12]! * 29) & 255)
    const guessed = guesses[guess]!
    if (guessed !== EMPTY_TEXT) {
      const end = table.endIfAt(guessed, bytes, from)
      if (end >= 0 && (isQuoted ? bytes[end] === QUOTE : endsBare(bytes[end]!))) {
        codesByRole[role]![row] = texts.finalCode(role, guessed)
        return end
      }
    }
    let at = from
    // The line feed ends a cell at the latest.
    while (ORDINARY[bytes[at]!] !== STOP) at += 1
    const isOrdinary = !isQuoted || bytes[at] !== COMMA
    if (isQuoted) while (ORDINARY[bytes[at]!] !== STOP || bytes[at] === COMMA) at += 1
    // Spaces around a name are cut off by the reader of rows; those of a remark stay.
    if (role !== REMARK && (first === SPACE || bytes[at - 1] === SPACE)) return -1
    const code = table.codeOf(bytes, from, at, hashOf(bytes, from, at))
    codesByRole[role]![row] = texts.finalCode(role, code)
    // A text with a comma is one cell only inside quotes, so it must not be guessed outside.
    if (isOrdinary) guesses[guess] = code
    return at
  }

  function lineEnd(start: number, at: number): number {
    const feed = bytes[at] === RETURN ? at + 1 : at
    if (bytes[feed] !== LINE_FEED || feed - start > lineBytes) return -1
    if (bytes[at - 1] !== QUOTE) taken.anyBare = true
    else if (bytes[at - 2] === QUOTE && bytes[at - 3] === COMMA) taken.anyEmptyQuoted = true
    return feed + 1
  }

  function take(start: number, end: number): number {
    taken.anyBare = false
    taken.anyEmptyQuoted = false
    if (!texts.areGoodFor(batch)) rebind()
    const firstRow = batch.rows
    let row = firstRow
    let at = start
    while (row < capacity && at < end) {
      const next = line(at, row)
      if (next < 0) break
      row += 1
      at = next
    }
    for (const codes of absent) codes.fill(EMPTY_TEXT, firstRow, row)
    batch.rows = row
    taken.lines = row - firstRow
    return at
  }

  /** Codes of other tables mean other texts; those in the batch are of its own tables and stay. */
  function rebind(): void {
    texts = roleTexts(batch)
    guesses.fill(EMPTY_TEXT)
  }

  function open(opened: Uint8Array): void {
    bytes = opened
  }

  return { open, take, taken }
}

const endsBare = (byte: number) => byte === COMMA || byte === LINE_FEED || byte === RETURN
