/** The forms of operators: read, checked, done once, and answered by the page that shows what came of it. */
import { hash } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import getRawBody from 'raw-body'
import { z } from 'zod'
import type { AccountBook } from '../../console/book.ts'
import { path, withQuery } from '../../console/html.ts'
import { DaybookError } from '../../domain/errors.ts'
import { WALLET_SCOPES } from '../../domain/report.ts'
import type { ByteSource } from '../../formats/byte-source.ts'
import {
  type Act,
  type Asking,
  askAct,
  closeAct,
  explainAct,
  importAct,
  perform,
  planAct,
  reconcileAct,
  retryAct,
  snapshotAct,
  sweepAct,
} from './actions.ts'
import type { DeskParts } from './desk.ts'
import { personOf } from './gate.ts'
import { accountField, dayField, monthField, optional, readFields } from './query.ts'

const once = z.object({ idempotencyKey: z.string().min(8).max(200), account: accountField })
const checkbox = z.literal('yes').optional()
export const askFields = z.object({
  from: dayField,
  to: dayField,
  wallets: z.enum(WALLET_SCOPES),
  again: checkbox,
})
export const explainFields = z.object({
  day: dayField,
  finding: z.string().min(1).max(300),
  run: z.string().regex(/^\d{1,9}$/),
  says: z.string().trim().min(1).max(4000),
  answered: checkbox,
})
const reportField = z.object({ report: z.string().regex(/^[\w.~-]{1,120}$/) })

export function actionRoutes(parts: DeskParts): Router {
  const { gate, book } = parts
  const router = express.Router()
  const form = express.urlencoded({ extended: false, limit: '32kb' })

  /** `land` is where the person is led; the page there tells what came of it. */
  function post(
    name: string,
    actOf: (account: AccountBook, fields: unknown, asking: Asking) => Act,
    land: (account: AccountBook, about: Readonly<Record<string, string>>) => string,
  ): void {
    router.post(`/actions/${name}`, form, gate.operator, async (request, response) => {
      const { account, asking } = askingOf(request, request.body)
      await answer(response, account, asking, actOf(account, request.body, asking), land)
    })
  }

  function askingOf(request: Request, fields: unknown): { account: AccountBook; asking: Asking } {
    const { idempotencyKey, account } = readFields(once, fields)
    const [provider = '', name = ''] = account.split('/')
    const asking = { person: personOf(request), from: request.ip ?? '', key: idempotencyKey }
    return { account: book.find({ provider, account: name }), asking }
  }

  async function answer(
    response: Response,
    account: AccountBook,
    asking: Asking,
    act: Act,
    land: (account: AccountBook, about: Readonly<Record<string, string>>) => string,
  ): Promise<void> {
    const done = await perform(parts, asking, act)
    account.forget()
    if (done.standing === 'key-reused')
      throw new DaybookError('usage-invalid', 'This form was sent before with other answers; open it again.')
    if (done.standing === 'under-way')
      throw new DaybookError(
        'usage-invalid',
        `This was begun at ${done.since} and has not ended; look at the audit and at the account before you ask again.`,
      )
    const target = land(account, done.result.about)
    response.redirect(303, `${target}${target.includes('?') ? '&' : '?'}did=${done.id}`)
  }

  const nameOf = ({ ref }: AccountBook) => `${ref.provider}/${ref.account}`
  const toActions = (account: AccountBook) => withQuery('/actions', { account: nameOf(account) })
  const toReport = (account: AccountBook, { report }: Readonly<Record<string, string>>) =>
    report === undefined
      ? toActions(account)
      : path('/reports', account.ref.provider, account.ref.account, report)
  const toDay = (account: AccountBook, { day }: Readonly<Record<string, string>>) =>
    day === undefined
      ? withQuery('/findings', { account: nameOf(account) })
      : path('/days', account.ref.provider, account.ref.account, day)

  post(
    'ask',
    ({ account }, fields) => {
      const { again, ...rest } = readFields(askFields, fields)
      return askAct(account, { ...rest, again: again === 'yes' })
    },
    toReport,
  )
  post(
    'plan',
    ({ account }, fields) => planAct(account, readFields(z.object({ from: dayField }), fields).from),
    toActions,
  )
  post('sweep', ({ account }) => sweepAct(account), toActions)
  post('snapshot', ({ account }) => snapshotAct(account), toActions)
  post('retry', ({ account }, fields) => retryAct(account, readFields(reportField, fields).report), toReport)
  post(
    'reconcile',
    ({ account }, fields) => reconcileAct(account, readFields(z.object({ day: dayField }), fields).day),
    toDay,
  )
  post(
    'explain',
    ({ account }, fields, { person }) => {
      const { run, answered, ...rest } = readFields(explainFields, fields)
      return explainAct(account, person, {
        ...rest,
        run: Number.parseInt(run, 10),
        answered: answered === 'yes',
      })
    },
    toDay,
  )
  post(
    'close',
    (account, fields, { person }) => {
      const { month, note } = readFields(
        z.object({ month: monthField, note: optional(z.string().max(400)) }),
        fields,
      )
      return closeAct(account, person, month, note ?? '')
    },
    (account, { month }) => withQuery('/close', { account: nameOf(account), month }),
  )

  router.post(
    '/actions/import',
    gate.operatorRole,
    readMultipart(parts.config.importMaxBytes),
    gate.operator,
    async (request, response) => {
      const { account, asking } = askingOf(request, request.body)
      const fields = readFields(importFields, request.body)
      const act = importAct(parts, account.account, asking.person, {
        ...fields,
        sha256: await sha256Of(fields.file),
      })
      await answer(response, account, asking, act, toReport)
    },
  )
  return router
}

const importFields = z.object({
  from: dayField,
  to: dayField,
  wallets: z.enum(WALLET_SCOPES),
  file: z.custom<ByteSource>(
    value => typeof value === 'object' && value !== null && 'read' in value,
    'expected a file',
  ),
})

async function sha256Of(file: ByteSource): Promise<string> {
  return hash('sha256', Buffer.concat(await Array.fromAsync(file.read())), 'hex')
}

/** Reads a form with a file into memory; a larger one is refused before it is read to its end. */
function readMultipart(maxBytes: number) {
  return async (request: Request, response: Response, next: (error?: unknown) => void): Promise<void> => {
    const type = request.headers['content-type'] ?? ''
    if (!type.startsWith('multipart/form-data'))
      return next(new DaybookError('usage-invalid', 'Expected a form with a file.'))
    try {
      const body = await getRawBody(request, {
        length: request.headers['content-length'] ?? null,
        limit: maxBytes,
      })
      const form = await new globalThis.Response(body, { headers: { 'content-type': type } }).formData()
      request.body = Object.fromEntries(
        await Promise.all(
          [...form].map(async ([name, value]) => [
            name,
            typeof value === 'string' ? value : await sourceOf(value),
          ]),
        ),
      )
    } catch (error) {
      // A sender that is still writing must be let finish, or it never reads the answer.
      request.resume()
      response.set('connection', 'close')
      return next(
        new DaybookError(
          'usage-invalid',
          `The form cannot be read; a file may have at most ${maxBytes} bytes here, larger ones go through "daybook import".`,
          { cause: error },
        ),
      )
    }
    next()
  }
}

async function sourceOf(file: File): Promise<ByteSource> {
  const bytes = Buffer.from(await file.arrayBuffer())
  return {
    name: file.name === '' ? 'file' : file.name.slice(0, 200),
    size: bytes.length,
    async *read({ start, end } = { start: 0 }) {
      yield Uint8Array.from(bytes.subarray(start, end))
    },
  }
}
