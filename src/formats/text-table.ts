/**
 * Texts as small numbers: equal bytes have one code. Cells repeat, so a name is looked up where it
 * stands in the input, and no string is made of it until somebody asks.
 */

/** The code of the empty text in every table. */
export const EMPTY_TEXT = 0

export interface TextTable {
  /** The code of the UTF-8 bytes from `start` up to `end`, whose `hashOf` is `hash`. */
  codeOf(bytes: Uint8Array, start: number, end: number, hash: number): number
  codeOfText(text: string): number
  /** Where the text of `code` ends if it stands at `at`, else -1. */
  endIfAt(code: number, bytes: Uint8Array, at: number): number
  textOf(code: number): string
  /** Where a text's bytes stand in `bytes()`; those of the next code follow at once. */
  startOf(code: number): number
  bytes(): Uint8Array
  count(): number
  /** The place of each code among all texts in the order of JavaScript strings. */
  ranks(): Uint32Array
}

const START = 0x811c9dc5 | 0
const PRIME = 0x01000193
const MIX = 0x9e3779b1 | 0

/** A hash of the bytes from `start` up to `end`, four at a time. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = START ^ (end - start)
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    hash = Math.imul(hash ^ word, MIX)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, PRIME)
  return hash ^ (hash >>> 13)
}

const FIRST_SLOTS = 1024
const FIRST_BYTES = 16 * 1024
const FREE = -1

export function textTable(): TextTable {
  let slots = new Int32Array(FIRST_SLOTS).fill(FREE)
  let hashes = new Int32Array(FIRST_SLOTS / 2)
  let starts = new Uint32Array(FIRST_SLOTS / 2 + 1)
  let arena = new Uint8Array(FIRST_BYTES)
  let count = 0
  const texts: Array<string | undefined> = []
  let ranked = new Uint32Array(0)

  function codeOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = slots.length - 1
    let slot = hash & mask
    for (let code = slots[slot]!; code !== FREE; code = slots[slot]!) {
      if (hashes[code] === hash && isSame(code, bytes, start, end)) return code
      slot = (slot + 1) & mask
    }
    return add(bytes, start, end, hash, slot)
  }

  function isSame(code: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = starts[code]!
    if (starts[code + 1]! - at !== end - start) return false
    for (let index = start; index < end; index++) if (arena[at++] !== bytes[index]) return false
    return true
  }

  function add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const code = count
    const at = starts[code]!
    const after = at + end - start
    if (after > arena.length) arena = enlarged(arena, after)
    for (let to = at, from = start; from < end; from++) arena[to++] = bytes[from]!
    slots[slot] = code
    hashes[code] = hash
    starts[code + 1] = after
    count += 1
    if (count * 2 >= slots.length) rehash()
    return code
  }

  function endIfAt(code: number, bytes: Uint8Array, at: number): number {
    const end = starts[code + 1]!
    let place = at
    for (let index = starts[code]!; index < end; index++) if (arena[index] !== bytes[place++]) return -1
    return place
  }

  function rehash(): void {
    const size = slots.length * 2
    slots = new Int32Array(size).fill(FREE)
    hashes = grown(hashes, new Int32Array(size / 2))
    starts = grown(starts, new Uint32Array(size / 2 + 1))
    for (let code = 0; code < count; code++) {
      const hash = hashes[code]!
      let slot = hash & (size - 1)
      while (slots[slot] !== FREE) slot = (slot + 1) & (size - 1)
      slots[slot] = code
    }
  }

  function textOf(code: number): string {
    const known = texts[code]
    if (known !== undefined) return known
    const text = Buffer.from(arena.buffer, starts[code]!, starts[code + 1]! - starts[code]!).toString()
    texts[code] = text
    return text
  }

  function ranks(): Uint32Array {
    if (ranked.length === count) return ranked
    const codes = Array.from({ length: count }, (_, code) => code)
    codes.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
    ranked = new Uint32Array(count)
    for (const [rank, code] of codes.entries()) ranked[code] = rank
    return ranked
  }

  function codeOfText(text: string): number {
    const bytes = Buffer.from(text)
    return codeOf(bytes, 0, bytes.length, hashOf(bytes, 0, bytes.length))
  }

  codeOfText('')
  return {
    codeOf,
    codeOfText,
    endIfAt,
    textOf,
    startOf: code => starts[code]!,
    bytes: () => arena,
    count: () => count,
    ranks,
  }
}

function grown<T extends Int32Array | Uint32Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}

function enlarged(arena: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, arena.length * 2))
  larger.set(arena)
  return larger
}
