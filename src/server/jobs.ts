/** What one machine does by itself, and when: the list of `daybook serve`'s jobs. */
import type { Account, Context } from '../stages/context.ts'
import { type SweepOutcome, sweep } from '../sweep.ts'
import type { Job } from './scheduler.ts'

export interface JobSettings {
  readonly sweepEveryMs: number
}

export function jobsOf(context: Context, accounts: readonly Account[], settings: JobSettings): Job[] {
  return [
    {
      name: 'sweep',
      when: { everyMs: settings.sweepEveryMs },
      run: async signal => sweepText(await sweep(context, accounts, { signal })),
    },
  ]
}

/** `2 finished, 1 tried, 3 waiting` */
export function sweepText({ finished, tried, waiting, left }: SweepOutcome): string {
  const parts = [
    [finished, 'finished'],
    [tried, 'tried'],
    [waiting, 'waiting'],
    [left, 'left for later'],
  ] as const
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  return told.length === 0 ? 'nothing unfinished' : told.join(', ')
}
