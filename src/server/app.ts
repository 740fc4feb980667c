/** The HTTP application: the callback route and the health of the process. */
import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import { FAULTS, type FaultCode, findFault } from '../domain/errors.ts'
import { errorFields } from '../log.ts'
import type { Context } from '../stages/context.ts'
import { type CallbackRouteOptions, callbackRoute } from './callback-route.ts'

/** Made at the start: where it is gone, the store is. */
export const READY_KEY = 'doctor/ready'

export function createApp(options: CallbackRouteOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.post('/callbacks/:provider/:account', callbackRoute(options))
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', async (_request, response) => {
    const ready = (await options.context.store.head(READY_KEY)) !== undefined
    response.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'store-missing' })
  })
  app.use((_request, response) => void response.status(404).json({ status: 'not-found' }))
  app.use(answerFault(options))
  return app
}

/** The HTTP status of every fault: what may succeed later asks the sender to come back. */
const STATUS = {
  'config-invalid': 500,
  'usage-invalid': 400,
  'not-found': 404,
  'key-refused': 400,
  'record-invalid': 500,
  'store-unavailable': 503,
  'store-refused': 500,
  'provider-unreachable': 503,
  'provider-refused': 502,
  'provider-protocol': 502,
  'download-failed': 502,
  'download-refused': 502,
  'file-unreadable': 500,
  'file-damaged': 500,
  'count-mismatch': 500,
} as const satisfies Record<FaultCode, number>

/** The last handler: the log hears what happened, the sender hears nothing but a status. */
function answerFault({ context }: CallbackRouteOptions): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    if (error instanceof URIError) return void refuse(context, response, 'path-malformed')
    const fault = findFault(error)
    const status = fault === undefined ? 500 : STATUS[fault.code]
    context.log.error('request.failed', { status, ...errorFields(error) })
    if (response.headersSent) return void response.destroy()
    if (fault !== undefined && FAULTS[fault.code].retry) response.set('retry-after', '30')
    response.status(status).json({ returnCode: 'FAIL', returnMessage: null })
  }
}

/** A stranger's odd path is not our failure. */
function refuse({ log }: Pick<Context, 'log'>, response: Response, reason: string): void {
  log.warn('callback.refused', { reason })
  response.status(401).json({ returnCode: 'FAIL', returnMessage: null })
}
