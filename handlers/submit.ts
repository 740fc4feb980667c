/** Asks for what the schedule of each account has due, or for the days that the input names. */
import { z } from 'zod'
import { addDays } from '../src/domain/calendar.ts'
import { DaybookError } from '../src/domain/errors.ts'
import { askDue } from '../src/planning.ts'
import { submit } from '../src/stages/submit.ts'
import { measureAccount } from './account-metrics.ts'
import { dayText, eachAccount, isPlannable, type LambdaTime, readInput } from './each-account.ts'
import { start } from './start.ts'

const days = z.strictObject({ account: z.string(), from: dayText, to: dayText })
const schedule = z.strictObject({ account: z.string().optional() })

export const handler = async (event: unknown, lambda: LambdaTime) => {
  const daybook = await start()
  const input = readInput(z.union([days, schedule]), event)
  const request = 'from' in input && {
    range: { start: input.from, end: addDays(input.to, 1) },
    wallets: 'all' as const,
  }
  return eachAccount(daybook, lambda, { only: input.account, able: isPlannable }, async account => {
    const asked = request
      ? await submit(daybook.context, account, { request, reason: 'handler', again: false })
      : await askDue(daybook.context, account)
    await measureAccount(daybook, account)
    const outcome = 'submit' in asked ? asked.submit : asked
    if (outcome.outcome !== 'rejected') return { ...account.ref, ...outcome }
    throw new DaybookError('provider-refused', `${outcome.code}: ${outcome.says}`)
  })
}
