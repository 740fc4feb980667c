/** A zip made by hand in the forms that a library does not write: zip64 throughout, sizes after the data. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipForm {
  readonly compress?: boolean
  /** All sizes and offsets in the zip64 extra field, and a zip64 end of the directory. */
  readonly zip64?: boolean
  /** Sizes and CRC-32 after the data, zeros before it. */
  readonly descriptor?: boolean
}

const MAX32 = 0xffff_ffff

export function handmadeZip(files: Readonly<Record<string, string>>, form: ZipForm = {}): Buffer {
  const pieces: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const entry = entryOf(name, Buffer.from(text), offset, form)
    pieces.push(entry.local)
    directory.push(entry.central)
    offset += entry.local.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat([...pieces, ...directory, endOf(directory.length, size, offset, form)])
}

function entryOf(name: string, content: Buffer, offset: number, form: ZipForm) {
  const { compress = true, zip64 = false, descriptor = false } = form
  const packed = compress ? deflateRawSync(content) : content
  const crc = crc32(content)
  const sizes = { crc, packed: packed.length, content: content.length }
  const shared = (version: number, told: typeof sizes, extraLength: number) => {
    const bytes = Buffer.alloc(26)
    bytes.writeUInt16LE(version, 0)
    bytes.writeUInt16LE(descriptor ? 8 : 0, 2)
    bytes.writeUInt16LE(compress ? 8 : 0, 4)
    bytes.writeUInt32LE(told.crc, 10)
    bytes.writeUInt32LE(told.packed, 14)
    bytes.writeUInt32LE(told.content, 18)
    bytes.writeUInt16LE(Buffer.byteLength(name), 22)
    bytes.writeUInt16LE(extraLength, 24)
    return bytes
  }
  const hidden = zip64 ? { crc, packed: MAX32, content: MAX32 } : sizes
  const localExtra = zip64 ? extraOf([content.length, packed.length]) : Buffer.alloc(0)
  const centralExtra = zip64 ? extraOf([content.length, packed.length, offset]) : Buffer.alloc(0)
  const localSizes = descriptor ? { crc: 0, packed: 0, content: 0 } : hidden
  const local = Buffer.concat([
    Buffer.from('PK\x03\x04'),
    shared(zip64 ? 45 : 20, localSizes, localExtra.length),
    Buffer.from(name),
    localExtra,
    packed,
    descriptor ? descriptorOf(sizes, zip64) : Buffer.alloc(0),
  ])
  const rest = Buffer.alloc(14)
  rest.writeUInt32LE(zip64 ? MAX32 : offset, 10)
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x00'),
    shared(zip64 ? 45 : 20, hidden, centralExtra.length),
    rest,
    Buffer.from(name),
    centralExtra,
  ])
  return { local, central }
}

function extraOf(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(values.length * 8, 2)
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8)
  return extra
}

function descriptorOf(sizes: { crc: number; packed: number; content: number }, zip64: boolean): Buffer {
  const bytes = Buffer.alloc(zip64 ? 24 : 16)
  bytes.write('PK\x07\x08', 'latin1')
  bytes.writeUInt32LE(sizes.crc, 4)
  if (zip64) {
    bytes.writeBigUInt64LE(BigInt(sizes.packed), 8)
    bytes.writeBigUInt64LE(BigInt(sizes.content), 16)
  } else {
    bytes.writeUInt32LE(sizes.packed, 8)
    bytes.writeUInt32LE(sizes.content, 12)
  }
  return bytes
}

function endOf(count: number, size: number, offset: number, { zip64 = false }: ZipForm): Buffer {
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(zip64 ? 0xffff : count, 8)
  end.writeUInt16LE(zip64 ? 0xffff : count, 10)
  end.writeUInt32LE(zip64 ? MAX32 : size, 12)
  end.writeUInt32LE(zip64 ? MAX32 : offset, 16)
  if (!zip64) return end
  const end64 = Buffer.alloc(56)
  end64.write('PK\x06\x06', 'latin1')
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(45, 12)
  end64.writeUInt16LE(45, 14)
  end64.writeBigUInt64LE(BigInt(count), 24)
  end64.writeBigUInt64LE(BigInt(count), 32)
  end64.writeBigUInt64LE(BigInt(size), 40)
  end64.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.write('PK\x06\x07', 'latin1')
  locator.writeBigUInt64LE(BigInt(offset + size), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([end64, locator, end])
}
