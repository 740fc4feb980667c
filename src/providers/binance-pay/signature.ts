/** Request signatures: https://developers.binance.com/docs/binance-pay/api-common */
import { createHmac } from 'node:crypto'

/**
 * The `BinancePay-Signature` of a request: HMAC-SHA512 over timestamp, nonce and body, each followed by a
 * line feed, the last one too; upper-case hex. `body` is the very bytes that are sent.
 */
export function signRequest(secretKey: string, timestampMs: number, nonce: string, body: Uint8Array): string {
  return createHmac('sha512', secretKey)
    .update(`${timestampMs}\n${nonce}\n`)
    .update(body)
    .update('\n')
    .digest('hex')
    .toUpperCase()
}

/** The headers of a request. In requests `BinancePay-Certificate-SN` is the API key. */
export function requestHeaders(
  apiKey: string,
  secretKey: string,
  timestampMs: number,
  nonce: string,
  body: Uint8Array,
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'BinancePay-Timestamp': timestampMs.toString(),
    'BinancePay-Nonce': nonce,
    'BinancePay-Certificate-SN': apiKey,
    'BinancePay-Signature': signRequest(secretKey, timestampMs, nonce, body),
  }
}
