/**
 * The rules of the monthly quota.
 *
 * Slots of a month are numbered from 1. A slot is claimed by creating its object, at the lowest number that
 * the claimant does not know to be taken; so it knows every slot below, from a listing or because it failed
 * to create it. It claims only if fewer than `limit` of those are not rejected (`nextSlot`).
 *
 * Why the limit holds whatever the interleaving: let n be the highest slot that ever led to a report. Every
 * other slot that led to one lies below n, so the claimant of n knew it; and a slot that led to a report is
 * never rejected, before or after. So all of them were among the fewer than `limit` that it counted, and
 * with n itself they are at most `limit`. A listing that lags behind does no harm: what it does not show is
 * found by failing to create it.
 *
 * The same holds when askers claim with limits of their own, none above the account's: the argument needs
 * no more than the limit of the claimant of n. So a reserve is kept for people by letting machines claim
 * with the limit less the reserve: since numbers are taken in order, whatever was claimed before a
 * machine's slot lies below it, so with that slot no more than limit less reserve are spent, and the
 * reserve is still there.
 *
 * Of two claimants with the same question the lower slot asks. The higher one looks at the slots below its
 * own once it has it, when the lower one cannot but be there, and gives way (`sameQuestion`). One who asks
 * because days were found missing gives way to any slot about those days that was claimed since it looked
 * (`laterQuestion`); what was claimed before, it has weighed.
 */
import { z } from 'zod'
import { addMonths, type Month, monthOf, overlap, startOfMonth } from './calendar.ts'
import { type ReportRequest, reportRequest, sameRequest } from './report.ts'

/** What is recorded before the call: the intent. */
export const slotClaim = z.object({
  request: reportRequest,
  reason: z.string(),
  /** Told to ask although the same question has been asked. */
  again: z.boolean(),
  by: z.string(),
  claimId: z.string(),
  claimedAt: z.iso.datetime(),
})
export type SlotClaim = z.infer<typeof slotClaim>

const bySomebody = {
  /** The person who said so after the answer was lost, and why. */
  settledBy: z.string().optional(),
  why: z.string().optional(),
}

/** What is known of the call. A slot without an outcome is as good as `unknown`. */
export const slotOutcome = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('accepted'), reportId: z.string(), at: z.iso.datetime(), ...bySomebody }),
  /** It is certain that no report was made; the slot is free to be replaced by another number. */
  z.object({
    outcome: z.literal('rejected'),
    code: z.string(),
    says: z.string(),
    at: z.iso.datetime(),
    ...bySomebody,
  }),
  /** A report may have been made; the slot counts as spent. */
  z.object({ outcome: z.literal('unknown'), says: z.string(), at: z.iso.datetime() }),
])
export type SlotOutcome = z.infer<typeof slotOutcome>

export interface Slot {
  readonly month: Month
  readonly number: number
  readonly claim: SlotClaim
  readonly outcome: SlotOutcome | undefined
}

/** Whether a slot counts against the quota. */
export function isSpent(slot: Slot): boolean {
  return slot.outcome?.outcome !== 'rejected'
}

/** Whether a slot may or may not have led to a report. */
export function isUnsettled(slot: Slot): boolean {
  return slot.outcome === undefined || slot.outcome.outcome === 'unknown'
}

/** How many slots of the month are spent. */
export function spent(slots: readonly Slot[]): number {
  return slots.filter(isSpent).length
}

/**
 * The number to claim next, or `undefined` when the month is used up. Numbers in `lost` were taken by
 * others since `slots` was listed, and count as spent.
 */
export function nextSlot(
  slots: readonly Slot[],
  limit: number,
  lost: ReadonlySet<number> = new Set(),
): number | undefined {
  if (spent(slots) + lost.size >= limit) return undefined
  const taken = new Set([...slots.map(slot => slot.number), ...lost])
  let number = 1
  while (taken.has(number)) number++
  return number
}

/** The slot that already asks `request`; the newest of several. */
export function sameQuestion(slots: readonly Slot[], request: ReportRequest): Slot | undefined {
  return slots.findLast(slot => isSpent(slot) && sameRequest(slot.claim.request, request))
}

/** A place in the order of all slots of an account. */
export const slotMark = z.object({ month: z.string(), number: z.number().int().nonnegative() })
export type SlotMark = z.infer<typeof slotMark>

function isAfter({ month, number }: SlotMark, mark: SlotMark): boolean {
  return month > mark.month || (month === mark.month && number > mark.number)
}

/**
 * The last slot of `month` that whoever listed `slots` has certainly seen, with all before it. Numbers are
 * taken in order, so a listing that lags behind shows as a number that is missing.
 */
export function lastSeen(slots: readonly Slot[], month: Month): SlotMark {
  const numbers = new Set(slots.filter(slot => slot.month === month).map(slot => slot.number))
  let number = 0
  while (numbers.has(number + 1)) number++
  return { month, number }
}

/** The newest slot after `mark` that asks for any of the days of `request`. */
export function laterQuestion(
  slots: readonly Slot[],
  { wallets, range }: ReportRequest,
  mark: SlotMark,
): Slot | undefined {
  return slots.findLast(slot => {
    const asked = slot.claim.request
    return isSpent(slot) && isAfter(slot, mark) && asked.wallets === wallets && overlap(asked.range, range)
  })
}

/**
 * Around the turn of a month, it is not certain in which month a provider counts a request: its clock may
 * differ from ours, and a request takes time to arrive. Nothing is submitted in these seconds.
 */
const TURN_BEFORE_MS = 60_000
const TURN_AFTER_MS = 5_000

/** When submitting is possible again, if `now` is at the turn of a month. */
export function turnOfMonth(now: Date): Date | undefined {
  const month = monthOf(now)
  const begin = startOfMonth(month)
  if (now.getTime() - begin.getTime() < TURN_AFTER_MS) return new Date(begin.getTime() + TURN_AFTER_MS)
  const end = startOfMonth(addMonths(month, 1))
  if (end.getTime() - now.getTime() <= TURN_BEFORE_MS) return new Date(end.getTime() + TURN_AFTER_MS)
  return undefined
}

/** The longest time from a claim to the beginning of its call. */
const CALL_AFTER_MS = 20_000
/** A clock that is corrected may go back a little. */
const CALL_BEFORE_MS = 1_000

/**
 * Whether a call may still be made for a claim of that time. A report whose answer is lost is known by being made
 * soon after a claim, so a process that slept in between must not ask: nobody would find its slot.
 */
export function isCallInTime(claimedAt: Date, now: Date): boolean {
  const waitedMs = now.getTime() - claimedAt.getTime()
  return -CALL_BEFORE_MS <= waitedMs && waitedMs <= CALL_AFTER_MS
}

/** When a used-up month's quota opens again. */
export function opensAt(month: Month): Date {
  return new Date(startOfMonth(addMonths(month, 1)).getTime() + TURN_AFTER_MS)
}
