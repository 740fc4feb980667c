/**
 * A report file as rows in columns. Lines of the common shape take the fast path; every other line, and
 * every line inside a record that spans several, goes the way of `readStatement`. Where a line goes makes
 * no difference but speed, so nothing here judges a row.
 */

import { type AddedColumns, type ColumnNames, columnNames } from '../domain/column-names.ts'
import type { ByteSource } from './byte-source.ts'
import { type Container, openContainer, type Part } from './container.ts'
import { recordAssembler } from './csv.ts'
import { type FastLines, fastLines, type LineScanner } from './fast-lines.ts'
import type { FileLimits } from './limits.ts'
import { blocksOf, lineSplitter } from './lines.ts'
import { letGo } from './own-bytes.ts'
import { addRow, type RowBatch } from './row-batch.ts'
import { type Separator, sniffSeparator } from './separator.ts'
import { type PartSummary, partReader, type StatementItem } from './statement.ts'

export type UnreadableItem = Extract<StatementItem, { kind: 'unreadable' }>

export interface BatchOptions {
  readonly limits: FileLimits
  readonly zoneMinutes?: number | undefined
  /** Names of columns beside those of the table, by meaning. */
  readonly columns?: AddedColumns | undefined
  /** How many bytes are worked on at a time; changes nothing but speed and memory. */
  readonly blockBytes?: number | undefined
  /** How lines of the common shape are read; changes nothing but speed. */
  readonly scanner?: LineScanner | undefined
  readonly onPart: (summary: PartSummary) => void
  readonly onUnreadable: (item: UnreadableItem) => void
}

const LINE_FEED = 10
const BLOCK_BYTES = 256 * 1024

/** How many rows one line may add: its own, and those of the lines that were held until a quote was given up. */
export function rowsOfLine(limits: FileLimits): number {
  return limits.recordLines + 1
}

/**
 * Reads a statement into `batch`, in steps of a block, or less when the batch is full; between steps the
 * caller sees to it that `rowsOfLine` rows are free. Throws what `readStatement` throws.
 */
export async function* readBatches(
  source: ByteSource,
  batch: RowBatch,
  options: BatchOptions,
): AsyncGenerator<void> {
  const names = columnNames(options.columns)
  const container = await openContainer(source, options.limits, names)
  for (const part of container.parts) {
    const { separator, text } = await sniffSeparator(part.read(), names)
    const scanner = partScanner(part, container, source, batch, { names, separator }, options)
    for await (const block of blocksOf(text, options.blockBytes ?? BLOCK_BYTES)) {
      for (let at = 0; at < block.length; ) {
        at = scanner.push(block, at)
        yield
      }
      letGo(block)
    }
    scanner.end()
    yield
  }
}

function partScanner(
  part: Part,
  container: Container,
  source: ByteSource,
  batch: RowBatch,
  { names, separator }: { names: ColumnNames; separator: Separator },
  options: BatchOptions,
) {
  const { limits } = options
  const reader = partReader(part, container, source, { limits, names, separator }, options)
  const splitter = lineSplitter(limits.lineBytes)
  const assembler = recordAssembler({ ...limits, separator })
  let fast: FastLines | undefined
  const most = batch.time.length - rowsOfLine(limits)

  /** Reads from `start` on; answers where it stopped: at the end of the block, or when the batch was full. */
  function push(block: Buffer, start: number): number {
    const wholeLines = block.lastIndexOf(LINE_FEED) + 1
    fast?.open(block)
    let at = start
    while (at < block.length && batch.rows <= most) {
      if (at < wholeLines) at = takeFast(block, at, wholeLines)
      if (at < block.length && batch.rows <= most) at = takeSlow(block, at)
    }
    return at
  }

  function takeFast(block: Buffer, start: number, end: number): number {
    if (!splitter.isBetweenLines() || !assembler.isBetweenRecords()) return start
    fast ??= prepare(block)
    if (fast === undefined) return start
    const at = fast.take(start, end)
    splitter.skip(fast.taken.lines)
    reader.noteLastCells(fast.taken)
    return at
  }

  /** The fast path needs the header. */
  function prepare(block: Buffer): FastLines | undefined {
    const rows = reader.commonRows()
    if (rows === undefined) return undefined
    const prepared = fastLines(rows.layout, rows.offset, limits.lineBytes, batch, options.scanner)
    prepared?.open(block)
    return prepared
  }

  /** One line, or what this block has of it. */
  function takeSlow(block: Buffer, start: number): number {
    const feed = block.indexOf(LINE_FEED, start)
    const end = feed === -1 ? block.length : feed + 1
    keep(reader.read(assembler.push(splitter.push(block.subarray(start, end)))))
    return end
  }

  function keep(items: readonly StatementItem[]): void {
    for (const item of items) {
      if (item.kind === 'row') addRow(batch, item.row)
      else options.onUnreadable(item)
    }
  }

  function end(): void {
    keep(reader.read([...assembler.push(splitter.end()), ...assembler.end()]))
    reader.end()
  }

  return { push, end }
}
