/** Files for people. That somebody takes one is written down before its first byte goes out. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import express, { type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import { addDays, daysBetween } from '../../domain/calendar.ts'
import { DaybookError } from '../../domain/errors.ts'
import { reportKeys } from '../../domain/keys.ts'
import { evidenceBundle, evidenceName } from '../../exports/evidence.ts'
import { loadMonth, monthPack, monthPackName } from '../../exports/month-pack.ts'
import { rowsAsCsv, rowsAsXlsx, rowsFileName } from '../../exports/rows.ts'
import { recordAudit } from '../../stores/audit-log.ts'
import type { DeskParts } from './desk.ts'
import { personOf } from './gate.ts'
import { accountAt, dayField, monthField, readFields, reportIdIn } from './query.ts'

/** Long enough to begin a download, too short to be passed on. */
const LINK_SECONDS = 60

export function downloadRoutes(parts: DeskParts): Router {
  const { context, book } = parts
  const router = express.Router()

  router.get('/reports/:provider/:account/:reportId/file', async (request, response) => {
    const { ref } = accountAt(book, request.params)
    const reportId = reportIdIn(request.params)
    const archived = await context.reports.read(ref, reportId, 'archive')
    if (archived === undefined) throw new DaybookError('not-found', `No file of report ${reportId} is here.`)
    const key = reportKeys(ref, reportId).file(archived.file)
    const asked = rangeOf(
      request.headers.range,
      archived.size,
      `"${archived.sha256}"`,
      request.get('if-range'),
    )
    await writeAudit(parts, request, 'report.download', {
      ...ref,
      report: reportId,
      sha256: archived.sha256,
      bytes: asked === undefined || asked === 'unsatisfiable' ? 'all' : `${asked.start}-${asked.end - 1}`,
    })
    if (context.store.presign !== undefined) {
      const link = await context.store.presign(key, {
        expiresInSeconds: LINK_SECONDS,
        fileName: archived.name,
      })
      return response.redirect(303, link)
    }
    response
      .set('content-disposition', attachment(archived.name))
      .set('content-type', 'application/octet-stream')
      .set('accept-ranges', 'bytes')
      .set('etag', `"${archived.sha256}"`)
      .set('repr-digest', `sha-256=:${Buffer.from(archived.sha256, 'hex').toString('base64')}:`)
    if (asked === 'unsatisfiable')
      return void response.status(416).set('content-range', `bytes */${archived.size}`).end()
    const { start, end } = asked ?? { start: 0, end: archived.size }
    response.status(asked === undefined ? 200 : 206).set('content-length', String(end - start))
    if (asked !== undefined) response.set('content-range', `bytes ${start}-${end - 1}/${archived.size}`)
    const expected = asked === undefined ? archived.sha256 : undefined
    await send(response, context.store.read(key, { start, end }), expected)
  })

  /** Nothing has gone out when this has been called; what it answers may be sent. */
  async function begin(
    request: Request,
    response: Response,
    { did, about, name, type }: Begun,
  ): Promise<void> {
    await writeAudit(parts, request, did, about)
    response.set('content-disposition', attachment(name)).set('content-type', type)
  }

  router.get('/reports/:provider/:account/:reportId/evidence.zip', async (request, response) => {
    const { account, ref } = accountAt(book, request.params)
    const reportId = reportIdIn(request.params)
    if ((await context.reports.parts(ref, reportId)).size === 0)
      throw new DaybookError('not-found', `Nothing is known of a report ${reportId}.`)
    const name = `${evidenceName(ref, reportId)}.zip`
    await begin(request, response, {
      did: 'evidence.download',
      about: { ...ref, report: reportId },
      name,
      type: ZIP,
    })
    await send(response, evidenceBundle(context, account, reportId))
  })

  router.get('/rows/:provider/:account/:file', async (request, response) => {
    const { ref } = accountAt(book, request.params)
    const { file } = readFields(z.object({ file: rowsFile }), request.params)
    const { from, to } = readFields(z.object({ from: dayField, to: dayField }), request.query)
    if (from > to || daysBetween(from, to) > MOST_DAYS)
      throw new DaybookError(
        'usage-invalid',
        `Expected a first day before the last, and at most ${MOST_DAYS} days.`,
      )
    const range = { start: from, end: addDays(to, 1) }
    const ending = file === 'rows.csv' ? 'csv' : 'xlsx'
    const name = rowsFileName(ref, range, ending)
    await begin(request, response, {
      did: 'rows.download',
      about: { ...ref, from, to, format: ending },
      name,
      type: TYPES[ending],
    })
    await send(response, (ending === 'csv' ? rowsAsCsv : rowsAsXlsx)(context.store, ref, range))
  })

  router.get('/close/:provider/:account/:month/pack.zip', async (request, response) => {
    const { account, ref } = accountAt(book, request.params)
    const { month } = readFields(z.object({ month: monthField }), request.params)
    const facts = await loadMonth(context, account, month)
    const name = `${monthPackName(ref, month)}.zip`
    await begin(request, response, { did: 'month.download', about: { ...ref, month }, name, type: ZIP })
    await send(response, monthPack(context.store, facts))
  })
  return router
}

