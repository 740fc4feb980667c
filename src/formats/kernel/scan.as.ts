/**
 * The scanning kernel, in AssemblyScript: `npm run build:kernel` makes scan-wasm.ts of it. It recognises
 * lines of the common shape in the input bytes, as plain-lines.ts does, and makes columns of numbers of
 * them. A line that is odd in any way ends the scan. JavaScript lays out all memory and owns the texts:
 * a text the kernel has not been taught is listed as missing, and its code is filled in afterwards.
 */

const LINE_FEED: u8 = 10
const RETURN: u8 = 13
const SPACE: u8 = 32
const QUOTE: u8 = 34
const PLUS: u8 = 43
const COMMA: u8 = 44
const DASH: u8 = 45
const POINT: u8 = 46
const ZERO: u8 = 48
const EXPONENT: u8 = 69

/** What a column means; a text column's role is its place among the text columns of a batch. */
const TIME: i8 = -1
const AMOUNT: i8 = -2
const WALLET: i8 = 1
const ASSET: i8 = 3
const REMARK: i8 = 4
const ROLES: u32 = 6
const EMPTY_TEXT: u32 = 0

/** The role of each column of the file; a file with more columns than roles is not read here (line-roles.ts). */
const columnRoles = memory.data(16, 16)

/** The texts each role is known to have: places that the text's hash picks, where the latest text stands. */
const PLACES: u32 = 2048
const PLACE_BYTES: u32 = 48
/** Of a known text: its bytes, padded with zeros, then its length and its code. */
const LONGEST_KNOWN: u32 = 32
const LENGTH_AT: usize = 32
const CODE_AT: usize = 36
const known = memory.data(589824, 16)

/** A text that is missing: its row, its role, where it begins, its length; each a word. */
const MISSING_BYTES: u32 = 16

/** 32 bytes of ones, then 32 of zeros: masks of any length are cut from it. */
const masks = memory.data<i64>([-1, -1, -1, -1, 0, 0, 0, 0])

/** Dates: each as it was written, padded with zeros, then its midnight in seconds since 1970. */
const DATE_BYTES: u32 = 32
const dates = memory.data(16384, 16)
/** Where the date begins that must be explained before the scan can go on; 0 for none. */
let newDate: usize = 0

let columns: u32 = 0
let lineBytes: u32 = 0
let times: usize = 0
let amounts: usize = 0
let codes: usize = 0
/** Bytes from one role's codes to the next's. */
let codesStride: u32 = 0
let missing: usize = 0
let missingCount: u32 = 0
let mostMissing: u32 = 0

let stoppedAt: usize = 0
let anyBare: bool = false
let anyEmptyQuoted: bool = false

/** Where free memory begins. */
export function freeMemory(): usize {
  return (__heap_base + 15) & ~15
}

/** Tells what column `which` means; `columnCount` columns make a line of at most `longestLine` bytes. */
export function setColumn(which: u32, role: i32, columnCount: u32, longestLine: u32): void {
  store<i8>(columnRoles + which, <i8>role)
  columns = columnCount
  lineBytes = longestLine
}

export function setOutput(
  time: usize,
  units: usize,
  textCodes: usize,
  rows: u32,
  missingTexts: usize,
  missingRoom: u32,
): void {
  times = time
  amounts = units
  codes = textCodes
  codesStride = rows << 2
  missing = missingTexts
  mostMissing = missingRoom
}

/** Forgets all texts: their codes mean nothing any more. */
export function forget(): void {
  memory.fill(known, 0, ROLES * PLACES * PLACE_BYTES)
}

/** What a date means that begins at `at`. */
export function setDate(at: usize, length: u32, midnightSeconds: f64): void {
  const date = v128.and(v128.load(at), maskOf(length, 0))
  const place = dateAt(date)
  v128.store(place, date)
  store<f64>(place, midnightSeconds, 16)
}

