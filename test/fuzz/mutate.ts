/** Small damage to bytes, by chance. */

export type Chance = (below: number) => number

/** What readers trip over. */
const TOKENS = [
  ...['"', '""', '\n', '\r\n', '\r', ',', ';', '\t', '\0', '\ufeff', '\x1f', '1E-8', '-', '+', '.', '~'],
  ...['0E-8', '99999999999999999999', '1e9999', '26-01-04 10:00:00', '5/1/2022 14:00', '(UTC+7)', 'null'],
  ...['No data matches the criteria.', 'UTC_Time', 'Change', '<c r="A1">', '</row>', '&lt;', '&#0;', '<!--'],
].map(text => Buffer.from(text))
const BYTES = [
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xff, 0xfe]),
]
const PIECES = [...TOKENS, ...BYTES]

const LARGEST = 200_000

/** The bytes with up to eight changes, each of some kind. */
export function mutated(bytes: Buffer, chance: Chance): Buffer {
  let changed = bytes
  for (let count = 1 + chance(8); count > 0; count--) {
    const mutation = MUTATIONS[chance(MUTATIONS.length)]!
    changed = mutation(changed, chance).subarray(0, LARGEST)
  }
  return changed
}

const MUTATIONS: ReadonlyArray<(bytes: Buffer, chance: Chance) => Buffer> = [
  function flip(bytes, chance) {
    const copy = Buffer.from(bytes)
    const at = chance(copy.length + 1)
    if (at < copy.length) copy[at] = copy[at]! ^ (1 << chance(8))
    return copy
  },
  function overwrite(bytes, chance) {
    const copy = Buffer.from(bytes)
    PIECES[chance(PIECES.length)]!.copy(copy, chance(copy.length + 1))
    return copy
  },
  function insert(bytes, chance) {
    const at = chance(bytes.length + 1)
    const piece = PIECES[chance(PIECES.length)]!
    const times = chance(10) === 0 ? chance(3000) : 1
    return spliced(bytes, at, at, Buffer.concat(Array.from({ length: times }, () => piece)))
  },
  function remove(bytes, chance) {
    const [from, to] = someRange(bytes, chance)
    return spliced(bytes, from, to, Buffer.alloc(0))
  },
  function repeat(bytes, chance) {
    const [from, to] = someRange(bytes, chance)
    return spliced(bytes, to, to, bytes.subarray(from, to))
  },
  function move(bytes, chance) {
    const [from, to] = someRange(bytes, chance)
    const at = chance(bytes.length + 1)
    return spliced(bytes, at, at, bytes.subarray(from, to))
  },
  function cut(bytes, chance) {
    return bytes.subarray(0, chance(bytes.length + 1))
  },
  function fill(bytes, chance) {
    const [from, to] = someRange(bytes, chance)
    return spliced(bytes, from, to, Buffer.alloc(to - from, chance(256)))
  },
]

/** Short ranges are more interesting than long ones. */
function someRange(bytes: Buffer, chance: Chance): [number, number] {
  const from = chance(bytes.length + 1)
  const longest = chance(4) === 0 ? bytes.length : 40
  return [from, Math.min(bytes.length, from + chance(longest + 1))]
}

function spliced(bytes: Buffer, from: number, to: number, piece: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(to)])
}
