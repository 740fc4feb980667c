/** What holding balances against each other and against activity comes to. Amounts are scaled by 10^18. */
import { z } from 'zod'
import { type Amount, formatAmount } from './amount.ts'
import type { BalanceFigures, BalanceRow } from './balance.ts'
import { BREAK_CLASSES, type BreakEvidence, classOfBreak } from './break-class.ts'
import { type Day, isDay } from './calendar.ts'
import {
  comparePair,
  firstBadReading,
  type PairFinding,
  type Tally,
  type TimePrecision,
} from './snapshot-pair.ts'

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
  /** Between which readings the book goes wrong first, and the days (UTC) that lie there. */
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

/** A tolerance that a person has declared for an asset. */
export interface Tolerance {
  readonly amount: Amount
  readonly reason: string
}
export type Tolerances = ReadonlyMap<string, Tolerance>

type Told = Partial<Finding> & Pick<Finding, 'check' | 'verdict' | 'says'>

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

function toleranceTold(tolerance: Tolerance | undefined) {
  return {
    tolerance: formatAmount(tolerance?.amount ?? 0n),
    toleranceReason: tolerance?.reason ?? null,
  }
}

function verdictOf(difference: Amount, tolerance: Tolerance | undefined): Verdict {
  if (difference === 0n) return 'matched'
  return isWithin(difference, tolerance) ? 'within_tolerance' : 'break'
}

function isWithin(difference: Amount, tolerance: Tolerance | undefined): boolean {
  const size = difference < 0n ? -difference : difference
  return tolerance !== undefined && size <= tolerance.amount
}

export const placeOf = ({ wallet, fundsAccount }: Pick<BalanceRow, 'wallet' | 'fundsAccount'>) =>
  fundsAccount ?? wallet ?? ''

/** R1: opening + inflow − outflow = closing, of a day-end balance. */
export function checkArithmetic(row: BalanceRow, tolerances: Tolerances): Finding {
  const { opening, inflow, outflow, closing, asset, zone } = row
  const about = { check: 'R1', place: placeOf(row), asset, zone } as const
  if (opening === null || inflow === null || outflow === null || closing === null)
    return findingOf({ ...about, verdict: 'not_checkable', says: 'Not every figure of the day is told.' })
  const tolerance = tolerances.get(asset)
  const result = compared({ expected: opening + inflow - outflow, actual: closing, tolerance })
  if (result.verdict !== 'break')
    return findingOf({ ...about, ...result, says: 'opening + inflow - outflow against closing' })
  const swapped = opening + outflow - inflow === closing
  return findingOf({
    ...about,
    ...result,
    class: swapped ? 'flows-swapped' : 'component-mismatch',
    says: swapped
      ? 'opening + inflow - outflow is not closing; with the two flows swapped it is'
      : 'opening + inflow - outflow is not closing',
  })
}

/** R2: the parts make the total, and no figure is negative or larger than what it is a part of. */
export function checkParts(row: BalanceRow, tolerances: Tolerances): Finding {
  const { available, onHold, deposit, total, withdrawable, asset, zone } = row
  const about = { check: 'R2', place: placeOf(row), asset, zone } as const
  const wrong = wrongParts(row)
  if (wrong !== undefined)
    return findingOf({ ...about, verdict: 'break', class: 'component-mismatch', says: wrong })
  if (total === null || available === null || onHold === null) {
    const told = [available, onHold, deposit, total, withdrawable].some(figure => figure !== null)
    return told
      ? findingOf({ ...about, verdict: 'matched', says: 'no total is told; no part is negative' })
      : findingOf({ ...about, verdict: 'not_checkable', says: 'No parts are told.' })
  }
  const expected = available + onHold + (deposit ?? 0n)
  const result = compared({ expected, actual: total, tolerance: tolerances.get(asset) })
  return findingOf({
    ...about,
    ...result,
    class: result.verdict === 'break' ? 'component-mismatch' : null,
    says: 'available + on hold + deposit against total',
  })
}