interface Begun {
  readonly did: string
  readonly about: Readonly<Record<string, string>>
  readonly name: string
  readonly type: string
}

const ZIP = 'application/zip'
const TYPES = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const
const rowsFile = z.enum(['rows.csv', 'rows.xlsx'])
const MOST_DAYS = 366

/** Durable when it returns. */
async function writeAudit(
  { context }: Pick<DeskParts, 'context'>,
  request: Request,
  did: string,
  about: Readonly<Record<string, string>>,
): Promise<void> {
  const { name, role } = personOf(request)
  await recordAudit(context.store, context.random.hex(12), {
    at: context.clock.now().toISOString(),
    who: name,
    role,
    from: request.ip ?? '',
    did,
    about: { ...about },
  })
}

/**
 * Sends a stream at the pace of whoever reads. A whole file whose SHA-256 is not the expected one breaks off
 * before its last piece, so that nobody takes it for the one that was archived.
 */
export async function send(
  response: Response,
  bytes: AsyncIterable<Uint8Array>,
  expected?: string,
): Promise<void> {
  const sha256 = createHash('sha256')
  let held: Uint8Array | undefined
  for await (const chunk of bytes) {
    sha256.update(chunk)
    if (response.destroyed) return
    if (held !== undefined && !response.write(held)) await drained(response)
    held = chunk
  }
  if (expected !== undefined && sha256.digest('hex') !== expected) {
    response.destroy()
    throw new DaybookError(
      'file-damaged',
      'The stored file is not the one that was archived: its SHA-256 differs.',
    )
  }
  response.end(held)
}

/** Whoever reads has caught up, or has gone. Leaves no listener behind: a long file waits thousands of times. */
async function drained(response: Response): Promise<void> {
  const waiting = new AbortController()
  const { signal } = waiting
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  } finally {
    waiting.abort()
  }
}

/** A header that no name can break out of: plain letters for old readers, the whole name for the others. */
export function attachment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._ -]/g, '_').slice(0, 120)
  const whole = encodeURIComponent(name.toWellFormed().slice(0, 200)).replace(
    /['()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`
}

/** The one range that is asked for, half-open; `undefined`: everything. Several at once get everything. */
export function rangeOf(
  header: string | undefined,
  size: number,
  etag: string,
  ifRange: string | undefined,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (match === null || (ifRange !== undefined && ifRange !== etag)) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number.parseInt(last, 10)) : Number.parseInt(first, 10)
  const end = first === '' || last === '' ? size : Math.min(size, Number.parseInt(last, 10) + 1)
  if (first !== '' && last !== '' && Number.parseInt(last, 10) < start) return undefined
  return start >= size || start >= end ? 'unsatisfiable' : { start, end }
}
