/** Bytes that are cheap to make and expensive to unpack. */
import { constants, crc32, deflateRawSync } from 'node:zlib'
import type { ByteSource } from '../../src/formats/byte-source.ts'

/** A source of `count` times the same piece after a head and before a tail, never held in memory. */
export function repeatedSource(head: string, piece: Uint8Array, count: number, tail = ''): ByteSource {
  const [first, last] = [Buffer.from(head), Buffer.from(tail)]
  const size = first.length + piece.length * count + last.length
  const perBatch = Math.max(1, Math.floor(65_536 / piece.length))
  const batch = Buffer.alloc(perBatch * piece.length, piece)
  const whole = Math.floor(count / perBatch)
  async function* all() {
    if (first.length > 0) yield first
    for (let index = 0; index < whole; index++) yield batch
    for (let index = whole * perBatch; index < count; index++) yield piece
    if (last.length > 0) yield last
  }
  return {
    name: 'hostile.csv',
    size,
    async *read({ start, end = size } = { start: 0 }) {
      let at = 0
      for await (const chunk of all()) {
        const [from, to] = [Math.max(0, start - at), Math.min(chunk.length, end - at)]
        if (to <= 0) return
        // A copy: chunks belong to whoever asked for them.
        if (from < to) yield Uint8Array.from(chunk.subarray(from, to))
        at += chunk.length
      }
    },
  }
}

/** A source of so many lines, each made when it is read. It tells a size that nobody counted. */
export function countedSource(head: string, count: number, line: (index: number) => string): ByteSource {
  return {
    name: 'hostile.csv',
    size: 2 ** 40,
    async *read({ end } = { start: 0 }) {
      yield Buffer.from(head.slice(0, end))
      for (let from = 0; end === undefined && from < count; from += 1000) {
        yield Buffer.from(
          Array.from({ length: Math.min(1000, count - from) }, (_, index) => line(from + index)).join(''),
        )
      }
    },
  }
}

/** Deflated data of `head` and then `count` times the same piece, made without unpacking it. */
export function deflatedRepeat(head: string | Uint8Array, piece: string, count: number): Buffer {
  const flushed = (text: string | Uint8Array) =>
    deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH, level: 9 })
  const repeated = flushed(piece)
  const pieces = Array.from({ length: count }, () => repeated)
  return Buffer.concat([flushed(head), ...pieces, deflateRawSync('')])
}

/** A gzip around deflated data; whoever reads it to its end finds a wrong checksum. */
export function gzipAround(deflated: Buffer): Buffer {
  return Buffer.concat([Buffer.from('1f8b0800000000000003', 'hex'), deflated, Buffer.alloc(8)])
}

/** A zip of texts, and of deflated data with a CRC-32 and a size that a directory may as well claim. */
export function zipAround(files: Readonly<Record<string, Buffer | string>>, claimedSize: number): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const isText = typeof content === 'string'
    const deflated = isText ? deflateRawSync(content) : content
    const shared = Buffer.alloc(26)
    shared.writeUInt16LE(20, 0)
    shared.writeUInt16LE(8, 4)
    shared.writeUInt32LE(isText ? crc32(content) : 0, 10)
    shared.writeUInt32LE(deflated.length, 14)
    shared.writeUInt32LE(isText ? content.length : claimedSize, 18)
    shared.writeUInt16LE(Buffer.byteLength(name), 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    locals.push(Buffer.from('PK\x03\x04'), shared, Buffer.from(name), deflated)
    central.push(Buffer.from('PK\x01\x02\x14\x00'), shared, rest, Buffer.from(name))
    offset += 30 + name.length + deflated.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(Object.keys(files).length, 8)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
