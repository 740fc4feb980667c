import { writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { advance } from '../../src/pipeline.ts'
import { createDesk } from '../../src/server/desk/desk.ts'
import { attachment } from '../../src/server/desk/downloads.ts'
import { importFile } from '../../src/stages/import.ts'
import { clientWith, type DeskClient, deskClient, newKey, SESSION_KEY } from '../support/desk-client.ts'
import { eventually, objectBytes, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

const ACCOUNT = 'binance-pay/main'
const IMAGE = '<img src=x onerror=alert(1)>'
const SCRIPT = '"><script>alert(1)</script>'
const FILE_NAME = `${SCRIPT}\r\nX-Planted: yes".csv`
const HOSTILE = `User_ID,UTC_Time,Account,Operation,Coin,Change,Remark
1,2026-09-01 10:00:00,${IMAGE},${IMAGE},${IMAGE},5.00,${IMAGE}
1,2026-09-01 11:00:00,Funding,=HYPERLINK(1),USDT,7.00,+1
`

let test: TestDaybook
let operator: DeskClient
let reader: DeskClient
let reportId: string
beforeAll(async () => {
  test = await startTestDaybook({
    desk: true,
    env: { DAYBOOK_DESK_SESSION_KEY: SESSION_KEY, DAYBOOK_API_TOKEN: 'planted-api-token-of-32-characters-' },
  })
  operator = deskClient(test)
  reader = deskClient(test, 'reader')
  const bytes = Buffer.from(HOSTILE)
  const { context } = test.daybook
  const imported = await importFile(context, test.account, {
    file: {
      name: FILE_NAME,
      size: bytes.length,
      async *read({ start, end } = { start: 0 }) {
        yield Uint8Array.from(bytes.subarray(start, end))
      },
    },
    request: { range: { start: '2026-09-01', end: '2026-09-02' }, wallets: 'all' },
    reportId: undefined,
    generatedAt: undefined,
    by: IMAGE,
  })
  reportId = imported.reportId
  await advance(context, test.account, reportId)
})
afterAll(() => test.stop())

const report = () => `/reports/${ACCOUNT}/${reportId}`
const at = `/api/v1/accounts/${ACCOUNT}`

/** Every address that shows or gives something, as it stands in the routes. */
const GETS: Readonly<Record<string, () => string>> = {
  '/': () => '/',
  '/calendar': () => '/calendar?year=2026',
  '/days/:provider/:account/:day': () => `/days/${ACCOUNT}/2026-09-01`,
  '/reports': () => '/reports',
  '/reports/:provider/:account/:reportId': report,
  '/reports/:provider/:account/:reportId/file': () => `${report()}/file`,
  '/reports/:provider/:account/:reportId/evidence.zip': () => `${report()}/evidence.zip`,
  '/rows/:provider/:account/:file': () => `/rows/${ACCOUNT}/rows.csv?from=2026-09-01&to=2026-09-01`,
  '/close/:provider/:account/:month/pack.zip': () => `/close/${ACCOUNT}/2026-09/pack.zip`,
  '/balances': () => '/balances',
  '/findings': () => '/findings?kind=all',
  '/close': () => '/close?month=2026-09',
  '/audit': () => '/audit',
  '/actions': () => '/actions',
  '/live': () => '/live',
}
const API_GETS: Readonly<Record<string, () => string>> = {
  '/accounts': () => '/api/v1/accounts',
  '/accounts/:provider/:account': () => at,
  '/accounts/:provider/:account/days': () => `${at}/days?from=2026-09-01&to=2026-09-30`,
  '/accounts/:provider/:account/days/:day': () => `${at}/days/2026-09-01`,
  '/accounts/:provider/:account/reports': () => `${at}/reports`,
  '/accounts/:provider/:account/reports/:reportId': () => `${at}/reports/${reportId}`,
  '/accounts/:provider/:account/balances': () => `${at}/balances?from=2026-09-01&to=2026-09-30`,
  '/accounts/:provider/:account/findings': () => `${at}/findings?from=2026-09-01&to=2026-09-30`,
  '/accounts/:provider/:account/months/:month': () => `${at}/months/2026-09`,
  '/audit/:day': () => '/api/v1/audit/2026-10-15',
}
const POSTS = ['ask', 'plan', 'sweep', 'snapshot', 'retry', 'reconcile', 'explain', 'close', 'import'].map(
  name => `/actions/${name}`,
)
const API_POSTS: Readonly<Record<string, () => string>> = {
  '/accounts/:provider/:account/reports': () => `${at}/reports`,
  '/accounts/:provider/:account/plans': () => `${at}/plans`,
  '/accounts/:provider/:account/sweeps': () => `${at}/sweeps`,
  '/accounts/:provider/:account/snapshots': () => `${at}/snapshots`,
  '/accounts/:provider/:account/reports/:reportId/retries': () => `${at}/reports/${reportId}/retries`,
  '/accounts/:provider/:account/days/:day/reconciliations': () => `${at}/days/2026-09-01/reconciliations`,
  '/accounts/:provider/:account/days/:day/explanations': () => `${at}/days/2026-09-01/explanations`,
  '/accounts/:provider/:account/months/:month/closings': () => `${at}/months/2026-09/closings`,
}
/** What anybody may have: how to get in, and what says nothing of the book. */
const OPEN = ['GET /login', 'POST /logout', 'GET /assets/:name', 'GET /openapi.json']

const isDownload = (path: string) => /\/(file|:file|\w+\.zip)$/.test(path)

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> }
  readonly handle: { readonly stack?: readonly Layer[] }
}

