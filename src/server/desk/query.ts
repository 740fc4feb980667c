/** What comes in a query or a form, read by schemas. A fault is the sender's and told in words. */
import { z } from 'zod'
import type { AccountBook, Book } from '../../console/book.ts'
import { addDays, type DayRange, daysBetween, isDay } from '../../domain/calendar.ts'
import { DaybookError } from '../../domain/errors.ts'
import { isSafeSegment } from '../../domain/keys.ts'

/** Outside of this century there are no reports, and years below 100 or above 9999 cannot be reckoned with. */
const isAskable = (day: string) => day.startsWith('20') && isDay(day)
export const dayField = z.string().refine(isAskable, 'expected a day such as 2026-10-31')
export const monthField = z
  .string()
  .refine(text => isAskable(`${text}-01`), 'expected a month such as 2026-10')

/** More days than these keep the process, which takes callbacks too, busy for seconds. */
export const MOST_DAYS = 1_100

/** The days of a query; both ends count. Throws `usage-invalid` for more than `MOST_DAYS`. */
export function daysAsked(from: string, to: string): DayRange {
  if (daysBetween(from, to) < MOST_DAYS) return { start: from, end: addDays(to, 1) }
  throw new DaybookError('usage-invalid', `Expected at most ${MOST_DAYS} days.`)
}
export const accountField = z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'expected provider/account')

/** A form leaves fields empty that nobody filled in. */
export function optional<S extends z.ZodType>(schema: S) {
  return z.preprocess(value => (value === '' ? undefined : value), schema.optional())
}

/** Throws `usage-invalid` that names every fault. */
export function readFields<S extends z.ZodType>(schema: S, fields: unknown): z.infer<S> {
  const read = schema.safeParse(fields)
  if (read.success) return read.data
  throw new DaybookError('usage-invalid', z.prettifyError(read.error))
}

/** The account that a query names, or the first one. Throws `not-found`. */
export function accountIn(book: Book, query: unknown): AccountBook {
  const { account } = readFields(z.object({ account: optional(accountField) }), query)
  const [first] = book.accounts
  if (account === undefined && first !== undefined) return first
  const [provider = '', name = ''] = account?.split('/') ?? []
  return book.find({ provider, account: name })
}

/** The account that a path names. */
export function accountAt(book: Book, params: Record<string, string | string[] | undefined>): AccountBook {
  const { provider, account } = readFields(z.object({ provider: z.string(), account: z.string() }), params)
  return book.find({ provider, account })
}

/** An id that can stand in a key: no path leads out of it. Throws `not-found`. */
export function reportIdIn(params: Record<string, string | string[] | undefined>): string {
  const { reportId } = params
  if (typeof reportId === 'string' && isSafeSegment(reportId)) return reportId
  throw new DaybookError('not-found', 'There is no such report.')
}
