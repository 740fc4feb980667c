/** An HTTP proxy that passes requests on as they came, except for those a test wants to go wrong. */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export type Trouble =
  /** The request is carried out, but the connection breaks before the answer. */
  | { readonly kind: 'lose-answer' }
  /** The request gets this answer instead, and is not carried out. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks after so many bytes of the answer's body. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }

export interface Fault {
  /** Which requests it befalls, told by method and path, such as `PUT /bucket/key?partNumber=1`. */
  readonly on: RegExp
  readonly trouble: Trouble
  readonly times: number
}

export interface ProxyOptions {
  /** Told of every answer of the endpoint, also of one that does not reach its client: `PUT /bucket/key` and 200. */
  readonly onAnswer?: (line: string, status: number) => void
  /** Whether connections to the endpoint are used again, for many requests. */
  readonly keepAlive?: boolean
}

export interface FaultProxy {
  readonly endpoint: string
  /** Every request that arrived: method and path. */
  readonly requests: string[]
  /** The next `times` requests that match go wrong. */
  plan(fault: Fault): void
  stop(): Promise<void>
}

/** Starts a proxy in front of `endpoint`. It keeps the `Host` header, which the client has signed. */
export async function startFaultProxy(endpoint: string, options: ProxyOptions = {}): Promise<FaultProxy> {
  const agent = options.keepAlive === true ? new Agent({ keepAlive: true, maxFreeSockets: 64 }) : false
  const faults: { on: RegExp; trouble: Trouble; left: number }[] = []
  const requests: string[] = []
  const server = createServer(async (message, response) => {
    const line = `${message.method} ${message.url}`
    requests.push(line)
    const fault = faults.find(({ on, left }) => left > 0 && on.test(line))
    if (fault !== undefined) fault.left--
    const send = async () => {
      const answer = await forward(endpoint, message, agent)
      options.onAnswer?.(line, answer.statusCode ?? 0)
      return answer
    }
    await pass(send, message, response, fault?.trouble).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    plan: ({ on, trouble, times }) => faults.push({ on, trouble, left: times }),
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
        if (agent !== false) agent.destroy()
      }),
  }
}

async function pass(
  send: () => Promise<IncomingMessage>,
  message: IncomingMessage,
  response: ServerResponse,
  trouble: Trouble | undefined,
): Promise<void> {
  if (trouble?.kind === 'answer') return answerInstead(message, response, trouble)
  if (trouble?.kind === 'delay') await sleep(trouble.ms)
  const answer = await send()
  if (trouble?.kind === 'lose-answer') {
    await finished(answer.resume())
    response.destroy()
    return
  }
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
  if (trouble?.kind === 'cut-answer') return cut(answer, response, trouble.afterBytes)
  answer.pipe(response)
  await finished(response)
}

function forward(endpoint: string, message: IncomingMessage, agent: Agent | false): Promise<IncomingMessage> {
  const { hostname, port } = new URL(endpoint)
  const { method = 'GET', url: path = '/', rawHeaders: headers } = message
  return new Promise((resolve, reject) => {
    const upstream = request({ hostname, port, method, path, headers, setHost: false, agent })
    upstream.on('response', resolve).on('error', reject)
    message.on('error', error => upstream.destroy(error))
    message.pipe(upstream)
  })
}

async function answerInstead(
  message: IncomingMessage,
  response: ServerResponse,
  { status, code }: { status: number; code: string },
): Promise<void> {
  await finished(message.resume())
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>planned</Message></Error>`,
  )
}

async function cut(answer: IncomingMessage, response: ServerResponse, afterBytes: number): Promise<void> {
  let sent = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const piece = chunk.subarray(0, afterBytes - sent)
    await new Promise(resolve => response.write(piece, resolve))
    sent += piece.length
    if (sent === afterBytes) break
  }
  response.destroy()
}
