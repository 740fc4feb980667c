/** A zip whose last entry tells the SHA-256 of every other one, as `sha256sum -c` reads it. */
import { createHash } from 'node:crypto'
import { type ZipEntry, zipBytes } from '../formats/zip-writer.ts'

/** Entries without a folder; all go into `folder`. */
export function hashedZip(folder: string, entries: AsyncIterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  const sums: string[] = []
  async function* all(): AsyncGenerator<ZipEntry> {
    for await (const { name, read } of entries)
      yield { name: `${folder}/${name}`, read: () => hashed(name, read) }
    yield { name: `${folder}/SHA256SUMS`, read: () => [Buffer.from(sums.join(''))] }
  }
  async function* hashed(name: string, read: ZipEntry['read']): AsyncGenerator<Uint8Array> {
    const sha256 = createHash('sha256')
    for await (const chunk of read()) {
      sha256.update(chunk)
      yield chunk
    }
    sums.push(`${sha256.digest('hex')}  ${name}\n`)
  }
  return zipBytes(all())
}

/** An entry of text at hand. */
export function textEntry(name: string, text: string): ZipEntry {
  return { name, read: () => [Buffer.from(text)] }
}
