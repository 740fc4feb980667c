/** Days on the command line: `--day`, `--month`, or `--from` and `--to`, both of which count. */
import { InvalidArgumentError, Option } from 'commander'
import { addDays, type Day, type DayRange, isDay, rangeOfMonth } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'

export interface DayOptions {
  readonly day?: string
  readonly month?: string
  readonly from?: string
  readonly to?: string
}

export function dayOptions(): Option[] {
  return [
    new Option('--day <day>', 'one day, YYYY-MM-DD (UTC)').argParser(readDay),
    new Option('--month <month>', 'one month, YYYY-MM').argParser(readMonth).conflicts('day'),
    new Option('--from <day>', 'the first day').argParser(readDay).conflicts(['day', 'month']),
    new Option('--to <day>', 'the last day; it counts').argParser(readDay).conflicts(['day', 'month']),
  ]
}

export function readDay(text: string): string {
  if (isDay(text)) return text
  throw new InvalidArgumentError('Expected a day such as 2026-10-31.')
}

export function readMonth(text: string): string {
  if (isDay(`${text}-01`)) return text
  throw new InvalidArgumentError('Expected a month such as 2026-10.')
}

/** The half-open range that the options name. Throws `usage-invalid` when they name none. */
export function rangeOf({ day, month, from, to }: DayOptions): DayRange {
  if (day !== undefined) return { start: day, end: addDays(day, 1) }
  if (month !== undefined) return rangeOfMonth(month)
  if (from !== undefined && to !== undefined) {
    if (from <= to) return { start: from, end: addDays(to, 1) }
    throw new DaybookError('usage-invalid', `--to ${to} lies before --from ${from}.`)
  }
  if (from !== undefined) throw new DaybookError('usage-invalid', '--from needs --to, the last day.')
  if (to !== undefined) throw new DaybookError('usage-invalid', '--to needs --from, the first day.')
  throw new DaybookError('usage-invalid', 'Which days? Say --day, --month, or --from and --to.')
}

/** From `first` up to and with `last`, for options that have defaults. Throws `usage-invalid` when turned round. */
export function rangeBetween(first: Day, last: Day): DayRange {
  if (first <= last) return { start: first, end: addDays(last, 1) }
  throw new DaybookError('usage-invalid', `The last day, ${last}, lies before the first, ${first}.`)
}

/** `2026-10-01 to 2026-10-31` or one day, as people read ranges: both ends count. */
export function daysText({ start, end }: DayRange): string {
  const last = addDays(end, -1)
  return start === last ? start : `${start} to ${last}`
}
