/** A text column of a row group: codes into a dictionary of its own, in the order of first appearance. */

export interface CodedTexts {
  readonly codes: Uint32Array
  /** Texts in the dictionary. */
  count: number
  /** The texts one after the other, each as Parquet's PLAIN encoding has it: its length, then its bytes. */
  bytes: Uint8Array
  /** Where each text's bytes begin in `bytes`, after its length; then where the next would. */
  starts: Uint32Array
}

/** Bytes of a length in front of each text. */
export const LENGTH_BYTES = 4

export function newCodedTexts(codes: Uint32Array): CodedTexts {
  return {
    codes,
    count: 0,
    bytes: new Uint8Array(1024),
    starts: new Uint32Array(65).fill(LENGTH_BYTES, 0, 1),
  }
}

export function clearTexts(texts: CodedTexts): void {
  texts.count = 0
}

/** Adds a text that is not in the dictionary yet; answers its code. */
export function addText(texts: CodedTexts, from: Uint8Array, start: number, end: number): number {
  const code = texts.count
  const at = texts.starts[code]!
  const after = at + end - start
  if (after + LENGTH_BYTES > texts.bytes.length) texts.bytes = larger(texts.bytes, after + LENGTH_BYTES)
  if (code + 2 > texts.starts.length) {
    const starts = new Uint32Array(texts.starts.length * 2)
    starts.set(texts.starts)
    texts.starts = starts
  }
  const { bytes } = texts
  writeLength(bytes, at - LENGTH_BYTES, end - start)
  for (let to = at, index = start; index < end; index++) bytes[to++] = from[index]!
  texts.starts[code + 1] = after + LENGTH_BYTES
  texts.count = code + 1
  return code
}

/** Where the bytes of a text end. */
export function endOf(texts: CodedTexts, code: number): number {
  return texts.starts[code + 1]! - LENGTH_BYTES
}

export function textAt(texts: CodedTexts, code: number): string {
  const start = texts.starts[code]!
  const { buffer, byteOffset } = texts.bytes
  return Buffer.from(buffer as ArrayBuffer, byteOffset + start, endOf(texts, code) - start).toString()
}

/** All of the dictionary in Parquet's PLAIN encoding. */
export function plainTexts(texts: CodedTexts): Uint8Array {
  return texts.bytes.subarray(0, texts.starts[texts.count]! - LENGTH_BYTES)
}

function writeLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length
  bytes[at + 1] = length >>> 8
  bytes[at + 2] = length >>> 16
  bytes[at + 3] = length >>> 24
}

function larger(bytes: Uint8Array, needed: number): Uint8Array {
  const copy = new Uint8Array(Math.max(needed, bytes.length * 2))
  copy.set(bytes)
  return copy
}
