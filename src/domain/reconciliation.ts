/** What holding balances against each other and against activity comes to: findings, verdicts, records. */
import { z } from 'zod'
import { type Amount, formatAmount } from './amount.ts'
import type { BalanceRow } from './balance.ts'
import { BREAK_CLASSES } from './break-class.ts'
import { addDays, type Day, dayOfMicros, daysOf, isDay } from './calendar.ts'
import type { TimePrecision } from './snapshot-pair.ts'

/** From the one that needs a person most to the one that needs nobody. */
export const VERDICTS = [
  /** A difference, with both sides complete. */
  'break',
  /** One side is missing something, or is not final yet. */
  'incomplete',
  /** The numbers may agree, but what a side means, or on which side a row is, is not confirmed. */
  'unproven',
  /** A difference within a tolerance that somebody has declared. */
  'within_tolerance',
  /** There is nothing to check with. */
  'not_checkable',
  /** No difference, both sides complete. */
  'matched',
] as const
export type Verdict = (typeof VERDICTS)[number]

export const CHECKS = ['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8'] as const
export type Check = (typeof CHECKS)[number]

/** Which of an asset's balances the movements move. */
export const TARGETS = ['available+on_hold', 'available', 'total'] as const
export type Target = (typeof TARGETS)[number]

/** What a provider says of its balances and movements, as far as proving one by the other needs it. */
export interface BalanceProof {
  readonly target: Target
  /** Whether it is confirmed that the movements move this balance; nothing is proved while it is not. */
  readonly confirmed: boolean
  readonly precision: TimePrecision
  /** The operations whose answers name every asset that is held: what such an answer leaves out is not there. */
  readonly wholeOperations: readonly string[]
  /** A day's movements are final when they were told this many days after its first instant, or later. */
  readonly finalAfterDays: number
  readonly assumptions: readonly string[]
}

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number as text')
const day = z.string().refine(isDay, 'expected a day, YYYY-MM-DD')
const instant = z.iso.datetime()
const stretch = z.object({ from: instant, to: instant })

export const finding = z.object({
  /** The same for the same question of every run: `R6/Spot/USDT`. */
  id: z.string(),
  check: z.enum(CHECKS),
  /** The wallet or funds account; `null` where the check is about the whole account. */
  place: z.string().nullable(),
  asset: z.string().nullable(),
  zone: z.string().nullable(),
  window: stretch.nullable(),
  /** Amounts as text; `null` where there is none to tell. */
  expected: decimal.nullable(),
  actual: decimal.nullable(),
  /** Signed: actual less expected. */
  difference: decimal.nullable(),
  /** What `expected` may be at least and at most, where rows may be on either side of a reading. */
  expectedLeast: decimal.nullable(),
  expectedMost: decimal.nullable(),
  tolerance: decimal,
  toleranceReason: z.string().nullable(),
  verdict: z.enum(VERDICTS),
  /** The likely class of a difference: a hint. */
  class: z.enum(BREAK_CLASSES).nullable(),
  /** Between which readings the book goes wrong first, and the days that lie there: UTC, or of the finding's zone. */
  firstBad: stretch.extend({ days: z.array(day) }).nullable(),
  says: z.string(),
  /** The objects that it rests on. */
  evidence: z.array(z.string()),
})
export type Finding = z.infer<typeof finding>

/** `reconciliations/…/<date>.json`, then `<date>-2.json`, …: what one run found about one day. */
export const reconciliationRecord = z.object({
  provider: z.string(),
  account: z.string(),
  day,
  /** From 1; a later run supersedes the one before, which stays. */
  run: z.number().int().positive(),
  ranAt: instant,
  by: z.string(),
  /** The worst of the findings. */
  verdict: z.enum(VERDICTS),
  assumptions: z.array(z.string()),
  findings: z.array(finding).min(1),
})
export type ReconciliationRecord = z.infer<typeof reconciliationRecord>

