/** A client of the sandbox that shares no code with it, nor with Daybook's own client. */
import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, systemRandom } from '../../src/host.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts'

export const ALPHA = { name: 'alpha', apiKey: 'alphakey00000001', secretKey: 'alpha-secret' }
export const BETA = { name: 'beta', apiKey: 'betakey000000001', secretKey: 'beta-secret' }

const SUBMIT = '/binancepay/openapi/balance-report'
const DAY_MS = 86_400_000

/** Knobs that make a report ready at once, retry at once, and sign with a key that is quickly made. */
export const QUICK: Partial<Knobs> = {
  processingMs: 0,
  callbackRetryFirstMs: 5,
  callbackRetryFactor: 1,
  certificateBits: '1024',
}

export interface Answered {
  status: number
  headers: Headers
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any answer
  json: any
}

export interface CallOptions {
  path?: string
  body?: string
  merchant?: typeof ALPHA
  headers?: Record<string, string | undefined>
  timestamp?: number | string
  knobs?: Partial<Knobs> | string
  secretKey?: string
  signal?: AbortSignal
}

/** Signs and sends a call as the documentation says; `headers` with `undefined` leaves one out. */
export async function call(sandbox: { url: string }, options: CallOptions = {}): Promise<Answered> {
  const { path = SUBMIT, merchant = ALPHA, body = '{}' } = options
  const timestamp = String(options.timestamp ?? Date.now())
  const nonce = options.headers?.['BinancePay-Nonce'] ?? randomBytes(16).toString('hex')
  const signature = createHmac('sha512', options.secretKey ?? merchant.secretKey)
    .update(`${timestamp}\n${nonce}\n${body}\n`)
    .digest('hex')
    .toUpperCase()
  const knobs = typeof options.knobs === 'object' ? JSON.stringify(options.knobs) : options.knobs
  const headers = {
    'content-type': 'application/json',
    'BinancePay-Timestamp': timestamp,
    'BinancePay-Nonce': nonce,
    'BinancePay-Certificate-SN': merchant.apiKey,
    'BinancePay-Signature': signature,
    'sandbox-knobs': knobs,
    ...options.headers,
  }
  const sent = Object.entries(headers).filter(([, value]) => value !== undefined) as [string, string][]
  const signal = options.signal ?? null
  const answer = await fetch(sandbox.url + path, { method: 'POST', headers: sent, body, signal })
  return read(answer)
}

export async function read(answer: Response): Promise<Answered> {
  const text = await answer.text()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: answer.status, headers: answer.headers, text, json }
}

/** The UTC day `count` days from today. */
export function dayFromNow(count: number): string {
  return new Date(Date.now() + count * DAY_MS).toISOString().slice(0, 10)
}

export function reportBody(changed: Record<string, unknown> = {}): string {
  const range = { startDate: dayFromNow(-10), endDate: dayFromNow(-7) }
  return JSON.stringify({ reportType: 'Balance', ...range, ...changed })
}

export function submit(sandbox: { url: string }, options: CallOptions = {}): Promise<Answered> {
  return call(sandbox, { body: reportBody(), ...options })
}

/** Submits and answers the new id; fails when the submit is refused. */
export async function submitted(sandbox: { url: string }, options: CallOptions = {}): Promise<string> {
  const { json, text } = await submit(sandbox, options)
  const id = /Your task ID: (\d+)$/.exec(json?.data ?? '')?.[1]
  if (id === undefined) throw new Error(`not accepted: ${text}`)
  return id
}

export function query(sandbox: { url: string }, downloadId: string, options: CallOptions = {}) {
  return call(sandbox, { path: `${SUBMIT}/query`, body: JSON.stringify({ downloadId }), ...options })
}

/** The link of a finished report. */
export async function linkOf(sandbox: { url: string }, options: CallOptions = {}): Promise<string> {
  const { json, text } = await query(sandbox, await submitted(sandbox, options))
  if (!json?.downloadUrl) throw new Error(`no link: ${text}`)
  return json.downloadUrl
}

/** The file of a new report. */
export async function fileOf(sandbox: { url: string }, options: CallOptions = {}): Promise<Buffer> {
  const answer = await fetch(await linkOf(sandbox, options))
  if (answer.status !== 200) throw new Error(`download failed: ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}

export interface Received {
  headers: IncomingHttpHeaders
  body: string
}

export interface Receiver {
  url: string
  received: Received[]
  /** What the receiver answers: by turn, the last one from then on. */
  answers: { status?: number; body?: string; silent?: boolean }[]
  /** Resolves when `count` callbacks have come. */
  until(count: number): Promise<Received[]>
  stop(): Promise<void>
}

/** A merchant's callback URL. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const receiver: Receiver = {
    url: '',
    received,
    answers: [{}],
    until: async count => {
      if (received.length < count) await new Promise<void>(resolve => waiting.push({ count, resolve }))
      return received
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const answer = receiver.answers[Math.min(received.length, receiver.answers.length - 1)] ?? {}
    received.push({ headers: req.headers, body: Buffer.concat(chunks).toString('utf8') })
    for (const { count, resolve } of waiting) if (received.length >= count) resolve()
    if (answer.silent) return
    res.statusCode = answer.status ?? 200
    res.end(answer.body ?? '{"returnCode":"SUCCESS","returnMessage":null}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return receiver
}

/** Whether a callback was signed with this public key: PEM or bare base64. */
export function isSigned({ headers, body }: Received, certPublic: string): boolean {
  const pem = certPublic.includes('BEGIN')
    ? certPublic
    : `-----BEGIN PUBLIC KEY-----\n${certPublic}\n-----END PUBLIC KEY-----`
  const payload = `${headers['binancepay-timestamp']}\n${headers['binancepay-nonce']}\n${body}\n`
  const signature = Buffer.from(String(headers['binancepay-signature']), 'base64')
  return verify('RSA-SHA256', Buffer.from(payload), createPublicKey(pem), signature)
}

/** The certificates as they are answered. */
export async function certificates(sandbox: { url: string }, options: CallOptions = {}) {
  return (await call(sandbox, { path: '/binancepay/openapi/certificates', ...options })).json.data
}

export function startTestSandbox(changed: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const { knobs, ...rest } = changed
  const base = { merchants: [ALPHA, BETA], seed: 'test', clock: systemClock, random: systemRandom }
  return startSandbox({ ...base, knobs: { ...QUICK, ...knobs }, ...rest })
}
