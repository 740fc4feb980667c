/**
 * The fast path: lines of the common shape are recognised in the input bytes and become numbers in a
 * batch, without a string for any cell. A line that is odd in any way is left to the reader of rows,
 * whose word is the only truth: this file may refuse whatever it likes, but must never differ.
 */
import { readUnits } from './fast-number.ts'
import { fastTime } from './fast-time.ts'
import type { Layout } from './layout.ts'
import { type RowBatch, TEXT_COLUMNS, type TextColumn, walletNames } from './row-batch.ts'
import { EMPTY_TEXT, hashOf } from './text-table.ts'
import type { OffsetMinutes } from './zone.ts'

export interface FastLines {
  /**
   * Adds lines from `start` on to the batch until one is not recognised or begins at `end`, or the batch is
   * full; answers where that one begins. `bytes[end - 1]` is a line feed. `taken` then tells of those taken.
   */
  take(bytes: Uint8Array, start: number, end: number): number
  readonly taken: { lines: number; anyBare: boolean; anyEmptyQuoted: boolean }
}

/** What a column means to the scanner. */
const TIME = -1
const AMOUNT = -2

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

/** A reader of fast lines, or `undefined` for a layout that has columns nobody asked for. */
export function fastLines(
  layout: Layout,
  offset: OffsetMinutes,
  lineBytes: number,
  batch: RowBatch,
): FastLines | undefined {
  const roles = rolesOf(layout)
  if (roles === undefined) return undefined
  const columns = roles.length
  const capacity = batch.time.length
  const time = fastTime(offset)
  const { names, newestOf } = walletNames(batch.tables.wallet)
  const codesByRole = TEXT_COLUMNS.map(column => batch.codes[column])
  const tablesByRole = TEXT_COLUMNS.map(column => (column === 'wallet' ? names : batch.tables[column]))
  /** The text that stood last where a cell of this role began with such bytes. */
  const guesses = new Int32Array(TEXT_COLUMNS.length << 8)
  const units = batch.amount.units
  const times = batch.time
  const taken = { lines: 0, anyBare: false, anyEmptyQuoted: false }
  // What the file has no column for is empty in every row.
  const absent = TEXT_COLUMNS.filter((_, role) => !roles.includes(role)).map(column => batch.codes[column])

  /** Reads one line as row `row` of the batch; answers where the next line begins, or -1. */
  function line(bytes: Uint8Array, start: number, row: number): number {
    let at = start
    for (let column = 0; column < columns; column++) {
      const role = roles![column]!
      const isQuoted = bytes[at] === QUOTE
      if (isQuoted) at += 1
      const from = at
      if (role === TIME) at = time.read(bytes, from, times, row)
      else if (role === AMOUNT) at = readUnits(bytes, from, units, row)
      else at = text(bytes, from, isQuoted, role, row)
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
    return lineEnd(bytes, start, at)
  }

  /** Reads a cell of text; answers where it ended, or -1. A guess saves looking for its end and its code. */
  function text(bytes: Uint8Array, from: number, isQuoted: boolean, role: number, row: number): number {
    const table = tablesByRole[role]!
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
        codesByRole[role]![row] = role === WALLET ? newestOf(guessed) : guessed
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
    codesByRole[role]![row] = role === WALLET ? newestOf(code) : code
    // A text with a comma is one cell only inside quotes, so it must not be guessed outside.
    if (isOrdinary) guesses[guess] = code
    return at
  }

  function lineEnd(bytes: Uint8Array, start: number, at: number): number {
    const feed = bytes[at] === RETURN ? at + 1 : at
    if (bytes[feed] !== LINE_FEED || feed - start > lineBytes) return -1
    if (bytes[at - 1] !== QUOTE) taken.anyBare = true
    else if (bytes[at - 2] === QUOTE && bytes[at - 3] === COMMA) taken.anyEmptyQuoted = true
    return feed + 1
  }

  function take(bytes: Uint8Array, start: number, end: number): number {
    const firstRow = batch.rows
    let row = firstRow
    let at = start
    while (row < capacity && at < end) {
      const next = line(bytes, at, row)
      if (next < 0) break
      row += 1
      at = next
    }
    for (const codes of absent) codes.fill(EMPTY_TEXT, firstRow, row)
    batch.rows = row
    taken.lines = row - firstRow
    return at
  }

  return { take, taken }
}

const endsBare = (byte: number) => byte === COMMA || byte === LINE_FEED || byte === RETURN

const roleOf = (column: TextColumn) => TEXT_COLUMNS.indexOf(column)
const WALLET = roleOf('wallet')
const ASSET = roleOf('asset')
const REMARK = roleOf('remark')

/** The role of each column of the header. */
function rolesOf({ header, columns, extra }: Layout): Int8Array | undefined {
  if (extra.length > 0) return undefined
  const roles = new Int8Array(header.length)
  let known = 0
  for (const [meaning, index] of Object.entries(columns)) {
    known += 1
    roles[index] = meaning === 'time' ? TIME : meaning === 'amount' ? AMOUNT : roleOf(meaning as TextColumn)
  }
  return known === header.length ? roles : undefined
}
