/** `POST /callbacks/:provider/:account`: reads the bytes before anything else can, and answers at once. */
import type { Request, RequestHandler, Response } from 'express'
import getRawBody from 'raw-body'
import type { CallbackReply } from '../providers/provider.ts'
import type { Account, Context } from '../stages/context.ts'
import { type ReceiveOutcome, receive } from '../stages/receive.ts'

export interface CallbackRouteOptions {
  readonly context: Pick<Context, 'store' | 'reports' | 'clock' | 'log'>
  readonly accounts: readonly Account[]
  readonly maxBytes: number
  /** Told of every report a callback is about, after the answer. */
  readonly onReport: (account: Account, reportId: string) => void
  /** Told of every callback that is being taken, so that a process which ends can wait for it. */
  readonly onReceive: (received: Promise<unknown>) => void
}

/** What a stranger hears where there is no account: the same as anywhere else. */
const REFUSED: CallbackReply = { status: 401, body: '{"returnCode":"FAIL","returnMessage":null}' }

export function callbackRoute(options: CallbackRouteOptions): RequestHandler {
  return async (request, response) => {
    const body = await readBody(request, response, options)
    if (body === undefined) return
    const account = options.accounts.find(
      ({ ref }) => ref.provider === request.params.provider && ref.account === request.params.account,
    )
    if (account === undefined) {
      options.context.log.warn('callback.refused', { reason: 'account-unknown' })
      reply(response, REFUSED)
      return
    }
    const received = receive(options.context, account, { headers: request.headers, body })
    options.onReceive(received)
    const outcome = await received
    reply(response, replyTo(account, outcome))
    if (outcome.outcome !== 'refused' && outcome.reportId !== undefined) {
      options.onReport(account, outcome.reportId)
    }
  }
}

function replyTo({ provider }: Account, { outcome }: ReceiveOutcome): CallbackReply {
  return provider.callbacks?.replies[outcome === 'refused' ? 'refused' : 'accepted'] ?? REFUSED
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
