/** Logging in through an OpenID Connect provider: code flow with PKCE; roles from claims. */
import express, { type Router } from 'express'
import * as client from 'openid-client'
import type { OidcConfig } from '../../config/desk.ts'
import { isLoopback } from '../../config/values.ts'
import { html } from '../../console/html.ts'
import { plainPage } from '../../console/layout.ts'
import type { Role } from '../../domain/audit.ts'
import { DaybookError } from '../../domain/errors.ts'
import { errorFields } from '../../log.ts'
import type { DeskParts } from './desk.ts'
import { ownPath } from './login.ts'

/** What is kept with the browser between leaving for the provider and coming back. */
const FLOW = 'daybook-login'
const SEPARATOR = '\n'

export function oidcRoutes(parts: DeskParts, config: OidcConfig): Router {
  const { sessions, secrets, origin, assets, context } = parts
  let found: Promise<client.Configuration> | undefined
  const redirectUri = () => `${origin()}/oidc/callback`

  /** Asked for at the first login, and again after it failed: the provider may be down when this starts. */
  function provider(): Promise<client.Configuration> {
    found ??= discover(config, secrets.oidcSecret).catch(error => {
      found = undefined
      const says = 'The login provider cannot be reached; try again in a moment.'
      throw new DaybookError('provider-unreachable', says, { cause: error })
    })
    return found
  }

  const router = express.Router()
  router.get('/login', (request, response) => {
    const to = ownPath(request.query.to)
    const main = html`<p>Log in with your organisation’s account.</p><p><a class="button" href="/oidc/begin?to=${encodeURIComponent(to)}">Log in</a></p>`
    response
      .set('cache-control', 'no-store')
      .type('html')
      .send(plainPage(assets.names, 'Log in', main))
  })

  router.get('/oidc/begin', async (request, response) => {
    const at = await provider()
    const verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const nonce = client.randomNonce()
    const target = client.buildAuthorizationUrl(at, {
      redirect_uri: redirectUri(),
      scope: config.scopes,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    const flow = [verifier, state, nonce, ownPath(request.query.to)].join(SEPARATOR)
    response
      .append('set-cookie', sessions.keep(FLOW, flow))
      .set('cache-control', 'no-store')
      .redirect(303, target.href)
  })

  router.get('/oidc/callback', async (request, response) => {
    const at = await provider()
    const flow = sessions.kept(FLOW, request.headers.cookie)?.split(SEPARATOR)
    response.append('set-cookie', sessions.drop(FLOW)).set('cache-control', 'no-store')
    const refuse = (says: string) =>
      void response
        .status(403)
        .type('html')
        .send(
          plainPage(assets.names, 'Not logged in', html`<p>${says}</p><p><a href="/login">Try again</a></p>`),
        )
    const [verifier = '', state = '', nonce = '', to] = flow ?? []
    if (flow === undefined) return refuse('The login took too long, or was begun in another browser.')
    let claims: Readonly<Record<string, unknown>> | undefined
    try {
      const tokens = await client.authorizationCodeGrant(at, new URL(request.originalUrl, redirectUri()), {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      claims = tokens.claims()
    } catch (error) {
      context.log.warn('desk.refused', { reason: 'login-failed', ...errorFields(error) })
      return refuse('The login provider did not vouch for you.')
    }
    const role = roleIn(claims ?? {}, config)
    if (role === undefined) {
      context.log.warn('desk.refused', { reason: 'role-missing' })
      return refuse('Your account has no role here. Ask whoever runs Daybook.')
    }
    context.log.info('desk.entered', { by: 'oidc', role })
    response
      .append('set-cookie', sessions.begin({ name: nameIn(claims ?? {}), role }))
      .redirect(303, ownPath(to))
  })

  return router
}

async function discover(
  { issuer, clientId }: OidcConfig,
  secret: string | undefined,
): Promise<client.Configuration> {
  const url = new URL(issuer)
  // The configuration takes http for loopback addresses alone.
  const execute = isLoopback(url.hostname) && url.protocol === 'http:' ? [client.allowInsecureRequests] : []
  return client.discovery(url, clientId, secret, secret === undefined ? client.None() : undefined, {
    execute,
  })
}

/** The strongest role that the claims give. */
export function roleIn(claims: Readonly<Record<string, unknown>>, config: OidcConfig): Role | undefined {
  const { roleClaim } = config
  // A name may be an address, whose dots lead nowhere.
  const value = Object.hasOwn(claims, roleClaim) ? claims[roleClaim] : along(claims, roleClaim.split('.'))
  const given = (Array.isArray(value) ? value : [value]).filter(each => typeof each === 'string')
  if (given.some(each => config.operators.includes(each))) return 'operator'
  return given.some(each => config.readers.includes(each)) ? 'reader' : undefined
}

function along(claims: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined,
    claims,
  )
}

/** As people know them, with the subject that the provider never gives to another person. */
function nameIn({
  email,
  email_verified: isVerified,
  preferred_username: name,
  sub,
}: Readonly<Record<string, unknown>>): string {
  const subject = String(sub).slice(0, 200)
  const known = typeof email === 'string' && isVerified === true ? email : name
  return typeof known === 'string' && known !== '' ? `${known.slice(0, 200)} (${subject})` : subject
}
