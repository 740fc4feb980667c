/**
 * Balances at instants against the movements in between (check R6).
 *
 * A reading of a balance is true at some unknown instant T of its window, from the sending of the request to
 * the last byte of the answer, both widened by what the two clocks may differ. A movement that is told as
 * second s happened at some unknown instant of [s, s + resolution). So a movement is
 *   after a reading for certain    when  answered < s,
 *   before it for certain          when  s + resolution <= sent,
 *   on either side                 otherwise.
 * Every combination of sides of the movements that may be on either side gives a sum that the balance may
 * have moved by. Between two readings it follows that
 *   - a move that is none of those sums is a break for certain, whatever happened within the windows;
 *   - a move that is the only possible sum is a match for certain;
 *   - a move that is one of several possible sums agrees and proves nothing: a missing or doubled movement of
 *     that very second would agree as well. It is told as `open`, never as a match.
 * The sums of combinations that contradict the order of seconds are counted as possible too. That can turn a
 * break into `open`, never anything into a match or into a break.
 */
import type { Amount } from './amount.ts'

/** When a balance was read, in microseconds since 1970. */
export interface ReadingWindow {
  readonly sentMicros: bigint
  readonly answeredMicros: bigint
}

/** How finely and how well movements and readings can be put in order. */
export interface TimePrecision {
  /** The unit in which movements are told: a movement lies in [time, time + resolution). */
  readonly resolutionMicros: bigint
  /** How far the clock of the movements may differ from the clock of the readings, either way. */
  readonly clockMicros: bigint
}

/** A movement that may be on either side of a reading: in any stretch from `first` to `last`. */
interface Floating {
  readonly first: number
  readonly last: number
  readonly amount: Amount
}

/** What one balance's movements come to, cut at its readings. Stretch k lies between readings k − 1 and k. */
export interface Tally {
  readonly readings: number
  /** The movements of each stretch that are in it for certain. */
  readonly certain: readonly Amount[]
  readonly floating: readonly Floating[]
}

export interface TallyMaker {
  add(micros: bigint, amount: Amount): void
  result(): Tally
}

/** Whether the windows follow one another without touching: only then is the order of their instants known. */
export function areInOrder(windows: readonly ReadingWindow[]): boolean {
  return windows.every(
    ({ sentMicros, answeredMicros }, index) =>
      sentMicros <= answeredMicros && (index === 0 || windows[index - 1]!.answeredMicros < sentMicros),
  )
}

/** Takes movements in any order; keeps only sums and the movements near a reading. */
export function tallyMaker(windows: readonly ReadingWindow[], precision: TimePrecision): TallyMaker {
  const certain = Array.from({ length: windows.length + 1 }, () => 0n)
  const floating: Floating[] = []
  return {
    add(micros, amount) {
      const { first, last } = stretchesOf(micros, windows, precision)
      if (first === last) certain[first] = certain[first]! + amount
      else if (amount !== 0n) floating.push({ first, last, amount })
    },
    result: () => ({ readings: windows.length, certain: [...certain], floating: [...floating] }),
  }
}

/** The first and the last stretch that a movement told at `micros` may lie in. */
export function stretchesOf(
  micros: bigint,
  windows: readonly ReadingWindow[],
  { resolutionMicros, clockMicros }: TimePrecision,
): { first: number; last: number } {
  const end = micros + resolutionMicros
  return {
    first: countWhile(windows, ({ answeredMicros }) => answeredMicros + clockMicros < micros),
    last: countWhile(windows, ({ sentMicros }) => sentMicros - clockMicros < end),
  }
}

/** How many windows from the first on fulfil what, once it fails, fails for all later ones. */
function countWhile(windows: readonly ReadingWindow[], holds: (window: ReadingWindow) => boolean): number {
  let low = 0
  let high = windows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(windows[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}

export type PairFinding = {
  /** What the balance moved by, and the least and the most that the movements allow. */
  readonly moved: Amount
  readonly least: Amount
  readonly most: Amount
  /** How many movements may be on either side of one of the two readings. */
  readonly eitherSide: number
} & (
  | { readonly finding: 'equal'; readonly difference: 0n }
  /**
   * Signed, actual less expected, against the possible sum that is nearest: exact where `least` is `most`,
   * otherwise no possible difference is smaller.
   */
  | { readonly finding: 'different'; readonly difference: Amount }
  /** One of several possible sums fits, or there are too many to tell. */
  | { readonly finding: 'open'; readonly difference: 0n | null }
)

/** More sums than this are not told apart; only their bounds are. */
const MOST_SUMS = 20_000

/** Compares two readings, by their numbers in the tally, with the movements in between. */
export function comparePair(
  tally: Tally,
  from: number,
  to: number,
  opening: Amount,
  closing: Amount,
): PairFinding {
  const moved = closing - opening
  let certain = 0n
  for (let stretch = from + 1; stretch <= to; stretch++) certain += tally.certain[stretch]!
  const open: Amount[] = []
  for (const { first, last, amount } of tally.floating) {
    if (last <= from || first > to) continue
    if (first > from && last <= to) certain += amount
    else open.push(amount)
  }
  const least = open.reduce((sum, amount) => (amount < 0n ? sum + amount : sum), certain)
  const most = open.reduce((sum, amount) => (amount > 0n ? sum + amount : sum), certain)
  const told = { moved, least, most, eitherSide: open.length }
  if (least === most) {
    const difference = moved - certain
    return difference === 0n
      ? { ...told, finding: 'equal', difference: 0n }
      : { ...told, finding: 'different', difference }
  }
  if (moved < least) return { ...told, finding: 'different', difference: moved - least }
  if (moved > most) return { ...told, finding: 'different', difference: moved - most }
  const sums = possibleSums(certain, open)
  if (sums === undefined) return { ...told, finding: 'open', difference: null }
  if (sums.has(moved)) return { ...told, finding: 'open', difference: 0n }
  return { ...told, finding: 'different', difference: nearestDifference(moved, sums) }
}

function possibleSums(certain: Amount, open: readonly Amount[]): ReadonlySet<Amount> | undefined {
  let sums = new Set([certain])
  for (const amount of open) {
    const next = new Set(sums)
    for (const sum of sums) next.add(sum + amount)
    if (next.size > MOST_SUMS) return undefined
    sums = next
  }
  return sums
}

/** Of two equally near sums the lower one counts, so that the answer does not hang on an order. */
function nearestDifference(moved: Amount, sums: ReadonlySet<Amount>): Amount {
  const size = (value: Amount) => (value < 0n ? -value : value)
  let nearest: Amount | undefined
  for (const sum of sums) {
    const difference = moved - sum
    if (
      nearest === undefined ||
      size(difference) < size(nearest) ||
      (size(difference) === size(nearest) && difference > nearest)
    )
      nearest = difference
  }
  return nearest!
}

/**
 * Of readings 0 to `last`, where the last is bad against the first, the number of one that is bad while the
 * one before it is not. Where the book goes wrong once, that is where; where it goes wrong several times and
 * later errors undo earlier ones, it is one of the places.
 */
export function firstBadReading(last: number, isBad: (reading: number) => boolean): number {
  let good = 0
  let bad = last
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isBad(middle)) bad = middle
    else good = middle
  }
  return bad
}
