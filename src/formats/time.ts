/** A row's time: text to microseconds. What could mean two instants is refused, never guessed. */
import type { OffsetMinutes } from './zone.ts'

export type TimeFault =
  | 'time-empty'
  | 'time-malformed'
  | 'time-ambiguous'
  | 'time-incomplete'
  | 'time-impossible'
  | 'time-too-precise'

/** Year first, with two or four digits: `2026-01-04 10:00:00`, `26-01-04 10:00:00.25`. */
const YEAR_FIRST = /^(\d{4}|\d{2})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$/

/** What a spreadsheet makes of it: a day or a month may stand first. */
const SLASHED = /^\d{1,4}[/.]\d{1,2}[/.]\d{1,4}\b/

/** A date alone, or a time without its seconds. */
const CUT_SHORT = /^(?:\d{4}|\d{2})-\d{2}-\d{2}(?: \d{2}:\d{2})?$/

const MINUTE_MS = 60_000

/** The instant of a local time `offset` minutes east of UTC, in microseconds since 1970. */
export function readTime(text: string, offset: OffsetMinutes): bigint | TimeFault {
  const match = YEAR_FIRST.exec(text)
  if (match === null) return faultOf(text)
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map(part => Number.parseInt(part, 10)) as Six
  const fullYear = match[1]!.length === 2 ? 2000 + year : year
  const millis = Date.UTC(fullYear, month - 1, day, hour, minute, second)
  if (!isPossible([fullYear, month, day, hour, minute, second], millis)) return 'time-impossible'
  const fraction = (match[7] ?? '').padEnd(6, '0')
  if (/[1-9]/.test(fraction.slice(6))) return 'time-too-precise'
  return BigInt(millis - offset * MINUTE_MS) * 1000n + BigInt(fraction.slice(0, 6))
}

type Six = [number, number, number, number, number, number]

/** Whether the calendar has this time: `Date` carries 30 February over into March. */
function isPossible([year, month, , hour, minute, second]: Six, millis: number): boolean {
  return (
    year >= 2000 &&
    year < 2100 &&
    new Date(millis).getUTCMonth() === month - 1 &&
    hour < 24 &&
    minute < 60 &&
    second < 60
  )
}

function faultOf(text: string): TimeFault {
  if (text === '') return 'time-empty'
  if (SLASHED.test(text)) return 'time-ambiguous'
  return CUT_SHORT.test(text) ? 'time-incomplete' : 'time-malformed'
}