function routesOf(stack: readonly Layer[]): string[] {
  return stack.flatMap(({ route, handle }) =>
    route === undefined
      ? routesOf(handle.stack ?? [])
      : Object.keys(route.methods).map(method => `${method.toUpperCase()} ${route.path}`),
  )
}

/** What nobody has asked for must leave the store as it was, but for what Daybook does by itself. */
async function facts(): Promise<string[]> {
  const keys = [...(await objectBytes(join(test.folder, 'store'))).keys()]
  return keys.filter(key => !key.startsWith('work/'))
}

describe('the gate of the desk', () => {
  it('is in front of every route there is', () => {
    const { router } = createDesk({
      ...test.daybook,
      config: test.daybook.config.desk!,
      secrets: test.daybook.deskSecrets,
      personName: 'nobody',
      wake: () => {},
      onLoginLink: () => {},
    })
    const tested = [
      ...OPEN,
      ...Object.keys(GETS).map(path => `GET ${path}`),
      ...Object.keys(API_GETS).map(path => `GET ${path}`),
      ...POSTS.map(path => `POST ${path}`),
      ...Object.keys(API_POSTS).map(path => `POST ${path}`),
    ]
    expect(routesOf((router as unknown as { stack: Layer[] }).stack).sort()).toEqual(tested.sort())
  })

  it('lets nobody in without a session, and does nothing for them', async () => {
    const before = await facts()
    const stranger = clientWith(test, '')
    for (const target of Object.values(GETS)) {
      const answer = await stranger.get(target())
      expect([target(), answer.status]).toEqual([target(), 303])
      expect(answer.headers.get('location')).toMatch(/^\/login\?to=%2F/)
      expect((await answer.text()).length).toBeLessThan(300)
    }
    for (const target of POSTS) expect((await stranger.post(target, {})).status).toBe(401)
    for (const target of Object.values(API_GETS)) {
      const answer = await stranger.get(target())
      expect([target(), answer.status]).toEqual([target(), 401])
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
    }
    for (const target of Object.values(API_POSTS))
      expect((await stranger.post(target(), {})).status).toBe(401)
    expect(await facts()).toEqual(before)
  })

  it('takes no cookie that was changed, has ended, or is of another key', async () => {
    const { cookie } = operator
    const [name = '', value = ''] = cookie.split('=')
    const [body = '', signature = ''] = value.split('.')
    const raised = Buffer.from(
      Buffer.from(clientBody(reader.cookie), 'base64url').toString().replace('reader', 'operator'),
    ).toString('base64url')
    const others = [
      `${name}=${body}.${signature.slice(0, -2)}AA`,
      `${name}=${raised}.${reader.cookie.split('.')[1]}`,
      `${name}=${body}`,
      `${name}=${body}.`,
      `${name}=.${signature}`,
      `${name}=${body}.${signature}.${signature}`,
      `${name}=`,
      `${name}=%00`,
      deskClient(test, 'operator', 'another-session-key-of-32-characters').cookie,
    ]
    for (const other of others)
      expect([other, (await clientWith(test, other).get('/')).status]).toEqual([other, 303])
    const ended = deskClient(test)
    test.clock.shift(3_600_001)
    expect((await ended.get('/')).status).toBe(303)
    test.clock.shift(-3_600_001)
    expect((await ended.get('/')).status).toBe(200)
  })

  it('lets readers read, and do nothing', async () => {
    const before = await facts()
    const csrf = await reader.csrf()
    for (const [path, target] of Object.entries(GETS)) {
      if (path === '/live' || isDownload(path)) continue
      expect([path, (await reader.get(target())).status]).toEqual([path, path === '/actions' ? 404 : 200])
    }
    for (const target of Object.values(API_GETS)) expect((await reader.get(target())).status).toBe(200)
    const fields = {
      csrf,
      account: ACCOUNT,
      idempotencyKey: newKey(),
      day: '2026-09-01',
      from: '2026-09-01',
      to: '2026-09-01',
      wallets: 'all',
    }
    for (const target of POSTS.filter(path => path !== '/actions/import'))
      expect([target, (await reader.post(target, fields)).status]).toEqual([target, 403])
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set('file', new File([HOSTILE], 'a.csv'))
    expect((await reader.post('/actions/import', form)).status).toBe(403)
    // What they send is not even read: a form that cannot be is refused in the same words.
    const unreadable = { 'content-type': 'multipart/form-data' }
    expect((await reader.post('/actions/import', {}, unreadable)).status).toBe(403)
    for (const target of Object.values(API_POSTS)) {
      const headers = { 'x-csrf-token': csrf, 'idempotency-key': newKey() }
      expect((await reader.post(target(), {}, headers)).status).toBe(403)
    }
    expect(await reader.page('/findings?kind=all')).not.toContain('action="/actions')
    expect(await facts()).toEqual(before)
  })

  it('lets programs with the token read, and do nothing', async () => {
    const authorization = 'Bearer planted-api-token-of-32-characters-'
    const program = clientWith(test, '')
    for (const target of Object.values(API_GETS))
      expect((await program.get(target(), { authorization })).status).toBe(200)
    for (const target of Object.values(API_POSTS))
      expect((await program.post(target(), {}, { authorization, 'idempotency-key': newKey() })).status).toBe(
        403,
      )
    expect((await program.get('/', { authorization })).status).toBe(303)
    expect(
      (await program.get(at, { authorization: 'Bearer planted-api-token-of-32-characters_' })).status,
    ).toBe(401)
  })

  it('takes posts of its own pages alone', async () => {
    const before = await facts()
    const csrf = await operator.csrf()
    const fields = { account: ACCOUNT, from: '2026-08-01', to: '2026-08-02', wallets: 'all' }
    const send = (extra: Record<string, string>, headers: Record<string, string> = {}) =>
      operator.post('/actions/ask', { ...fields, idempotencyKey: newKey(), ...extra }, headers)
    expect((await send({})).status).toBe(403)
    expect((await send({ csrf: await deskClient(test).csrf() })).status).toBe(403)
    expect((await send({ csrf: `${csrf.slice(0, -1)}_` })).status).toBe(403)
    expect((await send({ csrf }, { origin: 'https://evil.example.com' })).status).toBe(403)
    expect((await send({ csrf }, { origin: 'null' })).status).toBe(403)
    expect((await send({ csrf }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await send({ csrf }, { 'sec-fetch-site': 'same-site' })).status).toBe(403)
    const json = { 'content-type': 'application/json', 'idempotency-key': newKey() }
    for (const target of Object.values(API_POSTS))
      expect((await operator.post(target(), {}, json)).status).toBeGreaterThanOrEqual(400)
    expect((await operator.post('/logout', {})).status).toBe(403)
    expect(await facts()).toEqual(before)
  })

  it('answers to its own names alone, so that no stranger’s name leads here', async () => {
    const { port } = new URL(test.server.deskUrl!)
    const statusFor = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { host, cookie: operator.cookie }
        httpRequest({ host: '127.0.0.1', port, path: '/', headers }, answer => {
          answer.resume()
          resolve(answer.statusCode)
        })
          .on('error', reject)
          .end()
      })
    expect(await statusFor(`localhost:${port}`)).toBe(200)
    for (const host of ['evil.example.com', `evil.example.com:${port}`, `127.0.0.1:1`, '127.0.0.1'])
      expect([host, await statusFor(host)]).toEqual([host, 421])
  })

  it('forgets who logs out, cookie or not', async () => {
    const person = deskClient(test)
    const answer = await person.post('/logout', { csrf: await person.csrf() })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('set-cookie')).toMatch(/Max-Age=0/)
    expect((await person.get('/')).status).toBe(303)
  })

  it('tells browsers to load nothing from elsewhere and to keep nothing', async () => {
    const answer = await operator.get('/')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('referrer-policy')).toBe('same-origin')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-powered-by')).toBeNull()
    const text = await answer.text()
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/)
  })
})

