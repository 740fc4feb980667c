/**
 * The answers of the API, in every shape seen: the documented envelope, the old failure with `msg`, the
 * gateway's `errorData`, and pages that are not JSON. Judged by `status` and `code`, whatever the HTTP status.
 */
import { type JsonValue, tryParseJson } from '../../domain/json.ts'
import type { HttpAnswer } from '../http.ts'
import { isObject, type JsonObject, textOf } from '../json-fields.ts'
import { explainCode, isAmbiguous } from './result-codes.ts'

export type Envelope =
  | { result: 'success'; data: JsonValue; body: JsonObject }
  /** `ambiguous`: the request may have had an effect all the same. */
  | { result: 'failure'; code: string; says: string; ambiguous: boolean }
  /** JSON without an envelope: the query endpoint's documented sample is one. */
  | { result: 'bare'; body: JsonObject }

const SUCCESS_CODE = '000000'

export function readEnvelope(answer: HttpAnswer): Envelope {
  const text = Buffer.from(answer.body).toString('utf8')
  const body = tryParseJson(text)
  if (!isObject(body)) return notJson(answer.status, text)
  const code = textOf(body.code)
  if (code === undefined) return { result: 'bare', body }
  const status = textOf(body.status)
  if (code === SUCCESS_CODE && status === 'SUCCESS')
    return { result: 'success', data: body.data ?? null, body }
  const message = textOf(body.errorMessage) ?? textOf(body.msg) ?? textOf(body.errorData) ?? ''
  // When only one of the two words says success, nothing is certain.
  const contradictory = code === SUCCESS_CODE || status === 'SUCCESS'
  const ambiguous = isAmbiguous(code) || contradictory || answer.status >= 500
  return { result: 'failure', code, says: explainCode(code, message), ambiguous }
}

/** A page of the network in front of the API. Below 500 it has turned the request away. */
function notJson(status: number, text: string): Envelope {
  const kind = /^\s*</.test(text)
    ? 'an HTML page'
    : text === ''
      ? 'an empty body'
      : 'something that is not JSON'
  const hint = status === 403 ? '; a firewall or a wrong base URL does that' : ''
  return {
    result: 'failure',
    code: `HTTP-${status}`,
    says: `Binance Pay answered HTTP ${status} with ${kind}${hint}`,
    ambiguous: status < 400 || status >= 500,
  }
}
