/** The strings that the cells of a workbook share, held as bytes: a million of them must fit. */
import { unreadable } from './file-fault.ts'
import { readXml } from './xml.ts'

export interface SharedStrings {
  /** The string of that number, or `undefined` when there is none. */
  get(index: number): string | undefined
}

const BLOCK_BYTES = 1024 ** 2
const MOST_BLOCKS = 128
const MOST_STRINGS = 4_000_000
/** The format's own limit. */
const MOST_CELL_CHARACTERS = 32_767

/** Reads `xl/sharedStrings.xml`. */
export async function readSharedStrings(chunks: AsyncIterable<Uint8Array>): Promise<SharedStrings> {
  const pool = stringPool()
  const text = cellText()
  const handler = {
    open: (name: string) => (name === 'si' ? text.start() : text.open(name)),
    text: text.add,
    close(name: string) {
      text.close(name)
      if (name === 'si') pool.add(text.take())
    },
  }
  for await (const _ of readXml(chunks, handler));
  return pool
}

/** Strings one after the other in blocks of bytes, each wholly in one block. */
function stringPool() {
  const blocks: Buffer[] = []
  let starts = new Uint32Array(1024)
  let lengths = new Uint32Array(1024)
  let count = 0
  let end = 0

  function add(text: string): void {
    const bytes = Buffer.from(text)
    if (count === MOST_STRINGS || bytes.length > BLOCK_BYTES) throw tooMany()
    if (Math.ceil((end + bytes.length) / BLOCK_BYTES) > Math.ceil(end / BLOCK_BYTES)) {
      if (blocks.length === MOST_BLOCKS) throw tooMany()
      end = blocks.length * BLOCK_BYTES
      blocks.push(Buffer.alloc(BLOCK_BYTES))
    }
    if (count === starts.length) {
      starts = widened(starts)
      lengths = widened(lengths)
    }
    if (bytes.length > 0) bytes.copy(blocks.at(-1)!, end % BLOCK_BYTES)
    starts[count] = end
    lengths[count] = bytes.length
    count += 1
    end += bytes.length
  }

  function get(index: number): string | undefined {
    if (!(index >= 0 && index < count)) return undefined
    const length = lengths[index]!
    if (length === 0) return ''
    const start = starts[index]!
    const offset = start % BLOCK_BYTES
    return blocks[Math.floor(start / BLOCK_BYTES)]!.toString('utf8', offset, offset + length)
  }

  return { add, get }
}

function widened(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(numbers.length * 2)
  wider.set(numbers)
  return wider
}

function tooMany(): Error {
  return unreadable(
    'xlsx-strings',
    'The workbook holds more text than is read. Save its sheet as CSV (UTF-8).',
  )
}

/**
 * Gathers the text of a cell or a shared string: that of `t` and `v`, in several runs where parts of it have
 * formats, but not how it is pronounced (`rPh`).
 */
export function cellText() {
  let text = ''
  let isText = false
  let isSound = false
  return {
    start(): void {
      text = ''
      isText = false
      isSound = false
    },
    open(name: string): void {
      if (name === 'rPh') isSound = true
      if (name === 't' || name === 'v') isText = !isSound
    },
    add(piece: string): void {
      if (!isText) return
      if (text.length + piece.length > MOST_CELL_CHARACTERS) {
        throw unreadable(
          'xlsx-strings',
          `A cell of the workbook holds more than ${MOST_CELL_CHARACTERS} characters.`,
        )
      }
      text += piece
    },
    close(name: string): void {
      if (name === 't' || name === 'v') isText = false
      if (name === 'rPh') isSound = false
    },
    /** The whole text, with Excel's own escapes of control characters resolved. */
    take: (): string =>
      text.includes('_x')
        ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          )
        : text,
  }
}
