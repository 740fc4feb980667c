/** What is measured of an account after it was asked for reports. */
import { addDays, dayOf, daysBetween } from '../src/domain/calendar.ts'
import { makePlan } from '../src/planning.ts'
import type { WiredAccount } from '../src/wiring.ts'
import type { Started } from './start.ts'

/** How far back gaps are counted. */
const SEEN_DAYS = 31

/** Quota and gaps, as a plan for the last days sees them. */
export async function measureAccount({ context, metrics }: Started, account: WiredAccount): Promise<void> {
  const from = addDays(dayOf(context.clock.now()), -SEEN_DAYS)
  const { open, budget } = await makePlan(context, account, { from })
  metrics(
    {
      QuotaUsed: budget.spent,
      QuotaLimit: budget.monthlyLimit,
      QuotaUsedPercent: Math.round((100 * budget.spent) / budget.monthlyLimit),
      CoverageGapDays: open.reduce((days, { start, end }) => days + daysBetween(start, end), 0),
    },
    account.ref,
  )
}
