/**
 * Direct debits, for merchants that Binance has enabled them for.
 * https://developers.binance.com/docs/binance-pay/api-directdebit-pay-notify
 *
 * POST /binancepay/openapi/direct-debit/contract/query
 *   ask  {"contractId":"<digits>"}
 *   data {"contractId","bizStatus":"INITIAL"|"CONTRACT_SIGNED"|"CONTRACT_TERMINATED"|…,"singleUpperLimit","currency",…}
 * POST /binancepay/openapi/pay/notify
 *   ask  {"subMerchantId"?,"merchantRequestId","tradeMode":"DIRECT_DEBIT","bizId":<long>,"estimatedAmount":<decimal>,"currency"}
 *   data {"merchantRequestId","orderId","transactionTime":ms}
 * POST /binancepay/openapi/pay/apply
 *   ask  as notify with "amount" for the estimate, and {"preBizId":<long>,"productName"}
 *   data {"orderId","prepayId","merchantRequestId","appliedTime","status":"INIT"|"PROCESSING"|"SUCCESS"|"FAILED"}
 *
 * `bizId` and `preBizId` are JSON numbers above 2^53: their digits are sent as they are.
 */
import { formatAmount, readAmount } from '../../domain/amount.ts'
import type { Contract, DebitApplication, DebitNotice } from '../../domain/debit.ts'
import { DaybookError, findFault } from '../../domain/errors.ts'
import { JsonNumber } from '../../domain/json.ts'
import type { Clock, Random } from '../../host.ts'
import { isObject, type JsonObject, textOf } from '../json-fields.ts'
import type { ApplyAnswer, Debits, NotifyAnswer } from '../provider.ts'
import { retried } from '../retry.ts'
import type { BinancePayClient } from './client.ts'
import type { Envelope } from './envelope.ts'

export const CONTRACT_QUERY_PATH = '/binancepay/openapi/direct-debit/contract/query'
export const PAY_NOTIFY_PATH = '/binancepay/openapi/pay/notify'
export const PAY_APPLY_PATH = '/binancepay/openapi/pay/apply'

const TRADE_MODE = 'DIRECT_DEBIT'
const SIGNED = 'CONTRACT_SIGNED'
const CONTRACT_NOT_FOUND = '406207'
const TRIES = 3

/** By the documentation's own limits. */
const REQUEST_ID = /^[A-Za-z0-9]{1,32}$/
const CONTRACT_ID = /^\d{1,20}$/
const LONGEST_SUB_MERCHANT = 19
const LONGEST_PRODUCT_NAME = 256

export interface DirectDebitOptions {
  readonly client: BinancePayClient
  readonly clock: Clock
  readonly random: Random
}

export function directDebits({ client, clock, random }: DirectDebitOptions): Debits {
  return {
    contract: contractId =>
      retried({ clock, random, tries: TRIES }, async () =>
        readContractAnswer(await client.call(CONTRACT_QUERY_PATH, contractQueryBody(contractId))),
      ),
    async notify(notice) {
      const body = payNotifyBody(notice)
      try {
        const { envelope, body: bytes } = await client.exchange(PAY_NOTIFY_PATH, body)
        return readNotifyAnswer(envelope, textOfBytes(bytes), notice.requestId)
      } catch (error) {
        return { ...unanswered(error), answer: '' }
      }
    },
    async apply(application, { movesMoney }) {
      if (movesMoney !== true)
        throw new DaybookError('usage-invalid', 'Applying a debit moves money; say that this is meant.')
      const body = payApplyBody(application)
      try {
        const { envelope, body: bytes } = await client.exchange(PAY_APPLY_PATH, body)
        return readApplyAnswer(envelope, textOfBytes(bytes), application.requestId)
      } catch (error) {
        return { ...unanswered(error), answer: '' }
      }
    },
  }
}

/** The contract's id as text, as the documented sample has it. */
export function contractQueryBody(contractId: string): unknown {
  return { contractId: checked(contractId, CONTRACT_ID, 'contract id', 'digits') }
}

/** The contract, or `undefined` for an unknown one. Throws `provider-refused` and its like. */
export function readContractAnswer(envelope: Envelope): Contract | undefined {
  if (envelope.result === 'failure') {
    if (envelope.code === CONTRACT_NOT_FOUND) return undefined
    const code = envelope.ambiguous ? 'provider-unreachable' : 'provider-refused'
    throw new DaybookError(code, `${envelope.says}.`, { details: { providerCode: envelope.code } })
  }
  const data = envelope.result === 'success' ? envelope.data : null
  const contractId = isObject(data) ? textOf(data.contractId) : undefined
  if (!isObject(data) || contractId === undefined)
    throw new DaybookError('provider-protocol', 'Binance Pay answered a contract query without a contract.')
  const status = textOf(data.bizStatus) ?? ''
  const limit = readAmount(textOf(data.singleUpperLimit) ?? '')
  return {
    contractId,
    status,
    isSigned: status === SIGNED,
    singleUpperLimit: typeof limit === 'bigint' ? limit : null,
    currency: textOf(data.currency) ?? null,
  }
}