/** Where a date stands if it is known: its last digits differ most. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function dateAt(date: v128): usize {
  const mixed = i64x2.extract_lane(date, 0) * 0x9e3779b97f4a7c15 + i64x2.extract_lane(date, 1) * 0xc2b2ae3d27d4eb4f
  return dates + <u32>(mixed >>> 55) * DATE_BYTES
}

/**
 * Reads lines from `start` on until one is odd, or begins at `end`, or there is no room; answers how many.
 * The byte before `end` is a line feed. The other exports then tell about what was read.
 */
export function scan(start: usize, end: usize, most: u32): u32 {
  let at = start
  let row: u32 = 0
  missingCount = 0
  newDate = 0
  anyBare = false
  anyEmptyQuoted = false
  while (row < most && at < end && missingCount + 2 * ROLES <= mostMissing) {
    const missingBefore = missingCount
    const next = scanLine(at, row)
    if (next == 0) {
      missingCount = missingBefore
      break
    }
    at = next
    row += 1
  }
  stoppedAt = at
  return row
}

/** Where the line begins that was not read. */
export function getStoppedAt(): usize {
  return stoppedAt
}

/** Where the date begins that ended the scan, or 0. */
export function getNewDate(): usize {
  return newDate
}

export function getMissingCount(): u32 {
  return missingCount
}

/** 1: a line whose last cell is bare; 2: one whose last cell is empty inside quotes. */
export function getLastCells(): u32 {
  return (anyBare ? 1 : 0) | (anyEmptyQuoted ? 2 : 0)
}

/** Puts the codes of the missing texts, listed in `found`, where they belong, and remembers them. */
export function learn(found: usize): void {
  for (let index: u32 = 0; index < missingCount; index++) {
    const entry = missing + index * MISSING_BYTES
    const row = load<u32>(entry)
    const role = load<u32>(entry, 4)
    const code = load<u32>(found + (index << 2))
    store<u32>(codes + role * codesStride + (row << 2), code)
    const length = load<u32>(entry, 12)
    if (length <= LONGEST_KNOWN) teach(<i32>role, load<u32>(entry, 8), length, code)
  }
}

function teach(role: i32, from: usize, length: u32, code: u32): void {
  const first = v128.and(v128.load(from), maskOf(length, 0))
  const second = v128.and(v128.load(from, 16), maskOf(length, 16))
  const place = placeOf(role, first, second, length)
  v128.store(place, first)
  v128.store(place, second, 16)
  store<u32>(place + LENGTH_AT, length)
  store<u32>(place + CODE_AT, code)
}

/** Ones for the bytes of a text of at most 32 bytes that stand in its 16 bytes from `offset` on. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function maskOf(length: u32, offset: u32): v128 {
  return v128.load(masks + LONGEST_KNOWN - length + offset)
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function placeOf(role: i32, first: v128, second: v128, length: u32): usize {
  const mixed =
    (i64x2.extract_lane(first, 0) ^ length) * 0x9e3779b97f4a7c15 +
    (i64x2.extract_lane(first, 1) ^ i64x2.extract_lane(second, 0)) * 0xc2b2ae3d27d4eb4f +
    i64x2.extract_lane(second, 1) * 0x165667b19e3779f9
  const hash = <u32>((mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9 >>> 53)
  return known + (<u32>role * PLACES + hash) * PLACE_BYTES
}

/** Reads one line as row `row`; answers where the next line begins, or 0. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function scanLine(start: usize, row: u32): usize {
  const next = load<u8>(start) == QUOTE ? ODD : scanBareLine(start, row)
  return next == ODD ? scanAnyLine(start, row) : next
}

/**
 * What `scanBareLine` answers, where no line begins, for a line with quotes or with what is not printable:
 * it is to be read cell by cell. 0 is for a line that has none of the known shapes.
 */
const ODD: usize = 1

/** Of 64 bytes from some place on, a bit each: which end a cell, and which a bare line does not have. */
let ends: u64 = 0
let odds: u64 = 0

