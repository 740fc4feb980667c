/** A zip as a stream: the same entries always give the same bytes, and memory does not grow with them. */
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipFile } from 'yazl'

export interface ZipEntry {
  readonly name: string
  /** Called once, after every earlier entry was read to its end. */
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/**
 * The bytes of a zip. `entries` is asked for the next one when the last has been read, so an entry may tell of
 * those before it. What `entries` or a `read` throws, this throws.
 */
export async function* zipBytes(
  entries: AsyncIterable<ZipEntry>,
  { level = 6 }: { level?: number } = {},
): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile()
  const output = zip.outputStream as Readable
  const fail = (error: unknown) => void output.destroy(error as Error)
  zip.on('error', fail)
  // The zip has no zone for its times, so the local time is set, which is the same text everywhere.
  const options = {
    mtime: new Date(2000, 0, 1),
    mode: 0o100644,
    compressionLevel: level,
    forceDosTimestamp: true,
  }
  let current: Readable | undefined
  async function feed(): Promise<void> {
    for await (const entry of entries) {
      if (output.destroyed) return
      const stream = Readable.from(entry.read(), { objectMode: false, highWaterMark: 256 * 1024 })
      current = stream
      zip.addReadStreamLazy(entry.name, options, give => give(null, stream))
      await finished(stream)
    }
    zip.end()
  }
  const feeding = feed().catch(fail)
  try {
    for await (const chunk of output) yield chunk as Uint8Array
  } finally {
    current?.destroy()
    await feeding
  }
}
