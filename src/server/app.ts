/** The HTTP application: the callback route and the health of the process. */
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
  type Router,
} from 'express'
import { rateLimit } from 'express-rate-limit'
import { statusOf } from '../callback-answer.ts'
import { isLoopback } from '../config/values.ts'
import { errorFields } from '../log.ts'
import type { Context } from '../stages/context.ts'
import { type CallbackRouteOptions, callbackRoute } from './callback-route.ts'
import type { Desk } from './desk/desk.ts'

/** Made at the start: where it is gone, the store is. */
export const READY_KEY = 'doctor/ready'

export interface AppOptions extends CallbackRouteOptions {
  /** Of one address, before it is told to wait; 0 or absent: any number. */
  readonly refusalsPerMinute?: number
  /** How many proxies name the address of who asks; 0 when absent. */
  readonly proxies?: number
}

/** `desk` where it shares the port. */
export function createApp(options: AppOptions, desk?: Router): Express {
  const { refusalsPerMinute = 0, proxies = 0 } = options
  const app = plainApp(proxies)
  if (refusalsPerMinute > 0) app.use('/callbacks', refusalLimit(refusalsPerMinute))
  app.post('/callbacks/:provider/:account', callbackRoute(options))
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', async (_request, response) => {
    const ready = (await options.context.store.head(READY_KEY)) !== undefined
    response.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'store-missing' })
  })
  if (desk !== undefined) app.use(exceptCallbacks(desk))
  app.use((_request, response) => void response.status(404).json({ status: 'not-found' }))
  app.use(answerFault(options))
  return app
}

/** The desk on a port of its own. */
export function deskApp(desk: Pick<Desk, 'router'>, proxies: number): Express {
  const app = plainApp(proxies)
  app.use(desk.router)
  return app
}

function plainApp(proxies: number): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', proxies)
  return app
}

/** A stranger who tries callback paths hears the same with a desk as without one. */
function exceptCallbacks(desk: Router): RequestHandler {
  return (request, response, next) =>
    request.path.startsWith('/callbacks') ? next() : desk(request, response, next)
}

/**
 * Counts what was refused, and nothing else; an address that has sent too much of it is told to wait. Where this
 * machine itself sends, a proxy stands on it, which must limit by what it knows.
 */
function refusalLimit(limit: number): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: false,
    legacyHeaders: false,
    validate: false,
    skipSuccessfulRequests: true,
    skip: ({ ip = '' }) => isLoopback(ip.replace('::ffff:', '')),
    handler: (_request, response) =>
      void response.status(429).set('retry-after', '60').json({ returnCode: 'FAIL', returnMessage: null }),
  })
}

/** The last handler: the log hears what happened, the sender hears nothing but a status. */
function answerFault({ context }: CallbackRouteOptions): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    if (error instanceof URIError) return void refuse(context, response, 'path-malformed')
    const { status, retryAfterSeconds } = statusOf(error)
    context.log.error('request.failed', { status, ...errorFields(error) })
    if (response.headersSent) return void response.destroy()
    if (retryAfterSeconds !== undefined) response.set('retry-after', String(retryAfterSeconds))
    response.status(status).json({ returnCode: 'FAIL', returnMessage: null })
  }
}

/** A stranger's odd path is not our failure. */
function refuse({ log }: Pick<Context, 'log'>, response: Response, reason: string): void {
  log.warn('callback.refused', { reason })
  response.status(401).json({ returnCode: 'FAIL', returnMessage: null })
}
