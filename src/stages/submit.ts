/** Asks a provider for a report, under the quota and never twice for the same question. */
import { type Month, monthOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import {
  isCallInTime,
  laterQuestion,
  opensAt,
  type Slot,
  type SlotClaim,
  type SlotMark,
  type SlotOutcome,
  sameQuestion,
  turnOfMonth,
} from '../domain/quota.ts'
import type { ReportRequest } from '../domain/report.ts'
import { errorFields } from '../log.ts'
import type { Reports, SubmitAnswer } from '../providers/provider.ts'
import type { Account, Context } from './context.ts'

export interface SubmitInput {
  readonly request: ReportRequest
  /** Why it is asked, for the record: `schedule`, `command`, … */
  readonly reason: string
  /** Ask although the same question has been asked. */
  readonly again: boolean
  /** How many of the month's reports are kept for others, whoever has used the rest; 0 when absent. */
  readonly reserve?: number
  /**
   * The last slot that was weighed when these days were found missing. What was asked up to there does not
   * stand in the way, for it failed; a slot after it about any of these days does.
   */
  readonly weighed?: SlotMark
}

export type SubmitOutcome =
  | { outcome: 'accepted'; reportId: string; month: Month; slot: number }
  /** The same question stands in an earlier slot; `reportId` is absent while its answer is not known. */
  | {
      outcome: 'already-requested'
      reportId: string | undefined
      month: Month
      slot: number
      askedAt: string
    }
  /** `limit` is what this asker may use, without the reserve. */
  | { outcome: 'quota-exhausted'; month: Month; limit: number; opensAt: Date }
  /** Too close to the turn of a month to know which quota a request would be counted in. */
  | { outcome: 'month-turning'; opensAt: Date }
  /** The question cannot be asked now; nothing was sent or claimed. */
  | { outcome: 'not-askable'; says: string }
  | { outcome: 'rejected'; code: string; says: string; month: Month; slot: number }
  | { outcome: 'unknown'; says: string; month: Month; slot: number }

type SubmitContext = Pick<Context, 'ledger' | 'reports' | 'clock' | 'random' | 'log' | 'processName'>

export async function submit(
  context: SubmitContext,
  account: Account,
  input: SubmitInput,
): Promise<SubmitOutcome> {
  const { ledger, clock } = context
  const provider = abilityOf(account)
  const now = clock.now()
  const says = provider.refusal(input.request, now)
  if (says !== undefined) return { outcome: 'not-askable', says }
  const turning = turnOfMonth(now)
  if (turning !== undefined) return { outcome: 'month-turning', opensAt: turning }
  const asked = await askedBefore(context, account, input)
  if (asked !== undefined) return asked

  // The claim's time must lie close to the call's, whatever the looking took.
  const claimedAt = clock.now()
  const month = monthOf(claimedAt)
  const limit = Math.max(0, account.monthlyLimit - (input.reserve ?? 0))
  const claim: SlotClaim = {
    request: input.request,
    reason: input.reason,
    again: input.again,
    by: context.processName,
    claimId: context.random.hex(16),
    claimedAt: claimedAt.toISOString(),
  }
  let slot: number
  try {
    const claimed = await ledger.claim(account.ref, month, limit, claim)
    if (claimed.outcome === 'quota-exhausted') {
      return { outcome: 'quota-exhausted', month, limit, opensAt: opensAt(month) }
    }
    slot = claimed.number
    const outcome = await reasonNotToAsk(context, account, input, { month, slot, claimedAt })
    if (outcome !== undefined) return outcome
  } catch (error) {
    await giveBack(context, account, month, claim)
    throw error
  }
  const answer = await provider.submit(input.request)
  return record(context, account, input, { month, slot, askedAt: claimedAt.toISOString() }, answer)
}

function abilityOf(account: Account): Reports {
  const { reports } = account.provider
  if (reports !== undefined) return reports
  throw new DaybookError('usage-invalid', `The provider ${account.provider.name} makes no reports.`)
}

/** A range can only be asked for after its end, so no slot before that month can hold the same question. */
async function askedBefore(
  { ledger }: SubmitContext,
  account: Account,
  { request, again, weighed }: SubmitInput,
  mine?: { month: Month; slot: number },
): Promise<SubmitOutcome | undefined> {
  if (again) return undefined
  const slots = await ledger.since(account.ref, request.range.end.slice(0, 7))
  const others = mine === undefined ? slots : slots.filter(slot => isBelow(slot, mine))
  const same = weighed === undefined ? sameQuestion(others, request) : laterQuestion(others, request, weighed)
  return same === undefined ? undefined : alreadyRequested(same)
}

function isBelow(slot: Slot, mine: { month: Month; slot: number }): boolean {
  return slot.month < mine.month || (slot.month === mine.month && slot.number < mine.slot)
}

function alreadyRequested({ month, number, claim, outcome }: Slot): SubmitOutcome {
  const reportId = outcome?.outcome === 'accepted' ? outcome.reportId : undefined
  return { outcome: 'already-requested', reportId, month, slot: number, askedAt: claim.claimedAt }
}

/**
 * Nothing was sent, so nothing was spent. The store that failed just now may fail again; then the slot stays
 * claimed until a person says that no report was made.
 */
async function giveBack(
  { ledger, clock, log }: SubmitContext,
  { ref }: Account,
  month: Month,
  { claimId }: SlotClaim,
): Promise<void> {
  try {
    const mine = (await ledger.month(ref, month)).find(slot => slot.claim.claimId === claimId)
    if (mine === undefined) return
    const at = clock.now().toISOString()
    const outcome = { outcome: 'rejected', code: 'store-failed', says: 'not sent', at } as const
    await ledger.settle(ref, month, mine.number, outcome)
  } catch (error) {
    log.warn('slot.kept', { ...ref, month, ...errorFields(error) })
  }
}

/**
 * Between the claim and the call: the three reasons to give the slot back. A rival with the same question is
 * looked for after the claim, because only then does it certainly stand in a lower slot. The clock is looked at
 * last, because the looking takes time.
 */
async function reasonNotToAsk(
  context: SubmitContext,
  account: Account,
  input: SubmitInput,
  { month, slot, claimedAt }: { month: Month; slot: number; claimedAt: Date },
): Promise<SubmitOutcome | undefined> {
  const { ledger, clock } = context
  const give = async (code: string, outcome: SubmitOutcome): Promise<SubmitOutcome> => {
    const at = clock.now().toISOString()
    await ledger.settle(account.ref, month, slot, { outcome: 'rejected', code, says: 'not sent', at })
    return outcome
  }
  const same = await askedBefore(context, account, input, { month, slot })
  if (same !== undefined) return give('already-requested', same)
  const now = clock.now()
  const turning = turnOfMonth(now) ?? (monthOf(now) === month ? undefined : now)
  if (turning !== undefined) return give('month-turning', { outcome: 'month-turning', opensAt: turning })
  if (isCallInTime(claimedAt, now)) return undefined
  const says = 'The store or this machine was too slow to ask in time, so nothing was sent.'
  return give('too-late', { outcome: 'rejected', code: 'too-late', says, month, slot })
}

/**
 * Writes down what the provider said: first the report, then the slot, so that a slot known as accepted
 * always leads to a report. A callback may have told of the report before; then its record stands.
 */
async function record(
  { ledger, reports, clock, log }: SubmitContext,
  account: Account,
  input: SubmitInput,
  { month, slot, askedAt }: { month: Month; slot: number; askedAt: string },
  answer: SubmitAnswer,
): Promise<SubmitOutcome> {
  const at = clock.now().toISOString()
  const where = { provider: account.ref.provider, account: account.ref.account, month, slot }
  // Said before it is written down: should the store fail now, the log still knows what was answered.
  log.info(`report.${answer.outcome}`, { ...where, ...logged(answer) })
  if (answer.outcome === 'accepted') {
    await reports.create(account.ref, answer.reportId, 'accepted', {
      reportId: answer.reportId,
      request: input.request,
      slot: { month, number: slot },
      askedAt,
      via: 'answer',
      answer: answer.answer,
      recordedAt: at,
    })
  }
  const outcome: SlotOutcome =
    answer.outcome === 'accepted' ? { outcome: 'accepted', reportId: answer.reportId, at } : { ...answer, at }
  const standing = await ledger.settle(account.ref, month, slot, outcome)
  if (outcome.outcome === 'accepted' && standing.outcome === 'accepted') {
    // A report that others asked for in the same second was taken for ours; its rows give way to ours.
    const matchedTo = standing.reportId
    if (matchedTo !== outcome.reportId)
      log.error('slot.mismatched', { ...where, ...logged(answer), matchedTo })
  }
  return answer.outcome === 'accepted'
    ? { outcome: 'accepted', reportId: answer.reportId, month, slot }
    : { ...answer, month, slot }
}

function logged(answer: SubmitAnswer): Record<string, string> {
  if (answer.outcome === 'accepted') return { reportId: answer.reportId }
  return answer.outcome === 'rejected' ? { code: answer.code, says: answer.says } : { says: answer.says }
}
