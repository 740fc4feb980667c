/** Records what each account holds, and of a provider that tells days those that were missed; or one day. */
import { snapshotDue } from '../src/proving.ts'
import { snapshot } from '../src/stages/snapshot.ts'
import { dayInput, eachAccount, hasBalances, type LambdaTime, readInput } from './each-account.ts'
import { start } from './start.ts'

export const handler = async (event: unknown, lambda: LambdaTime) => {
  const daybook = await start()
  const { context } = daybook
  const { account: only, day } = readInput(dayInput, event)
  const { done, left } = await eachAccount(daybook, lambda, { only, able: hasBalances }, async account =>
    day === undefined
      ? snapshotDue(context, account)
      : [await snapshot(context, account, { day, reason: 'schedule' })],
  )
  return { done: done.flat(), left }
}
