/** `/api/v1`: what the pages show, as JSON, and what operators do, with an `Idempotency-Key`. */
import { hash } from 'node:crypto'
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express'
import type { z } from 'zod'
import type { AccountBook } from '../../console/book.ts'
import { DaybookError } from '../../domain/errors.ts'
import { errorFields } from '../../log.ts'
import { auditOf } from '../../stores/audit-log.ts'
import {
  type Act,
  askAct,
  closeAct,
  explainAct,
  perform,
  planAct,
  reconcileAct,
  retryAct,
  snapshotAct,
  sweepAct,
} from './actions.ts'
import { API, type ApiOperation, type ApiPost, openApi } from './api-operations.ts'
import type { DeskParts } from './desk.ts'
import { faultAnswer } from './fault-answer.ts'
import { personOf } from './gate.ts'
import { daysAsked, readFields } from './query.ts'

/** A page of a list, and what asks for the next one. */
interface Paged {
  readonly items: readonly unknown[]
  readonly next: string | null
}

export function apiRoutes(parts: DeskParts): Router {
  const { gate, book, context } = parts
  const router = express.Router()
  router.get('/openapi.json', (_request, response) => void response.json(openApi()))
  router.use(gate.program)

  const accountOf = ({ provider, account }: { provider: string; account: string }): AccountBook =>
    book.find({ provider, account })

  function get<O extends ApiOperation>(
    operation: O,
    answer: (fields: z.infer<O['fields']>) => Promise<unknown>,
  ): void {
    router.get(operation.path.replace(/\{(\w+)\}/g, ':$1'), async (request, response) => {
      const fields = readFields(operation.fields, { ...request.query, ...request.params })
      // What is answered is what the description promises, and nothing beside it.
      response.json(operation.answers.parse(await answer(fields as z.infer<O['fields']>)))
    })
  }

  function post<O extends ApiPost>(
    operation: O,
    actOf: (fields: z.infer<O['fields']>, request: Request) => Act,
  ): void {
    router.post(
      operation.path.replace(/\{(\w+)\}/g, ':$1'),
      express.json({ limit: '32kb' }),
      gate.operator,
      async (request, response) => {
        const key = request.headers['idempotency-key']
        if (typeof key !== 'string' || key.length < 8 || key.length > 200)
          throw new DaybookError('usage-invalid', 'Idempotency-Key: expected 8 to 200 characters.')
        const fields = readFields(operation.fields, {
          ...(request.body as object | undefined),
          ...request.params,
        })
        const asking = { person: personOf(request), from: request.ip ?? '', key }
        const done = await perform(parts, asking, actOf(fields as z.infer<O['fields']>, request))
        for (const account of book.accounts) account.forget()
        if (done.standing === 'done') return void response.json(done.result)
        const [status, title] =
          done.standing === 'key-reused'
            ? ([422, 'This Idempotency-Key was used for another question.'] as const)
            : ([409, `This was begun at ${done.since} and has not ended.`] as const)
        problem(response, status, title)
      },
    )
  }

  get(API.accounts, async () => ({ items: book.accounts.map(({ ref }) => ref), next: null }))
  get(API.overview, fields => accountOf(fields).overview())
  get(API.days, ({ from, to, ...fields }) => listDays(accountOf(fields), from, to))
  get(API.day, ({ day, ...fields }) => accountOf(fields).day(day))
  get(API.reports, async ({ cursor, limit, ...fields }) =>
    pageOf(
      await accountOf(fields).reports(fields),
      line => `${line.askedAt ?? ''} ${line.reportId}`,
      cursor,
      limit,
    ),
  )
  get(API.report, async ({ reportId, ...fields }) => {
    const view = await accountOf(fields).report(reportId)
    if (view !== undefined) return view
    throw new DaybookError('not-found', `There is no report ${reportId}.`)
  })
  get(API.balances, ({ from, to, asset, place, ...fields }) =>
    accountOf(fields).balances(
      daysAsked(from, to),
      asset === undefined ? undefined : { asset, place: place ?? '' },
    ),
  )
  get(API.findings, async ({ from, to, cursor, limit, ...fields }) =>
    pageOf(
      await accountOf(fields).findings(daysAsked(from, to)),
      line => `${line.day} ${line.id}`,
      cursor,
      limit,
    ),
  )
  get(API.month, ({ month, ...fields }) => accountOf(fields).month(month))
  get(API.audit, async ({ day, cursor, limit }) => {
    const before = cursor === undefined ? {} : { before: readCursor(cursor) }
    const items = await auditOf(context.store, day, { most: limit, ...before })
    return { items, next: items.length === limit ? makeCursor(items.at(-1)!.key) : null }
  })

  post(API.ask, ({ from, to, wallets, again, ...fields }) =>
    askAct(accountOf(fields).account, { from, to, wallets, again }),
  )
  post(API.plan, ({ from, ...fields }) => planAct(accountOf(fields).account, from))
  post(API.sweep, fields => sweepAct(accountOf(fields).account))
  post(API.snapshot, fields => snapshotAct(accountOf(fields).account))
  post(API.retry, ({ reportId, ...fields }) => retryAct(accountOf(fields).account, reportId))
  post(API.reconcile, ({ day, ...fields }) => reconcileAct(accountOf(fields).account, day))
  post(API.explain, ({ provider, account, ...fields }, request) =>
    explainAct(accountOf({ provider, account }).account, personOf(request), fields),
  )
  post(API.close, ({ month, note, ...fields }, request) =>
    closeAct(accountOf(fields), personOf(request), month, note),
  )

  router.use((_request, response) => problem(response, 404, 'There is no such operation.'))
  router.use(answerProblem(parts))
  return router
}

async function listDays(account: AccountBook, from: string, to: string): Promise<Paged> {
  return { items: await account.days(daysAsked(from, to)), next: null }
}

/** A cursor names the last item that was given, so that what arrives meanwhile moves nothing. */
function pageOf<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  cursor: string | undefined,
  limit: number,
): Paged {
  const after = cursor === undefined ? undefined : readCursor(cursor)
  const at = after === undefined ? 0 : all.findIndex(item => nameOf(item) === after) + 1
  if (after !== undefined && at === 0)
    throw new DaybookError('usage-invalid', 'cursor: what it names is not there any more; begin anew.')
  const items = all.slice(at, at + limit)
  const last = items.at(-1)
  return { items, next: last === undefined || at + limit >= all.length ? null : makeCursor(nameOf(last)) }
}

function makeCursor(name: string): string {
  return `${Buffer.from(name).toString('base64url')}.${hash('sha256', name, 'hex').slice(0, 8)}`
}

function readCursor(cursor: string): string {
  const [body = '', check] = cursor.split('.')
  const name = Buffer.from(body, 'base64url').toString('utf8')
  if (hash('sha256', name, 'hex').slice(0, 8) === check) return name
  throw new DaybookError('usage-invalid', 'cursor: expected the text of `next`, as it was given.')
}

function problem(response: Response, status: number, title: string, code = 'about:blank'): void {
  const type = code === 'about:blank' ? code : `urn:daybook:${code}`
  response.status(status).type('application/problem+json').send(JSON.stringify({ type, title, status }))
}

function answerProblem({ context }: DeskParts): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const { status, says, code, retryAfterSeconds } = faultAnswer(error)
    const fields = { status, method: request.method, ...errorFields(error) }
    if (status >= 500) context.log.error('api.failed', fields)
    if (response.headersSent) return void response.destroy()
    if (retryAfterSeconds !== undefined) response.set('retry-after', String(retryAfterSeconds))
    problem(response, status, says, code)
  }
}
