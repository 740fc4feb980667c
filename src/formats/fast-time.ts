/** Times of the common shapes, `YYYY-MM-DD HH:MM:SS` and `YY-MM-DD HH:MM:SS`, read in place. */
import { readTime } from './time.ts'
import type { OffsetMinutes } from './zone.ts'

export interface FastTime {
  /**
   * Reads a time that begins at `start` into `times[row]`, in microseconds since 1970; answers where it
   * ended, or -1 for what it does not know.
   */
  read(bytes: Uint8Array, start: number, times: Float64Array, row: number): number
}

const ZERO = 48
const DASH = 45
const SPACE = 32
const COLON = 58
const LONG_DATE = 10
const SHORT_DATE = 8
const CLOCK = 9

export function fastTime(offset: OffsetMinutes): FastTime {
  const date = new Uint8Array(LONG_DATE)
  let dateLength = 0
  /** In seconds since 1970; a column, because a variable of a closure would be a new object for each number. */
  const midnight = new Float64Array(1)

  function read(bytes: Uint8Array, start: number, times: Float64Array, row: number): number {
    const length = bytes[start + 4] === DASH ? LONG_DATE : SHORT_DATE
    const clock = start + length
    if (clock + CLOCK > bytes.length) return -1
    if (!isSameDate(bytes, start, length) && !readDate(bytes, start, length)) return -1
    if (bytes[clock] !== SPACE || bytes[clock + 3] !== COLON || bytes[clock + 6] !== COLON) return -1
    const hour = pair(bytes, clock + 1)
    const minute = pair(bytes, clock + 4)
    const second = pair(bytes, clock + 7)
    if (!(hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60)) return -1
    times[row] = (midnight[0]! + hour * 3600 + minute * 60 + second) * 1_000_000
    return clock + CLOCK
  }

  function isSameDate(bytes: Uint8Array, start: number, length: number): boolean {
    if (length !== dateLength) return false
    for (let at = 0; at < length; at++) if (bytes[start + at] !== date[at]) return false
    return true
  }

  function readDate(bytes: Uint8Array, start: number, length: number): boolean {
    const seconds = readMidnight(bytes, start, length, offset)
    if (seconds === undefined) return false
    midnight[0] = seconds
    date.set(bytes.subarray(start, start + length))
    dateLength = length
    return true
  }

  return { read }
}

/** The midnight, in seconds since 1970, that a date begins with. It is rare, so the reader of rows says it. */
export function readMidnight(
  bytes: Uint8Array,
  start: number,
  length: number,
  offset: OffsetMinutes,
): number | undefined {
  const text = String.fromCharCode(...bytes.subarray(start, start + length))
  const micros = readTime(`${text} 00:00:00`, 0)
  if (typeof micros === 'string') return undefined
  return Number.parseInt((micros / 1_000_000n).toString(), 10) - offset * 60
}

/** Two digits as a number; -1 for anything else. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO
  const ones = bytes[at + 1]! - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}
