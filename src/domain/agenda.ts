/**
 * Which of an account's reports are unfinished, without looking at those that are finished.
 *
 * Whatever arrives of a report first leaves a mark under the day of its arrival. The agenda says up to which
 * day the marks have been taken in, and which of those reports are still open; so a sweep reads the agenda,
 * the marks of the last two days, and the open reports. It is a cache: without it, everything is listed once.
 *
 * A mark is made before the record it stands for, by the clock of whoever writes the record. Marks of a day
 * are therefore read again until a whole further day has passed.
 */
import { z } from 'zod'
import { addDays, type Day, dayOf } from './calendar.ts'
import { type Duration, MOST_DURATIONS } from './polling.ts'

const count = z.number().int().nonnegative()

export const agendaRecord = z.object({
  /** Marks of earlier days are taken in. */
  from: z.string(),
  open: z.array(z.string()),
  /** Reports with a mark since `from` that are parsed, so that they need not be looked at again. */
  parsed: z.array(z.string()),
  /** How long the newest reports took. */
  durations: z.array(z.object({ ms: count, by: z.enum(['callback', 'query']) })),
})
export type Agenda = z.infer<typeof agendaRecord>

/** More days than this are not listed one by one: everything is. */
const MOST_DAYS = 62

/** The days whose marks are to be read, or `undefined` when the agenda is too old or ahead of time. */
export function daysToRead({ from }: Agenda, now: Date): Day[] | undefined {
  const days: Day[] = []
  for (let day = from; day <= dayOf(now); day = addDays(day, 1)) {
    if (days.push(day) > MOST_DAYS) return undefined
  }
  return days.length === 0 ? undefined : days
}

/** What a sweep found out: every report it had to consider, and what of it is known. */
export interface AgendaNews {
  /** Reports with marks, and the last day that has one. */
  readonly marks: ReadonlyMap<string, Day>
  readonly open: ReadonlySet<string>
  readonly parsed: ReadonlySet<string>
  readonly durations: readonly Duration[]
}

/** The agenda after a sweep. */
export function nextAgenda(now: Date, { marks, open, parsed, durations }: AgendaNews): Agenda {
  const from = addDays(dayOf(now), -1)
  const recent = (reportId: string) => (marks.get(reportId) ?? '') >= from
  return {
    from,
    open: [...open].sort(),
    parsed: [...parsed].filter(recent).sort(),
    durations: durations.slice(-MOST_DURATIONS),
  }
}
