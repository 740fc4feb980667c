/** The finance desk: where it listens, who gets in, and how. */
import type { Env } from './env.ts'
import type { Faults } from './faults.ts'
import { readSecret } from './secrets.ts'
import { isLoopback, type Listen, readList, readListen, readUrl, readWhole, textOf } from './values.ts'

export interface DeskConfig {
  readonly listen: Listen
  /** Whether the address was said; one that was not gives way to any free port. */
  readonly isSaid: boolean
  /** The address people reach it under; `undefined`: the one it listens on. */
  readonly url: string | undefined
  readonly sessionMs: number
  readonly importMaxBytes: number
  /** How people log in through a provider; `undefined`: by a link. */
  readonly oidc: OidcConfig | undefined
}

export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  readonly scopes: string
  readonly roleClaim: string
  readonly operators: readonly string[]
  readonly readers: readonly string[]
}

export interface DeskSecrets {
  readonly sessionKey: string | undefined
  readonly oidcSecret: string | undefined
  readonly apiToken: string | undefined
}

const SHORTEST_KEY = 32
const HOUR_MS = 3_600_000

export function readDesk(
  env: Env,
  callbacks: Listen,
  faults: Faults,
): { desk: DeskConfig | undefined; deskSecrets: DeskSecrets } {
  const deskSecrets: DeskSecrets = {
    sessionKey: readLongSecret(env, 'DAYBOOK_DESK_SESSION_KEY', faults),
    oidcSecret: readSecret(env, 'DAYBOOK_OIDC_CLIENT_SECRET', faults),
    apiToken: readLongSecret(env, 'DAYBOOK_API_TOKEN', faults),
  }
  const said = env.DAYBOOK_DESK_LISTEN
  if (said === 'off') return { desk: undefined, deskSecrets }
  const listen = said === undefined ? nextTo(callbacks) : readListen(env, 'DAYBOOK_DESK_LISTEN', faults)
  const url = env.DAYBOOK_DESK_URL === undefined ? undefined : readUrl(env, 'DAYBOOK_DESK_URL', faults)
  if (url !== undefined && URL.canParse(url) && new URL(url).pathname !== '/')
    faults.add('DAYBOOK_DESK_URL', 'expected an address without a path')
  if (!isLoopback(listen.host) && url === undefined)
    faults.add('DAYBOOK_DESK_URL', 'needed where DAYBOOK_DESK_LISTEN is not a loopback address')
  return {
    desk: {
      listen,
      isSaid: said !== undefined,
      url,
      sessionMs: HOUR_MS * readWhole(env, 'DAYBOOK_DESK_SESSION_HOURS', { least: 1, most: 24 * 31 }, faults),
      importMaxBytes: readWhole(env, 'DAYBOOK_DESK_IMPORT_MAX_BYTES', { least: 1024, most: 2 ** 30 }, faults),
      oidc: readOidc(env, faults),
    },
    deskSecrets,
  }
}

/** On loopback, whatever the callbacks listen on. */
function nextTo({ port }: Listen): Listen {
  return { host: '127.0.0.1', port: port === 0 || port === 65_535 ? 0 : port + 1 }
}

function readOidc(env: Env, faults: Faults): OidcConfig | undefined {
  if (env.DAYBOOK_OIDC_ISSUER === undefined) return undefined
  const clientId = env.DAYBOOK_OIDC_CLIENT_ID
  if (clientId === undefined) faults.add('DAYBOOK_OIDC_CLIENT_ID', 'needed with DAYBOOK_OIDC_ISSUER')
  const operators = readList(env, 'DAYBOOK_OIDC_OPERATORS')
  const readers = readList(env, 'DAYBOOK_OIDC_READERS')
  const scopes = textOf(env, 'DAYBOOK_OIDC_SCOPES')
  if (!scopes.split(' ').includes('openid')) faults.add('DAYBOOK_OIDC_SCOPES', 'expected openid among them')
  return {
    issuer: readUrl(env, 'DAYBOOK_OIDC_ISSUER', faults),
    clientId: clientId ?? '',
    scopes,
    roleClaim: textOf(env, 'DAYBOOK_OIDC_ROLE_CLAIM'),
    operators,
    readers,
  }
}

function readLongSecret(env: Env, name: string, faults: Faults): string | undefined {
  const secret = readSecret(env, name, faults)
  if (secret === undefined || secret.length >= SHORTEST_KEY) return secret
  return faults.add(name, `expected at least ${SHORTEST_KEY} characters`)
}