function wrongParts(row: BalanceRow): string | undefined {
  const negative = (['available', 'onHold', 'deposit', 'withdrawable'] as const).find(
    name => (row[name] ?? 0n) < 0n,
  )
  if (negative !== undefined) return `${negative} is negative: ${formatAmount(row[negative]!)}`
  const { withdrawable, available } = row
  return withdrawable !== null && available !== null && withdrawable > available
    ? 'more is withdrawable than is available'
    : undefined
}

/** R3: a day closes with what the next one opens with. `rows` and `next` are whole answers about two days. */
export function checkRollForward(
  rows: readonly BalanceRow[],
  next: readonly BalanceRow[],
  tolerances: Tolerances,
): Finding[] {
  const nameOf = (row: BalanceRow) => [placeOf(row), row.asset, row.zone].join(' ')
  const following = new Map(next.map(row => [nameOf(row), row]))
  const preceding = new Set(rows.map(nameOf))
  const found = rows.map(row => {
    const about = { check: 'R3', place: placeOf(row), asset: row.asset, zone: row.zone } as const
    if (next.length === 0)
      return findingOf({ ...about, verdict: 'incomplete', says: 'the balances of the next day are not here' })
    const opening = following.get(nameOf(row))?.opening
    if (opening === undefined)
      return findingOf({
        ...about,
        verdict: 'incomplete',
        class: 'vanished-currency',
        says: 'the next day does not tell this currency, which does not prove zero',
      })
    if (row.closing === null || opening === null)
      return findingOf({ ...about, verdict: 'not_checkable', says: 'No opening or closing is told.' })
    const tolerance = tolerances.get(row.asset)
    const result = compared({ expected: row.closing, actual: opening, tolerance })
    return findingOf({
      ...about,
      ...result,
      class: result.verdict === 'break' ? 'roll-forward-gap' : null,
      says: "closing against the next day's opening",
    })
  })
  const appeared = next.filter(row => !preceding.has(nameOf(row)) && row.opening !== 0n)
  return [
    ...found,
    ...appeared.map(row =>
      findingOf({
        check: 'R3',
        place: placeOf(row),
        asset: row.asset,
        zone: row.zone,
        verdict: 'incomplete',
        says: 'the next day opens with a currency that this day does not tell',
      }),
    ),
  ]
}

/** What a balance is that movements move; `whole` is whether everything that belongs to it was told. */
export function targetOf(row: BalanceFigures, target: Target): { amount: Amount | null; whole: boolean } {
  if (target === 'available+on_hold') {
    const { available, onHold } = row
    return { amount: available === null ? null : available + (onHold ?? 0n), whole: onHold !== null }
  }
  const amount = target === 'total' ? row.total : row.available
  return { amount, whole: amount !== null }
}

/** One reading of one asset's balance; `balance` is absent where the answer did not tell the asset. */
export interface AssetReading {
  readonly sentMicros: bigint
  readonly answeredMicros: bigint
  readonly balance: BalanceRow | undefined
}

/** A row that a class may be told by, in any stretch from `first` to `last`. */
export interface Telling {
  readonly first: number
  readonly last: number
  readonly amount: Amount
}

/** One asset in one wallet, with its readings and what moved in between. */
export interface Holding {
  readonly place: string
  readonly asset: string
  /** In the order of time; the pair in question is `from`, `to`, and there may be more around it. */
  readonly readings: readonly AssetReading[]
  readonly from: number
  readonly to: number
  readonly tally: Tally
  readonly repeated: readonly (Telling & { readonly rows: number })[]
  readonly unknown: readonly Telling[]
}

/** What is known of the days that the pair touches. */
export interface DaysBetween {
  /** Days that are not there, not whole, or not final yet, and why. */
  readonly lacking: readonly { readonly day: Day; readonly why: string }[]
  readonly evidence: readonly string[]
}

