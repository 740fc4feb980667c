/** Holds the balances of a day, or of the last days that are due, against each other and against its movements. */
import { reconcileDue } from '../src/proving.ts'
import { reconcile } from '../src/stages/reconcile.ts'
import { dayInput, eachAccount, hasBalances, type LambdaTime, readInput } from './each-account.ts'
import { start } from './start.ts'

export const handler = async (event: unknown, lambda: LambdaTime) => {
  const daybook = await start()
  const { context, metrics } = daybook
  const { account: only, day } = readInput(dayInput, event)
  return eachAccount(daybook, lambda, { only, able: hasBalances }, async account => {
    const records =
      day === undefined
        ? await reconcileDue(context, account)
        : [(await reconcile(context, account, { day, tolerances: new Map() })).record]
    // A day that adds up is not looked at again, and one with a break is, so these are all there are.
    const breaks = records.flatMap(({ findings }) => findings).filter(({ verdict }) => verdict === 'break')
    metrics({ ReconciliationBreaks: breaks.length }, account.ref)
    return { outcome: 'reconciled', days: records.length, breaks: breaks.length }
  })
}
