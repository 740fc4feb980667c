/**
 * Row ids as a zstd frame that needs no search. Hex digits of a hash are random, so half their size is all
 * that any compressor gains, and a Huffman code of four bits a digit gains it: the compressed digits are
 * the bytes of the ids. Format: RFC 8878.
 */
import { ID_BYTES } from './group-numbers.ts'

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
/** Without a checksum; the size of the content in four bytes. */
const FRAME_DESCRIPTOR = 0x80
/** A window of 128 KiB, so that blocks may be as large. */
const WINDOW_DESCRIPTOR = 7 << 3
const RAW_BLOCK = 0
const RLE_BLOCK = 1
const COMPRESSED_BLOCK = 2
/** A block holds at most 128 KiB: so many rows of 32 digits. */
const BLOCK_ROWS = 4096
/** RFC 8878: a compressed block is smaller than what it holds. With its tree, one of fewer rows would not be. */
const FEWEST_COMPRESSED_ROWS = 5
const STREAMS = 4
/** Compressed literals in four streams, both sizes in 18 bits. */
const LITERALS_HEADER = 0b1110
/** Where a stream ends: a single bit above nothing. */
const STREAM_END = 1
const NO_SEQUENCES = 0

/** The weights of the bytes from 0 to `e`; `f` gets what is left. Sixteen equal weights are four bits each. */
const DIGITS = '0123456789abcdef'
const LAST_WEIGHED = DIGITS.charCodeAt(14)
const HUFFMAN_TREE = huffmanTree()

function huffmanTree(): Uint8Array {
  const weights = LAST_WEIGHED + 1
  const tree = new Uint8Array(1 + Math.ceil(weights / 2))
  // Above 127: the number of weights, which follow with four bits each, the high half of a byte first.
  tree[0] = 127 + weights
  for (const digit of DIGITS.slice(0, -1)) {
    const byte = digit.charCodeAt(0)
    tree[1 + (byte >> 1)]! |= byte % 2 === 0 ? 0x10 : 0x01
  }
  return tree
}

/** The frame of `head`, `zeros` zero bytes, and the hex digits of the ids. Changes the order of `ids`. */
export function idFrame(head: Uint8Array, zeros: number, ids: Uint8Array): Uint8Array {
  const rows = ids.length / ID_BYTES
  const frame = new Uint8Array(64 + head.length + ids.length + Math.ceil(rows / BLOCK_ROWS) * 128)
  const view = new DataView(frame.buffer)
  let at = 0

  function put(bytes: ArrayLike<number>): void {
    frame.set(bytes, at)
    at += bytes.length
  }

  function putNumber(value: number, bytes: number): void {
    for (let byte = 0; byte < bytes; byte++) frame[at++] = Math.floor(value / 2 ** (8 * byte))
  }

  function putBlockHeader(type: number, size: number, isLast: boolean): void {
    putNumber(size * 8 + type * 2 + (isLast ? 1 : 0), 3)
  }

  /** Rows `from` up to `to`, as they are read. */
  function putPlainDigits(from: number, to: number): void {
    const reversed = ids.slice(ids.length - to * ID_BYTES, ids.length - from * ID_BYTES)
    putBlockHeader(RAW_BLOCK, reversed.length * 2, to === rows)
    put(Buffer.from(Buffer.from(reversed.reverse()).toString('hex')))
  }

  /** Rows `from` up to `to`. A stream is read from its end, so the ids stand in it from last to first. */
  function putDigits(from: number, to: number): void {
    const bytes = (to - from) * ID_BYTES
    const stream = bytes / STREAMS
    const literals = HUFFMAN_TREE.length + 6 + STREAMS * (stream + 1)
    putBlockHeader(COMPRESSED_BLOCK, 5 + literals + 1, to === rows)
    putNumber(LITERALS_HEADER + bytes * 2 * 16 + literals * 2 ** 22, 5)
    put(HUFFMAN_TREE)
    for (let index = 1; index < STREAMS; index++) putNumber(stream + 1, 2)
    for (let index = 0; index < STREAMS; index++) {
      const start = ids.length - from * ID_BYTES - (index + 1) * stream
      put(ids.subarray(start, start + stream))
      frame[at++] = STREAM_END
    }
    frame[at++] = NO_SEQUENCES
  }

  ids.reverse()
  put(MAGIC)
  put([FRAME_DESCRIPTOR, WINDOW_DESCRIPTOR])
  view.setUint32(at, head.length + zeros + ids.length * 2, true)
  at += 4
  putBlockHeader(RAW_BLOCK, head.length, false)
  put(head)
  if (zeros > 0) {
    putBlockHeader(RLE_BLOCK, zeros, false)
    frame[at++] = 0
  }
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const to = Math.min(rows, from + BLOCK_ROWS)
    if (to - from < FEWEST_COMPRESSED_ROWS) putPlainDigits(from, to)
    else putDigits(from, to)
  }
  return frame.subarray(0, at)
}
