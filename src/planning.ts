/** What is missing, what it costs to ask for it, and asking for it: by plan, or by schedule. */
import type { PlanningConfig } from './config/accounts.ts'
import { addDays, type Day, type DayRange, dayOf, monthOf, overlap } from './domain/calendar.ts'
import { askedDays, openDays, rangesOf } from './domain/coverage.ts'
import { DaybookError } from './domain/errors.ts'
import { type Budget, dueRange, fewestRanges, type PlannedRequest, spreadOver } from './domain/plan.ts'
import { isUnsettled, lastSeen, type Slot, type SlotMark, spent } from './domain/quota.ts'
import type { RequestWindow } from './providers/provider.ts'
import type { Account, Context } from './stages/context.ts'
import { type SubmitOutcome, submit } from './stages/submit.ts'
import { loadCoverageFacts } from './stores/coverage-facts.ts'

export interface PlannedAccount extends Account {
  readonly planning: PlanningConfig
}

export interface Plan {
  /** The days looked at: nothing before the earliest day, nothing that cannot be asked for yet. */
  readonly range: DayRange
  /** Days that no report holds or is expected to bring. */
  readonly open: readonly DayRange[]
  /** Slots about these days whose answer was lost: they wait for a callback or for a person. */
  readonly unanswered: readonly Slot[]
  /** Oldest first. */
  readonly requests: readonly PlannedRequest[]
  /** Requests for which no month has room, because the reserve is all there is. */
  readonly roomless: readonly DayRange[]
  readonly budget: Budget
  readonly weighed: SlotMark
}

type PlanContext = Pick<Context, 'store' | 'ledger' | 'reports' | 'clock'>
type AskContext = PlanContext & Pick<Context, 'random' | 'log' | 'processName'>

/** The newest day that can be asked for now. Throws `usage-invalid` where the provider's rules are not known. */
export function newestDay(account: Account, now: Date): Day {
  return addDays(dayOf(now), -windowOf(account).newestBeforeTodayDays)
}

function windowOf({ provider }: Account): RequestWindow {
  const window = provider.reports?.window
  if (window !== undefined) return window
  throw new DaybookError('usage-invalid', `It is not known which days ${provider.name} can be asked for.`)
}

/** The cheapest way to close the gaps of `wanted`. Spends nothing. */
export async function makePlan(
  context: PlanContext,
  account: PlannedAccount,
  wanted: { readonly from: Day; readonly to?: Day },
): Promise<Plan> {
  const now = context.clock.now()
  const { earliestDay, reserve } = account.planning
  const newest = newestDay(account, now)
  const last = wanted.to === undefined || wanted.to > newest ? newest : wanted.to
  const first = earliestDay !== undefined && earliestDay > wanted.from ? earliestDay : wanted.from
  const range = { start: first, end: addDays(last, 1) }
  const facts = await loadCoverageFacts(context, account.ref, first, account.provider.reports?.createdAt)
  const month = await context.ledger.month(account.ref, monthOf(now))
  const open = openDays(facts, range)
  const ranges = fewestRanges(open, windowOf(account).maxDays)
  const budget: Budget = { monthlyLimit: account.monthlyLimit, reserve, spent: spent(month) }
  const requests = spreadOver(ranges, budget, now)
  return {
    range,
    open: rangesOf(open),
    unanswered: facts.slots.filter(slot => isUnsettled(slot) && overlap(slot.claim.request.range, range)),
    requests,
    roomless: ranges.slice(requests.length),
    budget,
    // Of the slots that the gaps were derived from, not of those that were counted after them.
    weighed: lastSeen(facts.slots, monthOf(now)),
  }
}

export interface AppliedPlan {
  readonly asked: readonly { readonly range: DayRange; readonly outcome: SubmitOutcome }[]
  /** What is still to be asked for, in this month or later. */
  readonly left: readonly DayRange[]
  /** Why it stopped before the end of what this month has room for; absent when it did not. */
  readonly stopped?: SubmitOutcome
  /** When it is worth coming back; `null` when nothing is left or nothing but a person can help. */
  readonly comeBackAt: Date | null
}

