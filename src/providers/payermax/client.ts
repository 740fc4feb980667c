/**
 * Calls to PayerMax's gateway, signed and verified.
 * https://docs.payermax.com/en/202606-version/developer/signature-rules.md
 *
 * `sign` is the Base64 of RSASSA-PKCS1-v1_5 with SHA-256 over the body, exactly the bytes that travel, in
 * both directions. The body's `requestTime` must lie within two minutes of PayerMax's clock, so every try
 * is written and signed anew.
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { DaybookError } from '../../domain/errors.ts'
import { tryParseJson, writeJson } from '../../domain/json.ts'
import type { Clock, Random } from '../../host.ts'
import type { Log } from '../../log.ts'
import type { Http, HttpAnswer } from '../http.ts'
import { isObject, type JsonObject, textOf } from '../json-fields.ts'
import { retried } from '../retry.ts'
import { explainCode, isRetryable, REQUEST_TIME_OVER, SUCCESS } from './result-codes.ts'
import type { PayerMaxSettings } from './settings.ts'

export interface PayerMaxClientOptions {
  readonly settings: PayerMaxSettings
  /** The merchant's key. Throws `config-invalid`. */
  readonly privateKey: () => KeyObject
  /** PayerMax's key, never the merchant's own. */
  readonly publicKey: KeyObject
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** A success whose signature was verified. */
export interface VerifiedAnswer {
  readonly data: JsonObject
  readonly body: Uint8Array
  readonly signature: string
  readonly sentAt: Date
  readonly answeredAt: Date
}

export interface PayerMaxClient {
  /** Posts `data` to a path. Throws `provider-unreachable`, `provider-refused` or `provider-protocol`. */
  call(path: string, data: unknown): Promise<VerifiedAnswer>
  /** How far PayerMax's clock was ahead of ours at its last answer, to about a second. */
  aheadMs(): number | undefined
}

const VERSION = '1.5'
const KEY_VERSION = '1'

/** `Date` headers are whole seconds, so on average they lag by half of one. */
const DATE_LAG_MS = 500

/** Standard Base64 with padding; the URL-safe kind is none of PayerMax's. */
const SIGNATURE = /^[A-Za-z0-9+/]{64,}={0,2}$/

export function payerMaxClient(options: PayerMaxClientOptions): PayerMaxClient {
  const { settings, clock } = options
  let offsetMs = 0
  let aheadMs: number | undefined

  async function attempt(path: string, data: unknown): Promise<VerifiedAnswer> {
    const sentAt = clock.now()
    const body = Buffer.from(
      writeJson({
        version: VERSION,
        keyVersion: KEY_VERSION,
        requestTime: requestTime(new Date(sentAt.getTime() + offsetMs)),
        appId: settings.appId,
        memberId: settings.memberId,
        data,
      }),
    )
    const signature = sign('RSA-SHA256', body, options.privateKey()).toString('base64')
    const headers = { 'content-type': 'application/json', sign: signature }
    const answer = await options.http({ url: `${settings.baseUrl}/${path}`, headers, body })
    const answeredAt = clock.now()
    if (answer.date !== undefined) aheadMs = answer.date.getTime() + DATE_LAG_MS - answeredAt.getTime()
    return { ...readAnswer(answer, options.publicKey), sentAt, answeredAt }
  }

  async function call(path: string, data: unknown): Promise<VerifiedAnswer> {
    try {
      return await retried({ ...options, tries: settings.tries }, () => attempt(path, data))
    } catch (error) {
      const code = error instanceof DaybookError ? error.details.providerCode : undefined
      if (code !== REQUEST_TIME_OVER || aheadMs === undefined) throw error
      offsetMs = aheadMs
      options.log.warn('clock.skewed', { provider: 'payermax', providerAheadMs: aheadMs })
      return attempt(path, data)
    }
  }

  return { call, aheadMs: () => aheadMs }
}

/** `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`. */
export function requestTime(at: Date): string {
  return at.toISOString().replace('Z', '+00:00')
}

/**
 * A success is taken only with a signature that verifies over the bytes as they came. A failure may come
 * unsigned; it is told of, and nothing of it is kept.
 */
export function readAnswer(
  answer: HttpAnswer,
  publicKey: KeyObject,
): Pick<VerifiedAnswer, 'data' | 'body' | 'signature'> {
  const signature = answer.headers?.sign ?? ''
  const isVerified =
    SIGNATURE.test(signature) &&
    verify('RSA-SHA256', answer.body, publicKey, Buffer.from(signature, 'base64'))
  const body = tryParseJson(Buffer.from(answer.body).toString('utf8'))
  const code = isObject(body) ? (textOf(body.code) ?? '') : ''
  if (!isObject(body) || code !== SUCCESS || answer.status >= 500) throw failure(answer.status, body, code)
  if (!isVerified)
    throw new DaybookError(
      'provider-protocol',
      "PayerMax answered a success whose signature does not verify with its public key; nothing of it is used. Check that publicKey is PayerMax's, not the merchant's own.",
      { details: { signed: signature !== '' } },
    )
  if (!isObject(body.data))
    throw new DaybookError('provider-protocol', 'PayerMax answered a success without data.')
  return { data: body.data, body: answer.body, signature }
}

function failure(status: number, body: unknown, code: string): DaybookError {
  const says = isObject(body as JsonObject) ? (textOf((body as JsonObject).msg) ?? '') : ''
  const details = { providerCode: code === '' || code === SUCCESS ? `HTTP-${status}` : code }
  if (code === '' || code === SUCCESS) {
    const kind = status >= 500 || status === 429 || status < 400 ? 'provider-unreachable' : 'provider-refused'
    return new DaybookError(kind, `PayerMax answered HTTP ${status} with something else than an answer.`, {
      details,
    })
  }
  const kind = isRetryable(code) || status >= 500 ? 'provider-unreachable' : 'provider-refused'
  return new DaybookError(kind, `${explainCode(code, says)}.`, { details })
}