// @ts-ignore: a decorator of AssemblyScript
@inline
function classify(at: usize): void {
  const first = v128.load(at)
  const second = v128.load(at, 16)
  const third = v128.load(at, 32)
  const fourth = v128.load(at, 48)
  ends = bitsOf(endsIn(first), endsIn(second), endsIn(third), endsIn(fourth))
  odds = bitsOf(stops(first), stops(second), stops(third), stops(fourth)) & ~ends
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function bitsOf(first: v128, second: v128, third: v128, fourth: v128): u64 {
  const low = <u64>(<u32>i8x16.bitmask(first) | (<u32>i8x16.bitmask(second) << 16))
  const high = <u64>(<u32>i8x16.bitmask(third) | (<u32>i8x16.bitmask(fourth) << 16))
  return low | (high << 32)
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function endsIn(bytes: v128): v128 {
  return v128.or(i8x16.eq(bytes, i8x16.splat(COMMA)), i8x16.eq(bytes, i8x16.splat(LINE_FEED)))
}

/** A line without quotes that ends with a line feed. Where its cells end is known before they are read. */
function scanBareLine(start: usize, row: u32): usize {
  let base = start
  let from = start
  classify(base)
  const last = columns - 1
  for (let column: u32 = 0; column <= last; column++) {
    while (ends == 0) {
      if (odds != 0) return ODD
      base += 64
      classify(base)
    }
    const place = ctz(ends)
    // Whatever is odd before the end of the cell is in it, or in a cell before.
    if (ctz(odds) < place) return ODD
    ends &= ends - 1
    const end = base + <usize>place
    if (load<u8>(end) != (column < last ? COMMA : LINE_FEED)) return 0
    const role = load<i8>(columnRoles + column)
    if (role == TIME) {
      if (readTime(from, row) != end) return 0
    } else if (role == AMOUNT) {
      if (readUnits(from, row) != end) return 0
    } else if (!takeText(from, end, role, row)) return 0
    from = end + 1
  }
  if (<u32>(from - 1 - start) > lineBytes) return 0
  anyBare = true
  return from
}

/** The same for every shape that is known, cell by cell. */
function scanAnyLine(start: usize, row: u32): usize {
  let at = start
  const last = columns - 1
  for (let column: u32 = 0; column <= last; column++) {
    const role = load<i8>(columnRoles + column)
    const isQuoted = load<u8>(at) == QUOTE
    if (isQuoted) at += 1
    if (role == TIME) at = readTime(at, row)
    else if (role == AMOUNT) at = readUnits(at, row)
    else {
      const end = isQuoted ? endInQuotes(at) : endOfBare(at)
      at = takeText(at, end, role, row) ? end : 0
    }
    if (at == 0) return 0
    if (isQuoted) {
      if (load<u8>(at) != QUOTE) return 0
      at += 1
    }
    if (column < last) {
      if (load<u8>(at) != COMMA) return 0
      at += 1
    }
  }
  return lineEnd(start, at)
}

function lineEnd(start: usize, at: usize): usize {
  const feed = load<u8>(at) == RETURN ? at + 1 : at
  if (load<u8>(feed) != LINE_FEED || <u32>(feed - start) > lineBytes) return 0
  if (load<u8>(at - 1) != QUOTE) anyBare = true
  else if (load<u8>(at - 2) == QUOTE && load<u8>(at - 3) == COMMA) anyEmptyQuoted = true
  return feed + 1
}

/** Takes a cell of text; answers whether it is one. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function takeText(from: usize, end: usize, role: i8, row: u32): bool {
  const code = codes + <u32>role * codesStride + (row << 2)
  const length = <u32>(end - from)
  if (length == 0) {
    // Names must not be empty; a user id and a remark may.
    if (role >= WALLET && role <= ASSET) return false
    store<u32>(code, EMPTY_TEXT)
    return true
  }
  // Spaces around a name are cut off by the reader of rows; those of a remark stay.
  if (role != REMARK && (load<u8>(from) == SPACE || load<u8>(end - 1) == SPACE)) return false
  if (length <= LONGEST_KNOWN) {
    const first = v128.and(v128.load(from), maskOf(length, 0))
    const second = length <= 16 ? i64x2.splat(0) : v128.and(v128.load(from, 16), maskOf(length, 16))
    const place = placeOf(role, first, second, length)
    const unlike = v128.or(v128.xor(v128.load(place), first), v128.xor(v128.load(place, 16), second))
    if (load<u32>(place + LENGTH_AT) == length && !v128.any_true(unlike)) {
      store<u32>(code, load<u32>(place + CODE_AT))
      return true
    }
  }
  const entry = missing + missingCount * MISSING_BYTES
  store<u32>(entry, row)
  store<u32>(entry, role, 4)
  store<u32>(entry, <u32>from, 8)
  store<u32>(entry, length, 12)
  missingCount += 1
  return true
}

/** A cell ends before a control character, a quote, a comma, or what is not ASCII; a line feed at the latest. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function endOfBare(from: usize): usize {
  let at = from
  while (true) {
    const bytes = v128.load(at)
    const marks = i8x16.bitmask(v128.or(stops(bytes), i8x16.eq(bytes, i8x16.splat(COMMA))))
    if (marks != 0) return at + ctz(marks)
    at += 16
  }
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function endInQuotes(from: usize): usize {
  let at = from
  while (true) {
    const marks = i8x16.bitmask(stops(v128.load(at)))
    if (marks != 0) return at + ctz(marks)
    at += 16
  }
}

/** Which bytes are no printable ASCII, or a quote. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function stops(bytes: v128): v128 {
  const unprintable = i8x16.gt_u(i8x16.sub(bytes, i8x16.splat(SPACE)), i8x16.splat(126 - SPACE))
  return v128.or(unprintable, i8x16.eq(bytes, i8x16.splat(QUOTE)))
}

/** Reads `YYYY-MM-DD HH:MM:SS` or `YY-MM-DD HH:MM:SS`, microseconds since 1970; answers where it ended, or 0. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function readTime(at: usize, row: u32): usize {
  const length: u32 = load<u8>(at, 4) == DASH ? 10 : 8
  // Where no date stands yet there are zeros.
  if (load<u8>(at) == 0) return 0
  const date = v128.and(v128.load(at), maskOf(length, 0))
  const known = dateAt(date)
  if (v128.any_true(v128.xor(date, v128.load(known)))) {
    newDate = at
    return 0
  }
  const clock = at + length
  if (load<u8>(clock) != SPACE) return 0
  // What is left of `HH:MM:SS` are the values of the digits, a byte each, the first the lowest.
  const digits = load<u64>(clock, 1) ^ CLOCK
  if (((digits | (digits + CLOCK_CARRY)) & CLOCK_HIGH) != 0) return 0
  const pairs = digits * 10 + (digits >> 8)
  const hour = <u32>pairs & 255
  const minute = <u32>(pairs >> 24) & 255
  const second = <u32>(pairs >> 48) & 255
  if (hour > 23 || minute > 59 || second > 59) return 0
  const seconds = load<f64>(known, 16) + <f64>(hour * 3600 + minute * 60 + second)
  store<f64>(times + (row << 3), seconds * 1000000)
  return clock + 9
}

/** `00:00:00`. */
const CLOCK: u64 = 0x30303a30303a3030
/** Carries into the high half of the byte of what is above 9, or of a colon that is none. */
const CLOCK_CARRY: u64 = 0x06060f06060f0606
const CLOCK_HIGH: u64 = 0xf0f0f0f0f0f0f0f0

/** By number of decimals: what makes 10^-8 units of the digits. */
const powers = memory.data<u64>([100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1])
/** By number of decimals: the most digits whose units stay below 2^53. */
const limits = memory.data<u64>([
  90071992, 900719925, 9007199254, 90071992547, 900719925474, 9007199254740, 90071992547409, 900719925474099,
  9007199254740991,
])
const MOST_DIGITS: u32 = 18

const UNITS: u64 = 100000000
const MOST_UNITS: u64 = 9007199254740991

/**
 * Reads an amount as a whole number of 10^-8 units; answers where it ended, or 0 for what it does not know.
 * Up to eight digits before and behind the point are read at once, without a loop.
 */
// @ts-ignore: a decorator of AssemblyScript
@inline
function readUnits(start: usize, row: u32): usize {
  const sign = load<u8>(start)
  const at = sign == DASH ? start + 1 : start
  const others = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(ZERO)), i8x16.splat(9)))
  const wholes = <u32>ctz(others | 0x10000)
  if (wholes - 1 > 7 || load<u8>(at + wholes) != POINT) return readAnyUnits(start, row)
  const decimals = <u32>ctz((others >> (wholes + 1)) | 0x10000)
  const end = at + wholes + 1 + decimals
  // The vector ends behind 16 bytes: what it does not show is not read this way.
  if (decimals - 1 > 7 || wholes + decimals > 14 || load<u8>(end) == EXPONENT) return readAnyUnits(start, row)
  const whole = eightDigits(load<u64>(at) << ((8 - wholes) << 3))
  const fraction = eightDigits(load<u64>(at + wholes, 1) << ((8 - decimals) << 3)) * load<u64>(powers + (decimals << 3))
  const size = whole * UNITS + fraction
  if (size > MOST_UNITS) return 0
  store<f64>(amounts + (row << 3), sign == DASH && size != 0 ? -(<f64>size) : <f64>size)
  return end
}