/**
 * Asks for what the plan has for this month, oldest first. Killed at any point, a new plan goes on where it
 * stopped; two at once ask for nothing twice, because each request gives way to any slot about its days
 * that was claimed since its plan was made.
 */
export async function applyPlan(
  context: AskContext,
  account: PlannedAccount,
  plan: Plan,
): Promise<AppliedPlan> {
  const asked: { range: DayRange; outcome: SubmitOutcome }[] = []
  const all = [...plan.requests.map(({ range }) => range), ...plan.roomless]
  for (const { range, from } of plan.requests) {
    if (from !== null) break
    const outcome = await ask(context, account, range, 'plan', plan.weighed)
    // What may have been taken counts as asked; but then something is wrong, and it is better to stop.
    if (outcome.outcome === 'unknown') asked.push({ range, outcome })
    if (!isAsked(outcome)) {
      const comeBackAt = 'opensAt' in outcome ? outcome.opensAt : null
      return { asked, left: all.slice(asked.length), stopped: outcome, comeBackAt }
    }
    asked.push({ range, outcome })
  }
  const comeBackAt = plan.requests[asked.length]?.from ?? null
  return { asked, left: all.slice(asked.length), comeBackAt }
}

function ask(
  context: AskContext,
  account: PlannedAccount,
  range: DayRange,
  reason: string,
  weighed: SlotMark,
): Promise<SubmitOutcome> {
  const { reserve } = account.planning
  return submit(context, account, {
    request: { range, wallets: 'all' },
    reason,
    again: false,
    reserve,
    weighed,
  })
}

function isAsked({ outcome }: SubmitOutcome): boolean {
  return outcome === 'accepted' || outcome === 'already-requested'
}

export type DueOutcome =
  | { readonly outcome: 'off' }
  /** The newest period has been asked for. */
  | { readonly outcome: 'nothing-due'; readonly newest: Day }
  | { readonly outcome: 'due'; readonly range: DayRange; readonly weighed: SlotMark }

/** What the account's schedule asks for now. Spends nothing. */
export async function findDue(context: PlanContext, account: PlannedAccount): Promise<DueOutcome> {
  const { cadence, earliestDay } = account.planning
  if (cadence === 'off') return { outcome: 'off' }
  const now = context.clock.now()
  const newest = newestDay(account, now)
  const { maxDays } = windowOf(account)
  // A month ends up to 31 days before the newest day, and is looked back from as far as a report reaches.
  const seen = { start: addDays(newest, -maxDays - 31), end: addDays(newest, 1) }
  const facts = await loadCoverageFacts(context, account.ref, seen.start, account.provider.reports?.createdAt)
  const due = dueRange(cadence, newest, askedDays(facts, seen), maxDays)
  if (due === undefined || (earliestDay !== undefined && due.end <= earliestDay))
    return { outcome: 'nothing-due', newest }
  const start = earliestDay !== undefined && due.start < earliestDay ? earliestDay : due.start
  return { outcome: 'due', range: { start, end: due.end }, weighed: lastSeen(facts.slots, monthOf(now)) }
}

export type AskDueOutcome =
  | Exclude<DueOutcome, { outcome: 'due' }>
  | { readonly outcome: 'asked'; readonly range: DayRange; readonly submit: SubmitOutcome }

/**
 * Asks for what the account's schedule has due. May be called at any time, any number of times and in many
 * places at once: each period is asked for once, and the reserve is left alone.
 */
export async function askDue(context: AskContext, account: PlannedAccount): Promise<AskDueOutcome> {
  const due = await findDue(context, account)
  if (due.outcome !== 'due') return due
  const outcome = await ask(context, account, due.range, 'schedule', due.weighed)
  context.log.info('schedule.asked', { ...account.ref, ...due.range, outcome: outcome.outcome })
  return { outcome: 'asked', range: due.range, submit: outcome }
}
