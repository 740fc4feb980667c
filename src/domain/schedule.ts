/**
 * When a job is due: every so often, or at the minutes that five fields name, in UTC:
 * minute, hour, day of month, month, day of week (0 or 7 is Sunday). A field is `*`, a number, a range
 * `1-5`, any of these with a step `0-59/15`, or several of them separated by commas. As in cron, a day is due
 * when either of its two fields names it, if both are restricted.
 */
import { z } from 'zod'

export type When =
  | { readonly everyMs: number }
  /** `jitterMs`: a run begins up to so much later, so that many machines do not begin at once. */
  | { readonly cron: CronTimes; readonly jitterMs: number }

export interface CronTimes {
  readonly text: string
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** Whether both day fields are restricted, so that either will do. */
  readonly eitherDay: boolean
}

/** What is known of a job's last run, by all processes together. */
export const jobRun = z.object({
  job: z.string(),
  /** The minute the run was due, for a job that is due at minutes; of all processes one takes it. */
  dueAt: z.iso.datetime().nullable(),
  begunAt: z.iso.datetime(),
  by: z.string(),
  /** `running` for ever when its process died. */
  outcome: z.enum(['running', 'done', 'failed']),
  /** How often this run has failed so far. */
  failures: z.number().int().min(0).default(0),
  says: z.string(),
  endedAt: z.iso.datetime().nullable(),
  /** When it is run again, or, where it failed and is tried again, when that is. */
  nextAt: z.iso.datetime().nullable(),
})
export type JobRun = z.infer<typeof jobRun>

/**
 * When the job runs next, as far as its record tells. A job that runs every so often writes down a run like the
 * one before only now and then, so a next run that is past says nothing about it; of a job that is due at
 * minutes it says that nobody ran it.
 */
export function nextRun({ dueAt, nextAt }: Pick<JobRun, 'dueAt' | 'nextAt'>, now: Date): string | null {
  return dueAt === null && nextAt !== null && nextAt < now.toISOString() ? null : nextAt
}

const FIELDS = [
  ['minutes', 0, 59],
  ['hours', 0, 23],
  ['days', 1, 31],
  ['months', 1, 12],
  ['weekdays', 0, 7],
] as const

/** Reads five fields, or answers `undefined` when they are not a schedule that ever comes. */
export function readCron(text: string): CronTimes | undefined {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== FIELDS.length) return undefined
  const sets = FIELDS.map(([, least, most], index) => readField(fields[index] ?? '', least, most))
  const [minutes, hours, days, months, weekdays] = sets
  if (!minutes || !hours || !days || !months || !weekdays) return undefined
  if (weekdays.has(7)) weekdays.add(0)
  const eitherDay = !fields[2]?.startsWith('*') && !fields[4]?.startsWith('*')
  const times = { text: fields.join(' '), minutes, hours, days, months, weekdays, eitherDay }
  return nextMinute(times, new Date(0)) === undefined ? undefined : times
}

function readField(text: string, least: number, most: number): Set<number> | undefined {
  const values = new Set<number>()
  for (const item of text.split(',')) {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(item)
    if (match === null) return undefined
    const [, first, last, step] = match.map(part =>
      part === undefined ? undefined : Number.parseInt(part, 10),
    )
    const from = first ?? least
    const to = last ?? (first === undefined || step !== undefined ? most : from)
    if (from < least || to > most || from > to || step === 0) return undefined
    for (let value = from; value <= to; value += step ?? 1) values.add(value)
  }
  return new Set([...values].sort((a, b) => a - b))
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** The longest wait there is: 29 February over a year that ends a century without one. */
const MOST_DAYS = 8 * 366 + 1

/** The first minute after `after` that the fields name; `undefined` when there is none. */
export function nextMinute(times: CronTimes, after: Date): Date | undefined {
  const first = Math.floor(after.getTime() / MINUTE_MS) * MINUTE_MS + MINUTE_MS
  let day = Math.floor(first / DAY_MS) * DAY_MS
  for (let days = 0; days < MOST_DAYS; days++, day += DAY_MS) {
    if (!isDayDue(times, new Date(day))) continue
    for (const hour of times.hours) {
      for (const minute of times.minutes) {
        const at = day + (hour * 60 + minute) * MINUTE_MS
        if (at >= first) return new Date(at)
      }
    }
  }
  return undefined
}

function isDayDue({ days, months, weekdays, eitherDay }: CronTimes, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false
  const byDate = days.has(day.getUTCDate())
  const byWeek = weekdays.has(day.getUTCDay())
  return eitherDay ? byDate || byWeek : byDate && byWeek
}

/** The last minute up to `now` that the fields name, if it lies within a week. */
export function lastMinute(times: CronTimes, now: Date): Date | undefined {
  let at = nextMinute(times, new Date(now.getTime() - 7 * DAY_MS))
  let last: Date | undefined
  while (at !== undefined && at <= now) {
    last = at
    at = nextMinute(times, at)
  }
  return last
}
