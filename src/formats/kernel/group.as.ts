/**
 * The kernel for row groups, in AssemblyScript: `npm run build:kernel` makes group-wasm.ts of it. It writes the
 * identity of each row of a group (domain/activity.ts) and hashes four of the same length at a time with
 * SHA-256, one in each lane of a vector. JavaScript lays out all memory and passes where things stand.
 */

/** Messages of up to so many blocks of 64 bytes; the caller sends no longer ones. */
const MOST_BLOCKS: u32 = 16
const SEPARATOR: u8 = 0x1f
const ZERO: u8 = 48
const LENGTH_BYTES: u32 = 4

/** Where a message is written before its length is known. */
const scratch = memory.data(2048, 16)
/** The digits of the last second. */
const timeText = memory.data(32, 16)
/** For each number of blocks: four messages, the rows they belong to, and how many wait. */
const lanes = memory.data(35072, 16)
const laneRows = memory.data(512, 16)
const laneCounts = memory.data(128, 16)
/** The message schedule of four blocks side by side. */
const schedule = memory.data(1024, 16)

const roundConstants = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])

/** Where a text column's codes, dictionary bytes and starts stand (coded-texts.ts). */
class Column {
  codes: usize = 0
  bytes: usize = 0
  starts: usize = 0
}

const wallet = new Column()
const operation = new Column()
const asset = new Column()
const remark = new Column()
/** The texts of amounts that are no count of units. */
const wide = new Column()

/** Tells where a column stands: 0 wallet, 1 operation, 2 asset, 3 remark, 4 wide amounts (without codes). */
export function setColumn(which: u32, codes: usize, bytes: usize, starts: usize): void {
  const column = which == 0 ? wallet : which == 1 ? operation : which == 2 ? asset : which == 3 ? remark : wide
  column.codes = codes
  column.bytes = bytes
  column.starts = starts
}

/** What the five `Column`s take at the beginning of the heap, and room to spare. */
const OBJECT_BYTES: usize = 1024

/** Where free memory begins. */
export function freeMemory(): usize {
  return (__heap_base + OBJECT_BYTES + 15) & ~15
}

const FIVE_TO_10: u64 = 9765625

/**
 * Writes times as integers of 64 bits, and amounts as big-endian integers of 128 bits in two's complement,
 * scaled by 10^18; in the place of an amount that is no count of units stands anything.
 */
export function writeNumbers(rows: u32, time: usize, units: usize, times: usize, amounts: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<i64>(times + (row << 3), <i64>load<f64>(time + (row << 3)))
    const value = load<f64>(units + (row << 3))
    const size = <u64>Math.abs(value)
    // Units times 10^10, which is 5^10 shifted by 10 bits; in two halves, so that nothing is lost.
    const upper = (size >> 32) * FIVE_TO_10
    const lower = (size & 0xffffffff) * FIVE_TO_10
    const sum = lower + (upper << 32)
    const carry: u64 = sum < lower ? 1 : 0
    let low = sum << 10
    let high = (((upper >> 32) + carry) << 10) | (sum >> 54)
    if (value < 0) {
      low = ~low + 1
      high = ~high + (low == 0 ? 1 : 0)
    }
    store<u64>(amounts + (row << 4), bswap<u64>(high))
    store<u64>(amounts + (row << 4), bswap<u64>(low), 8)
  }
}

