/**
 * POST /binancepay/openapi/balance-report/query
 * https://developers.binance.com/docs/binance-pay/api-download-balance-report-query
 *
 * ask    {"downloadId":"<digits>"}
 * answer {"exist":true,"downloadUrl":"","status":"PROCESSING"|"FAILED"|"EXPIRED"|"SUCCESS"}, bare or as an
 *        envelope's `data`; `status` has two meanings, so the two are told apart by `exist`.
 */
import { DaybookError } from '../../domain/errors.ts'
import { writeJson } from '../../domain/json.ts'
import type { ReportStatus } from '../provider.ts'
import { type Envelope, isObject, type JsonObject, textOf } from './envelope.ts'

export const BALANCE_REPORT_QUERY_PATH = '/binancepay/openapi/balance-report/query'

export function balanceReportQueryBody(reportId: string): unknown {
  return { downloadId: reportId }
}

/** The report's status. Throws `provider-refused` or `provider-protocol`. */
export function readBalanceReportQueryAnswer(envelope: Envelope): ReportStatus {
  const answer = answerOf(envelope)
  if (answer !== undefined) return statusOf(answer)
  if (envelope.result === 'failure') {
    const code = envelope.ambiguous ? 'provider-unreachable' : 'provider-refused'
    throw new DaybookError(code, `${envelope.says}.`, { details: { providerCode: envelope.code } })
  }
  throw new DaybookError(
    'provider-protocol',
    'Binance Pay answered a report query without saying whether the report exists.',
  )
}

function answerOf(envelope: Envelope): JsonObject | undefined {
  if (envelope.result === 'failure') return undefined
  if (envelope.result === 'success' && isObject(envelope.data) && 'exist' in envelope.data)
    return envelope.data
  return 'exist' in envelope.body ? envelope.body : undefined
}

function statusOf(answer: JsonObject): ReportStatus {
  const link = textOf(answer.downloadUrl) ?? ''
  const said = { answer: writeJson(link === '' ? answer : { ...answer, downloadUrl: 'left out' }) }
  if (answer.exist !== true) return { status: 'absent', ...said }
  switch (textOf(answer.status)) {
    case 'SUCCESS':
      return link === '' ? { status: 'processing', ...said } : { status: 'ready', link }
    case 'FAILED':
      return { status: 'failed', ...said }
    case 'EXPIRED':
      return { status: 'expired', ...said }
    default:
      return { status: 'processing', ...said }
  }
}
