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
 * The fewest ranges of at most `maxDays` that hold all of `days`, which are in order; of several choices as
 * few, the one that asks for the fewest days. A range begins and ends with a day that is wanted; others in
 * between are asked for again only where that saves a report.
 *
 * Why nothing is cheaper: ranges that overlap can be cut apart without asking for more, so the cheapest
 * choice divides the days into runs, and for each day the cheapest division of all days from it on is built
 * from those of later days. It depends on nothing before that day: so when the first range has been asked
 * for, a new plan is what is left of the old one.
 */
export function fewestRanges(days: readonly Day[], maxDays: number): DayRange[] {
  /** The cheapest division of the days from each index on: its price, and where its first range ends. */
  const best: { reports: number; days: number; next: number }[] = []
  best[days.length] = { reports: 0, days: 0, next: days.length }
  for (let first = days.length - 1; first >= 0; first--) {
    for (let last = first; last < days.length; last++) {
      const span = daysBetween(days[first]!, days[last]!) + 1
      if (span > maxDays) break
      const rest = best[last + 1]!
      const price = { reports: rest.reports + 1, days: rest.days + span, next: last + 1 }
      const known = best[first]
      if (known === undefined || isCheaper(price, known)) best[first] = price
    }
  }
  const ranges: DayRange[] = []
  for (let first = 0; first < days.length; first = best[first]!.next) {
    ranges.push({ start: days[first]!, end: addDays(days[best[first]!.next - 1]!, 1) })
  }
  return ranges
}

/** Of two that cost the same, the one whose first range reaches further. */
function isCheaper(a: { reports: number; days: number }, b: { reports: number; days: number }): boolean {
  return a.reports === b.reports ? a.days <= b.days : a.reports < b.reports
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