/** Writes the ids of all rows to `ids`, 16 bytes each. */
export function identify(rows: u32, time: usize, units: usize, occurrence: usize, ids: usize): void {
  let lastTime: f64 = -1
  let timeLength: u32 = 0
  for (let row: u32 = 0; row < rows; row++) {
    const micros = load<f64>(time + (row << 3))
    if (micros != lastTime) {
      timeLength = writeTime(micros)
      lastTime = micros
    }
    // Longer than any time; what is behind it is overwritten.
    v128.store(scratch, v128.load(timeText))
    v128.store(scratch, v128.load(timeText, 16), 16)
    let at = scratch + timeLength
    at = writeColumn(at, wallet, row)
    at = writeColumn(at, operation, row)
    at = writeColumn(at, asset, row)
    store<u8>(at++, SEPARATOR)
    at = writeAmount(at, load<f64>(units + (row << 3)))
    at = writeColumn(at, remark, row)
    store<u8>(at++, SEPARATOR)
    at = writeInteger(at, load<u32>(occurrence + (row << 2)))
    enqueue(at, row, ids)
  }
  for (let blocks: u32 = 1; blocks <= MOST_BLOCKS; blocks++) hashWaiting(blocks, ids)
}

function writeTime(micros: f64): u32 {
  const whole = <u64>micros
  const seconds = whole / 1000000
  const fraction = whole - seconds * 1000000
  let at = writeInteger(timeText, seconds)
  if (fraction > 0) {
    store<u8>(at++, 46)
    at = writeDigits(at, fraction, 6)
  }
  return <u32>(at - timeText)
}

