/** The files of a tar: found in one pass that checks every header, then read by their place. */
import { type ByteCursor, byteCursor } from './byte-cursor.ts'
import { damaged, unreadable } from './file-fault.ts'
import type { FileLimits } from './limits.ts'
import { decimal, readPax, readTarHeader, TAR_BLOCK, type TarHeader } from './tar-header.ts'

export interface TarFile {
  readonly name: string
  /** Where its bytes begin and end in the tar. */
  readonly start: number
  readonly end: number
}

/** Attributes and long names are kept in memory, so there is a limit to them. */
const LONGEST_ATTRIBUTES = 64 * 1024

/** Lists the files, reading to the very end. Throws `file-damaged` for sizes and checksums that are wrong. */
export async function listTar(chunks: AsyncIterable<Uint8Array>, limits: FileLimits): Promise<TarFile[]> {
  const cursor = byteCursor(chunks)
  try {
    const files = await listFiles(cursor, limits)
    await checkRest(cursor)
    return files
  } finally {
    await cursor.close()
  }
}

async function listFiles(cursor: ByteCursor, limits: FileLimits): Promise<TarFile[]> {
  const files: TarFile[] = []
  let position = 0
  let entries = 0
  /** What the entries before a file say about it. */
  let told: Told = {}
  while (true) {
    const header = await nextHeader(cursor)
    if (header === undefined) return files
    entries += 1
    if (entries > limits.entries) throw tooMany(limits)
    position += TAR_BLOCK
    const padded = Math.ceil(header.size / TAR_BLOCK) * TAR_BLOCK
    if ('xL'.includes(header.type)) {
      told = { ...told, ...(await readTold(cursor, header, padded)) }
      position += padded
      continue
    }
    // Attributes of the whole archive and long link names tell nothing about a file's bytes.
    const isAside = 'gK'.includes(header.type)
    const size = isAside ? header.size : (told.size ?? header.size)
    const whole = Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
    if (header.type === '0' || header.type === '7') {
      files.push({
        name: (told.name ?? header.name).replace(/^\.\//, ''),
        start: position,
        end: position + size,
      })
    }
    // Where the bytes end too early, the next header is missing, too.
    await cursor.skip(whole)
    position += whole
    if (!isAside) told = {}
  }
}

interface Told {
  readonly name?: string
  readonly size?: number
}

/** The next header, or `undefined` at the block of zeros that ends a tar. */
async function nextHeader(cursor: ByteCursor): Promise<TarHeader | undefined> {
  const block = await cursor.take(TAR_BLOCK)
  if (block.length < TAR_BLOCK) throw truncated()
  if (block.every(byte => byte === 0)) return undefined
  const header = readTarHeader(block)
  if (header === undefined) {
    throw damaged('tar-header', 'The tar archive is damaged: the checksum of an entry is wrong.')
  }
  return header
}

async function readTold(cursor: ByteCursor, header: TarHeader, padded: number): Promise<Told> {
  if (header.size > LONGEST_ATTRIBUTES) {
    throw unreadable('tar-attributes', 'The tar archive has a name of more than 64 KiB.')
  }
  const block = await cursor.take(padded)
  if (block.length < padded) throw truncated()
  const bytes = block.subarray(0, header.size)
  if (header.type === 'L') return { name: bytes.toString('utf8').replace(/\0.*$/s, '') }
  const attributes = readPax(bytes)
  const sizeText = attributes?.get('size') ?? '0'
  if (attributes === undefined || !/^\d{1,15}$/.test(sizeText)) {
    throw damaged('tar-header', 'The tar archive is damaged: the attributes of an entry cannot be read.')
  }
  const name = attributes.get('path')
  return {
    ...(name === undefined ? {} : { name }),
    ...(attributes.has('size') ? { size: decimal(sizeText) } : {}),
  }
}

/** Zeros fill up the last record; anything else is damage. */
async function checkRest(cursor: ByteCursor): Promise<void> {
  for await (const piece of cursor.rest()) {
    if (piece.some(byte => byte !== 0)) {
      throw damaged('trailing-bytes', 'The tar archive is damaged: it goes on after its end.')
    }
  }
}

function tooMany({ entries }: FileLimits): Error {
  return unreadable('too-many-entries', `The tar archive has more than ${entries} entries, the limit.`, {
    limit: entries,
  })
}

function truncated(): Error {
  return damaged('truncated', 'The tar archive is cut off.')
}

/**
 * Reads places of a stream that can only be read forwards. Asked for in ascending order, they cost one pass
 * together; for an earlier place the stream is opened again. Nothing is wanted after `lastEnd`.
 */
export function forwardReader(open: () => AsyncIterable<Uint8Array>, lastEnd: number) {
  let current: { cursor: ByteCursor; position: number } | undefined

  return async function* read({ start, end }: Pick<TarFile, 'start' | 'end'>): AsyncGenerator<Uint8Array> {
    const reading = current !== undefined && current.position <= start ? current : await reopened()
    // While it is read nobody else may go on from here.
    current = undefined
    let isDone = false
    try {
      await reading.cursor.skip(start - reading.position)
      yield* reading.cursor.pass(end - start)
      isDone = true
    } finally {
      if (isDone && end < lastEnd) current = { cursor: reading.cursor, position: end }
      else await reading.cursor.close()
    }
  }

  async function reopened() {
    await current?.cursor.close()
    return { cursor: byteCursor(open()), position: 0 }
  }
}
