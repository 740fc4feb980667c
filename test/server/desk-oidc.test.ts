import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { roleIn } from '../../src/server/desk/oidc.ts'
import { clientWith } from '../support/desk-client.ts'
import { freePort } from '../support/free-port.ts'
import { CLIENT, type LoginProvider, loginBrowser, startLoginProvider } from '../support/login-provider.ts'
import { startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

let provider: LoginProvider
let test: TestDaybook
let base: string
beforeAll(async () => {
  const port = await freePort()
  base = `http://127.0.0.1:${port}`
  provider = await startLoginProvider(`${base}/oidc/callback`)
  test = await startTestDaybook({
    desk: true,
    env: {
      DAYBOOK_DESK_LISTEN: `127.0.0.1:${port}`,
      DAYBOOK_OIDC_ISSUER: provider.issuer,
      DAYBOOK_OIDC_CLIENT_ID: CLIENT.id,
      DAYBOOK_OIDC_CLIENT_SECRET: CLIENT.secret,
      DAYBOOK_OIDC_ROLE_CLAIM: 'groups',
      DAYBOOK_OIDC_OPERATORS: 'finance-ops',
      DAYBOOK_OIDC_READERS: 'finance',
    },
  })
})
afterAll(async () => {
  await test.stop()
  await provider.stop()
})

const host = () => new URL(base).host

describe('logging in through a provider', () => {
  it('lets an operator in, under the name that is vouched for, to the page they wanted', async () => {
    const browser = loginBrowser()
    const { url, status, text } = await browser.login(`${base}/oidc/begin?to=/calendar?year=2026`, 'olga')
    expect([url, status]).toEqual([`${base}/calendar?year=2026`, 200])
    expect(text).toContain('olga@example.com (olga) <small>operator</small>')
    expect(browser.cookies(host())).toMatch(/^daybook-session=/)
    expect(test.loginLinks).toEqual([])
  })

  it('gives readers their role, and no more', async () => {
    const browser = loginBrowser()
    const { text } = await browser.login(`${base}/oidc/begin`, 'rita')
    expect(text).toContain('rita (rita) <small>reader</small>')
    const rita = clientWith(test, browser.cookies(host()))
    const fields = { csrf: await rita.csrf(), account: 'binance-pay/main', idempotencyKey: 'a-key-of-rita' }
    expect((await rita.post('/actions/sweep', fields)).status).toBe(403)
  })

  it('takes no address for a name that is not verified', async () => {
    const { text } = await loginBrowser().login(`${base}/oidc/begin`, 'liar')
    expect(text).toContain('<span>liar <small>reader</small></span>')
    expect(text).not.toContain('olga@example.com')
  })

  it('lets nobody in who has no role', async () => {
    const browser = loginBrowser()
    const { url, status, text } = await browser.login(`${base}/oidc/begin`, 'nobody')
    expect([new URL(url).pathname, status]).toEqual(['/oidc/callback', 403])
    expect(text).toContain('Your account has no role here.')
    expect(browser.cookies(host())).toBe('')
  })

  it('takes no answer that was begun in another browser, was changed, or was used before', async () => {
    const browser = loginBrowser()
    const begun = await browser.request(`${base}/oidc/begin`)
    const state = new URL(begun.answer.headers.get('location')!).searchParams.get('state')!
    const stranger = await fetch(`${base}/oidc/callback?code=planted&state=${state}`, { redirect: 'manual' })
    expect([stranger.status, stranger.headers.get('set-cookie')?.includes('session')]).toEqual([403, false])
    const changed = await browser.request(`${base}/oidc/callback?code=planted&state=another`)
    expect(changed.answer.status).toBe(403)
    expect(browser.cookies(host())).toBe('')
    const used = loginBrowser()
    await used.login(`${base}/oidc/begin`, 'olga')
    const callback = used.visited.find(url => url.startsWith(`${base}/oidc/callback`)) ?? ''
    expect(new URL(callback).searchParams.get('code')).toMatch(/^.{20,}$/)
    expect((await used.request(callback)).answer.status).toBe(403)
  })

  it('tells the provider nothing but what it must, and keeps its answers out of the log', async () => {
    const begun = await loginBrowser().request(`${base}/oidc/begin`)
    const target = new URL(begun.answer.headers.get('location')!)
    expect(target.origin).toBe(provider.issuer)
    expect([...target.searchParams.keys()].sort()).toEqual([
      'client_id',
      'code_challenge',
      'code_challenge_method',
      'nonce',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
    ])
    expect(target.searchParams.get('code_challenge_method')).toBe('S256')
    expect(test.log.join('')).not.toContain(CLIENT.secret)
    expect(test.log.join('')).not.toMatch(/"says":"[^"]*code=/)
  })

  it('has no link to get in by', async () => {
    expect((await fetch(`${base}/login?key=`, { redirect: 'manual' })).headers.get('set-cookie')).toBeNull()
    expect(await (await fetch(`${base}/login?to=//evil.example.com`)).text()).toContain(
      'href="/oidc/begin?to=%2F"',
    )
  })
})

describe('roles from claims', () => {
  const config = {
    issuer: '',
    clientId: '',
    scopes: '',
    roleClaim: 'realm_access.roles',
    operators: ['op'],
    readers: ['read'],
  }
  it.each([
    [{ realm_access: { roles: ['read', 'op'] } }, 'operator'],
    [{ realm_access: { roles: 'read' } }, 'reader'],
    [{ realm_access: { roles: ['operator'] } }, undefined],
    [{ realm_access: 'op' }, undefined],
    [{ 'realm_access.roles': ['op'], realm_access: { roles: ['read'] } }, 'operator'],
    [Object.create({ 'realm_access.roles': ['op'] }), undefined],
    [{ realm_access: { roles: [{ op: true }, 7, null] } }, undefined],
    [{}, undefined],
  ])('%j is %s', (claims, role) => {
    expect(roleIn(claims, config)).toBe(role)
  })
})
