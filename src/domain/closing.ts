/** That a person has closed a month, and what stood then. */
import { z } from 'zod'
import { VERDICTS } from './reconciliation.ts'

/** `closings/<provider>/<account>/<yyyy-mm>/<n>.json`: created once; a later one does not change it. */
export const closingRecord = z.object({
  provider: z.string(),
  account: z.string(),
  month: z.string(),
  number: z.number().int().positive(),
  at: z.iso.datetime(),
  by: z.string(),
  note: z.string(),
  /** What the month rested on: a day's object and the run that proved it. */
  days: z.array(
    z.object({
      day: z.string(),
      /** The report that published it; `null` where the provider makes none. */
      reportId: z.string().nullable(),
      /** SHA-256 of the report's file. */
      sha256: z.string().nullable(),
      run: z.number().int().positive().nullable(),
      verdict: z.enum(VERDICTS).nullable(),
      explained: z.number().int().nonnegative(),
    }),
  ),
})
export type ClosingRecord = z.infer<typeof closingRecord>

/** The days on which what stands now is not what stood at the closing. */
export function changedSince(closing: ClosingRecord, now: ClosingRecord['days']): string[] {
  const nowByDay = new Map(now.map(each => [each.day, each]))
  return closing.days
    .filter(then => {
      const each = nowByDay.get(then.day)
      return each?.reportId !== then.reportId || each.sha256 !== then.sha256 || each.run !== then.run
    })
    .map(({ day }) => day)
}
