/**
 * A streaming CSV reader that never loses a line: a record it cannot read is handed on with the reason
 * and its verbatim text.
 */
import { addLine, newDraft, withoutReturn } from './csv-cells.ts'
import { blocksOf, type Line, type LineFault, lineSplitter } from './lines.ts'

export type CsvFault = LineFault | 'quote-misplaced' | 'quote-unclosed'

export interface CsvRecord {
  /** The number of its first line. */
  readonly line: number
  /** Its verbatim text, without the line end. */
  readonly text: string
  /** Empty when there is a fault. */
  readonly cells: readonly string[]
  readonly quoted: boolean
  readonly fault: CsvFault | undefined
  /** Whether it is whole: a line feed ended it, and its quotes are closed. */
  readonly ended: boolean
}

export interface CsvOptions {
  readonly lineBytes: number
  readonly recordLines: number
  /** What stands between cells; a comma when it is absent. */
  readonly separator?: string
  /** How many bytes are worked on at a time; changes nothing but speed and memory. */
  readonly blockBytes?: number
}

/** Large enough that most of the time is spent on rows, small enough to stay in the cache. */
const BLOCK_BYTES = 128 * 1024

/** The records of a CSV text, block by block. */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<CsvRecord[]> {
  const splitter = lineSplitter(options.lineBytes)
  const assembler = recordAssembler(options)
  for await (const block of blocksOf(chunks, options.blockBytes ?? BLOCK_BYTES)) {
    yield assembler.push(splitter.push(block))
  }
  yield [...assembler.push(splitter.end()), ...assembler.end()]
}

/** Lines to records. */
export function recordAssembler({ recordLines, lineBytes, separator = ',' }: CsvOptions) {
  /** The lines of a record whose quotes are still open. */
  let held: Line[] = []
  let heldSize = 0
  let draft = newDraft(separator)

  function push(lines: readonly Line[]): CsvRecord[] {
    const records: CsvRecord[] = []
    for (const line of lines) accept(line, records)
    return records
  }

  function end(): CsvRecord[] {
    const records: CsvRecord[] = []
    while (held.length > 0) giveUp('quote-unclosed', records, true)
    return records
  }

  function accept(line: Line, records: CsvRecord[]): void {
    held.push(line)
    heldSize += line.text.length
    const state = addLine(draft, line.text)
    if (line.fault === 'line-too-long') giveUp(line.fault, records)
    else if (state === 'complete') records.push(finish())
    else if (state === 'misplaced') giveUp('quote-misplaced', records)
    else if (held.length >= recordLines || heldSize > lineBytes) giveUp('quote-unclosed', records)
  }

  /**
   * One bad quote costs one line, not the rest of the file: the first line is unreadable, the others are
   * read again from their own start. The limit on held lines bounds the work.
   */
  function giveUp(fault: CsvFault, records: CsvRecord[], atEnd = false): void {
    const [first, ...others] = held as [Line, ...Line[]]
    const { quoted } = draft
    reset()
    const ended = first.ended && !(atEnd && others.length === 0)
    records.push({ line: first.number, text: withoutReturn(first.text), cells: [], quoted, fault, ended })
    for (const line of others) accept(line, records)
  }

  function finish(): CsvRecord {
    const [first, last] = [held[0]!, held.at(-1)!]
    const fault = held.find(line => line.fault !== undefined)?.fault
    const text = held.length === 1 ? first.text : held.map(line => line.text).join('\n')
    const { cells, quoted } = draft
    reset()
    return {
      line: first.number,
      text: withoutReturn(text),
      cells: fault === undefined ? cells : [],
      quoted,
      fault,
      ended: last.ended,
    }
  }

  function reset(): void {
    held = []
    heldSize = 0
    draft = newDraft(separator)
  }

  /** Whether the next line begins a record. */
  const isBetweenRecords = () => held.length === 0

  return { push, end, isBetweenRecords }
}