/** Throws `usage-invalid` for what the documented limits exclude. */
export function payNotifyBody(notice: DebitNotice): unknown {
  return {
    ...commonFields(notice),
    estimatedAmount: new JsonNumber(formatAmount(notice.amount)),
    currency: notice.currency,
  }
}

/** Throws `usage-invalid` for what the documented limits exclude. */
export function payApplyBody(application: DebitApplication): unknown {
  const { noticeOrderId, productName } = application
  if (productName === '' || productName.length > LONGEST_PRODUCT_NAME)
    throw new DaybookError('usage-invalid', `A product name has 1 to ${LONGEST_PRODUCT_NAME} characters.`)
  const preBizId =
    noticeOrderId === null
      ? {}
      : { preBizId: new JsonNumber(checked(noticeOrderId, CONTRACT_ID, "notice's order id", 'digits')) }
  return {
    ...commonFields(application),
    ...preBizId,
    amount: new JsonNumber(formatAmount(application.amount)),
    currency: application.currency,
    productName,
  }
}

function commonFields({ requestId, contractId, subMerchantId }: DebitNotice) {
  if (subMerchantId !== null && (subMerchantId === '' || subMerchantId.length > LONGEST_SUB_MERCHANT))
    throw new DaybookError('usage-invalid', `A sub-merchant id has 1 to ${LONGEST_SUB_MERCHANT} characters.`)
  return {
    ...(subMerchantId === null ? {} : { subMerchantId }),
    merchantRequestId: checked(requestId, REQUEST_ID, 'request id', 'at most 32 letters and digits'),
    tradeMode: TRADE_MODE,
    bizId: new JsonNumber(checked(contractId, CONTRACT_ID, 'contract id', 'digits')),
  }
}

function checked(text: string, form: RegExp, what: string, rule: string): string {
  if (form.test(text)) return text
  throw new DaybookError('usage-invalid', `The ${what} is not usable: expected ${rule}.`)
}

export function readNotifyAnswer(envelope: Envelope, answer: string, requestId: string): NotifyAnswer {
  const data = successData(envelope)
  if (data === undefined) return { ...failed(envelope), answer }
  const orderId = textOf(data.orderId)
  const atMs = textOf(data.transactionTime) ?? ''
  const isOurs = textOf(data.merchantRequestId) === requestId
  if (orderId === undefined || !/^\d{13}$/.test(atMs) || !isOurs)
    return {
      outcome: 'unknown',
      says: 'Binance Pay took the notice, but its answer is not about it.',
      answer,
    }
  return { outcome: 'notified', orderId, requestId, at: new Date(Number.parseInt(atMs, 10)), answer }
}

export function readApplyAnswer(envelope: Envelope, answer: string, requestId: string): ApplyAnswer {
  const data = successData(envelope)
  if (data === undefined) return { ...failed(envelope), answer }
  const orderId = textOf(data.orderId)
  if (orderId === undefined || textOf(data.merchantRequestId) !== requestId)
    return { outcome: 'unknown', says: 'Binance Pay took the debit, but its answer is not about it.', answer }
  return { outcome: 'applied', orderId, requestId, status: textOf(data.status) ?? '', answer }
}

function successData(envelope: Envelope): JsonObject | undefined {
  if (envelope.result !== 'success') return undefined
  return isObject(envelope.data) ? envelope.data : {}
}

function failed(envelope: Envelope) {
  if (envelope.result !== 'failure')
    return { outcome: 'unknown', says: 'Binance Pay answered JSON without a result code.' } as const
  const says = `${envelope.says}.`
  return envelope.ambiguous
    ? ({ outcome: 'unknown', says } as const)
    : ({ outcome: 'rejected', code: envelope.code, says } as const)
}

/** A call without an answer: only one that never left is certain to have had no effect. */
function unanswered(error: unknown) {
  const fault = findFault(error)
  if (fault?.code !== 'provider-unreachable') throw error
  return fault.details.sent === false
    ? ({ outcome: 'rejected', code: 'not-sent', says: fault.message } as const)
    : ({ outcome: 'unknown', says: fault.message } as const)
}

function textOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
