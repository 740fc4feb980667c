/** Small numbers as Parquet's hybrid of runs and packed bits (RLE), for dictionary codes and null flags. */
import { writeVarint } from './thrift.ts'

/** Bits that hold every code below `count`; at least one, because some readers do not know zero. */
export function bitsFor(count: number): number {
  return Math.max(1, 32 - Math.clz32(Math.max(0, count - 1)))
}

/** `count` times the same value. */
export function repeated(value: number, count: number, bits: number): Uint8Array {
  const bytes: number[] = []
  writeVarint(bytes, count * 2)
  for (let shift = 0; shift < bits; shift += 8) bytes.push((value >>> shift) & 255)
  return Uint8Array.from(bytes)
}

/** The first `count` values, packed. */
export function packed(values: Uint32Array, count: number, bits: number): Uint8Array {
  const eights = Math.ceil(count / 8)
  const head: number[] = []
  writeVarint(head, eights * 2 + 1)
  const bytes = new Uint8Array(head.length + eights * bits)
  bytes.set(head)
  let at = head.length
  let waiting = 0
  let filled = 0
  for (let index = 0; index < count; index++) {
    // At most 15 bits wait, and codes of a group have at most 17: it all fits in 32.
    waiting |= values[index]! << filled
    filled += bits
    if (filled >= 16) {
      bytes[at] = waiting
      bytes[at + 1] = waiting >>> 8
      at += 2
      waiting >>>= 16
      filled -= 16
    }
  }
  for (; filled > 0; filled -= 8, waiting >>>= 8) bytes[at++] = waiting
  return bytes
}
