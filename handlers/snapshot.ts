/** Records what each account holds, or held on a day. */
import { snapshot } from '../src/stages/snapshot.ts'
import { dayInput, eachAccount, hasBalances, type LambdaTime, readInput } from './each-account.ts'
import { start } from './start.ts'

export const handler = async (event: unknown, lambda: LambdaTime) => {
  const daybook = await start()
  const { account: only, day } = readInput(dayInput, event)
  const input = { reason: 'schedule', ...(day === undefined ? {} : { day }) }
  return eachAccount(daybook, lambda, { only, able: hasBalances }, account =>
    snapshot(daybook.context, account, input),
  )
}
