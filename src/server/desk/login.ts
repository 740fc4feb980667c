/** Logging in on one machine: a link that works once, printed where the process was started. */
import express, { type Router } from 'express'
import { html } from '../../console/html.ts'
import { plainPage } from '../../console/layout.ts'
import type { DeskParts } from './desk.ts'
import { personOf } from './gate.ts'
import { isSame } from './sessions.ts'

export interface LoginLink {
  readonly router: Router
  /** Makes a link and tells of it. */
  announce(): void
}

export function loginRoutes(parts: DeskParts): LoginLink {
  const { context, sessions, assets, origin, onLoginLink } = parts
  let key = ''

  function announce(): void {
    key = context.random.hex(48)
    onLoginLink(`${origin()}/login?key=${key}`)
  }

  const router = express.Router()
  router.get('/login', (request, response) => {
    const { key: tried, to } = request.query
    // A look at the head alone, as previews of links take, must not use the link up.
    if (request.method === 'GET' && typeof tried === 'string' && key !== '' && isSame(tried, key)) {
      // Used up before anything is answered; whoever starts the process sees the next one.
      announce()
      context.log.info('desk.entered', { by: 'link' })
      response.append('set-cookie', sessions.begin({ name: parts.personName, role: 'operator' }))
      return response.redirect(303, ownPath(to))
    }
    const says =
      tried === undefined
        ? 'Open the link that was printed when Daybook was started.'
        : 'This link was used before, or is another process’s. Open the newest one that was printed.'
    if (tried !== undefined) context.log.warn('desk.refused', { reason: 'link-unknown' })
    response
      .status(tried === undefined ? 200 : 401)
      .set('cache-control', 'no-store')
      .type('html')
      .send(plainPage(assets.names, 'Log in', html`<p>${says}</p>`))
  })
  return { router, announce }
}

/** The end of a session, however it began. */
export function logoutRoutes({ sessions, gate }: DeskParts): Router {
  const router = express.Router()
  router.post(
    '/logout',
    express.urlencoded({ extended: false, limit: '4kb' }),
    gate.person,
    gate.ownPost,
    (request, response) => {
      const { session } = personOf(request)
      if (session !== undefined) response.append('set-cookie', sessions.end(session))
      response.redirect(303, '/login')
    },
  )
  return router
}

/** A path of this desk, and never another host: `//elsewhere` is one. */
export function ownPath(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) && !to.includes('\\') ? to : '/'
}
