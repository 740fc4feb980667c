/** Rows in the table's order, cut where the day changes. */
import type { Day } from '../domain/calendar.ts'
import type { OrderedRows } from './row-group.ts'

export interface DaySpan {
  readonly day: Day
  readonly start: number
  readonly end: number
}

export function* daySpans(
  { batch, order }: OrderedRows,
  from: number,
  to: number,
  dayOf: (micros: number) => Day,
): Generator<DaySpan> {
  const dayAt = (index: number) => dayOf(batch.time[order[index]!]!)
  for (let start = from; start < to; ) {
    const day = dayAt(start)
    const end = dayAt(to - 1) === day ? to : firstAfter(start, to, index => dayAt(index) !== day)
    yield { day, start, end }
    start = end
  }
}

/** The first index from `start` on where `holds` becomes true, by bisection. */
function firstAfter(start: number, end: number, holds: (index: number) => boolean): number {
  let [low, high] = [start, end]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
