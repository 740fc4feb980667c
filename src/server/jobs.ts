/** What one machine does by itself, and when: the list of `daybook serve`'s jobs. */
import { addDays, type DayRange } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import type { ReconciliationRecord } from '../domain/reconciliation.ts'
import { readCron, type When } from '../domain/schedule.ts'
import { type AskDueOutcome, askDue, type PlannedAccount } from '../planning.ts'
import { fetchDue, reconcileDue, snapshotDue } from '../proving.ts'
import type { Account, Context } from '../stages/context.ts'
import type { FetchActivityOutcome } from '../stages/fetch-activity.ts'
import type { SnapshotOutcome } from '../stages/snapshot.ts'
import type { SubmitOutcome } from '../stages/submit.ts'
import { type SweepOutcome, sweep } from '../sweep.ts'
import type { Job } from './scheduler.ts'

export interface JobSettings {
  readonly sweepEveryMs: number
  /** Whether to ask for reports, record balances and reconcile every day; callbacks and sweeps need no such job. */
  readonly daily: boolean
}

const MINUTE_MS = 60_000

/** After midnight (UTC), so that a provider which tells how days closed has had time to close them. */
const CLOSED_AT = daily('20 0 * * *', 20 * MINUTE_MS)

/**
 * Close to midnight (UTC) on either side, so that what happens between two readings belongs to one day; and an
 * hour off, for a day is proved by any reading near its edge that no movement is near.
 */
const HELD_AT = daily('2,58 0,23 * * *', MINUTE_MS)

/** Once the day is over for certain. */
const FETCH_AT = daily('10 1 * * *', 10 * MINUTE_MS)

/** After balances and movements of the night, and after the reports of the morning. */
const RECONCILE_AT = daily('40 1,9 * * *', 10 * MINUTE_MS)

/** What is not read soon is lost, or proves less; a refusal may last. The last wait is repeated. */
const RETRY_MS = [1, 2, 5, 15, 30].map(minutes => minutes * MINUTE_MS)

/** Long after midnight (UTC): a day can be asked for from midnight on, and nobody waits for it. */
const ASK_AT = daily('15 6 * * *', 30 * MINUTE_MS)

/**
 * A daily job is run by one process of all that share a store. They need not have the same accounts, so each
 * account has jobs of its own.
 */
export function jobsOf(
  context: Context,
  accounts: readonly PlannedAccount[],
  { sweepEveryMs, daily: isDaily }: JobSettings,
): Job[] {
  const sweeping: Job = {
    name: 'sweep',
    when: { everyMs: sweepEveryMs },
    run: async signal => sweepText(await sweep(context, accounts, { signal })),
  }
  const asking = accounts.filter(isScheduled).map(account => ({
    name: jobName('ask', account),
    when: ASK_AT,
    run: async () => askText(await askDue(context, account)),
  }))
  const recording = accounts.filter(hasBalances).map(account => ({
    name: jobName('snapshot', account),
    when: account.provider.balances?.basis === 'day-end' ? CLOSED_AT : HELD_AT,
    retryMs: RETRY_MS,
    run: async () => (await snapshotDue(context, account)).map(snapshotText).join('; '),
  }))
  const fetching = accounts.filter(hasActivity).map(account => ({
    name: jobName('fetch', account),
    when: FETCH_AT,
    retryMs: RETRY_MS,
    run: async () => (await fetchDue(context, account)).map(fetchText).join('; ') || 'nothing missing',
  }))
  const proving = accounts.filter(hasBalances).map(account => ({
    name: jobName('reconcile', account),
    when: RECONCILE_AT,
    retryMs: RETRY_MS,
    run: async () => reconcileText(await reconcileDue(context, account)),
  }))
  return isDaily ? [sweeping, ...asking, ...recording, ...fetching, ...proving] : [sweeping]
}

function daily(text: string, jitterMs: number): When {
  return { cron: readCron(text)!, jitterMs }
}

function isScheduled({ provider, planning }: PlannedAccount): boolean {
  return provider.reports?.window !== undefined && planning.cadence !== 'off'
}

function hasBalances({ provider }: Account): boolean {
  return provider.balances !== undefined
}

function hasActivity({ provider }: Account): boolean {
  return provider.activity !== undefined
}

/** `ask/binance-pay/main` */
function jobName(job: string, { ref }: Account): string {
  return `${job}/${ref.provider}/${ref.account}`
}

/** `2 finished, 1 tried, 3 waiting` */
export function sweepText({ finished, tried, waiting, left }: SweepOutcome): string {
  const parts = [
    [finished, 'finished'],
    [tried, 'tried'],
    [waiting, 'waiting'],
    [left, 'left for later'],
  ] as const
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  return told.length === 0 ? 'nothing unfinished' : told.join(', ')
}

/** `2026-10-12: report 466780563124436993`. Throws `provider-refused` when the provider rejects the request. */
function askText(due: AskDueOutcome): string {
  switch (due.outcome) {
    case 'off':
      return 'there is no schedule'
    case 'nothing-due':
      return `nothing due up to ${due.newest}`
    case 'asked':
      return `${rangeText(due.range)}: ${submitText(due.submit)}`
  }
}

function submitText(outcome: SubmitOutcome): string {
  switch (outcome.outcome) {
    case 'accepted':
      return `report ${outcome.reportId}`
    case 'already-requested':
      return `asked for before, in slot ${outcome.slot} of ${outcome.month}`
    case 'quota-exhausted':
      return `no report left of the ${outcome.limit} of ${outcome.month} that a schedule may use`
    case 'month-turning':
      return `the month is turning; possible from ${outcome.opensAt.toISOString()}`
    case 'not-askable':
      return outcome.says
    case 'unknown':
      return `the answer was lost: ${outcome.says}`
    case 'rejected':
      throw new DaybookError('provider-refused', `${outcome.code}: ${outcome.says}`)
  }
}

function rangeText({ start, end }: DayRange): string {
  const last = addDays(end, -1)
  return start === last ? start : `${start} to ${last}`
}

function snapshotText(outcome: SnapshotOutcome): string {
  switch (outcome.outcome) {
    case 'taken':
      return `${outcome.rows} balances of ${outcome.day}`
    case 'already-taken':
      return `the balances of ${outcome.day} are here`
    case 'not-askable':
      return outcome.says
  }
}

function fetchText(outcome: FetchActivityOutcome): string {
  switch (outcome.outcome) {
    case 'published':
      return `${outcome.rows} rows of ${outcome.day}`
    case 'newer-kept':
      return `a newer telling of ${outcome.day} stands`
    case 'not-askable':
      return outcome.says
  }
}

/** `2026-10-12 matched; 2026-10-13 break in R6/Spot/USDT` */
function reconcileText(records: readonly ReconciliationRecord[]): string {
  if (records.length === 0) return 'every day that can be judged adds up'
  return records
    .map(({ day, verdict, findings }) => {
      const bad = findings.filter(finding => finding.verdict === 'break').map(({ id }) => id)
      return bad.length === 0 ? `${day} ${verdict}` : `${day} ${verdict} in ${bad.join(', ')}`
    })
    .join('; ')
}
