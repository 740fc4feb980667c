/**
 * Settles a slot whose answer was lost, by what a person found out: which report it led to, or that none was
 * made. Who said so and why stands in the slot, and the first word stands for good.
 */
import type { Month } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { isUnsettled, type Slot, type SlotOutcome } from '../domain/quota.ts'
import type { Account, Context } from './context.ts'

export interface SettleInput {
  readonly month: Month
  readonly slot: number
  /** The report that the slot led to; `undefined`: none was made, and the slot is given back. */
  readonly reportId: string | undefined
  readonly by: string
  readonly why: string
}

export type SettleOutcome =
  | { outcome: 'settled'; slot: Slot; standing: SlotOutcome }
  /** It was settled before, by an answer, a callback or a person; that stands. */
  | { outcome: 'already-settled'; slot: Slot; standing: SlotOutcome }
  /** Its process may still be waiting for the answer. */
  | { outcome: 'answer-awaited'; slot: Slot }
  /** The report belongs to another slot. */
  | { outcome: 'other-slot'; month: Month; slot: number }

type SettleContext = Pick<Context, 'ledger' | 'reports' | 'clock' | 'log' | 'mayBeAlive'>

/** Longer than any call takes: after it, an answer that is not recorded never will be. */
const ANSWER_PATIENCE_MS = 120_000

export async function settle(
  context: SettleContext,
  { ref }: Account,
  input: SettleInput,
): Promise<SettleOutcome> {
  const { ledger, reports, clock, log } = context
  const { month, reportId, by, why } = input
  const slots = await ledger.month(ref, month)
  const slot = slots.find(({ number }) => number === input.slot)
  if (slot === undefined) throw new DaybookError('not-found', `There is no slot ${input.slot} in ${month}.`)
  if (!isUnsettled(slot) && slot.outcome !== undefined) {
    // The run that settled it may have died before it wrote down the report.
    if (slot.outcome.outcome === 'accepted' && slot.outcome.reportId === reportId)
      await recordRequest(context, ref, slot, reportId, slot.outcome.settledBy ?? by)
    return { outcome: 'already-settled', slot, standing: slot.outcome }
  }
  if (awaitsAnswer(context, slot)) return { outcome: 'answer-awaited', slot }
  if (reportId !== undefined) {
    const accepted = await reports.read(ref, reportId, 'accepted')
    const theirs = accepted?.slot
    if (theirs != null && (theirs.month !== month || theirs.number !== slot.number))
      return { outcome: 'other-slot', month: theirs.month, slot: theirs.number }
    // Before the slot, so that a run which dies after it leaves a report that a sweep looks at.
    await reports.mark(ref, reportId, clock.now())
  }
  const said = { at: clock.now().toISOString(), settledBy: by, why }
  const outcome: SlotOutcome =
    reportId === undefined
      ? { outcome: 'rejected', code: 'settled', says: 'no report was made', ...said }
      : { outcome: 'accepted', reportId, ...said }
  const standing = await ledger.settle(ref, month, slot.number, outcome)
  if (!isSame(standing, outcome)) return { outcome: 'already-settled', slot, standing }
  if (reportId !== undefined) await recordRequest(context, ref, slot, reportId, by)
  log.warn('slot.settled', { ...ref, month, slot: slot.number, outcome: outcome.outcome, reportId, by })
  return { outcome: 'settled', slot, standing }
}

async function recordRequest(
  { reports, clock }: SettleContext,
  ref: Account['ref'],
  { month, number, claim }: Slot,
  reportId: string,
  by: string,
): Promise<void> {
  await reports.create(ref, reportId, 'accepted', {
    reportId,
    request: claim.request,
    slot: { month, number },
    askedAt: claim.claimedAt,
    via: 'settle',
    answer: null,
    recordedAt: clock.now().toISOString(),
    by,
  })
}

function isSame(standing: SlotOutcome, said: SlotOutcome): boolean {
  if (standing.outcome !== said.outcome || standing.at !== said.at) return false
  return standing.outcome !== 'accepted' || said.outcome !== 'accepted' || standing.reportId === said.reportId
}

function awaitsAnswer({ clock, mayBeAlive }: SettleContext, { claim, outcome }: Slot): boolean {
  if (outcome !== undefined) return false
  const waitedMs = clock.now().getTime() - new Date(claim.claimedAt).getTime()
  return waitedMs < ANSWER_PATIENCE_MS && mayBeAlive(claim.by)
}