/** Eight digits, a byte each, the first the lowest, as a number; what is no digit counts by its low half. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function eightDigits(text: u64): u64 {
  const twos = ((text & 0x0f0f0f0f0f0f0f0f) * 2561) >> 8
  const fours = ((twos & 0x00ff00ff00ff00ff) * 6553601) >> 16
  return ((fours & 0x0000ffff0000ffff) * 42949672960001) >> 32
}

/** The same for every shape that is known, digit by digit. */
function readAnyUnits(start: usize, row: u32): usize {
  let at = start
  const sign = load<u8>(at)
  if (sign == DASH || sign == PLUS) at += 1
  const first = at
  let digits: u64 = 0
  let digit = <u32>load<u8>(at) - ZERO
  while (digit <= 9) {
    digits = digits * 10 + digit
    digit = <u32>load<u8>(++at) - ZERO
  }
  let count = <u32>(at - first)
  if (count == 0) return 0
  let decimals: u32 = 0
  if (load<u8>(at) == POINT) {
    const point = at
    digit = <u32>load<u8>(++at) - ZERO
    while (digit <= 9) {
      digits = digits * 10 + digit
      digit = <u32>load<u8>(++at) - ZERO
    }
    decimals = <u32>(at - point) - 1
    count += decimals
  }
  // More digits may have passed 64 bits; zeros in front are rare enough for the reader of rows.
  if (count > MOST_DIGITS) return 0
  if (load<u8>(at) == EXPONENT) {
    // Java writes small values as `1E-8`; one digit of exponent is all it needs.
    if (load<u8>(at, 1) != DASH) return 0
    digit = <u32>load<u8>(at, 2) - ZERO
    if (digit > 9) return 0
    decimals += digit
    at += 3
  }
  if (decimals > 8) return 0
  if (digits > load<u64>(limits + (decimals << 3))) return 0
  // Zero has one form: without the sign.
  const size = <f64>(digits * load<u64>(powers + (decimals << 3)))
  store<f64>(amounts + (row << 3), sign == DASH && digits != 0 ? -size : size)
  return at
}
