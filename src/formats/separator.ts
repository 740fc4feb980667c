/** Which character stands between the cells of a text; its first line tells. */
import type { ColumnNames } from '../domain/column-names.ts'
import { addLine, newDraft } from './csv-cells.ts'
import { readHeader } from './layout.ts'
import { unpackCells } from './packed-line.ts'
import { certainColumns } from './row-shape.ts'

const SEPARATORS = [',', ';'] as const

export type Separator = (typeof SEPARATORS)[number]

/** A header that is longer has no statement behind it. */
const LONGEST_HEAD = 64 * 1024

/** The separator, and the whole text again. A comma where the first line does not tell. */
export async function sniffSeparator(
  chunks: AsyncIterable<Uint8Array>,
  names: ColumnNames,
): Promise<{ separator: Separator; text: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]()
  const seen: Uint8Array[] = []
  let head = ''
  let size = 0
  while (size < LONGEST_HEAD && firstLine(head) === undefined) {
    const { value, done } = await iterator.next()
    if (done === true) break
    seen.push(value)
    size += value.length
    head = Buffer.concat(seen).subarray(0, LONGEST_HEAD).toString('utf8')
  }
  const line = firstLine(head) ?? head
  const separator = SEPARATORS.find(one => isFirstLine(cellsOf(line, one), names)) ?? ','
  return { separator, text: resumed(seen, iterator) }
}

/** The first line that is not blank and has its end. */
function firstLine(head: string): string | undefined {
  return /^\s*(\S.*?)\r?\n/.exec(head.replace(/^\ufeff/, ''))?.[1]
}

function cellsOf(line: string, separator: Separator): readonly string[] {
  const draft = newDraft(separator)
  return addLine(draft, line) === 'complete' ? unpackCells(draft.cells, draft.quoted, separator) : []
}

function isFirstLine(cells: readonly string[], names: ColumnNames): boolean {
  return readHeader(cells, names).missing.length === 0 || certainColumns(cells) !== undefined
}

async function* resumed(
  seen: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* seen
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}
