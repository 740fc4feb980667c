/**
 * The header of a tar entry: 512 bytes (POSIX pax, "ustar Interchange Format"; GNU's long names and sizes).
 * name 0–99 · size 124–135 · checksum 148–155 · type 156 · magic 257–262 · prefix 345–499
 */

export const TAR_BLOCK = 512

export interface TarHeader {
  readonly name: string
  readonly size: number
  /** One character: `0` a file, `5` a folder, `x` pax attributes, `L` a long name, … */
  readonly type: string
}

/** Whether the checksum of a header is right; it also tells a tar that lacks the magic word. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < TAR_BLOCK) return false
  const told = readNumber(block.subarray(148, 156))
  return told !== undefined && told > 0 && told === checksumOf(block)
}

/** `undefined` when the checksum or the size is wrong. */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  const size = readNumber(block.subarray(124, 136))
  if (size === undefined || !isTarHeader(block)) return undefined
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156]!)
  // GNU's own format has other things in the place of the prefix.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textOf(block.subarray(345, 500)) : ''
  const name = textOf(block.subarray(0, 100))
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type }
}

/** The sum of all bytes, with the checksum's own taken for spaces. */
function checksumOf(block: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < TAR_BLOCK; at++) sum += at >= 148 && at < 156 ? 32 : block[at]!
  return sum
}

/** Octal digits, or for large values GNU's big-endian bytes after 0x80. */
function readNumber(field: Uint8Array): number | undefined {
  if (field[0]! >= 0x80) return field[0] === 0x80 ? readBinary(field.subarray(1)) : undefined
  const text = textOf(field).trim()
  if (!/^[0-7]*$/.test(text)) return undefined
  return text === '' ? 0 : Number.parseInt(text, 8)
}

function readBinary(bytes: Uint8Array): number | undefined {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  return Number.isSafeInteger(value) ? value : undefined
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0)
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString('utf8')
}

/** pax attributes: `<length> <key>=<value>\n`, again and again; `undefined` when they are none. */
export function readPax(bytes: Buffer): Map<string, string> | undefined {
  const attributes = new Map<string, string>()
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(32, at)
    const length = space === -1 ? 0 : decimal(bytes.toString('latin1', at, space))
    const end = at + length
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 10) return undefined
    const [key = '', ...value] = bytes.toString('utf8', space + 1, end - 1).split('=')
    attributes.set(key, value.join('='))
    at = end
  }
  return attributes
}

/** A count of bytes in decimal digits; 0 when it is none. */
export function decimal(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number.parseInt(text, 10) : 0
}
