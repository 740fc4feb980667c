/** Direct debits that are announced before they are made: the notice, its limits, its identity. */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { AMOUNT_SCALE, type Amount } from './amount.ts'
import { type Day, dayOf, daysBetween, isDay } from './calendar.ts'

/** A user's consent to be debited. */
export interface Contract {
  readonly contractId: string
  /** The provider's word, such as `CONTRACT_SIGNED`. */
  readonly status: string
  readonly isSigned: boolean
  /** The largest amount of one debit; `null` where the provider did not say. */
  readonly singleUpperLimit: Amount | null
  readonly currency: string | null
}

/** What is announced. */
export interface DebitNotice {
  /** At most 32 letters and digits; the same for every try. */
  readonly requestId: string
  readonly contractId: string
  readonly amount: Amount
  readonly currency: string
  readonly subMerchantId: string | null
}

/** A debit that moves money, after its notice. */
export interface DebitApplication extends DebitNotice {
  /** The order id that the notice was answered with; `null` for a contract without a period. */
  readonly noticeOrderId: string | null
  readonly productName: string
}

/** The fewest and the most days a notice lies before its debit. */
export const NOTICE_DAYS = { fewest: 2, most: 5 } as const

/** How long after its notice a debit stays frozen. */
export const FREEZE_MS = 24 * 3_600_000

/** Decimal places an amount of a debit may have. */
export const DEBIT_DECIMALS = 8

const LONGEST_ID = 32

/** The id of the notice of one contract's debit on one day, so that a repeat is the same request. */
export function debitRequestId(contractId: string, due: Day): string {
  return hash('sha256', `debit ${contractId} ${due}`, 'hex').slice(0, LONGEST_ID)
}

/** Whole days (UTC) from now to the debit, and whether a notice now lies within the rule. */
export function noticeTiming(now: Date, due: Day): { daysAhead: number; timely: boolean } {
  const daysAhead = daysBetween(dayOf(now), due)
  return { daysAhead, timely: daysAhead >= NOTICE_DAYS.fewest && daysAhead <= NOTICE_DAYS.most }
}

/** The first instant at which a debit that was announced at `at` can be made. */
export function frozenUntil(at: Date): Date {
  return new Date(at.getTime() + FREEZE_MS)
}

/** Why an amount cannot be debited at all; `undefined` when it can. */
export function debitAmountFault(amount: Amount): string | undefined {
  if (amount <= 0n) return 'The amount of a debit is larger than zero.'
  const step = 10n ** BigInt(AMOUNT_SCALE - DEBIT_DECIMALS)
  return amount % step === 0n ? undefined : `The amount of a debit has at most ${DEBIT_DECIMALS} decimals.`
}

const instant = z.iso.datetime()
const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number as text')

/** `debits/…/intent.json`: what is to be announced, written down before it is. */
export const debitIntent = z.object({
  requestId: z.string(),
  contractId: z.string(),
  due: z.string().refine(isDay, 'expected a day, YYYY-MM-DD'),
  amount: decimal,
  currency: z.string(),
  subMerchantId: z.string().nullable(),
  /** Whether the rule of 2 to 5 days was set aside by whoever asked. */
  outsideWindow: z.boolean(),
  by: z.string(),
  recordedAt: instant,
})
export type DebitIntent = z.infer<typeof debitIntent>

/** `debits/…/results/<instant>.json`: what one try came to. */
export const debitResult = z.object({
  outcome: z.enum(['notified', 'rejected', 'unknown']),
  orderId: z.string().nullable(),
  /** The provider's time of the notice, from which the freeze counts. */
  notifiedAt: instant.nullable(),
  frozenUntil: instant.nullable(),
  code: z.string().nullable(),
  says: z.string().nullable(),
  /** The provider's answer as it came; empty when there was none. */
  answer: z.string(),
  sentAt: instant,
  answeredAt: instant,
})
export type DebitResult = z.infer<typeof debitResult>
