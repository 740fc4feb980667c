/** The one gate of the desk: whose request it is, whether it comes from our own pages, and what it may do. */
import type { Request, RequestHandler, Response } from 'express'
import type { Role } from '../../domain/audit.ts'
import { isSame, type Session, type Sessions } from './sessions.ts'

export interface Gate {
  /** Refuses requests to hosts that are not ours: a stranger's name may lead to this address. */
  readonly ownHost: RequestHandler
  /** Lets people in who are logged in, and sends the others to do so. */
  readonly person: RequestHandler
  /** Lets people and programs in; the others are answered with a problem. */
  readonly program: RequestHandler
  /** Refuses whoever is not an operator: before a long body is read, which `operator` has to see. */
  readonly operatorRole: RequestHandler
  /** Refuses whoever is not an operator, and every post that is not of our own pages. */
  readonly operator: RequestHandler
  /** As `operator`, for any role. */
  readonly ownPost: RequestHandler
}

/** Who is behind a request. */
export interface Person {
  readonly name: string
  readonly role: Role
  /** `undefined`: a program with a token, which no browser sends by itself. */
  readonly session: Session | undefined
}

export interface GateOptions {
  readonly sessions: Sessions
  readonly apiToken: string | undefined
  readonly origin: () => string
}

const people = new WeakMap<Request, Person>()

/** Who is behind a request that has passed the gate. */
export function personOf(request: Request): Person {
  const person = people.get(request)
  if (person === undefined) throw new Error('The request has not passed the gate.')
  return person
}

export function openGate({ sessions, apiToken, origin }: GateOptions): Gate {
  function hosts(): string[] {
    const { host, hostname, port } = new URL(origin())
    const isLoopback = hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]'
    return isLoopback ? ['127.0.0.1', 'localhost', '[::1]'].map(name => `${name}:${port}`) : [host]
  }

  function sessionOf(request: Request): Person | undefined {
    const session = sessions.read(request.headers.cookie)
    return session && { name: session.name, role: session.role, session }
  }

  function bearer(request: Request): Person | undefined {
    const [scheme, token] = request.headers.authorization?.split(' ') ?? []
    if (apiToken === undefined || scheme?.toLowerCase() !== 'bearer' || token === undefined) return undefined
    return isSame(token, apiToken) ? { name: 'api', role: 'reader', session: undefined } : undefined
  }

  function isFromOwnPage(request: Request, { session }: Person): boolean {
    if (session === undefined) return true
    const { origin: from, 'sec-fetch-site': site } = request.headers
    if (site !== undefined && site !== 'same-origin') return false
    if (from !== undefined && !(URL.canParse(from) && hosts().includes(new URL(from).host))) return false
    const token = request.headers['x-csrf-token'] ?? (request.body as { csrf?: unknown } | undefined)?.csrf
    return sessions.isCsrf(session, token)
  }

  const refuse = (request: Request, response: Response, status: number, title: string): void => {
    if (request.baseUrl.startsWith('/api')) {
      response
        .status(status)
        .type('application/problem+json')
        .send(JSON.stringify({ type: 'about:blank', title, status }))
    } else response.status(status).type('text').send(`${title}.`)
  }

  const operatorRole: RequestHandler = (request, response, next) => {
    if (personOf(request).role === 'operator') return next()
    refuse(request, response, 403, 'This needs the role operator')
  }

  const ownPost: RequestHandler = (request, response, next) => {
    if (isFromOwnPage(request, personOf(request))) return next()
    refuse(request, response, 403, 'The form is not of this desk')
  }

  return {
    ownHost(request, response, next) {
      if (hosts().includes(request.headers.host ?? '')) return next()
      response.status(421).type('text').send('This is not the host of this desk.')
    },

    person(request, response, next) {
      response.set('cache-control', 'no-store')
      const person = sessionOf(request)
      if (person !== undefined) {
        people.set(request, person)
        return next()
      }
      if (request.method === 'GET' && request.accepts('html') !== false)
        return response.redirect(303, `/login?to=${encodeURIComponent(request.originalUrl)}`)
      refuse(request, response, 401, 'Log in first')
    },

    program(request, response, next) {
      response.set('cache-control', 'no-store')
      const person = bearer(request) ?? sessionOf(request)
      if (person === undefined) {
        response.set('www-authenticate', 'Bearer')
        return refuse(request, response, 401, 'Log in, or send a token')
      }
      people.set(request, person)
      next()
    },

    operatorRole,

    operator(request, response, next) {
      ownPost(request, response, () => operatorRole(request, response, next))
    },

    ownPost,
  }
}
