/** `daybook plan`: the fewest reports that close the gaps, what they cost, and asking for them. */
import { type Command, Option } from 'commander'
import { type Day, type DayRange, daysBetween, monthOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { CADENCE_COST, CADENCES, type PlannedRequest, usable } from '../domain/plan.ts'
import { countOf } from '../domain/quantity-text.ts'
import type { AppliedPlan, AskDueOutcome, DueOutcome, Plan } from '../planning.ts'
import type { SubmitOutcome } from '../stages/submit.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText, readDay } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions, Session } from './session.ts'
import { exitCodeOf, explain } from './submit.ts'
import { tableText } from './terminal.ts'

interface PlanOptions extends CommonOptions {
  readonly account?: string
  readonly from?: Day
  readonly to?: Day
  readonly due?: boolean
  readonly apply?: boolean
}

export function planCommand(): Command {
  return createCommand('plan', 'show the fewest reports that close the gaps, and what they cost')
    .option('--account <name>', 'only this merchant account')
    .option('--from <day>', 'the first day; DAYBOOK_EARLIEST_DAY when absent', readDay)
    .option('--to <day>', 'the last day; the newest that can be asked for when absent', readDay)
    .addOption(
      new Option('--due', 'what the schedule asks for now, instead of the gaps').conflicts(['from', 'to']),
    )
    .option('--apply', 'ask for them, as far as this month and the reserve allow')
    .addHelpText(
      'after',
      `
Nothing is spent without --apply. A plan never touches the reserve (DAYBOOK_RESERVE), which is for
"daybook submit". It may be stopped and run again, also twice at once: nothing is asked twice.
For cron: "daybook plan --due --apply".

Example:
  daybook plan --from 2024-01-01`,
    )
    .action(exitsWith(runPlan))
}

async function runPlan(options: PlanOptions): Promise<ExitCode> {
  const { withSession, reportAccounts } = await import('./session.ts')
  return withSession(options, async session => {
    const { daybook, terminal } = session
    const accounts = reportAccounts(daybook, options.account)
    const made: { data: unknown; text: string[]; code: ExitCode }[] = []
    for (const account of accounts) {
      const run = options.due === true ? planDue : planGaps
      made.push(await run(session, account, options))
    }
    terminal.result(
      'plan',
      { applied: options.apply ?? false, accounts: made.map(({ data }) => data) },
      made.flatMap(({ text }, index) => [...(index === 0 ? [] : ['']), ...text]),
    )
    return made.map(({ code }) => code).find(code => code !== EXIT.done) ?? EXIT.done
  })
}

async function planGaps({ daybook: { context } }: Session, account: WiredAccount, options: PlanOptions) {
  const { applyPlan, makePlan } = await import('../planning.ts')
  const from = options.from ?? account.planning.earliestDay
  if (from === undefined) {
    throw new DaybookError('usage-invalid', 'From which day? Say --from, or set DAYBOOK_EARLIEST_DAY.')
  }
  const plan = await makePlan(context, account, {
    from,
    ...(options.to === undefined ? {} : { to: options.to }),
  })
  const { weighed: _, ...shown } = plan
  const now = context.clock.now()
  if (options.apply !== true) {
    return { data: { ...account.ref, plan: shown }, text: planText(account, plan, now), code: EXIT.done }
  }
  const applied = await applyPlan(context, account, plan)
  return {
    data: { ...account.ref, plan: shown, result: applied },
    text: [...titleText(account, plan), ...appliedText(applied)],
    code: applied.stopped === undefined ? EXIT.done : exitCodeOf(applied.stopped),
  }
}

async function planDue({ daybook: { context } }: Session, account: WiredAccount, { apply }: PlanOptions) {
  const { askDue, findDue } = await import('../planning.ts')
  const due = apply === true ? await askDue(context, account) : withoutMark(await findDue(context, account))
  const text = [`${nameOf(account)}: ${dueText(due, account)}`]
  const code = due.outcome === 'asked' ? exitCodeOf(due.submit) : EXIT.done
  return { data: { ...account.ref, due }, text, code }
}

function withoutMark(
  due: DueOutcome,
): Exclude<DueOutcome, { outcome: 'due' }> | { outcome: 'due'; range: DayRange } {
  return due.outcome === 'due' ? { outcome: 'due', range: due.range } : due
}

function dueText(
  due: AskDueOutcome | { outcome: 'due'; range: DayRange },
  { planning: { cadence } }: WiredAccount,
): string {
  switch (due.outcome) {
    case 'off':
      return 'there is no schedule (DAYBOOK_CADENCE is off).'
    case 'nothing-due':
      return `nothing is due ${cadence}; the newest day that can be asked for is ${due.newest}.`
    case 'due':
      return `${daysText(due.range)} is due (${cadence}); --apply asks for it.`
    case 'asked':
      return explain(due.submit, { range: due.range, wallets: 'all' })
  }
}

const nameOf = ({ ref }: WiredAccount) => `${ref.provider}/${ref.account}`

function titleText(account: WiredAccount, { range, open }: Plan): string[] {
  if (range.start >= range.end) return [`${nameOf(account)}: no day of these can be asked for yet.`]
  const days = open.reduce((sum, { start, end }) => sum + daysBetween(start, end), 0)
  const title = `${nameOf(account)}, ${daysText(range)}:`
  if (days === 0) return [`${title} nothing is missing.`]
  return [`${title} ${countOf(days, 'day')} missing in ${countOf(open.length, 'gap')}.`]
}

function planText(account: WiredAccount, plan: Plan, now: Date): string[] {
  const { requests, roomless, unanswered, budget } = plan
  return [
    ...titleText(account, plan),
    ...(requests.length === 0 ? [] : tableText(HEADER, requests.map(requestCells), ['days'])),
    ...roomless.map(range => `No month has room for ${daysText(range)}: the reserve is all there is.`),
    ...unanswered.map(
      ({ month, number, claim }) =>
        `Slot ${number} of ${month}: the answer for ${daysText(claim.request.range)} was lost; its days wait for a callback. To ask once more: daybook submit --again.`,
    ),
    '',
    ...priceText(requests, budget, now),
    ...cadenceText(account),
  ]
}

const HEADER = ['range', 'days', 'when']

function requestCells({ range, from }: PlannedRequest): string[] {
  const when = from === null ? 'now' : `from ${from.toISOString().replace(/\.\d+Z$/, 'Z')}`
  return [daysText(range), `${daysBetween(range.start, range.end)}`, when]
}

function priceText(requests: readonly PlannedRequest[], budget: Plan['budget'], now: Date): string[] {
  const { monthlyLimit, reserve, spent } = budget
  const { now: left } = usable(budget)
  const at = requests.filter(({ from }) => from === null).length
  const lines = [
    `${monthOf(now)}: ${spent} of ${monthlyLimit} used, ${reserve} kept for people, ${left} left for plans and schedule.`,
  ]
  if (requests.length === 0) return lines
  const last = requests.at(-1)?.month
  const later = requests.length - at
  const then = later === 0 ? '' : `, ${later} in the months up to ${last}`
  return [...lines, `Price: ${countOf(requests.length, 'report')}, ${at} now${then}.`]
}

/** What each cadence costs of what a month has for plans and schedule. */
function cadenceText({ planning, monthlyLimit }: WiredAccount): string[] {
  const { monthly } = usable({ monthlyLimit, reserve: planning.reserve, spent: 0 })
  const costs = CADENCES.filter(cadence => cadence !== 'off').map(cadence => {
    const cost = CADENCE_COST[cadence]
    return `${cadence} up to ${cost} a month${cost > monthly ? ' (too many)' : ''}`
  })
  return [`Schedule: ${planning.cadence}. Of ${monthly} a month: ${costs.join(', ')}.`]
}

function appliedText({ asked, left, stopped, comeBackAt }: AppliedPlan): string[] {
  return [
    ...asked.map(({ range, outcome }) => doneText(range, outcome)),
    ...(stopped === undefined || stopped.outcome === 'unknown'
      ? []
      : [`Stopped: ${explain(stopped, { range: left[0]!, wallets: 'all' })}`]),
    ...(left.length === 0
      ? ['Nothing is left to ask for.']
      : [`Left: ${countOf(left.length, 'report')}, from ${left[0]!.start} on.`]),
    ...(comeBackAt === null ? [] : [`Come back from ${comeBackAt.toISOString()}, with the same command.`]),
  ]
}

function doneText(range: DayRange, outcome: SubmitOutcome): string {
  return outcome.outcome === 'accepted'
    ? `Asked for ${daysText(range)}: report ${outcome.reportId}, slot ${outcome.slot} of ${outcome.month}.`
    : explain(outcome, { range, wallets: 'all' })
}
