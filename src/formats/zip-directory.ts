/** The entries of a zip, read through random access with yauzl. */
import { Readable } from 'node:stream'
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl'
import { DaybookError } from '../domain/errors.ts'
import { type ByteSource, readBytes } from './byte-source.ts'
import { damaged, unreadable } from './file-fault.ts'
import type { FileLimits } from './limits.ts'

/** What the directory may take: a name, a comment and further fields may each be 64 KiB long. */
const DIRECTORY_BYTES = 4 * 1024 ** 2

/** The directory stands at the end; one read usually brings all of it. */
const TAIL_BYTES = 256 * 1024

/** yauzl asks for a subclass. Reads inside the tail are answered from memory. */
class SourceReader extends RandomAccessReader {
  /** What the source itself threw: not the zip's fault. */
  sourceFault: unknown
  readonly #source: ByteSource
  readonly #tail: Buffer
  readonly #tailStart: number

  constructor(source: ByteSource, tail: Buffer) {
    super()
    this.#source = source
    this.#tail = tail
    this.#tailStart = source.size - tail.length
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#source.read({ start, end }), { objectMode: false })
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, done: Done): void {
    if (position + length > this.#source.size) {
      done(new Error('unexpected end of file'))
    } else if (position >= this.#tailStart) {
      const from = position - this.#tailStart
      this.#tail.copy(buffer, offset, from, from + length)
      done(null)
    } else {
      this.#fetch(buffer, offset, length, position).then(() => done(null), done)
    }
  }

  async #fetch(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    try {
      const bytes = await readBytes(this.#source, position, position + length)
      bytes.copy(buffer, offset)
    } catch (error) {
      this.sourceFault = error
      throw error
    }
  }
}

type Done = (error: Error | null) => void

export interface ZipDirectory {
  /** Every entry, in the directory's order. */
  readonly entries: readonly Entry[]
  /** Where the bytes of an entry begin in the file. */
  dataStart(entry: Entry): Promise<number>
}

export async function readZipDirectory(source: ByteSource, limits: FileLimits): Promise<ZipDirectory> {
  const tail = await readBytes(source, Math.max(0, source.size - TAIL_BYTES), source.size)
  const reader = new SourceReader(source, tail)
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw reader.sourceFault ?? directoryFault(error)
    }
  }
  const zip = await guarded(() => fromRandomAccessReaderPromise(reader, source.size, { autoClose: false }))
  return {
    entries: await guarded(() => entriesOf(zip, limits)),
    dataStart: entry =>
      guarded(async () => (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart),
  }
}

async function entriesOf(zip: ZipFile, limits: FileLimits): Promise<Entry[]> {
  const entries: Entry[] = []
  let bytes = 0
  for await (const entry of zip.eachEntry()) {
    if (entries.push(entry) > limits.entries) {
      throw unreadable('too-many-entries', `The zip has more than ${limits.entries} entries, the limit.`, {
        limit: limits.entries,
      })
    }
    bytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength
    if (bytes > DIRECTORY_BYTES) {
      const message = `The names and comments of the zip take more than ${DIRECTORY_BYTES} bytes, the limit.`
      throw unreadable('zip-directory', message, { limit: DIRECTORY_BYTES })
    }
  }
  return entries
}

/** yauzl throws plain errors, told apart by their text. */
function directoryFault(error: unknown): unknown {
  if (error instanceof DaybookError || !(error instanceof Error)) return error
  if (/encrypt/i.test(error.message)) return encrypted()
  if (/end of central directory/i.test(error.message)) {
    return damaged('truncated', 'The zip is cut off: its directory is missing.', {}, error)
  }
  if (/path|characters in fileName/i.test(error.message)) {
    return unreadable('entry-name', 'The zip has an entry whose name leads out of the archive.')
  }
  return damaged('zip-directory', `The zip is damaged: ${error.message}.`, {}, error)
}

export function encrypted(): Error {
  return unreadable('encrypted', 'The zip is encrypted. Unpack it with its password and import the CSV file.')
}
