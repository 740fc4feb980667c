/** A gzip file: one part of text. zlib checks the CRC-32 and the size at its end. */
import type { ByteSource } from './byte-source.ts'
import { damaged } from './file-fault.ts'
import { gunzip, type InflateBudget, inflated } from './inflate.ts'

/** The text of a gzip file, of all its members. */
export async function* readGzip(source: ByteSource, budget: InflateBudget): AsyncGenerator<Uint8Array> {
  const inflater = gunzip()
  yield* inflated(source.read(), inflater, budget)
  await checkRest(source, inflater.bytesWritten)
}

/** zlib passes over what follows the last member. Zeros are padding; anything else is damage. */
async function checkRest(source: ByteSource, start: number): Promise<void> {
  if (start >= source.size) return
  for await (const chunk of source.read({ start })) {
    if (chunk.some(byte => byte !== 0)) {
      throw damaged('trailing-bytes', 'The gzip file is damaged: it goes on after its end.')
    }
  }
}

/** The name of the file inside: `x.csv.gz` holds `x.csv`. */
export function innerName(name: string): string {
  return name.replace(/\.gz(ip)?$/i, '')
}
