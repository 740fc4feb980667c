/** The HTTP application: the callback route and the health of the process. */
import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import { statusOf } from '../callback-answer.ts'
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
