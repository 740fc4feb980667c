/** A real OpenID Connect provider on loopback, with its own pages to log in and to consent. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LoginProvider {
  readonly issuer: string
  stop(): Promise<void>
}

/** What the tests use of a package that brings no types. */
interface ProviderClass {
  new (issuer: string, configuration: object): { callback(): RequestListener }
}

export const CLIENT = { id: 'daybook', secret: 'planted-client-secret-of-32-characters' }

/** The people there are, by the name they log in with, and what is said of them. */
export const PEOPLE: Readonly<Record<string, object>> = {
  olga: { groups: ['staff', 'finance-ops'], email: 'olga@example.com', email_verified: true },
  rita: { groups: ['finance'], preferred_username: 'rita' },
  nobody: { groups: ['staff'] },
  liar: { groups: 'finance', email: 'olga@example.com', email_verified: false },
}

export async function startLoginProvider(redirectUri: string): Promise<LoginProvider> {
  const name: string = 'oidc-provider'
  const { default: Provider } = (await import(name)) as { default: ProviderClass }
  let listener: RequestListener = () => {}
  const server = createServer((request, response) => listener(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: {
      openid: ['sub'],
      profile: ['groups', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ['planted-cookie-key'] },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...PEOPLE[id] }),
    }),
  })
  listener = provider.callback()
  return {
    issuer,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A browser's part in a login: follows every redirect with its cookies, and fills the provider's forms. */
export function loginBrowser() {
  const visited: string[] = []
  const jars = new Map<string, Map<string, string>>()

  async function request(url: string, init: RequestInit = {}): Promise<{ url: string; answer: Response }> {
    visited.push(url)
    const { host } = new URL(url)
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', cookie, ...(init.headers as Record<string, string> | undefined) },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const split = pair.indexOf('=')
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(pair.slice(0, split))
      else jar.set(pair.slice(0, split), pair.slice(split + 1))
    }
    return { url, answer }
  }

  return {
    request,
    /** Every address so far, in order. */
    visited,
    cookies: (host: string) =>
      [...(jars.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; '),
    /** Ends at the first page that is neither a redirect nor a form of the provider. */
    async login(start: string, person: string): Promise<{ url: string; status: number; text: string }> {
      let { url, answer } = await request(start)
      for (let steps = 0; steps < 20; steps++) {
        const location = answer.headers.get('location')
        if (location !== null) {
          ;({ url, answer } = await request(new URL(location, url).href))
          continue
        }
        const text = await answer.text()
        const [, action] = /<form[^>]*action="([^"]+)"/.exec(text) ?? []
        const [, prompt] = /name="prompt" value="(\w+)"/.exec(text) ?? []
        if (action === undefined || prompt === undefined) return { url, status: answer.status, text }
        const fields = prompt === 'login' ? { prompt, login: person, password: 'any' } : { prompt }
        ;({ url, answer } = await request(new URL(action, url).href, {
          method: 'POST',
          body: new URLSearchParams(fields),
        }))
      }
      throw new Error(`The login of ${person} leads nowhere: ${url}`)
    },
  }
}
