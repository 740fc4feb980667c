/** UTC days, months and half-open ranges of days. Nothing here reads a clock or a host's zone. */

/** A UTC day, `YYYY-MM-DD`. Days compare as text. */
export type Day = string

/** A UTC month, `YYYY-MM`. Months compare as text. */
export type Month = string

/** The days from `start` up to, not including, `end`. */
export interface DayRange {
  readonly start: Day
  readonly end: Day
}

const DAY_MS = 86_400_000
const DAY_MICROS = 86_400_000_000n
const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Whether `text` names a day that exists. */
export function isDay(text: string): text is Day {
  return DAY.test(text) && dayOf(new Date(`${text}T00:00:00Z`)) === text
}

/** The UTC day of an instant; `''` for an invalid date. */
export function dayOf(instant: Date): Day {
  return Number.isNaN(instant.getTime()) ? '' : instant.toISOString().slice(0, 10)
}

/** The UTC day of an instant in microseconds since 1970. */
export function dayOfMicros(micros: bigint): Day {
  const days = micros >= 0n ? micros / DAY_MICROS : (micros - DAY_MICROS + 1n) / DAY_MICROS
  return dayOf(new Date(Number(days) * DAY_MS))
}

/** The first instant of a day. */
export function startOfDay(day: Day): Date {
  return new Date(`${day}T00:00:00Z`)
}

/** The first instant of a day in microseconds since 1970. */
export function startOfDayMicros(day: Day): bigint {
  return BigInt(startOfDay(day).getTime()) * 1000n
}

/** The day `count` days after `day` (before it when negative). */
export function addDays(day: Day, count: number): Day {
  return dayOf(new Date(startOfDay(day).getTime() + count * DAY_MS))
}

/** How many days `to` lies after `from`. */
export function daysBetween(from: Day, to: Day): number {
  return (startOfDay(to).getTime() - startOfDay(from).getTime()) / DAY_MS
}

/** Every day of a range, in order. */
export function daysOf(range: DayRange): Day[] {
  return Array.from({ length: Math.max(0, daysBetween(range.start, range.end)) }, (_, index) =>
    addDays(range.start, index),
  )
}

/** Whether `range` covers `day`. */
export function covers(range: DayRange, day: Day): boolean {
  return range.start <= day && day < range.end
}

/** Whether two ranges have a day in common. */
export function overlap(a: DayRange, b: DayRange): boolean {
  return a.start < b.end && b.start < a.end
}

/** The UTC month of an instant. */
export function monthOf(instant: Date): Month {
  return instant.toISOString().slice(0, 7)
}

/** The first instant of a month. */
export function startOfMonth(month: Month): Date {
  return startOfDay(`${month}-01`)
}

/** The month `count` months after `month` (before it when negative). */
export function addMonths(month: Month, count: number): Month {
  const first = startOfMonth(month)
  first.setUTCMonth(first.getUTCMonth() + count)
  return monthOf(first)
}

/** The days of a month. */
export function rangeOfMonth(month: Month): DayRange {
  return { start: `${month}-01`, end: `${addMonths(month, 1)}-01` }
}
