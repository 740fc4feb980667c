/** Who calls, and whether they may: the checks on headers and bytes, in Binance Pay's order. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Refusal, refusal } from './answers.ts'
import type { Knobs } from './knobs.ts'

export interface Merchant {
  readonly name: string
  readonly apiKey: string
  readonly secretKey: string
  /** The merchant's default callback URL. */
  readonly callbackUrl?: string
  /** The same merchant at PayerMax, with its public key as PEM or bare Base64. */
  readonly payermax?: { readonly appId: string; readonly memberId: string; readonly publicKey: string }
  /** The same merchant at Onerway. */
  readonly onerway?: { readonly apiKey: string }
}

export interface SignedRequest {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What an API key looks like. Not documented: only what can be no key at all is refused here. */
export const API_KEY_FORM = /^[A-Za-z0-9_-]{8,128}$/

/** The caller, or why it is refused. `nowMs` is the sandbox's clock. */
export function checkCaller(
  request: SignedRequest,
  merchants: readonly Merchant[],
  knobs: Knobs,
  nowMs: number,
): Merchant | Refusal {
  const key = header(request, 'binancepay-certificate-sn')
  if (!API_KEY_FORM.test(key)) return refusal('400005')
  const merchant = merchants.find(({ apiKey }) => apiKey === key)
  if (merchant === undefined || !knobs.ipAllowed) return refusal('400004')
  if (!isTimely(header(request, 'binancepay-timestamp'), knobs, nowMs)) return refusal('400003')
  const nonceFault = checkNonce(header(request, 'binancepay-nonce'))
  if (nonceFault !== undefined) return nonceFault
  return isSignedBy(request, merchant.secretKey) ? merchant : refusal('400002')
}

/** A caller is a merchant; everything else is a refusal. */
export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'message' in value
}

/** The value of a header that must come once; `''` when it is missing. */
export function header({ headers }: SignedRequest, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

/** Milliseconds of 13 digits: a timestamp in seconds is far outside the window anyway. */
function isTimely(timestamp: string, knobs: Knobs, nowMs: number): boolean {
  if (!/^\d{13}$/.test(timestamp)) return false
  const behindMs = nowMs - Number.parseInt(timestamp, 10)
  if (knobs.clockWindowSide !== 'ahead' && behindMs > knobs.clockWindowMs) return false
  return knobs.clockWindowSide === 'behind' || -behindMs <= knobs.clockWindowMs
}

function checkNonce(nonce: string): Refusal | undefined {
  if (nonce === '') return refusal('400100', 'BinancePay-Nonce is missing.')
  if (nonce.length !== 32) return refusal('400101', 'BinancePay-Nonce must have 32 characters.')
  if (!/^[A-Za-z0-9]+$/.test(nonce)) return refusal('400103', 'BinancePay-Nonce has illegal characters.')
  return undefined
}

/** Upper-case hex of HMAC-SHA512 over `timestamp LF nonce LF body LF`, the body as it came. */
function isSignedBy(request: SignedRequest, secretKey: string): boolean {
  const expected = createHmac('sha512', secretKey)
    .update(`${header(request, 'binancepay-timestamp')}\n${header(request, 'binancepay-nonce')}\n`)
    .update(request.body)
    .update('\n')
    .digest('hex')
    .toUpperCase()
  const given = Buffer.from(header(request, 'binancepay-signature'), 'utf8')
  return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected, 'utf8'))
}
