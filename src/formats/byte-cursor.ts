/** Reads chunks of any size as runs of a wanted size, forwards only. */

export interface ByteCursor {
  /** The next `size` bytes in memory; fewer where the bytes end earlier. */
  take(size: number): Promise<Buffer>
  /** The next `size` bytes as they come; fewer where the bytes end earlier. */
  pass(size: number): AsyncGenerator<Uint8Array>
  /** Passes over `size` bytes, as far as there are any. */
  skip(size: number): Promise<void>
  /** Whatever is left. */
  rest(): AsyncGenerator<Uint8Array>
  /** Gives up what the bytes are read from. */
  close(): Promise<void>
}

export function byteCursor(chunks: AsyncIterable<Uint8Array>): ByteCursor {
  const iterator = chunks[Symbol.asyncIterator]()
  let waiting: Uint8Array = Buffer.alloc(0)

  async function* pass(size: number): AsyncGenerator<Uint8Array> {
    let left = size
    while (left > 0) {
      if (waiting.length === 0) {
        const next = await iterator.next()
        if (next.done === true) return
        waiting = next.value
        continue
      }
      const piece = waiting.subarray(0, left)
      waiting = waiting.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  async function take(size: number): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(pass(size)))
  }

  async function skip(size: number): Promise<void> {
    for await (const _ of pass(size));
  }

  return {
    take,
    pass,
    skip,
    rest: () => pass(Number.POSITIVE_INFINITY),
    close: async () => void (await iterator.return?.()),
  }
}
