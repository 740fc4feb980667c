/** `POST /callbacks/:provider/:account`: reads the bytes before anything else can, and answers at once. */
import type { Request, RequestHandler, Response } from 'express'
import getRawBody from 'raw-body'
import { answerCallback, calledAccount, REFUSED } from '../callback-answer.ts'
import type { CallbackReply } from '../providers/provider.ts'
import type { Account, Context } from '../stages/context.ts'

export interface CallbackRouteOptions {
  readonly context: Pick<Context, 'store' | 'reports' | 'clock' | 'log'>
  readonly accounts: readonly Account[]
  readonly maxBytes: number
  /** Told of every report a callback is about, after the answer. */
  readonly onReport: (account: Account, reportId: string) => void
  /** Told of every callback that is being taken, so that a process which ends can wait for it. */
  readonly onReceive: (received: Promise<unknown>) => void
}

export function callbackRoute(options: CallbackRouteOptions): RequestHandler {
  return async (request, response) => {
    const body = await readBody(request, response, options)
    if (body === undefined) return
    const account = calledAccount(options.context, options.accounts, request.params)
    if (account === undefined) return void reply(response, REFUSED)
    const received = answerCallback(options.context, account, { headers: request.headers, body })
    options.onReceive(received)
    const { outcome, reply: said } = await received
    reply(response, said)
    if (outcome.outcome !== 'refused' && outcome.reportId !== undefined) {
      options.onReport(account, outcome.reportId)
    }
  }
}

function reply(response: Response, { status, body }: CallbackReply): void {
  response.status(status).type('application/json').send(body)
}

/** The body as it came, or `undefined` when it was too long or broke off and that has been answered. */
async function readBody(
  request: Request,
  response: Response,
  { context, maxBytes }: CallbackRouteOptions,
): Promise<Buffer | undefined> {
  try {
    return await getRawBody(request, { length: request.headers['content-length'] ?? null, limit: maxBytes })
  } catch (error) {
    const tooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large'
    context.log.warn('callback.refused', { reason: tooLarge ? 'body-too-large' : 'body-broken' })
    response.set('connection', 'close')
    reply(response, { status: tooLarge ? 413 : 400, body: REFUSED.body })
    // A sender that is still writing must be let finish, or it never reads the answer.
    request.resume()
    return undefined
  }
}
