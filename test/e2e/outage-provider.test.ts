import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { addDays, type Day } from '../../src/domain/calendar.ts'
import { spent } from '../../src/domain/quota.ts'
import { isFinished, type ReportRequest } from '../../src/domain/report.ts'
import { defaultKnobs, type Knobs } from '../../src/sandbox/knobs.ts'
import { createApp } from '../../src/server/app.ts'
import { type SubmitOutcome, submit } from '../../src/stages/submit.ts'
import { sweep } from '../../src/sweep.ts'
import { wire } from '../../src/wiring.ts'
import { query } from '../support/sandbox-client.ts'
import { CREDENTIALS, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'
import { closedPort } from '../support/test-http.ts'
import { wholeDay } from '../support/whole-day.ts'

const MERCHANT = { name: 'test', ...CREDENTIALS }
const REF = { provider: 'binance-pay', account: 'main' }
const ROWS_PER_DAY = 40
const DAYS = 2
/** Longer than any wait for another try. */
const LATER_MS = 2 * 3_600_000

const UNDISTURBED: Partial<Knobs> = {
  submitFault: 'none',
  queryFault: 'none',
  certificatesFault: 'none',
  ...Object.fromEntries(
    (['linkBase', 'downloadNotFoundTimes', 'downloadUnavailableTimes', 'downloadCutAfterBytes'] as const)
      .concat(['downloadCutTimes', 'downloadLength', 'downloadResumable', 'downloadBytesPerSecond'] as never)
      .map(name => [name, defaultKnobs[name]]),
  ),
}

/** One Daybook and one provider, who have a bad day again and again. */
describe('a provider that fails', () => {
  let world: TestDaybook
  let closed: number
  let next: Day = '2026-07-01'
  let app: Server
  beforeAll(async () => {
    closed = await closedPort()
    world = await startTestDaybook({
      knobs: {
        processingMs: 0,
        rowsPerDay: ROWS_PER_DAY,
        callbackLost: true,
        clockWindowMs: 60_000,
        linkLifeMs: 30 * 86_400_000,
        quotaPerMonth: 1_000,
      },
      env: { DAYBOOK_API_TIMEOUT_SECONDS: '1' },
      serve: false,
      hosts: [`127.0.0.1:${closed}`],
    })
    // It takes callbacks and does no more: a sweep is all that moves reports on.
    const { context, config } = world.daybook
    app = createApp({
      context,
      accounts: world.daybook.accounts,
      maxBytes: config.callbacks.maxBytes,
      onReport: () => {},
      onReceive: () => {},
    }).listen(0, '127.0.0.1')
    await once(app, 'listening')
    const { port } = app.address() as AddressInfo
    world.sandbox.setKnobs({ callbackUrl: `http://127.0.0.1:${port}/callbacks/binance-pay/main` })
  })
  afterAll(async () => {
    app?.closeAllConnections()
    app?.close()
    await world?.stop()
  })
  afterEach(() => world.sandbox.setKnobs(UNDISTURBED))

  const pass = (ms: number) => world.clock.shift(ms)
  const made = () => world.sandbox.books().reports.map(({ reportId }) => reportId)

  function newRequest(): ReportRequest {
    const start = next
    next = addDays(next, DAYS)
    return { range: { start, end: next }, wallets: 'all' }
  }

  async function ask(request: ReportRequest): Promise<SubmitOutcome> {
    const { context } = world.daybook
    const outcome = await submit(context, world.account, { request, reason: 'outage', again: false })
    pass(300_000)
    return outcome
  }

  async function askedFor(): Promise<string> {
    const outcome = await ask(newRequest())
    if (outcome.outcome !== 'accepted') throw new Error(JSON.stringify(outcome))
    return outcome.reportId
  }

  /** The callback once; answers its HTTP status. */
  async function deliver(reportId: string): Promise<number | null> {
    const overrides = { callbackLost: false, callbackRetries: 0 }
    const [delivery] = await world.sandbox.redeliver(reportId, overrides)
    return delivery!.httpStatus
  }

  async function sweepNow() {
    pass(LATER_MS)
    return sweep(world.daybook.context, world.daybook.accounts)
  }

  async function recover(): Promise<void> {
    world.sandbox.setKnobs(UNDISTURBED)
    await sweepNow()
  }

  async function providersFile(reportId: string): Promise<string> {
    const options = { merchant: MERCHANT, timestamp: world.clock.now().getTime() }
    const { json, text } = await query(world.sandbox, reportId, options)
    if (!json?.downloadUrl) throw new Error(`no link: ${text}`)
    return sha256Of(Buffer.from(await (await fetch(json.downloadUrl)).arrayBuffer()))
  }

  const filesOf = async (reportId: string) =>
    (await world.keys()).filter(key => key.startsWith(`reports/binance-pay/main/${reportId}/file/`))

  /** Every report, once, as the provider has it, and paid for by the provider's own books. */
  async function expectWhole(reportId: string): Promise<void> {
    const { reports, ledger, store } = world.daybook.context
    const archive = await reports.read(REF, reportId, 'archive')
    expect(archive?.sha256).toBe(await providersFile(reportId))
    const files = await filesOf(reportId)
    expect(files).toHaveLength(1)
    expect(sha256Of(await readFile(join(world.folder, 'store', files[0]!)))).toBe(archive?.sha256)
    const manifest = await reports.read(REF, reportId, 'manifest')
    const rows = ROWS_PER_DAY * DAYS
    expect(manifest?.rows).toEqual({ read: rows, written: rows, quarantined: 0, outside: 0 })
    for (const { key, publication } of manifest!.days) {
      expect(publication).toBe('published')
      expect(await wholeDay(store, key)).toBe(ROWS_PER_DAY)
    }
    const all = await Array.fromAsync(reports.list(REF))
    expect(all.map(one => one.reportId)).toEqual(made().sort())
    expect(all.filter(({ parts }) => !isFinished(parts))).toEqual([])
    const generations = world.sandbox.books().generationsByMonth.test?.['2026-10']
    expect(spent(await ledger.month(REF, '2026-10'))).toBe(generations)
  }

  it.each([
    ['reset-before-effect', 0],
    ['http-500-before-effect', 0],
    ['no-answer-before-effect', 0],
    ['reset-after-effect', 1],
    ['http-500-after-effect', 1],
    ['no-answer-after-effect', 1],
    ['half-body-after-effect', 1],
    ['short-length-after-effect', 1],
    ['drip-after-effect', 1],
  ] as const)(
    'submit, %s: it counts as spent until it is known, and is not asked again',
    async (fault, effect) => {
      const request = newRequest()
      const before = made()
      world.sandbox.setKnobs({ submitFault: fault })
      const outcome = await ask(request)
      expect(outcome.outcome).toBe('unknown')
      expect(made()).toHaveLength(before.length + effect)
      world.sandbox.setKnobs(UNDISTURBED)
      expect(await ask(request)).toMatchObject({ outcome: 'already-requested', reportId: undefined })
      if (effect === 0 && 'slot' in outcome) {
        // A person has looked and found none: the slot is given back, and the question can be asked.
        const { month, slot } = outcome
        const at = world.clock.now().toISOString()
        const none = { outcome: 'rejected', code: 'settled', says: 'none', at } as const
        await world.daybook.context.ledger.settle(REF, month, slot, none)
        expect(await ask(request)).toMatchObject({ outcome: 'accepted' })
      }
      const reportId = made().at(-1)!
      expect(made()).toHaveLength(before.length + 1)
      expect(await deliver(reportId)).toBe(200)
      await recover()
      await expectWhole(reportId)
    },
  )

  it('submit, html-403-before-effect: it is certain that nothing was made, and it can be asked again', async () => {
    const request = newRequest()
    world.sandbox.setKnobs({ submitFault: 'html-403-before-effect' })
    expect(await ask(request)).toMatchObject({ outcome: 'rejected' })
    world.sandbox.setKnobs(UNDISTURBED)
    const asked = await ask(request)
    expect(asked).toMatchObject({ outcome: 'accepted' })
    await recover()
    await expectWhole(made().at(-1)!)
  })

  it('submit, no connection: nothing has left, and it can be asked again', async () => {
    const request = newRequest()
    const elsewhere = await wire(
      loadConfig({
        DAYBOOK_STORE: join(world.folder, 'store'),
        BINANCE_PAY_BASE_URL: `http://127.0.0.1:${closed}`,
        BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
        BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
        DAYBOOK_LOG_LEVEL: 'silent',
      }),
      { clock: world.clock },
    )
    const input = { request, reason: 'outage', again: false }
    expect(await submit(elsewhere.context, elsewhere.accounts[0]!, input)).toMatchObject({
      outcome: 'rejected',
      code: 'not-sent',
    })
    await elsewhere.close()
    expect(await ask(request)).toMatchObject({ outcome: 'accepted' })
    await recover()
    await expectWhole(made().at(-1)!)
  })

  const CALL_FAULTS = [
    'no-answer',
    'reset',
    'http-500',
    'html-403',
    'half-body',
    'short-length',
    'drip',
  ] as const

  it.each(CALL_FAULTS)('query, %s: nothing ends, and a later sweep completes it', async queryFault => {
    const reportId = await askedFor()
    world.sandbox.setKnobs({ queryFault })
    expect(await sweepNow()).toMatchObject({ finished: 0, tried: 1 })
    expect(await filesOf(reportId)).toEqual([])
    expect(await world.daybook.context.reports.parts(REF, reportId)).toEqual(new Set(['accepted']))
    await recover()
    await expectWhole(reportId)
  })

  it.each(CALL_FAULTS)('certificates, %s: the callback is not acknowledged, and told again', async fault => {
    await world.sandbox.rotateKey()
    // Past the least time between two fetches of keys.
    pass(60_000)
    const reportId = await askedFor()
    world.sandbox.setKnobs({ certificatesFault: fault })
    expect(await deliver(reportId)).toBe(503)
    expect(await world.daybook.context.reports.parts(REF, reportId)).toEqual(new Set(['accepted']))
    world.sandbox.setKnobs(UNDISTURBED)
    pass(60_000)
    expect(await deliver(reportId)).toBe(200)
    const kept = await world.daybook.context.reports.read(REF, reportId, 'callback')
    const last = world.sandbox.books().deliveries.at(-1)!
    expect(Buffer.from(kept!.bodyBase64, 'base64').toString()).toBe(last.body)
    await recover()
    await expectWhole(reportId)
  })

  const ALWAYS = 1_000
  // At a pace at which some of it has been read when it breaks off.
  const CUT = { downloadCutAfterBytes: 2500, downloadBytesPerSecond: 20_000 }
  const DOWNLOADS: Record<string, { knobs: () => Partial<Knobs>; finishes: boolean }> = {
    'refuses the connection': {
      knobs: () => ({ linkBase: `http://127.0.0.1:${closed}` }),
      finishes: false,
    },
    'answers 404 at first': { knobs: () => ({ downloadNotFoundTimes: 1 }), finishes: true },
    'answers 503 at first': { knobs: () => ({ downloadUnavailableTimes: 2 }), finishes: true },
    'answers 503': { knobs: () => ({ downloadUnavailableTimes: ALWAYS }), finishes: false },
    'breaks off once': { knobs: () => CUT, finishes: true },
    'breaks off once and cannot go on': {
      knobs: () => ({ ...CUT, downloadResumable: false }),
      finishes: true,
    },
    'breaks off and cannot go on': {
      knobs: () => ({
        ...CUT,
        downloadCutTimes: ALWAYS,
        downloadResumable: false,
      }),
      finishes: false,
    },
    'breaks off without a length': {
      knobs: () => ({
        ...CUT,
        downloadCutTimes: ALWAYS,
        downloadResumable: false,
        downloadLength: 'none',
      }),
      finishes: false,
    },
    'gives no length': { knobs: () => ({ downloadLength: 'none' }), finishes: true },
    'gives too long a length': {
      knobs: () => ({ downloadLength: 'too-long', downloadResumable: false }),
      finishes: false,
    },
    'comes slowly': { knobs: () => ({ downloadBytesPerSecond: 10_000 }), finishes: true },
  }
  it.each(Object.entries(DOWNLOADS))(
    'a download that %s: the file is kept whole or not at all',
    async (_name, { knobs, finishes }) => {
      const reportId = await askedFor()
      world.sandbox.setKnobs(knobs())
      expect(await sweepNow()).toMatchObject({ finished: finishes ? 1 : 0, tried: finishes ? 0 : 1 })
      expect(await filesOf(reportId)).toHaveLength(finishes ? 1 : 0)
      if (finishes) await expectWhole(reportId)
      await recover()
      await expectWhole(reportId)
    },
  )
})

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
