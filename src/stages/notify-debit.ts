/**
 * Announces a debit to the user through the provider. What is asked has one id, made of contract and day,
 * so that a repeat has no second effect on either side; it is written down before it is sent.
 */
import { type Amount, formatAmount, readAmount } from '../domain/amount.ts'
import type { Day } from '../domain/calendar.ts'
import {
  type Contract,
  type DebitIntent,
  type DebitNotice,
  type DebitResult,
  debitAmountFault,
  debitRequestId,
  frozenUntil,
  NOTICE_DAYS,
  noticeTiming,
} from '../domain/debit.ts'
import { DaybookError } from '../domain/errors.ts'
import type { Debits, NotifyAnswer } from '../providers/provider.ts'
import { debitLog } from '../stores/debit-log.ts'
import type { Account, Context } from './context.ts'

export interface NotifyInput {
  readonly contractId: string
  readonly amount: Amount
  readonly currency: string
  /** The day of the debit (UTC). */
  readonly due: Day
  readonly subMerchantId: string | null
  /** Announce although the debit is not two to five days ahead. */
  readonly outsideWindow: boolean
}

export type NotifyOutcome =
  | {
      outcome: 'notified' | 'already-notified'
      requestId: string
      orderId: string
      frozenUntil: Date
      daysAhead: number
    }
  /** Nothing was sent. */
  | { outcome: 'not-askable'; says: string }
  | { outcome: 'rejected'; requestId: string; code: string; says: string }
  /** It may have been announced; running the same command again is safe and settles it. */
  | { outcome: 'unknown'; requestId: string; says: string }

type NotifyContext = Pick<Context, 'store' | 'clock' | 'log' | 'processName'>

export async function notifyDebit(
  context: NotifyContext,
  account: Account,
  input: NotifyInput,
): Promise<NotifyOutcome> {
  const debits = debitsOf(account)
  const requestId = debitRequestId(input.contractId, input.due)
  const { daysAhead, timely } = noticeTiming(context.clock.now(), input.due)
  const log = debitLog(context.store, account.ref, requestId)
  const standing = await log.intent()
  const differs = standing === undefined ? undefined : conflict(standing, input)
  if (differs !== undefined) return { outcome: 'not-askable', says: differs }
  const done = await log.notified()
  if (done !== undefined) return { outcome: 'already-notified', requestId, daysAhead, ...done }
  const fault = debitAmountFault(input.amount) ?? windowFault(input, daysAhead, timely)
  if (fault !== undefined) return { outcome: 'not-askable', says: fault }
  const refusal = contractFault(await debits.contract(input.contractId), input)
  if (refusal !== undefined) return { outcome: 'not-askable', says: refusal }

  const intent = intentOf(context, input, requestId, !timely)
  const rival = conflict(await log.intend(intent), input)
  if (rival !== undefined) return { outcome: 'not-askable', says: rival }
  const sentAt = context.clock.now()
  const answer = await debits.notify(noticeOf(input, requestId))
  const result = resultOf(answer, sentAt, context.clock.now())
  const fields = { ...account.ref, requestId, due: input.due, daysAhead }
  context.log.info(`debit.${answer.outcome}`, fields)
  await log.keep(result)
  if (answer.outcome !== 'notified') return outcomeOf(answer, requestId)
  const { orderId, at } = answer
  return { outcome: 'notified', requestId, orderId, frozenUntil: frozenUntil(at), daysAhead }
}

function debitsOf({ provider }: Account): Debits {
  if (provider.debits !== undefined) return provider.debits
  throw new DaybookError('usage-invalid', `The provider ${provider.name} makes no debits.`)
}

function windowFault(input: NotifyInput, daysAhead: number, timely: boolean): string | undefined {
  if (timely || input.outsideWindow) return undefined
  const { fewest, most } = NOTICE_DAYS
  return `The debit of ${input.due} lies ${daysAhead} days ahead (UTC); a notice is due ${fewest} to ${most} days before. To announce it all the same, say so.`
}

function contractFault(contract: Contract | undefined, input: NotifyInput): string | undefined {
  if (contract === undefined) return `The provider knows no contract ${input.contractId}.`
  if (!contract.isSigned) return `The contract ${input.contractId} is ${contract.status}, not signed.`
  const { singleUpperLimit, currency } = contract
  if (currency !== null && currency !== input.currency)
    return `The contract is about ${currency}, not ${input.currency}.`
  if (singleUpperLimit === null) return 'The provider does not tell the upper limit of the contract.'
  return input.amount <= singleUpperLimit
    ? undefined
    : `The amount ${formatAmount(input.amount)} exceeds the contract's upper limit of ${formatAmount(singleUpperLimit)} ${input.currency}.`
}

/** The same contract and day, but not the same notice: the id would make the provider repeat the first. */
function conflict(standing: DebitIntent, input: NotifyInput): string | undefined {
  const same =
    readAmount(standing.amount) === input.amount &&
    standing.currency === input.currency &&
    standing.subMerchantId === input.subMerchantId
  return same
    ? undefined
    : `A notice about this contract and day was asked for on ${standing.recordedAt} with ${standing.amount} ${standing.currency}; it cannot be changed.`
}

function intentOf(
  { clock, processName }: NotifyContext,
  input: NotifyInput,
  requestId: string,
  outsideWindow: boolean,
): DebitIntent {
  return {
    requestId,
    contractId: input.contractId,
    due: input.due,
    amount: formatAmount(input.amount),
    currency: input.currency,
    subMerchantId: input.subMerchantId,
    outsideWindow,
    by: processName,
    recordedAt: clock.now().toISOString(),
  }
}

function noticeOf(
  { contractId, amount, currency, subMerchantId }: NotifyInput,
  requestId: string,
): DebitNotice {
  return { requestId, contractId, amount, currency, subMerchantId }
}

function resultOf(answer: NotifyAnswer, sentAt: Date, answeredAt: Date): DebitResult {
  const isNotified = answer.outcome === 'notified'
  return {
    outcome: answer.outcome,
    orderId: isNotified ? answer.orderId : null,
    notifiedAt: isNotified ? answer.at.toISOString() : null,
    frozenUntil: isNotified ? frozenUntil(answer.at).toISOString() : null,
    code: answer.outcome === 'rejected' ? answer.code : null,
    says: isNotified ? null : answer.says,
    answer: answer.answer,
    sentAt: sentAt.toISOString(),
    answeredAt: answeredAt.toISOString(),
  }
}

function outcomeOf(answer: Exclude<NotifyAnswer, { outcome: 'notified' }>, requestId: string): NotifyOutcome {
  return answer.outcome === 'rejected'
    ? { outcome: 'rejected', requestId, code: answer.code, says: answer.says }
    : { outcome: 'unknown', requestId, says: answer.says }
}
