/**
 * R6: what a balance has moved by between two readings against the movements in between.
 *
 * A day is held between a reading before it and one after it. Where a movement may lie on either side of the
 * nearest two, others close by are tried: a pair that proves more than the day proves the day. Within the
 * pair that is told of, the readings in between say where the book goes wrong first.
 */
import { type Amount, formatAmount } from './amount.ts'
import type { BalanceFigures, BalanceRow } from './balance.ts'
import { type BreakEvidence, classOfBreak } from './break-class.ts'
import type { Day } from './calendar.ts'
import {
  type BalanceProof,
  type Finding,
  findingOf,
  instantText,
  isWithin,
  type Target,
  type Tolerances,
  toleranceTold,
  type Verdict,
} from './reconciliation.ts'
import { comparePair, firstBadReading, type PairFinding, type Tally } from './snapshot-pair.ts'

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
  /** The object that tells it. */
  readonly key: string
  readonly sentMicros: bigint
  readonly answeredMicros: bigint
  readonly balance: BalanceRow | undefined
  /** Whether the answer names every asset that is held. */
  readonly isWhole: boolean
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
  /** In the order of time. */
  readonly readings: readonly AssetReading[]
  /** The last reading before the day in question, and the first one after it. */
  readonly before: number
  readonly after: number
  readonly tally: Tally
  readonly repeated: readonly (Telling & { readonly rows: number })[]
  readonly unknown: readonly Telling[]
  /** The different amounts that moved in each stretch; `undefined` where there are too many to keep. */
  readonly amounts: readonly ReadonlySet<Amount>[] | undefined
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
  const judged = holdings.map(holding => ({ holding, pair: judge(holding, rules) }))
  return judged.map(({ holding, pair }) => {
    const others = judged.flatMap(other =>
      other.holding.asset === holding.asset && other.holding.place !== holding.place
        ? [toldOf(other.pair)?.difference ?? 0n]
        : [],
    )
    return pair === undefined
      ? untold(holding, days, rules)
      : pairFinding(holding, pair, { days, others, rules })
  })
}

/** The pair that holds the day, and the narrowest stretch known where the book goes wrong first. */
interface JudgedPair extends Pair {
  readonly bad: BadStretch | undefined
}

interface BadStretch {
  readonly from: number
  readonly to: number
  readonly found: PairFinding
  readonly undone: Undone | undefined
}

/** Readings `first` to `last` disagree with those before and after them, which agree with each other. */
interface Undone {
  readonly first: number
  readonly last: number
  /** The stretches that take the difference back. */
  readonly from: number
  readonly to: number
}

/** Readings this near to the nearest one are tried in its place: more of another day is not let in. */
const NEAR_MICROS = 3_600_000_000n

function judge(holding: Holding, rules: PairRules): JudgedPair | undefined {
  const { before, after } = holding
  const nearest = compareReadings(holding, before, after, rules)
  if (nearest === undefined) return undefined
  const { from, to, total } = provingPair(holding, nearest, rules)
  return { from, to, total, bad: firstBad(holding, from, to, rules) }
}

interface Pair {
  readonly from: number
  readonly to: number
  readonly total: PairFinding
}

/** The shortest pair close by of which everything is certain; the nearest where there is none. */
function provingPair(holding: Holding, nearest: PairFinding, rules: PairRules): Pair {
  const { readings, before, after } = holding
  const given = { from: before, to: after, total: nearest }
  if (isExact(nearest)) return given
  const touched = (from: number, to: number) =>
    rules.daysOf(readings[from]!.sentMicros, readings[to]!.answeredMicros).length
  const most = touched(before, after)
  for (let wider = 1; wider <= before + readings.length - 1 - after; wider++) {
    for (let earlier = 0; earlier <= wider; earlier++) {
      const [from, to] = [before - earlier, after + wider - earlier]
      const [first, last] = [readings[from], readings[to]]
      if (first === undefined || last === undefined) continue
      if (readings[before]!.sentMicros - first.sentMicros > NEAR_MICROS) continue
      if (last.sentMicros - readings[after]!.sentMicros > NEAR_MICROS || touched(from, to) > most) continue
      const total = compareReadings(holding, from, to, rules)
      if (total === undefined || !isExact(total)) continue
      // A break of the nearest pair stays one, whatever undoes it outside.
      if (nearest.finding === 'open' || total.finding === 'different') return { from, to, total }
    }
  }
  return given
}

