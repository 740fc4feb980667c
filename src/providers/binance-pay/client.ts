/** Sends signed requests. The clock of the two sides may differ; that is noticed, named and corrected once. */

import type { Credentials } from '../../config/secrets.ts'
import { writeJson } from '../../domain/json.ts'
import type { Clock, Random } from '../../host.ts'
import type { Log } from '../../log.ts'
import type { Http, HttpAnswer } from '../http.ts'
import { type Envelope, readEnvelope } from './envelope.ts'
import { INVALID_TIMESTAMP } from './result-codes.ts'
import { requestHeaders } from './signature.ts'

export interface ClientOptions {
  readonly baseUrl: string
  /** Throws `config-invalid` when the account has none. */
  readonly credentials: () => Credentials
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface BinancePayClient {
  /** Posts a body to a path and reads the envelope. Throws `provider-unreachable`. */
  call(path: string, body: unknown, options?: CallOptions): Promise<Envelope>
  /** As `call`, with the bytes that came and the window in which they did. */
  exchange(path: string, body: unknown, options?: CallOptions): Promise<Exchange>
  /** How far the provider's clock was ahead of ours at its last answer, in milliseconds, to about a second. */
  aheadMs(): number | undefined
}

export interface Exchange {
  readonly envelope: Envelope
  readonly body: Uint8Array
  /** Around the try that was answered, not the ones before it. */
  readonly sentAt: Date
  readonly answeredAt: Date
}

export interface CallOptions {
  /** The largest difference of the clocks that is corrected; any when absent. */
  readonly mostSkewMs?: number
}

const NONCE_LENGTH = 32

/** Half a second: `Date` headers are whole seconds, so on average they lag by that. */
const DATE_LAG_MS = 500

export function binancePayClient(options: ClientOptions): BinancePayClient {
  /** What is added to our clock, once the provider has complained. */
  let offsetMs = 0
  let aheadMs: number | undefined

  async function send(
    path: string,
    bytes: Uint8Array,
    correctionMs: number,
  ): Promise<Exchange & { answer: HttpAnswer }> {
    const sentAt = options.clock.now()
    const timestampMs = sentAt.getTime() + correctionMs
    const nonce = options.random.hex(NONCE_LENGTH)
    const { apiKey, secretKey } = options.credentials()
    const headers = requestHeaders(apiKey, secretKey, timestampMs, nonce, bytes)
    const answer = await options.http({ url: `${options.baseUrl}${path}`, headers, body: bytes })
    const answeredAt = options.clock.now()
    if (answer.date !== undefined) aheadMs = answer.date.getTime() + DATE_LAG_MS - answeredAt.getTime()
    return { envelope: readEnvelope(answer), body: answer.body, sentAt, answeredAt, answer }
  }

  async function exchange(
    path: string,
    body: unknown,
    { mostSkewMs = Number.POSITIVE_INFINITY }: CallOptions = {},
  ): Promise<Exchange> {
    const bytes = Buffer.from(writeJson(body))
    const first = await send(path, bytes, Math.abs(offsetMs) <= mostSkewMs ? offsetMs : 0)
    const { envelope, answer } = first
    if (envelope.result !== 'failure' || envelope.code !== INVALID_TIMESTAMP) return first
    if (envelope.ambiguous || answer.date === undefined || aheadMs === undefined) return first
    if (Math.abs(aheadMs) > mostSkewMs)
      return { ...first, envelope: { ...envelope, says: `${envelope.says}; ${skewText(aheadMs)}` } }
    // The request was refused for its time alone, so signing it anew cannot do anything twice.
    offsetMs = aheadMs
    options.log.warn('clock.skewed', { provider: 'binance-pay', providerAheadMs: aheadMs })
    const second = await send(path, bytes, offsetMs)
    if (second.envelope.result !== 'failure') return second
    const says = `${second.envelope.says}; ${skewText(offsetMs)}`
    return { ...second, envelope: { ...second.envelope, says } }
  }

  return {
    aheadMs: () => aheadMs,
    exchange,
    call: async (path, body, callOptions) => (await exchange(path, body, callOptions)).envelope,
  }
}

function skewText(aheadMs: number): string {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1)
  return `by its HTTP date, its clock is about ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's, so set this machine's clock`
}
