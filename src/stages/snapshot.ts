/** Takes a snapshot of an account's balances: the answers are kept as they came, then told as rows. */
import { type BalanceRow, instantName, type SnapshotRecord } from '../domain/balance.ts'
import { addDays, type Day, dayOf } from '../domain/calendar.ts'
import { DaybookError, findFault } from '../domain/errors.ts'
import { writeJson } from '../domain/json.ts'
import { balancesKey, snapshotKey } from '../domain/keys.ts'
import { errorFields } from '../log.ts'
import type { Balances } from '../providers/provider.ts'
import {
  listSnapshots,
  publishBalances,
  readSnapshot,
  recordSnapshot,
  type SnapshotPlace,
  unpublishedSnapshots,
} from '../stores/balance-table.ts'
import type { Account, Context } from './context.ts'

export interface SnapshotInput {
  /** The day wanted, of a provider that tells the balances of days; its newest when absent. */
  readonly day?: Day
  /** Why it is taken, for the record: `schedule`, `command`, … */
  readonly reason: string
  /** Ask although the day has been asked for. */
  readonly again?: boolean
}

export type SnapshotOutcome =
  | { outcome: 'taken'; day: Day; key: string; record: string; rows: number; assumptions: string[] }
  /** The day's balances are here; nothing was asked. */
  | { outcome: 'already-taken'; day: Day; record: string }
  /** The provider does not tell that day's balances now. */
  | { outcome: 'not-askable'; says: string }

type SnapshotContext = Pick<Context, 'store' | 'clock' | 'log' | 'processName'>

export async function snapshot(
  context: SnapshotContext,
  account: Account,
  input: SnapshotInput,
): Promise<SnapshotOutcome> {
  const balances = balancesOf(account)
  await finishSnapshots(context, account)
  const wanted = wantedDay(balances, input.day, context.clock.now())
  if ('says' in wanted) return { outcome: 'not-askable', says: wanted.says }
  const standing = input.again === true ? undefined : await standingOf(context, account, wanted.day)
  if (standing !== undefined) return standing
  const takenAt = context.clock.now()
  const answers = await balances.ask(wanted.day)
  const record: SnapshotRecord = {
    takenAt: takenAt.toISOString(),
    day: wanted.day ?? dayOf(takenAt),
    basis: balances.basis,
    by: context.processName,
    reason: input.reason,
    answers,
  }
  const place = await recordSnapshot(context.store, account.ref, instantName(takenAt), record)
  const { key, rows } = await publish(context, account, balances, place, record)
  const assumptions = [...new Set(answers.flatMap(answer => answer.assumptions))]
  return { outcome: 'taken', day: record.day, key, record: recordKey(account, place), rows, assumptions }
}

/** Publishes what was recorded by a run that died before it could. */
export async function finishSnapshots(context: SnapshotContext, account: Account): Promise<number> {
  const places = await unpublishedSnapshots(context.store, account.ref)
  for (const place of places) {
    try {
      const record = await readSnapshot(context.store, account.ref, place)
      if (record !== undefined) await publish(context, account, balancesOf(account), place, record)
    } catch (error) {
      // What cannot be read is kept and told of; it must not stand in the way of the next snapshot.
      if (findFault(error)?.code !== 'provider-protocol') throw error
      const fields = { ...account.ref, day: place.day, snapshot: place.name }
      context.log.error('snapshot.unreadable', { ...fields, ...errorFields(error) })
    }
  }
  return places.length
}

function balancesOf({ provider }: Account): Balances {
  if (provider.balances !== undefined) return provider.balances
  throw new DaybookError('usage-invalid', `The provider ${provider.name} tells no balances.`)
}

const recordKey = ({ ref }: Account, { day, name }: SnapshotPlace) => snapshotKey(ref, day, name)

function wantedDay(
  balances: Balances,
  day: Day | undefined,
  now: Date,
): { day: Day | undefined } | { says: string } {
  const days = balances.days?.(now)
  if (days === undefined) {
    return day === undefined ? { day } : { says: 'This provider tells only what is held now, not on a day.' }
  }
  const newest = addDays(days.end, -1)
  const wanted = day ?? newest
  return days.start <= wanted && wanted < days.end
    ? { day: wanted }
    : { says: `Balances can be asked for from ${days.start} to ${newest}; ${wanted} lies outside.` }
}

/** A day's balance does not change once it is told, so it is asked for once. */
async function standingOf(
  { store }: SnapshotContext,
  account: Account,
  day: Day | undefined,
): Promise<SnapshotOutcome | undefined> {
  if (day === undefined) return undefined
  for await (const place of listSnapshots(store, account.ref, day)) {
    const published = await store.head(balancesKey(account.ref, place.day, place.name))
    if (published !== undefined) return { outcome: 'already-taken', day, record: recordKey(account, place) }
  }
  return undefined
}

async function publish(
  { store, log }: SnapshotContext,
  account: Account,
  balances: Balances,
  place: SnapshotPlace,
  record: SnapshotRecord,
): Promise<{ key: string; rows: number }> {
  const rows = rowsOf(balances, record)
  const key = await publishBalances(store, account.ref, place, record, rows)
  log.info('snapshot.published', { ...account.ref, day: place.day, snapshot: place.name, rows: rows.length })
  return { key, rows: rows.length }
}

/** The rows that a record's answers tell, each with its evidence. */
export function rowsOf(balances: Balances, record: SnapshotRecord): BalanceRow[] {
  return record.answers.flatMap(answer =>
    balances.read(answer).map(balance => ({
      ...balance,
      operation: answer.operation,
      sentMicros: microsOf(answer.sentAt),
      answeredMicros: microsOf(answer.answeredAt),
      rawSha256: answer.bodySha256,
      assumptions: writeJson(answer.assumptions),
    })),
  )
}

function microsOf(instant: string): bigint {
  return BigInt(new Date(instant).getTime()) * 1000n
}