function clientBody(cookie: string): string {
  return cookie.split('=')[1]?.split('.')[0] ?? ''
}

describe('the login link', () => {
  it('works once, for one session, and another is told of', async () => {
    const [link = ''] = test.loginLinks.slice(-1)
    const looked = await fetch(link, { method: 'HEAD', redirect: 'manual' })
    expect([looked.status, looked.headers.get('set-cookie')]).toEqual([401, null])
    const first = await fetch(link, { redirect: 'manual' })
    expect(first.status).toBe(303)
    const cookie = first.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=28800$/)
    expect((await clientWith(test, cookie.split(';')[0] ?? '').get('/')).status).toBe(200)
    const again = await fetch(link, { redirect: 'manual' })
    expect([again.status, again.headers.get('set-cookie')]).toEqual([401, null])
    expect(test.loginLinks.at(-1)).not.toBe(link)
    expect(test.log.join('')).not.toContain(new URL(link).searchParams.get('key'))
  })

  it('leads to no other host', async () => {
    for (const to of [
      '//evil.example.com',
      'https://evil.example.com',
      '/\\evil.example.com',
      '/\t/evil.example.com',
    ]) {
      const link = `${test.loginLinks.at(-1)}&to=${encodeURIComponent(to)}`
      expect((await fetch(link, { redirect: 'manual' })).headers.get('location')).toBe('/')
    }
  })

  it('cannot be guessed at length', async () => {
    const statuses: number[] = []
    for (let tries = 0; tries < 12; tries++)
      statuses.push((await fetch(`${test.server.deskUrl}/login?key=${tries}`)).status)
    expect(statuses.at(-1)).toBe(429)
  })
})

