/** Finishes what is unfinished and due, account by account. */
import { z } from 'zod'
import { openReports, sweep } from '../src/sweep.ts'
import { eachAccount, type LambdaTime, makesReports, readInput } from './each-account.ts'
import { start } from './start.ts'

const sweepInput = z.strictObject({ account: z.string().optional() })

export const handler = async (event: unknown, lambda: LambdaTime) => {
  const daybook = await start()
  const { context, metrics } = daybook
  const { account: only } = readInput(sweepInput, event)
  return eachAccount(daybook, lambda, { only, able: makesReports }, async (account, signal) => {
    const outcome = await sweep(context, [account], { signal })
    const { open, oldestAt } = await openReports(context, account)
    const ageMs = oldestAt === undefined ? 0 : context.clock.now().getTime() - oldestAt.getTime()
    metrics(
      { OpenReports: open, OldestUnfinishedSeconds: Math.max(0, Math.round(ageMs / 1000)) },
      account.ref,
    )
    return { outcome: 'swept', ...outcome }
  })
}
