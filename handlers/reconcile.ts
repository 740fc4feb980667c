/** Holds the balances of a day, or of each of the last days, against each other and against its movements. */
import { addDays, type Day, dayOf } from '../src/domain/calendar.ts'
import { reconcile } from '../src/stages/reconcile.ts'
import { dayInput, eachAccount, hasBalances, type LambdaTime, readInput } from './each-account.ts'
import { start } from './start.ts'

/** A verdict may come days late, for reports do; a run that finds nothing new records nothing. */
const LAST_DAYS = 7

export const handler = async (event: unknown, lambda: LambdaTime) => {
  const daybook = await start()
  const { context, metrics } = daybook
  const { account: only, day } = readInput(dayInput, event)
  const days = day === undefined ? lastDays(dayOf(context.clock.now())) : [day]
  return eachAccount(daybook, lambda, { only, able: hasBalances }, async account => {
    let breaks = 0
    for (const each of days) {
      const { record } = await reconcile(context, account, { day: each, tolerances: new Map() })
      breaks += record.findings.filter(({ verdict }) => verdict === 'break').length
    }
    metrics({ ReconciliationBreaks: breaks }, account.ref)
    return { outcome: 'reconciled', days: days.length, breaks }
  })
}

function lastDays(today: Day): Day[] {
  return Array.from({ length: LAST_DAYS }, (_, back) => addDays(today, back - LAST_DAYS))
}
