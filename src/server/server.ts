/** One process that takes callbacks and moves reports on: `daybook serve`. */
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DeskConfig } from '../config/desk.ts'
import type { Listen } from '../config/values.ts'
import { DaybookError } from '../domain/errors.ts'
import { errorFields } from '../log.ts'
import type { PlannedAccount } from '../planning.ts'
import type { Context } from '../stages/context.ts'
import { createApp, deskApp, READY_KEY } from './app.ts'
import { createDesk, type DeskOptions } from './desk/desk.ts'
import { startWorker } from './worker.ts'

export interface ServerOptions {
  readonly context: Context
  readonly accounts: readonly PlannedAccount[]
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly maxCallbackBytes: number
  /** 0 or absent: any number. */
  readonly refusalsPerMinute?: number
  /** How many proxies name the address of who asks; 0 when absent. */
  readonly proxies?: number
  readonly sweepEveryMs: number
  /** Whether to ask for reports and to record balances every day. */
  readonly daily: boolean
  /** Without it there is no desk. */
  readonly desk?: Pick<DeskOptions, 'config' | 'secrets' | 'personName' | 'onLoginLink'>
}

export interface Server {
  readonly url: string
  /** Where people find the desk; absent when there is none. */
  readonly deskUrl?: string
  /** Takes no more requests, and waits for those under way and for the reports being worked on. */
  stop(): Promise<void>
}

/** How long a sender may take over a request, so that idle connections cannot pile up. */
const REQUEST_TIMEOUT_MS = 15_000
const CHECK_EVERY_MS = 5_000

/** People bring files, which takes longer. */
const DESK_REQUEST_TIMEOUT_MS = 300_000

/** How long requests under way may take once the server stops. */
const STOP_PATIENCE_MS = 5_000

export async function startServer(options: ServerOptions): Promise<Server> {
  const { context, accounts, desk: deskOptions } = options
  await context.store.create(READY_KEY, new Uint8Array())
  const worker = startWorker(options)
  const desk =
    deskOptions === undefined
      ? undefined
      : createDesk({ context, accounts, wake: worker.wake, ...deskOptions })
  // A sender may hang up before it is answered; what it said is taken all the same.
  const receiving = new Set<Promise<unknown>>()
  const callbackOptions = {
    context,
    accounts,
    maxBytes: options.maxCallbackBytes,
    refusalsPerMinute: options.refusalsPerMinute ?? 0,
    proxies: options.proxies ?? 0,
    onReport: worker.wake,
    onReceive: (received: Promise<unknown>) => {
      const settled = received.catch(() => {}).finally(() => receiving.delete(settled))
      receiving.add(settled)
    },
  }
  const own = deskOptions?.config.listen
  const isShared =
    own !== undefined && own.port !== 0 && own.port === options.port && own.host === options.host
  const servers: HttpServer[] = []
  try {
    const app = createApp(callbackOptions, isShared ? desk?.router : undefined)
    const url = await listen(servers, app, options, isShared ? DESK_REQUEST_TIMEOUT_MS : REQUEST_TIMEOUT_MS)
    const deskUrl =
      desk === undefined || deskOptions === undefined
        ? undefined
        : isShared
          ? url
          : await listenForDesk(servers, deskApp(desk, options.proxies ?? 0), deskOptions.config)
    desk?.open(deskUrl ?? url)
    desk?.warm().catch(error => context.log.warn('desk.cold', errorFields(error)))
    context.log.info('server.started', { url, desk: deskUrl })
    return { url, ...(deskUrl === undefined ? {} : { deskUrl }), stop }
  } catch (error) {
    await stop()
    throw error
  }

  async function stop(): Promise<void> {
    desk?.stop()
    const closed = servers.map(server => new Promise(resolve => server.close(resolve)))
    for (const server of servers) {
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), STOP_PATIENCE_MS).unref()
    }
    const worked = worker.stop()
    await Promise.all(closed)
    await Promise.all([...receiving, worked])
    context.log.info('server.stopped', {})
  }
}

/** An address that nobody has named gives way to any free port, for many may run on one machine. */
async function listenForDesk(
  servers: HttpServer[],
  app: RequestListener,
  config: DeskConfig,
): Promise<string> {
  const timeoutMs = DESK_REQUEST_TIMEOUT_MS
  try {
    return await listen(servers, app, config.listen, timeoutMs, 'DAYBOOK_DESK_LISTEN')
  } catch (error) {
    if (config.isSaid) throw error
    return listen(servers, app, { ...config.listen, port: 0 }, timeoutMs, 'DAYBOOK_DESK_LISTEN')
  }
}

/** Answers the address. Throws `config-invalid` when nothing can listen there. */
async function listen(
  servers: HttpServer[],
  app: RequestListener,
  { host, port }: Listen,
  requestTimeout: number,
  setting = 'DAYBOOK_LISTEN',
): Promise<string> {
  const limits = {
    requestTimeout,
    headersTimeout: CHECK_EVERY_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
  }
  const server = createServer(limits, app)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve)
    })
  } catch (cause) {
    const says = `Nothing can listen on ${host}:${port} (${(cause as NodeJS.ErrnoException).code}); set ${setting} to another address.`
    throw new DaybookError('config-invalid', says, { cause })
  }
  servers.push(server)
  const { address, port: taken, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
}
