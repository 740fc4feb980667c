/** Bytes to lines. Where the chunks are cut changes nothing, and no line is held beyond the limit. */
import { isUtf8 } from 'node:buffer'

export type LineFault = 'line-too-long' | 'not-utf8' | 'nul-in-line'

export interface Line {
  /** From 1, over all lines of a part. */
  readonly number: number
  /** Without its line feed. Of a line that is too long only the beginning; undecodable bytes as U+FFFD. */
  readonly text: string
  readonly fault: LineFault | undefined
  /** Whether a line feed ended it; only the last line of a text may lack one. */
  readonly ended: boolean
}

const LINE_FEED = 10
const EMPTY = Buffer.alloc(0)

/** How much of a line that is too long is kept, to show what it was. */
const PREVIEW_BYTES = 1024

/** A splitter that takes blocks of any size and answers with the lines each one completed. */
export function lineSplitter(maxBytes: number) {
  let number = 0
  let rest: Buffer = EMPTY
  let tooLong = false

  function push(block: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = block.indexOf(LINE_FEED); end !== -1; end = block.indexOf(LINE_FEED, start)) {
      keep(block.subarray(start, end))
      lines.push(take(true))
      start = end + 1
    }
    keep(block.subarray(start))
    // What is kept must not hold on to the block.
    if (rest.length > 0) rest = Buffer.from(rest)
    return lines
  }

  function end(): Line[] {
    return rest.length > 0 || tooLong ? [take(false)] : []
  }

  function keep(bytes: Buffer): void {
    if (tooLong || bytes.length === 0) return
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    if (rest.length <= maxBytes) return
    rest = Buffer.from(rest.subarray(0, Math.min(PREVIEW_BYTES, maxBytes)))
    tooLong = true
  }

  function take(ended: boolean): Line {
    number += 1
    const bytes = rest
    const fault = tooLong ? 'line-too-long' : faultOf(bytes)
    rest = EMPTY
    tooLong = false
    return { number, text: decode(bytes, number === 1), fault, ended }
  }

  return {
    push,
    end,
    /** Whether the next byte begins a line. */
    isBetweenLines: () => rest.length === 0 && !tooLong,
    /** Counts lines that were read elsewhere. */
    skip: (lines: number) => {
      number += lines
    },
  }
}

function faultOf(bytes: Buffer): LineFault | undefined {
  if (!isUtf8(bytes)) return 'not-utf8'
  return bytes.includes(0) ? 'nul-in-line' : undefined
}

/** The first line may begin with a byte order mark, which is not part of the text. */
function decode(bytes: Buffer, isFirst: boolean): string {
  const text = bytes.toString('utf8')
  return isFirst && text.startsWith('\ufeff') ? text.slice(1) : text
}

/** Chunks of any size as blocks of about `blockBytes`, so that work per block stays bounded. */
export async function* blocksOf(
  chunks: AsyncIterable<Uint8Array>,
  blockBytes: number,
): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    // Its memory was let go of: rows would be missing in silence.
    if ((chunk.buffer as ArrayBuffer).detached) throw new TypeError('A source gave the same bytes twice.')
    waiting.push(chunk)
    size += chunk.length
    if (size < blockBytes) continue
    const joined = waiting.length === 1 ? asBuffer(chunk) : Buffer.concat(waiting)
    waiting = []
    size = 0
    for (let start = 0; start < joined.length; start += blockBytes) {
      yield joined.subarray(start, start + blockBytes)
    }
  }
  if (size > 0) yield Buffer.concat(waiting)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
