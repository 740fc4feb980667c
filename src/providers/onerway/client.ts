/**
 * Calls to Onerway's account services: an API key in a header, no signature, and a request time within ten
 * minutes of Onerway's clock, so every try is written anew.
 * https://docs.onerway.com/apis/en/v0.6/account-service-setup
 *
 * answer {"code":"200","message":"success","data":…}; a neighbour answers {"respCode","respMsg"}
 */
import { DaybookError } from '../../domain/errors.ts'
import { JsonNumber, tryParseJson, writeJson } from '../../domain/json.ts'
import type { Clock, Random } from '../../host.ts'
import type { Http, HttpAnswer } from '../http.ts'
import { isObject, type JsonObject, textOf } from '../json-fields.ts'
import { retried } from '../retry.ts'
import type { OnerwaySettings } from './settings.ts'

export interface OnerwayClientOptions {
  readonly settings: OnerwaySettings
  /** Throws `config-invalid`. */
  readonly apiKey: () => string
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
}

export interface OnerwayAnswer {
  readonly data: JsonObject
  readonly body: Uint8Array
  readonly sentAt: Date
  readonly answeredAt: Date
}

export interface OnerwayClient {
  /** Posts `question` to a path. Throws `provider-unreachable`, `provider-refused` or `provider-protocol`. */
  call(path: string, question: Readonly<Record<string, unknown>>): Promise<OnerwayAnswer>
  /** How far Onerway's clock was ahead of ours at its last answer, to about a second. */
  aheadMs(): number | undefined
}

/** The only success: a text, not a number. */
const SUCCESS = '200'

const DATE_LAG_MS = 500
const REQUEST_ID_LENGTH = 32

export function onerwayClient(options: OnerwayClientOptions): OnerwayClient {
  const { settings, clock, random } = options
  let aheadMs: number | undefined

  async function attempt(path: string, question: object, requestId: string): Promise<OnerwayAnswer> {
    const sentAt = clock.now()
    const requestTime = new JsonNumber(sentAt.getTime().toString())
    const body = Buffer.from(writeJson({ requestId, requestTime, ...question }))
    const answer = await options.http({
      url: `${settings.baseUrl}${path}`,
      method: settings.method,
      headers: { 'content-type': 'application/json', [settings.keyHeader]: options.apiKey() },
      body,
    })
    const answeredAt = clock.now()
    if (answer.date !== undefined) aheadMs = answer.date.getTime() + DATE_LAG_MS - answeredAt.getTime()
    return { data: readAnswer(answer), body: answer.body, sentAt, answeredAt }
  }

  return {
    aheadMs: () => aheadMs,
    call(path, question) {
      const one = random.hex(REQUEST_ID_LENGTH)
      return retried({ clock, random, tries: settings.tries }, () =>
        attempt(path, question, settings.newRequestIdPerAttempt ? random.hex(REQUEST_ID_LENGTH) : one),
      )
    },
  }
}

/** The data of a success. Only broken networks, HTTP 429 and 5xx are worth another try. */
export function readAnswer({ status, body }: HttpAnswer): JsonObject {
  const content = tryParseJson(Buffer.from(body).toString('utf8'))
  if (status === 429 || status >= 500)
    throw new DaybookError('provider-unreachable', `Onerway answered HTTP ${status}.`, {
      details: { providerCode: `HTTP-${status}` },
    })
  if (!isObject(content)) {
    const hint =
      status === 401 ? ': check the API key' : status === 403 ? ': check the allowed addresses' : ''
    throw new DaybookError('provider-refused', `Onerway answered HTTP ${status} with no JSON${hint}.`, {
      details: { providerCode: `HTTP-${status}` },
    })
  }
  if (content.code === SUCCESS) {
    if (isObject(content.data)) return content.data
    throw new DaybookError('provider-protocol', 'Onerway answered a success without data.')
  }
  const code = textOf(content.code) ?? textOf(content.respCode) ?? `HTTP-${status}`
  const words = textOf(content.message) ?? textOf(content.respMsg) ?? ''
  const said = words === '' ? '' : `: ${words.slice(0, 300).replace(/[.\s]+$/, '')}`
  throw new DaybookError('provider-refused', `Onerway answered ${code.slice(0, 80)}${said}.`, {
    details: { providerCode: code.slice(0, 80) },
  })
}
