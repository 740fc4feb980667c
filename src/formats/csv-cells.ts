/** The cells of a line (RFC 4180). A quoted cell may go on in the next line. */

/** A record under construction. */
export interface Draft {
  readonly separator: string
  readonly cells: string[]
  /** The text so far of a quoted cell that is not closed yet. */
  open: string | undefined
  /** Whether any cell was quoted. */
  quoted: boolean
}

/** `open`: the next line belongs to the record. `misplaced`: a quoted cell goes on after its quote. */
export type DraftState = 'complete' | 'open' | 'misplaced'

const QUOTE = '"'

export function newDraft(separator = ','): Draft {
  return { separator, cells: [], open: undefined, quoted: false }
}

/** Adds a line, without its line feed, to a record. A quote inside a bare cell is just a character. */
export function addLine(draft: Draft, line: string): DraftState {
  let at = 0
  while (true) {
    if (draft.open === undefined && line[at] !== QUOTE) {
      const comma = line.indexOf(draft.separator, at)
      draft.cells.push(comma === -1 ? withoutReturn(line.slice(at)) : line.slice(at, comma))
      if (comma === -1) return 'complete'
      at = comma + 1
      continue
    }
    const after = addQuoted(draft, line, at)
    if (after === -1) return 'open'
    if (after === line.length || line.slice(after) === '\r') return 'complete'
    if (line[after] !== draft.separator) return 'misplaced'
    at = after + 1
  }
}

/** Reads on in a quoted cell; answers where it ended, or -1 when the line ended first. */
function addQuoted(draft: Draft, line: string, start: number): number {
  let text = draft.open ?? ''
  let at = draft.open === undefined ? start + 1 : start
  draft.quoted = true
  while (true) {
    const quote = line.indexOf(QUOTE, at)
    if (quote === -1) {
      draft.open = `${text}${line.slice(at)}\n`
      return -1
    }
    if (line[quote + 1] !== QUOTE) {
      draft.cells.push(text + line.slice(at, quote))
      draft.open = undefined
      return quote + 1
    }
    text += line.slice(at, quote + 1)
    at = quote + 2
  }
}

/** Without the carriage return of a CRLF. */
export function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text
}
