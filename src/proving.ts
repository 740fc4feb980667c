/** What proving the book takes day by day: balances, movements, and whether the days add up. */
import { addDays, type Day, type DayRange, dayOf, daysOf } from './domain/calendar.ts'
import { activityKey } from './domain/keys.ts'
import type { ReconciliationRecord, Verdict } from './domain/reconciliation.ts'
import type { Account, Context } from './stages/context.ts'
import { type FetchActivityOutcome, fetchActivity } from './stages/fetch-activity.ts'
import { reconcile } from './stages/reconcile.ts'
import { type SnapshotOutcome, snapshot } from './stages/snapshot.ts'
import { listSnapshots } from './stores/balance-table.ts'
import { newestReconciliation } from './stores/reconciliation-log.ts'

/** How many days back what was missed is made up for, and what did not add up is looked at again. */
const LOOK_BACK_DAYS = 8

/** Reads what is held now; of a provider that tells days, the newest, and those missed since the first one here. */
export async function snapshotDue(context: Context, account: Account): Promise<SnapshotOutcome[]> {
  const days = account.provider.balances?.days?.(context.clock.now())
  const missed = days === undefined ? [] : await missedDays(context, account, days)
  // The newest first: an old day that cannot be had must not stand in its way.
  const outcomes = [await snapshot(context, account, { reason: 'schedule' })]
  for (const day of missed) outcomes.push(await snapshot(context, account, { day, reason: 'schedule' }))
  return outcomes
}

async function missedDays({ store }: Context, { ref }: Account, { end }: DayRange): Promise<Day[]> {
  const recent = daysOf({ start: addDays(end, -LOOK_BACK_DAYS), end: addDays(end, -1) })
  const there = new Set<Day>()
  for (const day of recent) {
    for await (const place of listSnapshots(store, ref, day)) there.add(place.day)
  }
  return recent.filter(day => !there.has(day) && recent.some(each => each < day && there.has(each)))
}

/** Asks for yesterday's movements, and for those of days that were missed since the first one here. */
export async function fetchDue(context: Context, account: Account): Promise<FetchActivityOutcome[]> {
  const today = dayOf(context.clock.now())
  const recent = daysOf({ start: addDays(today, -LOOK_BACK_DAYS), end: today })
  const heads = await Promise.all(recent.map(day => context.store.head(activityKey(account.ref, day))))
  const first = heads.findIndex(head => head !== undefined)
  const from = first < 0 ? heads.length - 1 : first
  const due = recent.filter((_, index) => index >= from && heads[index] === undefined)
  const outcomes: FetchActivityOutcome[] = []
  for (const day of due.toReversed()) outcomes.push(await fetchActivity(context, account, day))
  return outcomes
}

/** Reconciles the days of the last week that can be judged by now and that do not add up yet, or not any more. */
export async function reconcileDue(context: Context, account: Account): Promise<ReconciliationRecord[]> {
  const { store, clock } = context
  const { balances } = account.provider
  const today = dayOf(clock.now())
  // A day that has closed is held against the next one; a day of movements must be final.
  const newest = addDays(today, -(balances?.basis === 'day-end' ? 2 : (balances?.proof?.finalAfterDays ?? 1)))
  const records: ReconciliationRecord[] = []
  for (const day of daysOf({ start: addDays(today, -LOOK_BACK_DAYS), end: addDays(newest, 1) })) {
    const standing = await newestReconciliation(store, account.ref, day)
    if (standing !== undefined && isClosed(standing.verdict) && (await rests(context, standing))) continue
    records.push((await reconcile(context, account, { day, tolerances: new Map() })).record)
  }
  return records
}

function isClosed(verdict: Verdict): boolean {
  return verdict === 'matched' || verdict === 'within_tolerance'
}

/** Whether the objects that a record rests on are still the same. */
async function rests({ store }: Context, { findings }: ReconciliationRecord): Promise<boolean> {
  for (const evidence of new Set(findings.flatMap(finding => finding.evidence))) {
    const [key = '', etag] = evidence.split('@')
    if (etag === undefined) continue
    const head = await store.head(key)
    if (head?.etag.replaceAll('"', '') !== etag) return false
  }
  return true
}
