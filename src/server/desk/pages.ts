/** The pages of the desk, each made for one request. */
import { hash } from 'node:crypto'
import express, { type Request, type Router } from 'express'
import { z } from 'zod'
import type { AccountBook } from '../../console/book.ts'
import { timeText } from '../../console/format.ts'
import { path, withQuery } from '../../console/html.ts'
import { type Notice, type PageContent, type PageFrame, page, type Viewer } from '../../console/layout.ts'
import { type ActionsView, actionsPage } from '../../console/pages/actions.ts'
import { auditPage } from '../../console/pages/audit.ts'
import { balancesPage } from '../../console/pages/balances.ts'
import { calendarPage, dayPage } from '../../console/pages/calendar.ts'
import { closePage } from '../../console/pages/close.ts'
import { FINDING_KINDS, findingsPage, isOfKind } from '../../console/pages/findings.ts'
import { overviewPage } from '../../console/pages/overview.ts'
import { reportPage, reportsPage } from '../../console/pages/reports.ts'
import { REPORT_STATES } from '../../console/views.ts'
import { addDays, addMonths, type DayRange, dayOf, monthOf } from '../../domain/calendar.ts'
import { DaybookError } from '../../domain/errors.ts'
import { actionKeys } from '../../domain/keys.ts'
import { WALLET_SCOPES } from '../../domain/report.ts'
import { makePlan, newestDay } from '../../planning.ts'
import { resultOf } from '../../stores/action-log.ts'
import { auditOf } from '../../stores/audit-log.ts'
import { GOOD_OUTCOMES } from './actions.ts'
import type { DeskParts } from './desk.ts'
import { personOf } from './gate.ts'
import {
  accountAt,
  accountIn,
  dayField,
  MOST_DAYS,
  monthField,
  optional,
  readFields,
  reportIdIn,
} from './query.ts'

const REPORTS_A_PAGE = 50
const FINDINGS_A_PAGE = 50
const AUDIT_A_PAGE = 200

/** How far back findings and balances are shown unless a person says otherwise. */
const FINDING_DAYS = 93
const BALANCE_DAYS = 31

export const reportsQuery = z.object({
  state: optional(z.enum(REPORT_STATES)),
  wallets: optional(z.enum(WALLET_SCOPES)),
  from: optional(dayField),
  to: optional(dayField),
  search: optional(z.string().max(200)),
})
const pageNumber = z.object({ page: optional(z.string().regex(/^\d{1,6}$/)) })
const days = z.object({ from: optional(dayField), to: optional(dayField) })

