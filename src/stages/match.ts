/**
 * Finds the request behind a report whose answer was lost: the id tells the second in which the report was
 * made, and exactly one unsettled slot must have been asked around it.
 */
import { monthOf } from '../domain/calendar.ts'
import { isUnsettled, type Slot } from '../domain/quota.ts'
import type { Account, Context } from './context.ts'

export type MatchOutcome =
  | { outcome: 'matched' }
  /** No unsettled slot fits: nobody here asked for this report. */
  | { outcome: 'no-match' }
  /** Several slots fit; the answers still under way, or a person, must tell them apart. */
  | { outcome: 'ambiguous'; slots: number }

type MatchContext = Pick<Context, 'ledger' | 'reports' | 'clock' | 'log'>

/** The id's second is cut off, clocks may differ by the provider's window, and a claim precedes its call. */
const BEFORE_MS = 3_000
const AFTER_MS = 60_000

export async function match(
  context: MatchContext,
  account: Account,
  reportId: string,
): Promise<MatchOutcome> {
  const { ledger, reports, clock } = context
  const known = await reports.read(account.ref, reportId, 'accepted')
  if (known !== undefined) {
    // The run that wrote this may have died before it settled the slot.
    const at = clock.now().toISOString()
    await ledger.settle(account.ref, known.slot.month, known.slot.number, {
      outcome: 'accepted',
      reportId,
      at,
    })
    return { outcome: 'matched' }
  }
  const madeAt = account.provider.reports?.createdAt(reportId)
  if (madeAt === undefined) return { outcome: 'no-match' }
  const slots = await ledger.month(account.ref, monthOf(madeAt))
  const candidates = slots.filter(
    slot => isSettledBy(slot, reportId) || (isUnsettled(slot) && fits(slot, madeAt)),
  )
  const slot = candidates.find(candidate => isSettledBy(candidate, reportId)) ?? candidates[0]
  if (slot === undefined) return { outcome: 'no-match' }
  if (candidates.length > 1 && !isSettledBy(slot, reportId))
    return { outcome: 'ambiguous', slots: candidates.length }
  return settle(context, account, reportId, slot)
}

function isSettledBy({ outcome }: Slot, reportId: string): boolean {
  return outcome?.outcome === 'accepted' && outcome.reportId === reportId
}

/** Whether a report made in the second of `madeAt` can be the one that `slot` asked for. */
function fits({ claim }: Slot, madeAt: Date): boolean {
  const waitedMs = madeAt.getTime() - new Date(claim.claimedAt).getTime()
  return -BEFORE_MS <= waitedMs && waitedMs <= AFTER_MS
}

/** The slot is settled first: one slot can only ever be settled by one report. */
async function settle(
  { ledger, reports, clock, log }: MatchContext,
  account: Account,
  reportId: string,
  { month, number, claim }: Slot,
): Promise<MatchOutcome> {
  const at = clock.now().toISOString()
  const standing = await ledger.settle(account.ref, month, number, { outcome: 'accepted', reportId, at })
  if (standing.outcome !== 'accepted' || standing.reportId !== reportId) return { outcome: 'no-match' }
  await reports.create(account.ref, reportId, 'accepted', {
    reportId,
    request: claim.request,
    slot: { month, number },
    askedAt: claim.claimedAt,
    via: 'match',
    answer: null,
    recordedAt: at,
  })
  log.warn('report.matched', { ...account.ref, reportId, month, slot: number })
  return { outcome: 'matched' }
}
