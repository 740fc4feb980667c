/** Which requests close gaps at the least cost in reports, when, and what a schedule asks for next. */
import {
  addDays,
  addMonths,
  type Day,
  type DayRange,
  daysBetween,
  type Month,
  monthOf,
  startOfDay,
} from './calendar.ts'
import { opensAt, turnOfMonth } from './quota.ts'

/** How often the newest days are asked for; `off`: only people ask. */
export const CADENCES = ['daily', 'weekly', 'monthly', 'off'] as const
export type Cadence = (typeof CADENCES)[number]

/** The most reports that each cadence spends in a month. */
export const CADENCE_COST: Readonly<Record<Cadence, number>> = { daily: 31, weekly: 5, monthly: 1, off: 0 }

/**
 * The fewest ranges of at most `maxDays` that hold all of `days`, which are in order. A range begins and
 * ends with a day that is wanted; between them it may hold others, because a day more costs nothing and a
 * report more does.
 *
 * Why none is fewer: the first day needs some range, and none that holds it reaches further than the one
 * that begins with it. So whatever another choice of ranges still has to hold, this one has to as well at
 * most; and so on from the first day that is left.
 */
export function fewestRanges(days: readonly Day[], maxDays: number): DayRange[] {
  const ranges: { start: Day; end: Day }[] = []
  for (const day of days) {
    const last = ranges.at(-1)
    if (last !== undefined && daysBetween(last.start, day) < maxDays) last.end = addDays(day, 1)
    else ranges.push({ start: day, end: addDays(day, 1) })
  }
  return ranges
}

/** A request and when the quota has room for it. */
export interface PlannedRequest {
  readonly range: DayRange
  readonly month: Month
  /** `null`: at once. */
  readonly from: Date | null
}

export interface Budget {
  readonly monthlyLimit: number
  /** Kept for people. */
  readonly reserve: number
  /** Slots of this month that count. */
  readonly spent: number
}

/** How many reports a plan may use: all of a month, and what is left of this one. */
export function usable({ monthlyLimit, reserve, spent }: Budget): { monthly: number; now: number } {
  const monthly = Math.max(0, monthlyLimit - reserve)
  return { monthly, now: Math.max(0, monthly - spent) }
}

/** Puts the ranges into this month and the coming ones, oldest first; those that never fit are left out. */
export function spreadOver(ranges: readonly DayRange[], budget: Budget, now: Date): PlannedRequest[] {
  const { monthly, now: left } = usable(budget)
  const turning = turnOfMonth(now)
  const month = monthOf(turning ?? now)
  // At the turn the month's own quota is not to be used any more, or is still whole.
  const first = turning !== undefined && month !== monthOf(now) ? monthly : left
  return ranges.flatMap((range, index) => {
    if (index < first) return [{ range, month, from: turning ?? null }]
    if (monthly === 0) return []
    const later = addMonths(month, 1 + Math.floor((index - first) / monthly))
    return [{ range, month: later, from: opensAt(addMonths(later, -1)) }]
  })
}

/**
 * What a schedule asks for when `newest` is the newest complete day: the newest whole period, and what was
 * missed before it since the last day that was asked for. Days that were asked for in vain are left to a
 * plan, so that a day that always fails takes no other with it. `undefined` when it has been asked for.
 */
export function dueRange(
  cadence: Cadence,
  newest: Day,
  asked: ReadonlySet<Day>,
  maxDays: number,
): DayRange | undefined {
  if (cadence === 'off') return undefined
  const { start, end } = newestPeriod(cadence, addDays(newest, 1))
  if (asked.has(addDays(end, -1))) return undefined
  for (let from = addDays(end, -1); daysBetween(from, end) <= maxDays; from = addDays(from, -1)) {
    if (asked.has(addDays(from, -1))) return { start: from < start ? from : start, end }
  }
  return { start, end }
}

/** The newest whole day, week from Monday, or month that ends at `end` or before. */
export function newestPeriod(cadence: Exclude<Cadence, 'off'>, end: Day): DayRange {
  switch (cadence) {
    case 'daily':
      return { start: addDays(end, -1), end }
    case 'weekly': {
      const sinceMonday = (startOfDay(end).getUTCDay() + 6) % 7
      const monday = addDays(end, -sinceMonday)
      return { start: addDays(monday, -7), end: monday }
    }
    case 'monthly': {
      const month = end.slice(0, 7)
      return { start: `${addMonths(month, -1)}-01`, end: `${month}-01` }
    }
  }
}