export function pageRoutes(parts: DeskParts): Router {
  const { book, context, assets, sessions } = parts
  const router = express.Router()
  const now = () => context.clock.now()

  async function render(
    request: Request,
    account: AccountBook,
    contentOf: (viewer: Viewer, keyFor: (name: string) => string) => PageContent,
  ): Promise<string> {
    const { name, role, session } = personOf(request)
    const viewer = { name, role, csrf: session === undefined ? '' : sessions.csrfOf(session) }
    // One form of one page keeps its key when the page is drawn again, and so has its effect once.
    const seed = context.random.hex(32)
    const keyFor = (form: string) => hash('sha256', `${seed} ${form}`, 'hex').slice(0, 32)
    const frame: PageFrame = {
      viewer,
      account: `${account.ref.provider}/${account.ref.account}`,
      accounts: book.accounts.map(({ ref }) => `${ref.provider}/${ref.account}`),
      notice: await noticeOf(request),
      madeAt: timeText(now().toISOString()),
      version: await account.version(),
      assets: assets.names,
    }
    return page(frame, contentOf(viewer, keyFor))
  }

  /** What came of the action that led to this page; an id that nobody was given tells nothing. */
  async function noticeOf({ query }: Request): Promise<Notice | undefined> {
    const { did } = query
    if (typeof did !== 'string' || !/^[0-9a-f]{64}$/.test(did)) return undefined
    const result = await resultOf(context.store, actionKeys(did).result)
    return result && { tone: GOOD_OUTCOMES.has(result.outcome) ? 'good' : 'bad', says: result.says }
  }

  function rangeIn(query: unknown, mostRecent: number): DayRange {
    const { from, to } = readFields(days, query)
    const last = to ?? dayOf(now())
    const first = from ?? addDays(last, -mostRecent)
    if (first > last) throw new DaybookError('usage-invalid', 'The first day lies after the last one.')
    const earliest = addDays(last, -MOST_DAYS)
    return { start: first < earliest ? earliest : first, end: addDays(last, 1) }
  }

  router.get('/', async (request, response) => {
    const account = accountIn(book, request.query)
    const view = await account.overview()
    response.type('html').send(await render(request, account, () => overviewPage(view)))
  })

  router.get('/calendar', async (request, response) => {
    const account = accountIn(book, request.query)
    const { year } = readFields(
      z.object({ year: optional(z.string().regex(/^20\d\d$/, 'expected a year such as 2026')) }),
      request.query,
    )
    const shown = Number.parseInt(year ?? dayOf(now()).slice(0, 4), 10)
    const lines = await account.days({ start: `${shown}-01-01`, end: `${shown + 1}-01-01` })
    const view = { ...account.ref, year: shown, days: lines }
    response.type('html').send(await render(request, account, () => calendarPage(view)))
  })

  router.get('/days/:provider/:account/:day', async (request, response) => {
    const account = accountAt(book, request.params)
    const { day } = readFields(z.object({ day: dayField }), request.params)
    const view = await account.day(day)
    response.type('html').send(
      await render(request, account, (viewer, keyFor) =>
        dayPage(view, viewer, {
          keyFor,
          downloads: view.published === null ? [] : rowsOf(account, day, day),
        }),
      ),
    )
  })

  router.get('/reports', async (request, response) => {
    const account = accountIn(book, request.query)
    const query = readFields(reportsQuery, request.query)
    const lines = await account.reports(query)
    const pages = Math.max(1, Math.ceil(lines.length / REPORTS_A_PAGE))
    const asked = Number.parseInt(readFields(pageNumber, request.query).page ?? '1', 10)
    const shown = Math.min(Math.max(1, asked), pages)
    const view = {
      account: `${account.ref.provider}/${account.ref.account}`,
      query,
      lines: lines.slice((shown - 1) * REPORTS_A_PAGE, shown * REPORTS_A_PAGE),
      total: lines.length,
      page: shown,
      pages,
    }
    response.type('html').send(await render(request, account, () => reportsPage(view)))
  })

  router.get('/reports/:provider/:account/:reportId', async (request, response) => {
    const account = accountAt(book, request.params)
    const reportId = reportIdIn(request.params)
    const view = await account.report(reportId)
    if (view === undefined) throw new DaybookError('not-found', `There is no report ${reportId}.`)
    const base = path('/reports', account.ref.provider, account.ref.account, reportId)
    const { from, to } = view.line
    const downloads = [
      ...(view.line.file === null ? [] : [{ name: 'Original file', target: `${base}/file` }]),
      ...((view.line.publishedDays ?? 0) === 0 || from === null || to === null
        ? []
        : rowsOf(account, from, to)),
      { name: 'Evidence', target: `${base}/evidence.zip` },
    ]
    response
      .type('html')
      .send(
        await render(request, account, (viewer, keyFor) =>
          reportPage(view, viewer, { downloads, retryKey: keyFor('retry') }),
        ),
      )
  })

  router.get('/balances', async (request, response) => {
    const account = accountIn(book, request.query)
    const { holding } = readFields(z.object({ holding: optional(z.string().max(200)) }), request.query)
    const [asset, place = ''] = holding?.split('|') ?? []
    const view = await account.balances(
      rangeIn(request.query, BALANCE_DAYS),
      asset === undefined ? undefined : { asset, place },
    )
    response.type('html').send(await render(request, account, () => balancesPage(view, assets.names)))
  })

  router.get('/findings', async (request, response) => {
    const account = accountIn(book, request.query)
    const { kind = 'open' } = readFields(z.object({ kind: optional(z.enum(FINDING_KINDS)) }), request.query)
    const range = rangeIn(request.query, FINDING_DAYS)
    const lines = (await account.findings(range)).filter(line => isOfKind(line, kind))
    const view = {
      ...account.ref,
      kind,
      from: range.start,
      to: addDays(range.end, -1),
      findings: lines.slice(0, FINDINGS_A_PAGE),
      total: lines.length,
    }
    response
      .type('html')
      .send(await render(request, account, (viewer, keyFor) => findingsPage(view, viewer, keyFor)))
  })

  router.get('/close', async (request, response) => {
    const account = accountIn(book, request.query)
    const { month } = readFields(z.object({ month: optional(monthField) }), request.query)
    const view = await account.month(month ?? addMonths(monthOf(now()), -1))
    const { provider, account: name } = account.ref
    const downloads = [
      { name: 'Month pack', target: path('/close', provider, name, view.month, 'pack.zip') },
      ...rowsOf(account, view.days[0]?.day ?? '', view.days.at(-1)?.day ?? ''),
    ]
    response
      .type('html')
      .send(
        await render(request, account, (viewer, keyFor) => closePage(view, viewer, { downloads, keyFor })),
      )
  })

  router.get('/audit', async (request, response) => {
    const account = accountIn(book, request.query)
    const { day = dayOf(now()), before } = readFields(
      z.object({ day: optional(dayField), before: optional(z.string().max(300)) }),
      request.query,
    )
    const lines = await auditOf(context.store, day, {
      most: AUDIT_A_PAGE,
      ...(before === undefined ? {} : { before }),
    })
    const view = {
      account: `${account.ref.provider}/${account.ref.account}`,
      day,
      lines,
      before: lines.length === AUDIT_A_PAGE ? lines.at(-1)?.key : undefined,
    }
    response.type('html').send(await render(request, account, () => auditPage(view)))
  })

  const actionsQuery = z.object({
    from: optional(dayField),
    to: optional(dayField),
    wallets: optional(z.enum(WALLET_SCOPES)),
    planFrom: optional(dayField),
  })
  router.get('/actions', async (request, response) => {
    const account = accountIn(book, request.query)
    if (personOf(request).role !== 'operator')
      throw new DaybookError('not-found', 'Actions need the role operator.')
    const { from, to, wallets = 'all', planFrom } = readFields(actionsQuery, request.query)
    const view: ActionsView = {
      account: `${account.ref.provider}/${account.ref.account}`,
      newest:
        account.account.provider.reports?.window === undefined
          ? undefined
          : newestDay(account.account, now()),
      quota: await account.quota(),
      ask:
        from === undefined || to === undefined ? undefined : await previewOf(account, { from, to, wallets }),
      plan:
        planFrom === undefined
          ? undefined
          : { from: planFrom, plan: await makePlan(context, account.account, { from: planFrom }) },
    }
    response
      .type('html')
      .send(await render(request, account, (viewer, keyFor) => actionsPage(view, viewer, keyFor)))
  })

  function rowsOf({ ref }: AccountBook, from: string, to: string) {
    const base = path('/rows', ref.provider, ref.account)
    return (['csv', 'xlsx'] as const).map(ending => ({
      name: `Rows as ${ending.toUpperCase()}`,
      target: withQuery(`${base}/rows.${ending}`, { from, to }),
    }))
  }

  async function previewOf(
    account: AccountBook,
    asked: { from: string; to: string; wallets: (typeof WALLET_SCOPES)[number] },
  ) {
    const { from, to, wallets } = asked
    const isTurned = from > to
    const request = { range: { start: from, end: addDays(to, 1) }, wallets }
    const refusal = isTurned
      ? 'The first day lies after the last one.'
      : account.account.provider.reports?.refusal(request, now())
    const same = isTurned
      ? []
      : (await account.reports({ from, to })).filter(
          line => line.from === from && line.to === to && line.wallets === wallets,
        )
    return { from, to, wallets, refusal, same }
  }
  return router
}
