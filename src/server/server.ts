/** One process that takes callbacks and moves reports on: `daybook serve`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DaybookError } from '../domain/errors.ts'
import type { Account, Context } from '../stages/context.ts'
import { createApp, READY_KEY } from './app.ts'
import { startWorker } from './worker.ts'

export interface ServerOptions {
  readonly context: Context
  readonly accounts: readonly Account[]
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly maxCallbackBytes: number
  readonly sweepEveryMs: number
}

export interface Server {
  readonly url: string
  /** Takes no more requests, and waits for those under way and for the reports being worked on. */
  stop(): Promise<void>
}

/** How long a sender may take over a request, so that idle connections cannot pile up. */
const REQUEST_TIMEOUT_MS = 15_000
const CHECK_EVERY_MS = 5_000

/** How long requests under way may take once the server stops. */
const STOP_PATIENCE_MS = 5_000

export async function startServer(options: ServerOptions): Promise<Server> {
  const { context, accounts } = options
  await context.store.create(READY_KEY, new Uint8Array())
  const worker = startWorker(options)
  // A sender may hang up before it is answered; what it said is taken all the same.
  const receiving = new Set<Promise<unknown>>()
  const app = createApp({
    context,
    accounts,
    maxBytes: options.maxCallbackBytes,
    onReport: worker.wake,
    onReceive: received => {
      const settled = received.catch(() => {}).finally(() => receiving.delete(settled))
      receiving.add(settled)
    },
  })
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: CHECK_EVERY_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    app,
  )
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(options.port, options.host, resolve)
    })
  } catch (cause) {
    await worker.stop()
    const says = `Nothing can listen on ${options.host}:${options.port} (${(cause as NodeJS.ErrnoException).code}); set DAYBOOK_LISTEN to another address.`
    throw new DaybookError('config-invalid', says, { cause })
  }
  const { address, port, family } = server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  context.log.info('server.started', { url })
  return {
    url,
    async stop() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), STOP_PATIENCE_MS).unref()
      const worked = worker.stop()
      await closed
      await Promise.all([...receiving, worked])
      context.log.info('server.stopped', {})
    },
  }
}
