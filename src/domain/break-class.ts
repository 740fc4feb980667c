/** What most likely made a difference: a hint for a person, which changes no number and no verdict. */
import type { Amount } from './amount.ts'

export const BREAK_CLASSES = [
  /** A day in between is not there. */
  'missing-report',
  /** The other wallet of the account has the opposite difference: one leg of a transfer is not in the book. */
  'internal-transfer',
  /** A movement is in the book at another time: before or after, the book agrees again by a row of that amount. */
  'late-row',
  /** Before and after, the book agrees, and no row explains it: what was told of the balance is wrong. */
  'wrong-balance',
  /** Identical rows, of which some are too many. */
  'duplicate',
  /** Rows whose operation nobody has listed come to the difference. */
  'unknown-operation',
  /** What is on hold has changed by as much. */
  'in-flight',
  /** Less than the smallest unit in which balances are told. */
  'rounding',
  /** Inflow and outflow stand under each other's names. */
  'flows-swapped',
  /** A day opens with something else than the day before closed with. */
  'roll-forward-gap',
  /** An asset that was told is not told any more. */
  'vanished-currency',
  /** The parts do not add up to the total, or a figure is negative that cannot be. */
  'component-mismatch',
  /** None of these: a movement of this amount is not in the book. */
  'missing-row',
] as const
export type BreakClass = (typeof BREAK_CLASSES)[number]

/** What is known around a difference of one asset in one wallet, within one stretch. */
export interface BreakEvidence {
  /** Signed, actual less expected; not zero. */
  readonly difference: Amount
  /** Days of the stretch that are not there. */
  readonly missingDays: number
  /** The same asset's differences in the account's other wallets, within the same days. */
  readonly otherWallets: readonly Amount[]
  /** A reading at the edge of the stretch leaves the asset out though it must be held. */
  readonly isLeftOut: boolean
  /**
   * Whether another stretch takes the difference back: by a row of its amount, by none, or by one that
   * nobody knows of because there were too many to keep.
   */
  readonly undone: 'no' | 'by-a-row' | 'by-none' | 'unknown'
  /** Amounts that several identical rows have, and how many rows. */
  readonly repeated: readonly { readonly amount: Amount; readonly rows: number }[]
  /** The amounts of rows of unknown operations. */
  readonly unknown: readonly Amount[]
  /** By how much more is on hold at the end; `null` where it is not told. */
  readonly holdChange: Amount | null
  /** The smallest unit in which balances are told. */
  readonly unit: Amount
}

/** The first class, from the surest to the least, that explains the whole difference. */
export function classOfBreak(evidence: BreakEvidence): BreakClass {
  const { difference, missingDays, isLeftOut, otherWallets, undone, repeated, unknown, holdChange, unit } =
    evidence
  if (missingDays > 0) return 'missing-report'
  if (isLeftOut) return 'vanished-currency'
  if (otherWallets.includes(-difference)) return 'internal-transfer'
  if (undone === 'by-a-row' || undone === 'unknown') return 'late-row'
  if (undone === 'by-none') return 'wrong-balance'
  if (repeated.some(rows => isTooMany(difference, rows))) return 'duplicate'
  if (unknown.includes(-difference) || (unknown.length > 1 && sumOf(unknown) === -difference))
    return 'unknown-operation'
  if (holdChange !== null && holdChange !== 0n && (difference === holdChange || difference === -holdChange))
    return 'in-flight'
  if (-unit < difference && difference < unit) return 'rounding'
  return 'missing-row'
}

/** Rows too many make the book say more than the balance: of n identical rows at most n − 1 are. */
function isTooMany(difference: Amount, { amount, rows }: { amount: Amount; rows: number }): boolean {
  if (amount === 0n || difference % amount !== 0n) return false
  const times = -difference / amount
  return times >= 1n && times < BigInt(rows)
}

function sumOf(amounts: readonly Amount[]): Amount {
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}
