/** Holds an account's balances of a day against each other and against its movements. */
import { z } from 'zod'
import { checkArithmetic, checkOnce, checkParts, checkRollForward } from '../domain/balance-checks.ts'
import { addDays, type Day } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { parseCounts } from '../domain/json.ts'
import { checkPairs } from '../domain/pair-checks.ts'
import {
  type BalanceProof,
  daysTouched,
  type Finding,
  findingOf,
  type ReconciliationRecord,
  type Tolerances,
  worstEach,
  worstOf,
} from '../domain/reconciliation.ts'
import {
  balancesAround,
  balancesOfDay,
  judgeDays,
  loadHoldings,
  pairAround,
} from '../stores/balance-readings.ts'
import { recordReconciliation } from '../stores/reconciliation-log.ts'
import type { Account, Context } from './context.ts'

export interface ReconcileInput {
  readonly day: Day
  readonly tolerances: Tolerances
}

export interface ReconcileOutcome {
  /** `unchanged`: the run before found the same, and stands. */
  readonly outcome: 'recorded' | 'unchanged'
  readonly record: ReconciliationRecord
}

type ReconcileContext = Pick<Context, 'store' | 'ledger' | 'reports' | 'clock' | 'log' | 'processName'>

export async function reconcile(
  context: ReconcileContext,
  account: Account,
  input: ReconcileInput,
): Promise<ReconcileOutcome> {
  const { balances } = account.provider
  if (balances === undefined)
    throw new DaybookError('usage-invalid', `The provider ${account.provider.name} tells no balances.`)
  const { findings, assumptions } =
    balances.basis === 'day-end'
      ? await dayEndFindings(context, account, input)
      : await instantFindings(context, account, input, balances.proof)
  const verdict = worstOf(findings.map(finding => finding.verdict))
  const { outcome, record } = await recordReconciliation(context.store, account.ref, {
    ...account.ref,
    day: input.day,
    ranAt: context.clock.now().toISOString(),
    by: context.processName,
    verdict,
    assumptions: [...assumptions],
    findings,
  })
  const fields = { ...account.ref, day: input.day, verdict, run: record.run, outcome }
  if (verdict === 'break') context.log.warn('day.reconciled', fields)
  else context.log.info('day.reconciled', fields)
  return { outcome, record }
}

interface Found {
  readonly findings: Finding[]
  readonly assumptions: readonly string[]
}

async function dayEndFindings(
  { store }: ReconcileContext,
  { ref }: Account,
  { day, tolerances }: ReconcileInput,
): Promise<Found> {
  const told = await balancesOfDay(store, ref, day)
  const next = await balancesOfDay(store, ref, addDays(day, 1))
  if (told === undefined) {
    const says = 'the balances of the day are not here'
    return { findings: [findingOf({ check: 'R7', verdict: 'incomplete', says })], assumptions: [] }
  }
  const zoneless = told.rows.filter(({ zone }) => zone === null).length
  const evidence = [told.key, ...(next === undefined ? [] : [next.key])]
  const findings = [
    ...worstEach(told.rows.map(row => checkArithmetic(row, tolerances))),
    ...worstEach(told.rows.map(row => checkParts(row, tolerances))),
    ...checkRollForward(day, told.rows, next?.rows ?? [], tolerances),
    notCheckable('R4', 'this provider tells no movements by its API'),
    notCheckable('R5', 'no movements, so no running balance beside them'),
    notCheckable('R6', 'only day ends are told, not what is held at an instant'),
    findingOf({ check: 'R7', verdict: 'matched', says: 'the balances of the day are here' }),
    ...checkOnce(told.rows),
    zoneless === 0
      ? findingOf({
          check: 'R8',
          verdict: 'matched',
          says: 'every figure names its zone; only equal zones meet',
        })
      : findingOf({ check: 'R8', verdict: 'unproven', says: `${zoneless} figures name no zone` }),
  ].map(finding => ({ ...finding, evidence }))
  return { findings, assumptions: assumptionsOf(told.rows) }
}

async function instantFindings(
  context: ReconcileContext,
  { ref, provider }: Account,
  { day, tolerances }: ReconcileInput,
  proof: BalanceProof | undefined,
): Promise<Found> {
  const snapshots = await balancesAround(context.store, ref, day)
  const { from: before, to: after } = pairAround(snapshots, day)
  const plain = [
    notCheckable('R1', 'no opening, inflow, outflow and closing are told'),
    notCheckable('R3', 'no day ends are told'),
    notCheckable('R4', 'no day ends are told; R6 holds readings against movements'),
    notCheckable('R5', 'no running balance is told'),
  ]
  const held = snapshots.slice(before ?? 0, (after ?? snapshots.length - 1) + 1).flatMap(({ rows }) => rows)
  const parts = [...worstEach(held.map(row => checkParts(row, tolerances))), ...checkOnce(held)]
  const assumptions = [...assumptionsOf(held), ...(proof?.assumptions ?? [])]
  if (proof === undefined || before === undefined || after === undefined) {
    const lost = before === undefined ? 'before' : 'after'
    const pair =
      proof === undefined
        ? notCheckable('R6', 'how movements and balances of this provider belong together is not known')
        : findingOf({ check: 'R6', verdict: 'incomplete', says: `no balances were read ${lost} the day` })
    return { findings: [...plain, ...parts, pair], assumptions }
  }
  const [opening, closing] = [snapshots[before]!, snapshots[after]!]
  const daysBetween = daysTouched(proof)
  const days = await judgeDays(context, ref, daysBetween(opening.sentMicros, closing.answeredMicros), {
    byReports: provider.reports !== undefined,
    finalAfterDays: proof.finalAfterDays,
  })
  const { holdings, untold } = await loadHoldings(
    context.store,
    ref,
    snapshots,
    { before, after },
    daysBetween(snapshots[0]!.sentMicros, snapshots.at(-1)!.answeredMicros),
    proof,
  )
  const rules = { proof, tolerances, unit: TOLD_UNIT, daysOf: daysBetween }
  const pairs = checkPairs(holdings, days, rules)
  const elsewhere = untold.map(place =>
    findingOf({
      check: 'R6',
      place,
      verdict: 'not_checkable',
      says: 'the balances of this wallet are not told, or its readings overlap',
    }),
  )
  return {
    findings: [...plain, ...parts, ...pairs, ...elsewhere, completeness(days.lacking), ZONE],
    assumptions,
  }
}

/** Balances are told to eight places. */
const TOLD_UNIT = 10n ** 10n

const ZONE = findingOf({
  check: 'R8',
  verdict: 'matched',
  says: 'both sides are cut at the same instants, in UTC; see the assumptions for the zone of the movements',
})

function completeness(lacking: readonly { day: Day; why: string }[]): Finding {
  if (lacking.length === 0)
    return findingOf({ check: 'R7', verdict: 'matched', says: 'every day between the readings is whole' })
  const says = lacking.map(({ day, why }) => `${day} ${why}`).join(', ')
  return findingOf({ check: 'R7', verdict: 'incomplete', class: 'missing-report', says })
}

function notCheckable(check: Finding['check'], says: string): Finding {
  return findingOf({ check, verdict: 'not_checkable', says })
}

function assumptionsOf(rows: readonly { readonly assumptions: string }[]): string[] {
  const lists = new Set(rows.map(({ assumptions }) => assumptions))
  return [...new Set([...lists].flatMap(list => z.array(z.string()).parse(parseCounts(list))))]
}