export interface PairRules {
  readonly proof: BalanceProof
  readonly tolerances: Tolerances
  /** The smallest unit in which balances are told: what is below it is rounding. */
  readonly unit: Amount
  readonly daysOf: (fromMicros: bigint, toMicros: bigint) => Day[]
}

/** R6, of every asset and wallet of an account: they are judged together, because a transfer has two legs. */
export function checkPairs(holdings: readonly Holding[], days: DaysBetween, rules: PairRules): Finding[] {
  const judged = holdings.map(holding => ({ holding, pair: worstPair(holding, rules) }))
  return judged.map(({ holding, pair }) => {
    const { place, asset, readings, from, to } = holding
    const [opening, closing] = [readings[from]!, readings[to]!]
    const about = {
      check: 'R6' as const,
      place,
      asset,
      window: { from: textOf(opening.sentMicros), to: textOf(closing.answeredMicros) },
      evidence: [...days.evidence],
      ...toleranceTold(rules.tolerances.get(asset)),
    } satisfies Omit<Told, 'verdict' | 'says'>
    if (pair === undefined) return untold(about, opening, closing)
    const others = judged.flatMap(other =>
      other.pair !== undefined && other.holding.asset === asset && other.holding.place !== place
        ? [other.pair.total.difference ?? 0n]
        : [],
    )
    const verdict = pairVerdict(pair, days, holding, rules)
    const { found } = pair
    const likely =
      found.difference === null || found.difference === 0n
        ? null
        : classOfBreak(evidenceOf(holding, pair, { others, lacking: days.lacking.length, rules }))
    // Where days are lacking, the place of a difference says nothing.
    const isBad = found.finding === 'different' && verdict !== 'incomplete'
    const [first, last] = [readings[pair.from]!, readings[pair.to]!]
    return findingOf({
      ...about,
      ...pairFigures(found),
      verdict,
      class: likely,
      firstBad: isBad
        ? {
            from: textOf(first.sentMicros),
            to: textOf(last.answeredMicros),
            days: rules.daysOf(first.sentMicros, last.answeredMicros),
          }
        : null,
      says: saysOf(verdict, pair, days, holding, rules),
    })
  })
}

/** The pair that is told of: the one in question, or the first stretch of it where the book goes wrong. */
interface JudgedPair {
  readonly from: number
  readonly to: number
  readonly found: PairFinding
  readonly total: PairFinding
}

function worstPair(holding: Holding, rules: PairRules): JudgedPair | undefined {
  const { from, to } = holding
  const total = compareReadings(holding, from, to, rules)
  if (total === undefined) return undefined
  const isBad = (first: number, last: number) =>
    compareReadings(holding, first, last, rules)?.finding === 'different'
  if (total.finding === 'different') {
    const last = from + firstBadReading(to - from, offset => isBad(from, from + offset))
    const found = compareReadings(holding, last - 1, last, rules)
    return found?.finding === 'different'
      ? { from: last - 1, to: last, found, total }
      : { from, to, found: total, total }
  }
  // Errors that undo each other leave no trace in the whole, but one in each stretch.
  for (let last = from + 1; last <= to; last++) {
    const found = compareReadings(holding, last - 1, last, rules)
    if (found?.finding === 'different') return { from: last - 1, to: last, found, total }
  }
  return { from, to, found: total, total }
}

/** `undefined` where one of the two is not told. */
function compareReadings(
  { readings, tally }: Holding,
  from: number,
  to: number,
  { proof }: PairRules,
): PairFinding | undefined {
  const amountAt = (index: number) => {
    const balance = readings[index]?.balance
    return balance === undefined ? null : targetOf(balance, proof.target).amount
  }
  const [opening, closing] = [amountAt(from), amountAt(to)]
  return opening === null || closing === null ? undefined : comparePair(tally, from, to, opening, closing)
}

