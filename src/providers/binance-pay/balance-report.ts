/**
 * POST /binancepay/openapi/balance-report
 * https://developers.binance.com/docs/binance-pay/api-download-balance-report
 *
 * ask    {"reportType":"Balance","walletType"?:"SPOT_WALLET"|"FUNDING_WALLET","startDate":day,"endDate":day}
 * answer {"status":"SUCCESS","code":"000000","data":"Your request has been submitted successfully. Your task ID: <digits>"}
 */
import { addDays, dayOf, daysBetween } from '../../domain/calendar.ts'
import type { ReportRequest, WalletScope } from '../../domain/report.ts'
import { textOf } from '../json-fields.ts'
import type { SubmitAnswer } from '../provider.ts'
import type { Envelope } from './envelope.ts'

export const BALANCE_REPORT_PATH = '/binancepay/openapi/balance-report'

const WALLET_TYPE: Record<WalletScope, string | undefined> = {
  all: undefined,
  spot: 'SPOT_WALLET',
  funding: 'FUNDING_WALLET',
}

/** The longest span that is within three months however they are counted. */
export const LONGEST_SPAN_DAYS = 89

/** How many days before today the end date must lie, by the strictest version of the documentation. */
export const END_BEFORE_TODAY_DAYS = 2

export function balanceReportBody({ range, wallets }: ReportRequest): unknown {
  const walletType = WALLET_TYPE[wallets]
  return {
    reportType: 'Balance',
    ...(walletType === undefined ? {} : { walletType }),
    startDate: range.start,
    endDate: range.end,
  }
}

/**
 * Why these dates may not be asked for, under the rule that satisfies every version of the documentation:
 * the start before the end, the end at least two days before today (UTC), at most 89 days in between.
 */
export function balanceReportRefusal({ range }: ReportRequest, now: Date): string | undefined {
  const latest = addDays(dayOf(now), -END_BEFORE_TODAY_DAYS)
  if (range.start >= range.end)
    return `The range must end after it starts; ${range.start}..${range.end} does not.`
  if (range.end > latest) {
    return `The newest day that can be asked for now is ${addDays(latest, -1)}: Binance Pay takes an end date up to ${latest}, and the end date itself counts as not covered.`
  }
  const span = daysBetween(range.start, range.end)
  if (span > LONGEST_SPAN_DAYS)
    return `A report covers at most ${LONGEST_SPAN_DAYS} days; this range has ${span}.`
  return undefined
}

/** What the answer says about the report: whether one was made, and its id. */
export function readBalanceReportAnswer(envelope: Envelope): SubmitAnswer {
  switch (envelope.result) {
    case 'failure':
      return envelope.ambiguous
        ? { outcome: 'unknown', says: `${envelope.says}.` }
        : { outcome: 'rejected', code: envelope.code, says: `${envelope.says}.` }
    case 'bare':
      return { outcome: 'unknown', says: 'Binance Pay answered JSON without a result code.' }
    case 'success': {
      const sentence = textOf(envelope.data) ?? ''
      const reportId = taskId(sentence)
      return reportId === undefined
        ? { outcome: 'unknown', says: 'Binance Pay took the request but its answer holds no task id.' }
        : { outcome: 'accepted', reportId, answer: sentence }
    }
  }
}

/** The id: all of the text when it is digits, otherwise the only run of 10 to 20 digits in it. */
function taskId(sentence: string): string | undefined {
  if (/^\d{1,20}$/.test(sentence)) return sentence
  const runs = sentence.match(/(?<!\d)\d{10,20}(?!\d)/g) ?? []
  return runs.length === 1 ? runs[0] : undefined
}
