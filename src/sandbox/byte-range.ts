/** The one kind of HTTP range that object storage serves: a single run of bytes. */
import type { IncomingHttpHeaders } from 'node:http'

/** Bytes from `start` up to and including `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Whether a request asks for a part; a changed file (If-Range) and several parts at once mean the whole. */
export function wantsRange(headers: IncomingHttpHeaders, etag: string): boolean {
  const ifRange = headers['if-range']
  if (ifRange !== undefined && ifRange !== etag) return false
  return /^bytes=(\d+-\d*|-\d+)$/.test(headers.range ?? '')
}

/** The wanted part of a file of `size` bytes, or `undefined` when it lies outside. */
export function rangeWithin(wanted: string, size: number): ByteRange | undefined {
  const [from = '', to = ''] = wanted.replace('bytes=', '').split('-')
  const start = from === '' ? Math.max(0, size - Number.parseInt(to, 10)) : Number.parseInt(from, 10)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number.parseInt(to, 10), size - 1)
  return start < size && start <= end ? { start, end } : undefined
}

/** The bytes of a range, of a source that can only be read from its beginning. */
export async function* bytesWithin(
  source: AsyncIterable<Uint8Array>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of source) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end + 1 - at))
    at += chunk.length
    if (piece.length > 0) yield piece
    if (at > end) return
  }
}