function untold(
  about: Omit<Told, 'verdict' | 'says'> & Pick<Finding, 'check'>,
  opening: AssetReading,
  closing: AssetReading,
): Finding {
  const isGone = opening.balance !== undefined && closing.balance === undefined
  return findingOf({
    ...about,
    verdict: 'incomplete',
    class: isGone ? 'vanished-currency' : null,
    says: isGone
      ? 'the later reading does not tell this asset, which does not prove zero'
      : 'a reading does not tell the balance of this asset, which does not prove zero',
  })
}

function pairFigures({ moved, least, most, difference }: PairFinding) {
  const nearest = difference === null ? null : moved - difference
  return {
    expected: nearest === null ? null : formatAmount(nearest),
    actual: formatAmount(moved),
    difference: difference === null ? null : formatAmount(difference),
    expectedLeast: formatAmount(least),
    expectedMost: formatAmount(most),
  }
}

function isWhole({ readings, from, to }: Holding, { proof }: PairRules): boolean {
  return [readings[from], readings[to]].every(
    reading => reading?.balance !== undefined && targetOf(reading.balance, proof.target).whole,
  )
}

function pairVerdict(pair: JudgedPair, days: DaysBetween, holding: Holding, rules: PairRules): Verdict {
  if (days.lacking.length > 0) return 'incomplete'
  if (!rules.proof.confirmed || !isWhole(holding, rules)) return 'unproven'
  const { finding: found, difference, eitherSide } = pair.found
  if (found === 'equal') return 'matched'
  if (found === 'open') return 'unproven'
  if (!isWithin(difference, rules.tolerances.get(holding.asset))) return 'break'
  return eitherSide === 0 ? 'within_tolerance' : 'unproven'
}

function saysOf(
  verdict: Verdict,
  { found }: JudgedPair,
  { lacking }: DaysBetween,
  holding: Holding,
  rules: PairRules,
): string {
  const what = `change of ${rules.proof.target} against the sum of movements`
  if (verdict === 'incomplete') {
    const reasons = lacking.slice(0, 5).map(({ day: lost, why }) => `${lost} ${why}`)
    return `${what}, so far; ${reasons.join(', ')}${lacking.length > 5 ? ', …' : ''}`
  }
  if (verdict === 'unproven' && !isWhole(holding, rules))
    return `${what}; what is on hold is not told, so nothing is proved`
  if (verdict === 'unproven' && !rules.proof.confirmed)
    return `${what}; that movements move this balance is not confirmed, so nothing is proved`
  if (found.eitherSide > 0) return `${what}; ${found.eitherSide} of them may lie on either side of a reading`
  return what
}

function evidenceOf(
  holding: Holding,
  pair: JudgedPair,
  { others, lacking, rules }: { others: readonly Amount[]; lacking: number; rules: PairRules },
): BreakEvidence {
  const isIn = ({ first, last }: Telling) => last > pair.from && first <= pair.to
  const neighbour = (from: number, to: number) => {
    const found =
      from < 0 || to >= holding.readings.length ? undefined : compareReadings(holding, from, to, rules)
    return found === undefined || found.difference === null ? [] : [found.difference]
  }
  const holdAt = (index: number) => holding.readings[index]?.balance?.onHold ?? null
  const [before, after] = [holdAt(pair.from), holdAt(pair.to)]
  return {
    difference: pair.found.difference!,
    missingDays: lacking,
    otherWallets: others,
    neighbours: [...neighbour(pair.from - 1, pair.from), ...neighbour(pair.to, pair.to + 1)],
    repeated: holding.repeated.filter(isIn),
    unknown: holding.unknown.filter(isIn).map(({ amount }) => amount),
    holdChange: before === null || after === null ? null : after - before,
    unit: rules.unit,
  }
}

/** Milliseconds: what the instants of readings are told in. */
function textOf(micros: bigint): string {
  return new Date(Number.parseInt((micros / 1000n).toString(), 10)).toISOString()
}
