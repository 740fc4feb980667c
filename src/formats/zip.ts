/** The files of a zip as checked bytes. */
import { crc32 } from 'node:zlib'
import type { Entry } from 'yauzl'
import { isClutter } from './archive-parts.ts'
import type { ByteSource } from './byte-source.ts'
import { damaged, unreadable } from './file-fault.ts'
import { type InflateBudget, inflated, inflateRaw } from './inflate.ts'
import { encrypted, readZipDirectory, type ZipDirectory } from './zip-directory.ts'

const STORED = 0
const DEFLATED = 8

/** The least there is between an entry's offset and its bytes. */
const LOCAL_HEADER_BYTES = 30

export interface ZipFile {
  readonly name: string
  read(): AsyncIterable<Uint8Array>
}

/** The files of a zip, each checked when it is read. Throws for what makes the whole zip unfit. */
export async function openZip(source: ByteSource, budget: InflateBudget): Promise<ZipFile[]> {
  const directory = await readZipDirectory(source, budget.limits)
  const entries = directory.entries.filter(entry => !isClutter(entry.fileName))
  if (entries.some(entry => entry.isEncrypted())) throw encrypted()
  checkPlaces(entries, source.size)
  return entries.map(entry => ({
    name: entry.fileName,
    read: () => readEntry(source, directory, entry, budget),
  }))
}

/** Entries that share bytes are how a small zip inflates without end. */
function checkPlaces(entries: readonly Entry[], size: number): void {
  const sorted = entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader)
  sorted.forEach((entry, index) => {
    const end = entry.relativeOffsetOfLocalHeader + LOCAL_HEADER_BYTES + entry.compressedSize
    if (end > size) throw wrongSize(entry)
    const next = sorted[index + 1]
    if (next !== undefined && end > next.relativeOffsetOfLocalHeader) {
      throw damaged('overlapping-entries', 'The zip is damaged: two of its files lie in the same place.')
    }
  })
}

/** The bytes of an entry. Their size and CRC-32 must be those of the directory. */
async function* readEntry(
  source: ByteSource,
  directory: ZipDirectory,
  entry: Entry,
  budget: InflateBudget,
): AsyncGenerator<Uint8Array> {
  let size = 0
  let crc = 0
  for await (const chunk of await openEntry(source, directory, entry, budget)) {
    size += chunk.length
    crc = crc32(chunk, crc)
    if (size > entry.uncompressedSize) throw wrongSize(entry)
    yield chunk
  }
  if (size !== entry.uncompressedSize) throw wrongSize(entry)
  if (crc !== entry.crc32) {
    throw damaged('crc', `The zip is damaged: the checksum of "${entry.fileName}" is wrong.`, {
      file: entry.fileName,
    })
  }
}

async function openEntry(source: ByteSource, directory: ZipDirectory, entry: Entry, budget: InflateBudget) {
  const start = await directory.dataStart(entry)
  const packed = source.read({ start, end: start + entry.compressedSize })
  if (entry.compressedSize === 0) return []
  if (start + entry.compressedSize > source.size) throw wrongSize(entry)
  if (entry.compressionMethod === STORED) return packed
  if (entry.compressionMethod !== DEFLATED) {
    throw unreadable(
      'compression-method',
      'The zip is compressed in a way that is not read. Pack it again.',
      {
        method: entry.compressionMethod,
      },
    )
  }
  return inflateWhole(packed, entry, budget)
}

/** Deflate ends on its own; it must do so exactly where the directory says. */
async function* inflateWhole(packed: AsyncIterable<Uint8Array>, entry: Entry, budget: InflateBudget) {
  const inflater = inflateRaw()
  yield* inflated(packed, inflater, budget)
  if (inflater.bytesWritten !== entry.compressedSize) throw wrongSize(entry)
}

function wrongSize(entry: Entry): Error {
  return damaged('size', `The zip is damaged: the size of "${entry.fileName}" is wrong.`, {
    file: entry.fileName,
  })
}