/** `explanations/…/<date>/<instant>.json`: what a person says of a finding. It changes no number. */
export const explanationRecord = z.object({
  day,
  finding: z.string(),
  /** The run whose finding was explained. */
  run: z.number().int().positive(),
  /** `note`: something to know; `explained`: the person takes the matter for answered. */
  kind: z.enum(['note', 'explained']),
  says: z.string().min(1),
  by: z.string().min(1),
  at: instant,
})
export type ExplanationRecord = z.infer<typeof explanationRecord>

/** The verdict of several findings. What cannot be checked does not spoil what was. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const checked: readonly Verdict[] = verdicts.filter(verdict => verdict !== 'not_checkable')
  return VERDICTS.find(verdict => checked.includes(verdict)) ?? 'not_checkable'
}

/** One finding of each id: of several answers to one question the one that needs a person most. */
export function worstEach(findings: readonly Finding[]): Finding[] {
  const rank = ({ verdict }: Finding) => VERDICTS.indexOf(verdict)
  return [...Map.groupBy(findings, ({ id }) => id).values()].map(group =>
    group.reduce((worst, each) => (rank(each) < rank(worst) ? each : worst)),
  )
}

/** A tolerance that a person has declared for an asset. */
export interface Tolerance {
  readonly amount: Amount
  readonly reason: string
}
export type Tolerances = ReadonlyMap<string, Tolerance>

/** What a finding tells of; all else is absent. */
export type Told = Partial<Finding> & Pick<Finding, 'check' | 'verdict' | 'says'>

/** A finding with everything that it does not tell of as `null`. */
export function findingOf(told: Told): Finding {
  const { check, place = null, asset = null, zone = null } = told
  return {
    id: [check, place, asset, zone].filter(part => part !== null && part !== '').join('/'),
    place,
    asset,
    zone,
    window: null,
    expected: null,
    actual: null,
    difference: null,
    expectedLeast: null,
    expectedMost: null,
    tolerance: '0',
    toleranceReason: null,
    class: null,
    firstBad: null,
    evidence: [],
    ...told,
  }
}

interface Compared {
  readonly expected: Amount
  readonly actual: Amount
  readonly tolerance: Tolerance | undefined
}

/** Two figures that must be the same: what is told of them, and the verdict. */
export function compared({ expected, actual, tolerance }: Compared) {
  const difference = actual - expected
  return {
    ...figures(expected, actual, difference),
    ...toleranceTold(tolerance),
    verdict: verdictOf(difference, tolerance),
  }
}

function figures(expected: Amount, actual: Amount, difference: Amount) {
  return {
    expected: formatAmount(expected),
    actual: formatAmount(actual),
    difference: formatAmount(difference),
  }
}

export function toleranceTold(tolerance: Tolerance | undefined) {
  return {
    tolerance: formatAmount(tolerance?.amount ?? 0n),
    toleranceReason: tolerance?.reason ?? null,
  }
}

function verdictOf(difference: Amount, tolerance: Tolerance | undefined): Verdict {
  if (difference === 0n) return 'matched'
  return isWithin(difference, tolerance) ? 'within_tolerance' : 'break'
}

export function isWithin(difference: Amount, tolerance: Tolerance | undefined): boolean {
  const size = difference < 0n ? -difference : difference
  return tolerance !== undefined && size <= tolerance.amount
}

export const placeOf = ({ wallet, fundsAccount }: Pick<BalanceRow, 'wallet' | 'fundsAccount'>) =>
  fundsAccount ?? wallet ?? ''

/** Milliseconds: what the instants of readings are told in. */
export function instantText(micros: bigint): string {
  return new Date(Number.parseInt((micros / 1000n).toString(), 10)).toISOString()
}

/** The days (UTC) that movements between two instants may be told under. */
export function daysTouched({
  precision,
}: Pick<BalanceProof, 'precision'>): (fromMicros: bigint, toMicros: bigint) => Day[] {
  return (fromMicros, toMicros) => {
    const first = dayOfMicros(fromMicros - precision.clockMicros - precision.resolutionMicros)
    const last = dayOfMicros(toMicros + precision.clockMicros)
    return daysOf({ start: first, end: addDays(last, 1) })
  }
}
