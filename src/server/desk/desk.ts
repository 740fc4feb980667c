/** The finance desk as routes: pages, downloads, actions and the API. Who comes in passes one gate. */
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import type { DeskConfig, DeskSecrets } from '../../config/desk.ts'
import { type Book, openBook } from '../../console/book.ts'
import { html } from '../../console/html.ts'
import { plainPage } from '../../console/layout.ts'
import { errorFields } from '../../log.ts'
import type { PlannedAccount } from '../../planning.ts'
import type { Account, Context } from '../../stages/context.ts'
import { actionRoutes } from './action-routes.ts'
import { apiRoutes } from './api.ts'
import { type Assets, assetRoutes, loadAssets } from './assets.ts'
import { downloadRoutes } from './downloads.ts'
import { faultAnswer } from './fault-answer.ts'
import { type Gate, openGate } from './gate.ts'
import { type LiveRoutes, liveRoutes } from './live.ts'
import { type LoginLink, loginRoutes, logoutRoutes } from './login.ts'
import { oidcRoutes } from './oidc.ts'
import { pageRoutes } from './pages.ts'
import { createSessions, type Sessions } from './sessions.ts'

export interface DeskOptions {
  readonly context: Context
  readonly accounts: readonly PlannedAccount[]
  readonly config: DeskConfig
  readonly secrets: DeskSecrets
  /** The person whom the link lets in, as far as the machine knows. */
  readonly personName: string
  /** Moves a report on, after the answer. */
  readonly wake: (account: Account, reportId: string) => void
  /** Told of every link that lets a person in, the first and those after it was used. */
  readonly onLoginLink: (link: string) => void
}

export interface Desk {
  readonly router: Router
  /** Told once where it listens: only then is it known which hosts are its own. */
  open(url: string): void
  /** Reads what pages will need, so that the first of them is quick. */
  warm(): Promise<void>
  /** Ends what does not end by itself. */
  stop(): void
}

/** What all routes of the desk stand on. */
export interface DeskParts extends DeskOptions {
  readonly book: Book
  readonly sessions: Sessions
  readonly gate: Gate
  readonly assets: Assets
  /** The address that people see, without a slash at the end. */
  readonly origin: () => string
}

/** Tries in vain to get in, of one address in a minute; a whole team may come from one address. */
const LOGINS_PER_MINUTE = 10

export function createDesk(options: DeskOptions): Desk {
  const { context, accounts, config, secrets } = options
  let origin = config.url ?? ''
  const secure = origin.startsWith('https:')
  const key = secrets.sessionKey ?? context.random.hex(64)
  const sessions = createSessions({ ...context, key, sessionMs: config.sessionMs, secure })
  const assets = loadAssets()
  const gate = openGate({ sessions, apiToken: secrets.apiToken, origin: () => origin })
  const parts: DeskParts = {
    ...options,
    book: openBook(context, accounts),
    sessions,
    gate,
    assets,
    origin: () => origin,
  }
  const link: LoginLink | undefined = config.oidc === undefined ? loginRoutes(parts) : undefined
  const live: LiveRoutes = liveRoutes(parts)

  const router = express.Router()
  router.use(securityHeaders(secure))
  router.use(gate.ownHost)
  router.use(assetRoutes(assets))
  router.use(['/login', '/oidc'], rateLimit(loginLimit()))
  router.use(link?.router ?? oidcRoutes(parts, config.oidc!))
  router.use(logoutRoutes(parts))
  router.use('/api/v1', apiRoutes(parts))
  router.use(gate.person)
  router.use(live.router)
  router.use(downloadRoutes(parts))
  router.use(actionRoutes(parts))
  router.use(pageRoutes(parts))
  router.use((_request, response) => {
    const says = 'There is no such page.'
    response
      .status(404)
      .type('html')
      .send(plainPage(assets.names, 'Not found', html`<p>${says}</p>`))
  })
  router.use(answerFault(parts))
  return {
    router,
    open(url) {
      if (origin === '') origin = url
      link?.announce()
    },
    async warm() {
      for (const book of parts.book.accounts) await book.overview()
    },
    stop: live.stop,
  }
}

/** Nothing but what this very host serves, no frame around it, and no script in a page. */
function securityHeaders(secure: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    // Without a referrer a browser names no origin in a form either.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: secure,
    xFrameOptions: { action: 'deny' },
  })
}

function loginLimit() {
  return {
    windowMs: 60_000,
    limit: LOGINS_PER_MINUTE,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    validate: false,
    skipSuccessfulRequests: true,
    message: 'Too many tries; wait a minute.',
  } as const
}

function answerFault({ context, assets }: DeskParts): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const { status, says, retryAfterSeconds } = faultAnswer(error)
    const fields = { status, method: request.method, ...errorFields(error) }
    if (status >= 500) context.log.error('desk.failed', fields)
    else context.log.info('desk.refused', fields)
    if (response.headersSent) return void response.destroy()
    if (retryAfterSeconds !== undefined) response.set('retry-after', String(retryAfterSeconds))
    response
      .status(status)
      .type('html')
      .send(
        plainPage(
          assets.names,
          'That did not work',
          html`<p>${says}</p><p><a href="/">Back to the overview</a></p>`,
        ),
      )
  }
}
