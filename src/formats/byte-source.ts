/** A file of known size that can be read from any offset, wherever it lies. */
export interface ByteSource {
  /** The file's own name; some layouts tell their zone only here. */
  readonly name: string
  readonly size: number
  /** Each chunk belongs to whoever asked for it, who may let go of its memory. */
  read(span?: ByteSpan): AsyncIterable<Uint8Array>
}

/** Bytes `start` up to, not including, `end`; to the end of the file when `end` is absent. */
export interface ByteSpan {
  readonly start: number
  readonly end?: number
}

/** The bytes from `start` up to `end`, in memory; fewer where the file ends earlier. */
export async function readBytes(source: ByteSource, start: number, end: number): Promise<Buffer> {
  const last = Math.min(end, source.size)
  if (start >= last) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of source.read({ start, end: last })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The same source; `onBytes` hears how many bytes each read delivered. */
export function watchedSource(source: ByteSource, onBytes: (count: number) => void): ByteSource {
  return {
    name: source.name,
    size: source.size,
    async *read(span) {
      for await (const chunk of source.read(span)) {
        onBytes(chunk.length)
        yield chunk
      }
    },
  }
}