describe('what strangers write', () => {
  it('is text on every page, stored or reflected', async () => {
    const pages = [
      ...Object.entries(GETS)
        .filter(([path]) => path !== '/live' && !isDownload(path))
        .map(([, target]) => target()),
      `/reports?search=${encodeURIComponent(SCRIPT)}`,
      `/actions?from=2026-09-01&to=2026-09-01&wallets=all&did=${encodeURIComponent(SCRIPT)}`,
    ]
    let shown = ''
    for (const target of pages) {
      const text = await operator.page(target)
      expect([target, text.includes('<img'), text.includes('<script>alert')]).toEqual([target, false, false])
      shown += text
    }
    expect(shown).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(shown).toContain('&quot;&gt;&lt;script&gt;')
    for (const query of [
      'account',
      'year',
      'month',
      'kind',
      'day',
      'from',
      'page',
      'state',
      'holding',
      'before',
    ]) {
      for (const path of [
        '/',
        '/calendar',
        '/reports',
        '/balances',
        '/findings',
        '/close',
        '/audit',
        '/actions',
      ]) {
        const text = await (await operator.get(`${path}?${query}=${encodeURIComponent(SCRIPT)}`)).text()
        expect([path, query, text.includes('<script>alert')]).toEqual([path, query, false])
      }
    }
  })

  it('asks for no days that would keep the process busy', async () => {
    const far = ['0000-01', '0099-12', '9999-12']
    const targets = [
      `${at}/days?from=2000-01-01&to=2099-12-31`,
      `${at}/balances?from=2000-01-01&to=2099-12-31`,
      `${at}/findings?from=2000-01-01&to=2099-12-31`,
      ...far.flatMap(month => [
        `${at}/months/${month}`,
        `${at}/days/${month}-31`,
        `/close?month=${month}`,
        `/close/${ACCOUNT}/${month}/pack.zip`,
        `/balances?to=${month}-31`,
      ]),
    ]
    for (const target of targets) expect([target, (await operator.get(target)).status]).toEqual([target, 400])
  })

  it('leads out of no folder', async () => {
    const secret = join(test.folder, 'store', 'secret.json')
    await writeFile(secret, 'planted-secret')
    const tricks = [
      '..',
      '%2e%2e',
      '..%2f..%2f..%2fsecret.json',
      '%2e%2e%2f%2e%2e%2fsecret.json',
      '..%5c..%5csecret.json',
      '%00',
      'a%00b',
      '.',
      'x'.repeat(5000),
      '%ff',
    ]
    for (const trick of tricks) {
      for (const target of [
        `/reports/${ACCOUNT}/${trick}/file`,
        `/reports/${trick}/main/${reportId}/file`,
        `/days/${ACCOUNT}/${trick}`,
        `${at}/reports/${trick}`,
        `/assets/${trick}`,
      ]) {
        const answer = await rawGet(target)
        expect([target.slice(0, 80), answer.status >= 300, answer.text.includes('planted-secret')]).toEqual([
          target.slice(0, 80),
          true,
          false,
        ])
        expect([target.slice(0, 80), answer.status < 500]).toEqual([target.slice(0, 80), true])
      }
    }
  })

  it('adds no header and no quote to a download', async () => {
    const answer = await operator.get(`${report()}/file`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-planted')).toBeNull()
    const disposition = answer.headers.get('content-disposition') ?? ''
    expect(disposition).toMatch(
      /^attachment; filename="[A-Za-z0-9._ -]*"; filename\*=UTF-8''[A-Za-z0-9%._~!-]*$/,
    )
    expect(answer.headers.get('content-type')).toBe('application/octet-stream')
    expect(attachment('a"b\r\nc\u{1F600}ü\ud800.csv')).toBe(
      `attachment; filename="a_b__c____.csv"; filename*=UTF-8''a%22b%0D%0Ac%F0%9F%98%80%C3%BC%EF%BF%BD.csv`,
    )
    expect(await answer.text()).toBe(HOSTILE)
  })

  it('is no formula in a spreadsheet', async () => {
    const csv = await (await operator.get(`/rows/${ACCOUNT}/rows.csv?from=2026-09-01&to=2026-09-01`)).text()
    expect(csv).toContain(",'=HYPERLINK(1),")
    expect(csv).toMatch(/,'\+1,/)
    expect(csv).not.toMatch(/,[=+@]/)
  })

  /** As it is, without the tidying of a path that `fetch` does. */
  function rawGet(path: string): Promise<{ status: number; text: string }> {
    const { port } = new URL(test.server.deskUrl!)
    return new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path, headers: { cookie: operator.cookie } }, answer => {
        let text = ''
        answer.on('data', chunk => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      })
        .on('error', reject)
        .end()
    })
  }
})

describe('what is kept secret', () => {
  it('stands in no log line', async () => {
    await eventually(() => test.log.length > 0 || undefined)
    const all = test.log.join('')
    for (const secret of [SESSION_KEY, 'planted-api-token', 'planted-secret-key', operator.cookie.slice(-40)])
      expect(all).not.toContain(secret)
  })
})
