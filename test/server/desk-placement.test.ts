/** Where the desk listens, what it gives out of other stores, and how refused callbacks are limited. */
import { afterEach, describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/calendar.ts'
import { systemRandom } from '../../src/host.ts'
import { createApp } from '../../src/server/app.ts'
import { createSessions } from '../../src/server/desk/sessions.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { submit } from '../../src/stages/submit.ts'
import { clientWith, deskClient, SESSION_KEY } from '../support/desk-client.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { freePort } from '../support/free-port.ts'
import { eventually, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'
import { startServer as startHttp } from '../support/test-http.ts'

let test: TestDaybook
let more: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of more) await each.stop()
  more = []
  await test.stop()
})

const callback = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/callbacks/binance-pay/main`, { method: 'POST', body: '{}', headers }).then(
    ({ status }) => status,
  )

describe('the desk', () => {
  it('may share the port of the callbacks, which hear what they always hear', async () => {
    const port = await freePort()
    const address = `127.0.0.1:${port}`
    test = await startTestDaybook({
      desk: true,
      env: { DAYBOOK_LISTEN: address, DAYBOOK_DESK_LISTEN: address },
    })
    const { url, deskUrl } = test.server
    expect([url, deskUrl]).toEqual([`http://${address}`, `http://${address}`])
    expect(await callback(url)).toBe(401)
    expect((await fetch(`${url}/callbacks/binance-pay/main`)).status).toBe(404)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/`, { redirect: 'manual' })).status).toBe(303)
    expect((await fetch(test.loginLinks[0]!, { redirect: 'manual' })).status).toBe(303)
  })

  it('is not on the port of the callbacks otherwise, and gone when it is off', async () => {
    test = await startTestDaybook({ desk: true })
    expect((await fetch(`${test.server.url}/`, { redirect: 'manual' })).status).toBe(404)
    expect((await fetch(`${test.server.deskUrl}/healthz`, { redirect: 'manual' })).status).toBe(303)
    await test.stop()
    test = await startTestDaybook()
    expect(test.server.deskUrl).toBeUndefined()
    expect(test.loginLinks).toEqual([])
  })

  it('sends people to a link of the store where the store makes links, after the audit', async () => {
    test = await startTestDaybook({ desk: true, env: { DAYBOOK_DESK_SESSION_KEY: SESSION_KEY } })
    const { context } = test.daybook
    const request = { range: { start: '2026-10-01', end: '2026-10-02' }, wallets: 'all' as const }
    const asked = await submit(context, test.account, { request, reason: 'test', again: false })
    if (asked.outcome !== 'accepted') throw new Error(asked.outcome)
    await eventually(() => context.reports.read(test.account.ref, asked.reportId, 'manifest'))
    const asks: unknown[] = []
    const store = {
      ...context.store,
      presign: async (key: string, options: object) => {
        asks.push([key, options])
        return 'https://bucket.example.com/signed'
      },
    }
    const server: Server = await startServer({
      context: { ...context, store },
      accounts: test.daybook.accounts,
      host: '127.0.0.1',
      port: 0,
      maxCallbackBytes: 1024,
      sweepEveryMs: 3_600_000,
      daily: false,
      desk: {
        config: test.daybook.config.desk!,
        secrets: test.daybook.deskSecrets,
        personName: 'tester',
        onLoginLink: () => {},
      },
    })
    more = [server]
    const person = deskClient({ ...test, server })
    const answer = await person.get(`/reports/binance-pay/main/${asked.reportId}/file`)
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      'https://bucket.example.com/signed',
    ])
    const archived = await context.reports.read(test.account.ref, asked.reportId, 'archive')
    expect(asks).toEqual([
      [
        expect.stringContaining(`/${asked.reportId}/file/${archived!.file}`),
        { expiresInSeconds: 60, fileName: archived!.name },
      ],
    ])
    expect(await person.page('/audit')).toContain('report.download')
    expect(
      (await clientWith({ ...test, server }, '').get(`/reports/binance-pay/main/${asked.reportId}/file`))
        .status,
    ).toBe(303)
    expect(asks).toHaveLength(1)
  })

  it('keeps its cookies to https and to its own host where people come over https', async () => {
    test = await startTestDaybook()
    const clock = fixedClock('2026-10-15T12:00:00Z')
    const sessions = createSessions({
      key: SESSION_KEY,
      clock,
      random: systemRandom,
      sessionMs: 60_000,
      secure: true,
    })
    const line = sessions.begin({ name: 'me', role: 'reader' })
    expect(line).toMatch(/^__Host-daybook-session=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=60; Secure$/)
    expect(sessions.read(line.split(';')[0])?.name).toBe('me')
    await clock.advance(60_000)
    expect(sessions.read(line.split(';')[0])).toBeUndefined()
  })
})

describe('refused callbacks', () => {
  it('are limited by address, and what is verified counts for nothing', async () => {
    test = await startTestDaybook()
    const { context, accounts } = test.daybook
    const app = createApp({
      context,
      accounts,
      maxBytes: 100_000,
      onReport: () => {},
      onReceive: () => {},
      refusalsPerMinute: 3,
      proxies: 1,
    })
    const http = await startHttp(app)
    more = [http]
    const from = (address: string) => callback(http.url, { 'x-forwarded-for': address })
    const statuses = []
    for (let tries = 0; tries < 5; tries++) statuses.push(await from('192.0.2.7'))
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect(await from('192.0.2.8')).toBe(401)
    for (let tries = 0; tries < 5; tries++) expect(await callback(http.url)).toBe(401)
    test.sandbox.setKnobs({ callbackUrl: `${http.url}/callbacks/binance-pay/main` })
    for (const day of ['2026-10-01', '2026-10-03', '2026-10-05', '2026-10-07', '2026-10-09']) {
      const request = { range: { start: day, end: addDays(day, 1) }, wallets: 'all' as const }
      const asked = await submit(context, test.account, { request, reason: 'test', again: false })
      if (asked.outcome !== 'accepted') throw new Error(JSON.stringify(asked))
      await eventually(() => context.reports.read(test.account.ref, asked.reportId, 'callback'))
    }
  })
})
