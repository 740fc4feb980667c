/** Real HTTP servers on loopback, on ports that are free. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface TestServer {
  /** Without a slash at the end. */
  readonly url: string
  /** `127.0.0.1:port`, as an entry of allowed hosts. */
  readonly host: string
  readonly port: number
  /** Every request so far, as it came. */
  readonly requests: IncomingMessage[]
  stop(): Promise<void>
}

export async function startServer(answer: RequestListener): Promise<TestServer> {
  return listen('http', listener => createServer(listener), answer)
}

export async function startTlsServer(
  identity: { key: string; cert: string },
  answer: RequestListener,
): Promise<TestServer> {
  return listen('https', listener => createTlsServer(identity, listener) as unknown as Server, answer)
}

async function listen(
  scheme: string,
  create: (listener: RequestListener) => Server,
  answer: RequestListener,
): Promise<TestServer> {
  const requests: IncomingMessage[] = []
  const server = create((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    port,
    requests,
    stop: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A port of loopback that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = await startServer(() => {})
  await server.stop()
  return server.port
}

/** The bytes of a request or of an answer. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}
