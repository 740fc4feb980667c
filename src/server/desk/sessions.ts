/** Who is logged in: a signed cookie that says so, and a proof that a form is ours. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { ROLES } from '../../domain/audit.ts'
import { parseCounts } from '../../domain/json.ts'
import type { Clock, Random } from '../../host.ts'

const session = z.object({
  /** Of the session, not of the person. */
  id: z.string(),
  /** As audit objects name the person. */
  name: z.string(),
  role: z.enum(ROLES),
  /** In milliseconds since 1970. */
  endsMs: z.number(),
})
export type Session = z.infer<typeof session>

export interface Sessions {
  /** A new session, as the value of `Set-Cookie`. */
  begin(person: Pick<Session, 'name' | 'role'>): string
  /** The session of a request's `Cookie` header, if it is ours and has not ended. */
  read(cookies: string | undefined): Session | undefined
  /** Ends a session here, and answers the `Set-Cookie` that forgets it. */
  end(session: Session): string
  csrfOf(session: Session): string
  isCsrf(session: Session, token: unknown): boolean
  /** Keeps a text with the browser for some minutes, signed, under a name of its own. */
  keep(name: string, text: string): string
  kept(name: string, cookies: string | undefined): string | undefined
  /** The `Set-Cookie` that forgets it. */
  drop(name: string): string
}

export interface SessionOptions {
  readonly key: string
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'hex'>
  readonly sessionMs: number
  /** Whether people come over https. */
  readonly secure: boolean
}

const KEPT_MS = 600_000

export function createSessions({ key, clock, random, sessionMs, secure }: SessionOptions): Sessions {
  // With this prefix a browser takes the cookie over https alone, and from no other host below the domain.
  const prefix = secure ? '__Host-' : ''
  const ended = new Map<string, number>()
  const cookieOf = (name: string, value: string, ageMs: number) =>
    `${prefix}${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(ageMs / 1000)}${secure ? '; Secure' : ''}`

  function sign(purpose: string, text: string): string {
    return createHmac('sha256', key).update(`${purpose}\n${text}`).digest('base64url')
  }

  function seal(purpose: string, text: string): string {
    const body = Buffer.from(text).toString('base64url')
    return `${body}.${sign(purpose, body)}`
  }

  function unseal(purpose: string, sealed: string | undefined): string | undefined {
    const [body = '', signature = '', ...rest] = (sealed ?? '').split('.')
    if (rest.length > 0 || !isSame(signature, sign(purpose, body))) return undefined
    return Buffer.from(body, 'base64url').toString('utf8')
  }

  function cookie(name: string, cookies: string | undefined): string | undefined {
    const own = `${prefix}${name}=`
    return cookies
      ?.split(';')
      .map(each => each.trim())
      .find(each => each.startsWith(own))
      ?.slice(own.length)
  }

  return {
    begin(person) {
      const endsMs = clock.now().getTime() + sessionMs
      const made: Session = { ...person, id: random.hex(32), endsMs }
      return cookieOf(SESSION, seal(SESSION, JSON.stringify(made)), sessionMs)
    },

    read(cookies) {
      const text = unseal(SESSION, cookie(SESSION, cookies))
      if (text === undefined) return undefined
      const { data } = session.safeParse(parseCounts(text))
      if (data === undefined || data.endsMs <= clock.now().getTime() || ended.has(data.id)) return undefined
      return data
    },

    end({ id, endsMs }) {
      const nowMs = clock.now().getTime()
      for (const [other, endMs] of ended) if (endMs <= nowMs) ended.delete(other)
      ended.set(id, endsMs)
      return cookieOf(SESSION, '', 0)
    },

    csrfOf: ({ id }) => sign('csrf', id),
    isCsrf: ({ id }, token) => typeof token === 'string' && isSame(token, sign('csrf', id)),

    keep(name, text) {
      const until = clock.now().getTime() + KEPT_MS
      return cookieOf(name, seal(name, `${until} ${text}`), KEPT_MS)
    },
    kept(name, cookies) {
      const text = unseal(name, cookie(name, cookies)) ?? ''
      const space = text.indexOf(' ')
      const until = Number.parseInt(text.slice(0, space), 10)
      return until > clock.now().getTime() ? text.slice(space + 1) : undefined
    },
    drop: name => cookieOf(name, '', 0),
  }
}

const SESSION = 'daybook-session'

/** Compares without telling by its time where two texts differ. */
export function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}
