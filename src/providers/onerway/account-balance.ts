/**
 * What the account holds now. https://docs.onerway.com/apis/zh/v0.6/account-balance
 *
 * one currency  ask {"requestId","requestTime","currency"}           data: a row
 * overview      ask {"requestId","requestTime","displayCurrency"?}   data: {"totalAmount","displayCurrency","currencyBalances":[row]}
 * row           {"currency","withdrawableBalance","availableBalance","fundOnHold","depositBalance","totalBalance","status"}
 *
 * `totalAmount` is a conversion without a rate or its time: kept as information, and reconciled nowhere.
 * No answer has a time of its own, so the window of the request is all there is.
 */

import { type Balance, type BalanceAnswerRecord, NO_FIGURES } from '../../domain/balance.ts'
import { DaybookError } from '../../domain/errors.ts'
import { tryParseJson, writeJson } from '../../domain/json.ts'
import type { BalanceProof } from '../../domain/reconciliation.ts'
import { balanceAnswer, textOfAnswer } from '../balance-answer.ts'
import {
  isObject,
  type JsonObject,
  otherFields,
  requiredAmount,
  requiredList,
  requiredText,
  textOf,
} from '../json-fields.ts'
import type { Balances } from '../provider.ts'
import type { OnerwayClient } from './client.ts'
import type { OnerwaySettings } from './settings.ts'

const OVERVIEW = 'overview'
const SINGLE = 'balance'

const ASSUMPTIONS = [
  'amounts are in major units; told only by the two decimals of the documented samples',
  'the time of the figures is not told; they are true somewhere between sent_at and answered_at',
  'withdrawable is a part of available, not an addend of the total',
]

export interface AccountBalanceOptions {
  readonly client: OnerwayClient
  readonly settings: OnerwaySettings
}

export function accountBalances(options: AccountBalanceOptions): Balances {
  const { currencies } = options.settings
  return {
    basis: 'instant',
    proof: proofOf(options.settings),
    async ask() {
      if (currencies.length === 0) return [await askOverview(options)]
      const answers: BalanceAnswerRecord[] = []
      for (const currency of currencies) answers.push(await askBalance(options, currency))
      return answers
    },
    read: readBalances,
  }
}

/** Which balance a movement moves is not documented, nor is what the unit of its time is. */
function proofOf({ activityTarget, activityTargetConfirmed }: OnerwaySettings): BalanceProof {
  return {
    target: activityTarget,
    confirmed: activityTargetConfirmed,
    precision: { resolutionMicros: 1_000_000n, clockMicros: 1_000_000n },
    wholeOperations: [OVERVIEW],
    finalAfterDays: 1,
    assumptions: [
      targetAssumption({ activityTarget, activityTargetConfirmed }),
      'the overview names every currency that is held',
      'movements are told within the second they happened in, by a clock within a second of ours',
    ],
  }
}

/** What movements are taken to move, and who says so. */
export function targetAssumption({
  activityTarget,
  activityTargetConfirmed,
}: Pick<OnerwaySettings, 'activityTarget' | 'activityTargetConfirmed'>): string {
  return activityTargetConfirmed
    ? `an amount moves the ${activityTarget} balance, as the settings say that Onerway has confirmed`
    : `an amount moves the ${activityTarget} balance: unproven until Onerway confirms it`
}

export async function askOverview({ client, settings }: AccountBalanceOptions): Promise<BalanceAnswerRecord> {
  const { displayCurrency } = settings
  const question: Record<string, string> = displayCurrency === undefined ? {} : { displayCurrency }
  const { sentAt, answeredAt, body } = await client.call(settings.paths.overview, question)
  return balanceAnswer({ operation: OVERVIEW, question, assumptions: ASSUMPTIONS, sentAt, answeredAt, body })
}

export async function askBalance(
  { client, settings }: AccountBalanceOptions,
  currency: string,
): Promise<BalanceAnswerRecord> {
  const question = { currency }
  const { sentAt, answeredAt, body } = await client.call(settings.paths.balance, question)
  return balanceAnswer({ operation: SINGLE, question, assumptions: ASSUMPTIONS, sentAt, answeredAt, body })
}

/** The balances of an archived answer. Throws `provider-protocol`. */
export function readBalances(answer: BalanceAnswerRecord): Balance[] {
  const body = tryParseJson(textOfAnswer(answer))
  const data = isObject(body) ? body.data : undefined
  if (!isObject(data))
    throw new DaybookError('provider-protocol', 'Onerway answered a balance query without data.')
  if (answer.operation === SINGLE) {
    const balance = balanceOf(data, null)
    if (balance.asset === answer.question.currency) return [balance]
    throw new DaybookError('provider-protocol', 'Onerway answered with the balance of another currency.')
  }
  const { totalAmount, displayCurrency } = data
  const valuations =
    totalAmount === undefined ? null : writeJson({ accountTotal: totalAmount, displayCurrency })
  return requiredList(data, 'currencyBalances').map(row => balanceOf(row, valuations))
}

const KNOWN = [
  'currency',
  'withdrawableBalance',
  'availableBalance',
  'fundOnHold',
  'depositBalance',
  'totalBalance',
  'status',
]

function balanceOf(row: JsonObject, valuations: string | null): Balance {
  return {
    ...NO_FIGURES,
    wallet: null,
    fundsAccount: null,
    asset: requiredText(row, 'currency'),
    basis: 'instant',
    asOfMicros: null,
    day: null,
    zone: null,
    available: requiredAmount(row, 'availableBalance'),
    onHold: requiredAmount(row, 'fundOnHold'),
    withdrawable: requiredAmount(row, 'withdrawableBalance'),
    deposit: requiredAmount(row, 'depositBalance'),
    total: requiredAmount(row, 'totalBalance'),
    valuations,
    status: textOf(row.status) ?? null,
    extra: otherFields(row, KNOWN),
  }
}
