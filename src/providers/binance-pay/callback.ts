/**
 * Callbacks: https://developers.binance.com/docs/binance-pay/webhook-common
 *
 * headers BinancePay-Timestamp (ms), -Nonce, -Certificate-SN (the key's serial), -Signature (Base64)
 * signed  timestamp LF nonce LF body LF, RSASSA-PKCS1-v1_5 with SHA-256
 */
import { hash, type KeyObject, verify } from 'node:crypto'
import { tryParseJson } from '../../domain/json.ts'
import { safeSegment } from '../../domain/keys.ts'
import type { CallbackRecord } from '../../domain/report.ts'
import { isObject, type JsonObject, textOf } from '../json-fields.ts'
import type { CallbackContent, CallbackMessage, CallbackProof, CallbackVerdict } from '../provider.ts'
import { foldSerial } from './key-ring.ts'

export interface SignedHeaders {
  readonly timestamp: string
  readonly nonce: string
  readonly serial: string
  readonly signature: string
}

const HEADERS = {
  timestamp: 'binancepay-timestamp',
  nonce: 'binancepay-nonce',
  serial: 'binancepay-certificate-sn',
  signature: 'binancepay-signature',
} as const

const SHAPES: Record<keyof typeof HEADERS, RegExp> = {
  timestamp: /^\d{1,15}$/,
  nonce: /^[\x21-\x7e]{1,128}$/,
  serial: /^[\x21-\x7e]{1,128}$/,
  signature: /^[A-Za-z0-9+/]{4,2048}={0,2}$/,
}

/** The four headers, or why they are not all there. */
export function readSignedHeaders(
  message: CallbackMessage,
): SignedHeaders | 'header-missing' | 'header-malformed' {
  const found: Record<string, string> = {}
  for (const [part, name] of Object.entries(HEADERS)) {
    const value = message.headers[name]
    if (value === undefined) return 'header-missing'
    if (typeof value !== 'string' || !SHAPES[part as keyof typeof HEADERS].test(value))
      return 'header-malformed'
    found[part] = value
  }
  const headers = found as unknown as SignedHeaders
  return isCanonicalBase64(headers.signature) ? headers : 'header-malformed'
}

/** Whether a text is the one way to write its bytes: the decoder also takes others. */
function isCanonicalBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text
}

/** Whether `key` signed these bytes. Answers no, never throws: a fault here must not tell a stranger anything. */
export function isSignedBy(key: KeyObject, headers: SignedHeaders, body: Uint8Array): boolean {
  try {
    return verify('RSA-SHA256', signedBytes(headers, body), key, Buffer.from(headers.signature, 'base64'))
  } catch {
    return false
  }
}

function signedBytes({ timestamp, nonce }: SignedHeaders, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')])
}

/** What a kept callback was verified with. */
export function callbackProof({ headers, bodyBase64 }: CallbackRecord): CallbackProof | undefined {
  const body = Buffer.from(bodyBase64, 'base64')
  const signed = readSignedHeaders({ headers, body })
  if (typeof signed === 'string') return undefined
  return {
    signed: signedBytes(signed, body),
    signature: Buffer.from(signed.signature, 'base64'),
    keySerial: foldSerial(signed.serial),
  }
}

/** The steps of verification in their order: headers, key, signature, freshness. */
export async function verifyCallback(
  message: CallbackMessage,
  options: {
    findKey: (serial: string) => Promise<KeyObject | undefined>
    now: Date
    /** How far the time of signing may lie from now, either way. */
    maxAgeMs: number
  },
): Promise<CallbackVerdict> {
  const headers = readSignedHeaders(message)
  if (typeof headers === 'string') return { verdict: 'refused', reason: headers }
  const key = await options.findKey(headers.serial)
  if (key === undefined) return { verdict: 'refused', reason: 'key-unknown' }
  if (!isSignedBy(key, headers, message.body)) return { verdict: 'refused', reason: 'signature-wrong' }
  const signedAt = new Date(Number.parseInt(headers.timestamp, 10))
  if (Number.isNaN(signedAt.getTime())) return { verdict: 'refused', reason: 'header-malformed' }
  return {
    verdict: 'verified',
    keySerial: headers.serial,
    signedAt,
    fresh: Math.abs(options.now.getTime() - signedAt.getTime()) <= options.maxAgeMs,
    headers: Object.fromEntries(
      Object.entries(HEADERS).map(([part, name]) => [name, headers[part as keyof SignedHeaders]]),
    ),
  }
}

const REPORT_ID = /^\d{1,20}$/

/** The furthest time that a `Date` can hold, in milliseconds. */
const LATEST_MS = 8.64e15

/**
 * What a verified body is about. Only a success for a report id that both the envelope and the inner
 * object name is a report; everything else is kept under its type, id and status.
 */
export function readCallback(body: Uint8Array): CallbackContent {
  const outer = tryParseJson(Buffer.from(body).toString('utf8'))
  if (!isObject(outer)) return { kind: 'other', type: 'unreadable', id: `unreadable-${digest(body)}` }
  const type = textOf(outer.bizType) ?? 'untyped'
  const id = textOf(outer.bizIdStr) || textOf(outer.bizId) || digest(body)
  const status = textOf(outer.bizStatus) ?? 'no-status'
  const report = type === 'BALANCE' && status === 'BALANCE_SUCCESS' && REPORT_ID.test(id)
  return (
    (report ? readReport(id, outer) : undefined) ?? {
      kind: 'other',
      type,
      id: ownSegment(`${type}-${id}-${status}`, body),
    }
  )
}

/** A name that can stand in a key. One that had to be changed for that gets a digest, so that no two meet. */
function ownSegment(name: string, body: Uint8Array): string {
  const segment = safeSegment(name)
  return segment === name ? segment : `${segment.slice(0, 80)}-${digest(body)}`
}

function readReport(reportId: string, outer: JsonObject): CallbackContent | undefined {
  const data = typeof outer.data === 'string' ? tryParseJson(outer.data) : outer.data
  if (!isObject(data)) return { kind: 'report', reportId }
  const inner = textOf(data.downloadId)
  if (inner !== undefined && inner !== reportId) return undefined
  const status = textOf(data.status)
  if (status !== '2' && status !== 'SUCCESS') return undefined
  const link = textOf(data.downloadLink)
  const expires = Number.parseInt(textOf(data.expirationTimestamp) ?? '', 10)
  return {
    kind: 'report',
    reportId,
    ...(link === undefined || link === '' ? {} : { link }),
    ...(Math.abs(expires) <= LATEST_MS ? { linkExpiresAt: new Date(expires) } : {}),
  }
}

function digest(body: Uint8Array): string {
  return hash('sha256', body, 'hex').slice(0, 32)
}
