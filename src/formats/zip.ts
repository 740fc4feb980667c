/** The parts of a zip: which entries they are, in what order, and their checked bytes. */
import { crc32 } from 'node:zlib'
import type { Entry } from 'yauzl'
import type { ByteSource } from './byte-source.ts'
import { damaged, unreadable } from './file-fault.ts'
import { type InflateBudget, inflated, inflateRaw } from './inflate.ts'
import type { FileLimits } from './limits.ts'
import { compareNames, missingParts } from './part-names.ts'
import { encrypted, readZipDirectory, type ZipDirectory } from './zip-directory.ts'

const STORED = 0
const DEFLATED = 8

export interface ZipPart {
  readonly name: string
  read(budget: InflateBudget): AsyncIterable<Uint8Array>
}

/** The CSV parts of a zip in order, and how many other entries were passed over. */
export async function openZip(
  source: ByteSource,
  limits: FileLimits,
): Promise<{ parts: ZipPart[]; ignored: number }> {
  const directory = await readZipDirectory(source, limits)
  const files = directory.entries.filter(entry => !isClutter(entry.fileName))
  if (files.some(entry => entry.fileName === 'xl/workbook.xml')) throw xlsx()
  const chosen = chooseParts(files)
  checkParts(chosen)
  const parts = chosen
    .sort((a, b) => compareNames(a.fileName, b.fileName))
    .map(entry => ({
      name: entry.fileName,
      read: (budget: InflateBudget) => readEntry(source, directory, entry, budget),
    }))
  return { parts, ignored: files.length - chosen.length }
}

/** Directories, and what macOS adds on its own. */
function isClutter(name: string): boolean {
  return name.endsWith('/') || /(^|\/)(__MACOSX\/|\.DS_Store$|\._)/.test(name)
}

/** The `.csv` entries; a single entry of any other name is tried, too. */
function chooseParts(files: readonly Entry[]): Entry[] {
  const named = files.filter(entry => /\.csv$/i.test(entry.fileName))
  if (named.length > 0) return named
  if (files.length === 1) return [...files]
  throw unreadable('no-csv', 'The zip holds no CSV file.', { entries: files.length })
}

function checkParts(entries: readonly Entry[]): void {
  if (entries.some(entry => entry.isEncrypted())) throw encrypted()
  const names = entries.map(entry => entry.fileName)
  if (new Set(names).size < names.length) {
    throw unreadable(
      'duplicate-entry',
      'The zip holds two files of the same name: which one counts is unclear.',
    )
  }
  const missing = missingParts(names)
  if (missing.length > 0) {
    const list = missing.slice(0, 5).join(', ')
    throw damaged('part-missing', `The zip is incomplete: part ${list} is missing.`, { missing: list })
  }
}

function xlsx(): Error {
  return unreadable(
    'xlsx',
    'This is an Excel workbook (.xlsx), which is not read yet. Save its sheet as CSV (UTF-8) and import that.',
  )
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
