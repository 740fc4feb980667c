/**
 * Finds the request behind a report whose answer was lost: the id tells the second in which the report was
 * made, and the unsettled slots claimed around it must all ask the same question.
 */
import { monthOf } from '../domain/calendar.ts'
import { isUnsettled, type Slot } from '../domain/quota.ts'
import { type AcceptedRecord, sameRequest } from '../domain/report.ts'
import type { Account, Context } from './context.ts'

export type MatchOutcome =
  | { outcome: 'matched' }
  /** No unsettled slot fits: nobody here asked for this report. */
  | { outcome: 'no-match' }
  /** The one slot that fits belongs to a process that may still get its answer. */
  | { outcome: 'answer-awaited'; slot: number }
  /** Several slots with different questions fit, and nothing tells them apart. */
  | { outcome: 'ambiguous'; slots: number[] }

type MatchContext = Pick<Context, 'ledger' | 'reports' | 'clock' | 'log' | 'mayBeAlive'>

/** Longer than any call takes: after it, an answer that is not recorded never will be. */
const ANSWER_PATIENCE_MS = 120_000

/** The id's second is cut off, clocks may differ by the provider's window, and a claim precedes its call. */
const BEFORE_MS = 3_000
const AFTER_MS = 60_000

export async function match(
  context: MatchContext,
  account: Account,
  reportId: string,
): Promise<MatchOutcome> {
  const known = await context.reports.read(account.ref, reportId, 'accepted')
  if (known !== undefined) {
    await settleKnown(context, account, known)
    return { outcome: 'matched' }
  }
  const madeAt = account.provider.reports?.createdAt(reportId)
  if (madeAt === undefined) return { outcome: 'no-match' }
  const slots = await context.ledger.month(account.ref, monthOf(madeAt))
  const settled = slots.find(slot => isSettledBy(slot, reportId))
  if (settled !== undefined) return settle(context, account, reportId, settled)
  const candidates = slots.filter(slot => isUnsettled(slot) && fits(slot, madeAt))
  const slot = nearest(candidates, madeAt)
  if (slot === undefined) return { outcome: 'no-match' }
  if (!candidates.every(({ claim }) => sameRequest(claim.request, slot.claim.request))) {
    return { outcome: 'ambiguous', slots: candidates.map(({ number }) => number) }
  }
  if (awaitsAnswer(context, slot)) return { outcome: 'answer-awaited', slot: slot.number }
  if (!(await isOurs(account, reportId))) return { outcome: 'no-match' }
  return settle(context, account, reportId, slot)
}

/**
 * Whether the provider knows the report as this account's. A signature says who signed, not for whom: one
 * key may sign for every merchant, so a callback alone must not claim a slot.
 */
async function isOurs({ provider }: Account, reportId: string): Promise<boolean> {
  const status = await provider.reports?.query(reportId)
  return status !== undefined && status.status !== 'absent'
}

/** The run that wrote the record may have died before it settled the slot. */
async function settleKnown(
  { ledger, clock }: MatchContext,
  { ref }: Account,
  { reportId, slot }: AcceptedRecord,
): Promise<void> {
  if (slot === null) return
  const at = clock.now().toISOString()
  await ledger.settle(ref, slot.month, slot.number, { outcome: 'accepted', reportId, at })
}

/** Whether the claimant is still waiting: its answer will say what no guess by time can. */
function awaitsAnswer({ clock, mayBeAlive }: MatchContext, { claim, outcome }: Slot): boolean {
  if (outcome !== undefined) return false
  const waitedMs = clock.now().getTime() - new Date(claim.claimedAt).getTime()
  return waitedMs < ANSWER_PATIENCE_MS && mayBeAlive(claim.by)
}

function isSettledBy({ outcome }: Slot, reportId: string): boolean {
  return outcome?.outcome === 'accepted' && outcome.reportId === reportId
}

/** Whether a report made in the second of `madeAt` can be the one that `slot` asked for. */
function fits({ claim }: Slot, madeAt: Date): boolean {
  const waitedMs = madeAt.getTime() - new Date(claim.claimedAt).getTime()
  return -BEFORE_MS <= waitedMs && waitedMs <= AFTER_MS
}

/** The slot claimed closest to the second of `madeAt`. Where all ask the same question it matters little which. */
function nearest(slots: readonly Slot[], madeAt: Date): Slot | undefined {
  const distance = ({ claim }: Slot) => Math.abs(madeAt.getTime() - new Date(claim.claimedAt).getTime())
  return slots.toSorted((a, b) => distance(a) - distance(b))[0]
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
    ...(standing.settledBy === undefined ? { via: 'match' } : { via: 'settle', by: standing.settledBy }),
    answer: null,
    recordedAt: at,
  })
  log.warn('report.matched', { ...account.ref, reportId, month, slot: number })
  return { outcome: 'matched' }
}