function writeColumn(at: usize, column: Column, row: u32): usize {
  store<u8>(at++, SEPARATOR)
  return writeText(at, column, load<u32>(column.codes + (row << 2)))
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function writeText(at: usize, column: Column, code: u32): usize {
  const start = load<u32>(column.starts + (code << 2))
  const length = load<u32>(column.starts + (code << 2), 4) - LENGTH_BYTES - start
  const from = column.bytes + start
  // Sixteen bytes at a time; what is written past the end is overwritten next.
  for (let done: u32 = 0; done < length; done += 16) v128.store(at + done, v128.load(from + done))
  return at + length
}

const WIDE: f64 = 9007199254740992

function writeAmount(start: usize, units: f64): usize {
  if (units >= WIDE) return writeText(start, wide, <u32>((units - WIDE) / 2))
  let at = start
  if (units < 0) store<u8>(at++, 45)
  const size = <u64>Math.abs(units)
  const whole = size / 100000000
  const fraction = size - whole * 100000000
  at = writeInteger(at, whole)
  if (fraction == 0) return at
  store<u8>(at, 46)
  const digits = eightDigits(fraction)
  store<u64>(at, digits | ZEROS, 1)
  // The last digits are the highest bytes; zeros at the end are not written.
  return at + 9 - <usize>(clz(digits) >> 3)
}

/** Eight ASCII zeros. */
const ZEROS: u64 = 0x3030303030303030

/** The eight digits of a number below 10^8, a byte each, the first the lowest; halved three times, side by side. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function eightDigits(value: u64): u64 {
  const high = value / 10000
  const fours = high | ((value - high * 10000) << 32)
  // 5243 / 2^19 is a hundredth, and 103 / 2^10 a tenth, exactly enough for so few digits.
  const hundreds = ((fours * 5243) >> 19) & 0x0000007f0000007f
  const twos = hundreds | ((fours - hundreds * 100) << 16)
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f
  return tens | ((twos - tens * 10) << 8)
}

function writeInteger(start: usize, value: u64): usize {
  if (value < 10) {
    store<u8>(start, <u8>value + ZERO)
    return start + 1
  }
  if (value < 100000000) {
    const digits = eightDigits(value)
    const skipped = ctz(digits) >> 3
    store<u64>(start, (digits | ZEROS) >> (skipped << 3))
    return start + 8 - <usize>skipped
  }
  let count: u32 = 9
  for (let power: u64 = 1000000000; power <= value; power *= 10) count++
  return writeDigits(start, value, count)
}

function writeDigits(start: usize, value: u64, count: u32): usize {
  let rest = value
  let place = count
  while (rest > u32.MAX_VALUE) {
    const next = rest / 10
    store<u8>(start + --place, <u8>(rest - next * 10) + ZERO)
    rest = next
  }
  // Division is quicker in 32 bits.
  let small = <u32>rest
  while (place > 0) {
    const next = small / 10
    store<u8>(start + --place, <u8>(small - next * 10) + ZERO)
    small = next
  }
  return start + count
}

/** Puts the message in `scratch` beside others of its number of blocks; hashes when there are four. */
function enqueue(end: usize, row: u32, ids: usize): void {
  const length = <u32>(end - scratch)
  const blocks = (length + 9 + 63) >> 6
  const size = blocks << 6
  for (let at = end; at < scratch + size; at += 16) v128.store(at, i64x2.splat(0))
  store<u8>(end, 0x80)
  store<u32>(scratch + size - 4, bswap<u32>(length << 3))
  const count = load<u32>(laneCounts + (blocks << 2))
  const place = laneOf(blocks, count)
  for (let done: u32 = 0; done < size; done += 16) v128.store(place + done, v128.load(scratch + done))
  store<u32>(laneRows + (((blocks << 2) + count) << 2), row)
  store<u32>(laneCounts + (blocks << 2), count + 1)
  if (count == 3) hashWaiting(blocks, ids)
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function laneOf(blocks: u32, lane: u32): usize {
  // Before it: four messages of each smaller number of blocks.
  return lanes + ((((blocks * (blocks - 1)) >> 1) * 4 + lane * blocks) << 6)
}

function hashWaiting(blocks: u32, ids: usize): void {
  const count = load<u32>(laneCounts + (blocks << 2))
  if (count == 0) return
  store<u32>(laneCounts + (blocks << 2), 0)
  const base = laneOf(blocks, 0)
  const stride = blocks << 6
  let h0 = i32x4.splat(0x6a09e667)
  let h1 = i32x4.splat(0xbb67ae85)
  let h2 = i32x4.splat(0x3c6ef372)
  let h3 = i32x4.splat(0xa54ff53a)
  let h4 = i32x4.splat(0x510e527f)
  let h5 = i32x4.splat(0x9b05688c)
  let h6 = i32x4.splat(0x1f83d9ab)
  let h7 = i32x4.splat(0x5be0cd19)
  for (let block: u32 = 0; block < blocks; block++) {
    fillSchedule(base + (block << 6), stride)
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    let f = h5
    let g = h6
    let h = h7
    // Eight rounds at a time: after eight, every word is back in its own variable, so nothing is moved.
    for (let round: u32 = 0; round < 64; round += 8) {
      h = i32x4.add(h, mixed(e, f, g, round + 0))
      d = i32x4.add(d, h)
      h = i32x4.add(h, majority(a, b, c))
      g = i32x4.add(g, mixed(d, e, f, round + 1))
      c = i32x4.add(c, g)
      g = i32x4.add(g, majority(h, a, b))
      f = i32x4.add(f, mixed(c, d, e, round + 2))
      b = i32x4.add(b, f)
      f = i32x4.add(f, majority(g, h, a))
      e = i32x4.add(e, mixed(b, c, d, round + 3))
      a = i32x4.add(a, e)
      e = i32x4.add(e, majority(f, g, h))
      d = i32x4.add(d, mixed(a, b, c, round + 4))
      h = i32x4.add(h, d)
      d = i32x4.add(d, majority(e, f, g))
      c = i32x4.add(c, mixed(h, a, b, round + 5))
      g = i32x4.add(g, c)
      c = i32x4.add(c, majority(d, e, f))
      b = i32x4.add(b, mixed(g, h, a, round + 6))
      f = i32x4.add(f, b)
      b = i32x4.add(b, majority(c, d, e))
      a = i32x4.add(a, mixed(f, g, h, round + 7))
      e = i32x4.add(e, a)
      a = i32x4.add(a, majority(b, c, d))
    }
    h0 = i32x4.add(h0, a)
    h1 = i32x4.add(h1, b)
    h2 = i32x4.add(h2, c)
    h3 = i32x4.add(h3, d)
    h4 = i32x4.add(h4, e)
    h5 = i32x4.add(h5, f)
    h6 = i32x4.add(h6, g)
    h7 = i32x4.add(h7, h)
  }
  const rows = laneRows + (blocks << 4)
  // The first four words of each message, side by side until here.
  const low = v128.shuffle<i32>(h0, h1, 0, 4, 1, 5)
  const high = v128.shuffle<i32>(h0, h1, 2, 6, 3, 7)
  const otherLow = v128.shuffle<i32>(h2, h3, 0, 4, 1, 5)
  const otherHigh = v128.shuffle<i32>(h2, h3, 2, 6, 3, 7)
  writeId(ids, load<u32>(rows), v128.shuffle<i64>(low, otherLow, 0, 2))
  if (count > 1) writeId(ids, load<u32>(rows, 4), v128.shuffle<i64>(low, otherLow, 1, 3))
  if (count > 2) writeId(ids, load<u32>(rows, 8), v128.shuffle<i64>(high, otherHigh, 0, 2))
  if (count > 3) writeId(ids, load<u32>(rows, 12), v128.shuffle<i64>(high, otherHigh, 1, 3))
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function writeId(ids: usize, row: u32, words: v128): void {
  v128.store(ids + (row << 4), swapped(words))
}

/** What a round adds to its last word. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function mixed(e: v128, f: v128, g: v128, round: u32): v128 {
  const s1 = v128.xor(v128.xor(rotated(e, 6), rotated(e, 11)), rotated(e, 25))
  const choice = v128.bitselect(f, g, e)
  const known = i32x4.add(
    v128.load(schedule + (round << 4)),
    v128.load32_splat(roundConstants + (round << 2)),
  )
  return i32x4.add(i32x4.add(s1, choice), known)
}

/** What a round adds to its first word; the majority of a, b and c is c where a and b differ, else a. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function majority(a: v128, b: v128, c: v128): v128 {
  const s0 = v128.xor(v128.xor(rotated(a, 2), rotated(a, 13)), rotated(a, 22))
  return i32x4.add(s0, v128.bitselect(c, a, v128.xor(a, b)))
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function rotated(words: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(words, bits), i32x4.shl(words, 32 - bits))
}

/** The words of four messages side by side, then the 48 words that follow from them. */
function fillSchedule(base: usize, stride: u32): void {
  for (let quarter: u32 = 0; quarter < 64; quarter += 16) {
    const one = swapped(v128.load(base + quarter))
    const two = swapped(v128.load(base + stride + quarter))
    const three = swapped(v128.load(base + stride * 2 + quarter))
    const four = swapped(v128.load(base + stride * 3 + quarter))
    const low = v128.shuffle<i32>(one, two, 0, 4, 1, 5)
    const high = v128.shuffle<i32>(one, two, 2, 6, 3, 7)
    const otherLow = v128.shuffle<i32>(three, four, 0, 4, 1, 5)
    const otherHigh = v128.shuffle<i32>(three, four, 2, 6, 3, 7)
    const to = schedule + (quarter << 2)
    v128.store(to, v128.shuffle<i64>(low, otherLow, 0, 2))
    v128.store(to, v128.shuffle<i64>(low, otherLow, 1, 3), 16)
    v128.store(to, v128.shuffle<i64>(high, otherHigh, 0, 2), 32)
    v128.store(to, v128.shuffle<i64>(high, otherHigh, 1, 3), 48)
  }
  for (let at = schedule + 256; at < schedule + 1024; at += 16) {
    const before15 = v128.load(at - 240)
    const before2 = v128.load(at - 32)
    const s0 = v128.xor(v128.xor(rotated(before15, 7), rotated(before15, 18)), i32x4.shr_u(before15, 3))
    const s1 = v128.xor(v128.xor(rotated(before2, 17), rotated(before2, 19)), i32x4.shr_u(before2, 10))
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - 256), s0), i32x4.add(v128.load(at - 112), s1)))
  }
}

/** Big-endian words. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function swapped(bytes: v128): v128 {
  return v128.shuffle<i8>(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}
