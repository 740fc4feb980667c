/** Calls to providers' APIs: one request, one bounded answer, no retry. */
import { Agent, type Dispatcher, request } from 'undici'
import { DaybookError } from '../domain/errors.ts'

export interface HttpRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** POST when absent. */
  readonly method?: 'POST' | 'PUT'
}

export interface HttpAnswer {
  readonly status: number
  /** The `Date` header, if there is one that can be read. */
  readonly date: Date | undefined
  readonly body: Uint8Array
  /** Headers that came once, their names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Posts a request. Throws `provider-unreachable`; its detail `sent` is false when nothing can have arrived. */
export type Http = (request: HttpRequest) => Promise<HttpAnswer>

export interface HttpOptions {
  readonly dispatcher: Dispatcher
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
}

/** What makes the connections; to be closed by whoever made it. */
export function createAgent({ connectTimeoutMs }: { connectTimeoutMs: number }): Dispatcher {
  return new Agent({ connect: { timeout: connectTimeoutMs } })
}

export function createHttp(options: HttpOptions): Http {
  return async ({ url, headers, body, method = 'POST' }) => {
    try {
      const answer = await request(url, {
        method,
        headers,
        body,
        // A kept connection may be closed by the other side just as it is used, and then nobody knows whether
        // the request arrived. Calls are rare, so each has a connection of its own.
        reset: true,
        dispatcher: options.dispatcher,
        headersTimeout: options.timeoutMs,
        bodyTimeout: options.timeoutMs,
        signal: AbortSignal.timeout(options.timeoutMs),
      })
      return {
        status: answer.statusCode,
        date: readDate(answer.headers.date),
        headers: onceOnly(answer.headers),
        body: await readBounded(answer.body, options.maxAnswerBytes),
      }
    } catch (error) {
      throw unreachable(error, new URL(url).host)
    }
  }
}

function readDate(header: string | string[] | undefined): Date | undefined {
  const date = new Date(typeof header === 'string' ? header : '')
  return Number.isNaN(date.getTime()) ? undefined : date
}

function onceOnly(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const once = Object.entries(headers).filter(([, value]) => typeof value === 'string')
  return Object.fromEntries(once) as Record<string, string>
}

async function readBounded(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) throw new Error(`the answer is longer than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Failures before the request, of name look-up, connection and TLS: no byte of it has left. */
const NOT_SENT = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG',
])

/** A connection that was made can fail with the same codes; then the call that failed was one of these. */
const WHILE_CONNECTED = new Set(['read', 'write'])

function unreachable(error: unknown, host: string): DaybookError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : ''
  const refused = NOT_SENT.has(code) && !WHILE_CONNECTED.has(call)
  const sent = !refused && !/^(CERT_|ERR_TLS_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)
  const why = error instanceof Error ? error.message || code : 'unknown error'
  return new DaybookError('provider-unreachable', `${host} could not be reached: ${why}.`, {
    details: { host, sent },
    cause: error,
  })
}