/** Errors that undo each other leave no trace in the whole, but one in between. */
function firstBad(holding: Holding, from: number, to: number, rules: PairRules): BadStretch | undefined {
  const find = (first: number, last: number) => compareReadings(holding, first, last, rules)
  const isBad = (first: number, last: number) => find(first, last)?.finding === 'different'
  const last = isBad(from, to)
    ? from + firstBadReading(to - from, offset => isBad(from, from + offset))
    : numbers(from + 1, to).find(each => isBad(from, each) || isBad(each - 1, each))
  if (last === undefined) return undefined
  const first = numbers(from, last - 1).findLast(each => isBad(each, last))!
  const undone = undoneOf(holding, first, last, rules)
  return { from: first, to: last, found: find(first, last)!, undone }
}

/** From `first` up to and with `last`. */
const numbers = (first: number, last: number) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)

function undoneOf(holding: Holding, from: number, to: number, rules: PairRules): Undone | undefined {
  const agrees = (first: number, last: number) => {
    const found = compareReadings(holding, first, last, rules)
    return found !== undefined && found.difference === 0n
  }
  const end = numbers(to + 1, holding.readings.length - 1).find(each => agrees(from, each))
  if (end !== undefined) return { first: to, last: end - 1, from: end - 1, to: end }
  const begin = numbers(0, from - 1).findLast(each => agrees(each, to))
  return begin === undefined ? undefined : { first: begin + 1, last: from, from: begin, to: begin + 1 }
}

/** What a reading tells of the target; nothing where an answer that names everything leaves the asset out. */
function amountAt({ readings }: Holding, index: number, { proof }: PairRules): Amount | null {
  const reading = readings[index]
  if (reading?.balance !== undefined) return targetOf(reading.balance, proof.target).amount
  return reading?.isWhole === true ? 0n : null
}

/** `undefined` where one of the two is not told. */
function compareReadings(
  holding: Holding,
  from: number,
  to: number,
  rules: PairRules,
): PairFinding | undefined {
  const [opening, closing] = [amountAt(holding, from, rules), amountAt(holding, to, rules)]
  return opening === null || closing === null
    ? undefined
    : comparePair(holding.tally, from, to, opening, closing)
}

/** The figures that are told: of the pair, unless only a stretch of it shows that something is wrong. */
function toldOf(pair: JudgedPair | undefined): PairFinding | undefined {
  return pair?.bad === undefined || pair.total.finding === 'different' ? pair?.total : pair.bad.found
}

function aboutPair(holding: Holding, from: number, to: number, days: DaysBetween, rules: PairRules) {
  const { place, asset, readings } = holding
  return {
    check: 'R6' as const,
    place,
    asset,
    window: { from: instantText(readings[from]!.sentMicros), to: instantText(readings[to]!.answeredMicros) },
    evidence: [readings[from]!.key, readings[to]!.key, ...days.evidence],
    ...toleranceTold(rules.tolerances.get(asset)),
  }
}

function untold(holding: Holding, days: DaysBetween, rules: PairRules): Finding {
  const { readings, before, after } = holding
  const isGone = readings[before]!.balance !== undefined && readings[after]!.balance === undefined
  return findingOf({
    ...aboutPair(holding, before, after, days, rules),
    verdict: 'incomplete',
    class: isGone ? 'vanished-currency' : null,
    says: isGone
      ? 'the later reading does not tell this asset, which does not prove zero'
      : 'a reading does not tell the balance of this asset, which does not prove zero',
  })
}

interface Around {
  readonly days: DaysBetween
  /** The differences of the same asset in the account's other wallets. */
  readonly others: readonly Amount[]
  readonly rules: PairRules
}

