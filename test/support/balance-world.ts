/** Balances and movements put into a store as the commands do, and a reconciliation of them. */
import type { ActivityRow } from '../../src/domain/activity.ts'
import { type BalanceFigures, type BalanceRow, NO_FIGURES } from '../../src/domain/balance.ts'
import { type Day, dayOf } from '../../src/domain/calendar.ts'
import { activityKey, balancesKey, snapshotKey } from '../../src/domain/keys.ts'
import type { BalanceProof, Tolerances } from '../../src/domain/reconciliation.ts'
import { encodeBalances } from '../../src/formats/balance-file.ts'
import type { Account } from '../../src/stages/context.ts'
import { reconcile } from '../../src/stages/reconcile.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { dayBytes } from './day-maker.ts'
import { fixedClock } from './fixed-clock.ts'
import { quietLog } from './quiet-log.ts'

export const REF = { provider: 'tiny', account: 'one' }
export const UNIT = 10n ** 18n

export const PROOF: BalanceProof = {
  target: 'available+on_hold',
  confirmed: true,
  precision: { resolutionMicros: 1_000_000n, clockMicros: 1_000_000n },
  wholeOperations: ['whole'],
  finalAfterDays: 3,
  assumptions: ['movements move available + on hold'],
}

/** An account that tells balances and no reports. */
export function accountOf(
  proof: BalanceProof | undefined,
  basis: 'instant' | 'day-end' = 'instant',
): Account {
  const balances = { basis, ask: async () => [], read: () => [], ...(proof === undefined ? {} : { proof }) }
  return {
    ref: REF,
    provider: { name: 'tiny', balances },
    monthlyLimit: 50,
    zoneMinutes: undefined,
    columns: {},
  }
}

export function reconcileDay(
  store: ObjectStore,
  day: Day,
  { account = accountOf(PROOF), tolerances = new Map() }: { account?: Account; tolerances?: Tolerances } = {},
) {
  const clock = fixedClock('2026-10-20T00:00:00.000Z')
  const ledger = quotaLedger(store)
  const context = { store, ledger, reports: reportLog(store), clock, log: quietLog(), processName: 'test' }
  return reconcile(context, account, { day, tolerances })
}

export const microsOf = (instant: string) => BigInt(Date.parse(instant)) * 1000n

export type ToldBalance = Partial<BalanceFigures> & Pick<BalanceRow, 'asset'> & Partial<BalanceRow>

/** A balance as an answer tells it, with all that is not said left out. */
export function balanceRowOf(row: ToldBalance): BalanceRow {
  return {
    ...NO_FIGURES,
    wallet: 'Spot',
    fundsAccount: null,
    basis: 'instant',
    asOfMicros: null,
    day: null,
    zone: null,
    valuations: null,
    status: null,
    extra: null,
    operation: 'balance',
    sentMicros: 0n,
    answeredMicros: 0n,
    rawSha256: 'a'.repeat(64),
    assumptions: '["told by the test"]',
    ...row,
  }
}

type ToldMovement = Pick<ActivityRow, 'micros' | 'amount'> & Partial<ActivityRow>

export function movementOf(row: ToldMovement): ActivityRow {
  return {
    userId: null,
    wallet: 'Spot',
    operation: 'Deposit',
    asset: 'USDT',
    remark: '',
    extra: null,
    ...row,
  }
}

/** Puts a snapshot into the table as `daybook snapshot` does. */
export async function putSnapshot(
  store: ObjectStore,
  instant: string,
  rows: readonly ToldBalance[],
  day = dayOf(new Date(instant)),
): Promise<void> {
  const name = instant.replace(/[-:]/g, '')
  const window = { sentMicros: microsOf(instant), answeredMicros: microsOf(instant) + 300_000n }
  const whole = rows.map(row => balanceRowOf({ ...window, ...row }))
  await store.create(snapshotKey(REF, day, name), Buffer.from('{}'))
  await store.create(balancesKey(REF, day, name), encodeBalances(whole, {}))
}

/** Publishes a day's rows. */
export async function putActivity(
  store: ObjectStore,
  day: Day,
  rows: readonly ToldMovement[],
  generatedAt = '2026-10-19T00:00:00.000Z',
): Promise<void> {
  const whole = rows.map(movementOf)
  await store.create(
    activityKey(REF, day),
    dayBytes(whole, { reportId: '1', generatedAt, parserVersion: '1' }),
  )
}
