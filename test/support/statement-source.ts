/** Files in memory as the formats read them, in chunks of any size. */
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import yazl from 'yazl'
import type { ByteSource } from '../../src/formats/byte-source.ts'

export function sourceOf(
  content: string | Uint8Array,
  name = 'statement.csv',
  chunkBytes = 65_536,
): ByteSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return {
    name,
    size: bytes.length,
    async *read({ start, end } = { start: 0 }) {
      const part = bytes.subarray(start, end)
      for (let at = 0; at < part.length; at += chunkBytes)
        yield Uint8Array.from(part.subarray(at, at + chunkBytes))
    },
  }
}

export function fileSource(path: string, name = basename(path)): ByteSource {
  return {
    name,
    size: statSync(path).size,
    read: ({ start, end } = { start: 0 }) =>
      createReadStream(path, {
        start,
        ...(end === undefined ? {} : { end: end - 1 }),
        highWaterMark: 262_144,
      }),
  }
}

export const gzipOf = (content: string | Uint8Array) => gzipSync(content)

/** A zip of these files, in this order. */
export async function zipOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  { compress = true } = {},
): Promise<Buffer> {
  const zip = new yazl.ZipFile()
  const mtime = new Date(Date.UTC(2026, 0, 1))
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name, { mtime })
    else zip.addBuffer(Buffer.from(content), name, { compress, mtime })
  }
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
