/** The desk of an account whose provider makes no reports, or tells how days closed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { fetchActivity } from '../../src/stages/fetch-activity.ts'
import { reconcile } from '../../src/stages/reconcile.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { type DeskClient, deskClient, newKey, SESSION_KEY } from '../support/desk-client.ts'
import { shiftedClock } from '../support/shifted-clock.ts'
import type { TestDaybook } from '../support/test-daybook.ts'
import { startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'

let three: ThreeProviders
let server: Server
let operator: DeskClient
let day: string
beforeAll(async () => {
  three = await startThreeProviders()
  const { accounts, config } = three.daybook
  // A clock that runs: that of the providers jumps over every wait.
  const clock = shiftedClock(three.daybook.context.clock.now().toISOString())
  const context = { ...three.daybook.context, clock }
  day = addDays(dayOf(clock.now()), -3)
  for (const account of accounts) {
    const isDayEnd = account.provider.balances?.basis === 'day-end'
    for (const each of isDayEnd ? [day, addDays(day, 1)] : [undefined])
      await snapshot(context, account, { reason: 'test', ...(each === undefined ? {} : { day: each }) })
    if (account.provider.activity !== undefined) await fetchActivity(context, account, day)
    await reconcile(context, account, { day, tolerances: new Map() })
  }
  server = await startServer({
    context,
    accounts,
    host: '127.0.0.1',
    port: 0,
    maxCallbackBytes: 1024,
    sweepEveryMs: 3_600_000,
    daily: false,
    desk: {
      config: config.desk!,
      secrets: { sessionKey: SESSION_KEY, oidcSecret: undefined, apiToken: undefined },
      personName: 'tester',
      onLoginLink: () => {},
    },
  })
  operator = deskClient({ clock, server } as unknown as TestDaybook)
})
afterAll(async () => {
  await server.stop()
  await three.stop()
})

describe('the desk', () => {
  it('shows every page of every account, and lets people choose', async () => {
    const names = three.daybook.accounts.map(({ ref }) => `${ref.provider}/${ref.account}`)
    expect(names).toEqual(['binance-pay/bp', 'payermax/pm', 'onerway/ow'])
    for (const name of names) {
      const account = encodeURIComponent(name)
      const pages = ['/', '/calendar', '/reports', '/balances', '/findings', '/close', '/audit', '/actions']
      for (const page of [...pages.map(each => `${each}?account=${account}`), `/days/${name}/${day}`]) {
        const text = await operator.page(page)
        for (const other of names) expect([page, text.includes(`>${other}</option>`)]).toEqual([page, true])
      }
      const api = await operator.get(`/api/v1/accounts/${name}/months/${day.slice(0, 7)}`)
      expect([name, api.status]).toEqual([name, 200])
    }
  })

  it('tells of a provider that tells how days closed', async () => {
    const page = await operator.page(`/balances?account=payermax%2Fpm&from=${day}&to=${addDays(day, 2)}`)
    expect(page).toContain('The closing balance as the provider told it')
    expect(page).toMatch(/<td class="n"><span data-actual="-?\d/)
    expect(await operator.page(`/days/payermax/pm/${day}`)).toMatch(
      /R1\/[^<]+<\/span><\/th><td><span class="badge s-proved">/,
    )
    const actions = await operator.page('/actions?account=payermax%2Fpm')
    expect(actions).toContain('makes no reports')
    expect(actions).not.toContain('action="/actions/ask"')
  })

  it('asks for no report where none are made', async () => {
    const fields = {
      csrf: await operator.csrf(),
      account: 'onerway/ow',
      idempotencyKey: newKey(),
      from: day,
      to: day,
      wallets: 'all',
    }
    const answer = await operator.post('/actions/ask', fields)
    expect(await operator.page(answer.headers.get('location') ?? '')).toContain('makes no reports')
  })
})