function pairFinding(holding: Holding, pair: JudgedPair, around: Around): Finding {
  const { days, rules } = around
  const { bad } = pair
  const found = toldOf(pair)!
  const { from, to } = found === pair.total ? pair : bad!
  const verdict = pairVerdict(holding, pair, days, rules)
  const isDifferent = found.difference !== null && found.difference !== 0n
  return findingOf({
    ...aboutPair(holding, from, to, days, rules),
    ...pairFigures(found),
    verdict,
    class: isDifferent ? classOfBreak(evidenceOf(holding, pair, around)) : null,
    // Where days are lacking, the place of a difference says nothing.
    firstBad: bad === undefined || verdict === 'incomplete' ? null : placeOfBreak(holding, bad, rules),
    says: saysOf(holding, pair, verdict, days, rules),
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

/** The stretch in which the movements are wrong, or the first reading that is. */
function placeOfBreak(holding: Holding, bad: BadStretch, { daysOf }: PairRules): Finding['firstBad'] {
  const { readings } = holding
  const isReading = bad.undone !== undefined && explanationOf(holding, bad, bad.undone) === 'by-none'
  const [first, last] = isReading ? [bad.undone!.first, bad.undone!.first] : [bad.from, bad.to]
  const { sentMicros } = readings[first]!
  const { answeredMicros } = readings[last]!
  return {
    from: instantText(sentMicros),
    to: instantText(answeredMicros),
    days: daysOf(sentMicros, answeredMicros),
  }
}

/** A movement told at another time leaves a row of its amount on one side of the disagreement. */
function explanationOf({ amounts }: Holding, bad: BadStretch, undone: Undone): BreakEvidence['undone'] {
  if (amounts === undefined) return 'unknown'
  const { difference } = bad.found
  const moved = (from: number, to: number, amount: Amount) =>
    numbers(from + 1, to).some(stretch => amounts[stretch]!.has(amount))
  return moved(bad.from, bad.to, -difference!) || moved(undone.from, undone.to, difference!)
    ? 'by-a-row'
    : 'by-none'
}

function isTold({ readings }: Holding, from: number, to: number): boolean {
  return readings[from]!.balance !== undefined && readings[to]!.balance !== undefined
}

function isHoldTold({ readings }: Holding, { from, to }: JudgedPair, { proof }: PairRules): boolean {
  return [readings[from]!, readings[to]!].every(
    ({ balance }) => balance === undefined || targetOf(balance, proof.target).whole,
  )
}

function pairVerdict(holding: Holding, pair: JudgedPair, days: DaysBetween, rules: PairRules): Verdict {
  const { from, to, total, bad } = pair
  if (days.lacking.length > 0) return 'incomplete'
  if (!rules.proof.confirmed || !isHoldTold(holding, pair, rules)) return 'unproven'
  if (bad !== undefined) {
    const tolerance = rules.tolerances.get(holding.asset)
    const told = [bad.found, total].filter(({ finding }) => finding === 'different')
    if (told.some(({ difference }) => !isWithin(difference!, tolerance))) return 'break'
    return isExact(toldOf(pair)!) ? 'within_tolerance' : 'unproven'
  }
  if (total.finding === 'open') return 'unproven'
  if (isTold(holding, from, to)) return 'matched'
  return isIdle(holding, pair) ? 'not_checkable' : 'unproven'
}

/** Whether the movements in between come to one sum only. */
function isExact({ least, most }: PairFinding): boolean {
  return least === most
}

/** Told at neither end, and nothing has moved. */
function isIdle({ readings }: Holding, { from, to, total }: JudgedPair): boolean {
  const isTold = readings[from]!.balance !== undefined || readings[to]!.balance !== undefined
  return !isTold && total.least === 0n && total.most === 0n
}

function saysOf(
  holding: Holding,
  pair: JudgedPair,
  verdict: Verdict,
  { lacking }: DaysBetween,
  rules: PairRules,
): string {
  const what = `change of ${rules.proof.target} against the sum of movements`
  if (verdict === 'incomplete') {
    const reasons = lacking.slice(0, 5).map(({ day, why }) => `${day} ${why}`)
    return `${what}, so far; ${reasons.join(', ')}${lacking.length > 5 ? ', …' : ''}`
  }
  if (verdict === 'not_checkable') return 'the asset is told at neither reading, and nothing of it moved'
  if (!isHoldTold(holding, pair, rules)) return `${what}; what is on hold is not told, so nothing is proved`
  if (!rules.proof.confirmed)
    return `${what}; that movements move this balance is not confirmed, so nothing is proved`
  const { from, to } = pair
  const found = toldOf(pair)!
  if (verdict === 'unproven' && !isTold(holding, from, to))
    return `${what}; a reading leaves the asset out, which agrees if that means nothing is held`
  if (found.eitherSide > 0) return `${what}; ${found.eitherSide} of them may lie on either side of a reading`
  return what
}

function evidenceOf(holding: Holding, pair: JudgedPair, { days, others, rules }: Around): BreakEvidence {
  const { from, to, found, undone } = pair.bad ?? { ...pair, found: pair.total, undone: undefined }
  const isIn = ({ first, last }: Telling) => last > from && first <= to
  const holdAt = (index: number) => holding.readings[index]?.balance?.onHold ?? null
  const [before, after] = [holdAt(from), holdAt(to)]
  return {
    difference: found.difference!,
    missingDays: days.lacking.length,
    isLeftOut: !isTold(holding, from, to),
    otherWallets: others,
    undone: undone === undefined ? 'no' : explanationOf(holding, { from, to, found, undone }, undone),
    repeated: holding.repeated.filter(isIn),
    unknown: holding.unknown.filter(isIn).map(({ amount }) => amount),
    holdChange: before === null || after === null ? null : after - before,
    unit: rules.unit,
  }
}
