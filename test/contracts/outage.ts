/**
 * A store that fails in every call in turn, once or from then on, under each stage of the flow; then the
 * outage ends, the provider tells again what was not acknowledged, and one sweep is all there is.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { findFault } from '../../src/domain/errors.ts'
import { spent } from '../../src/domain/quota.ts'
import { isFinished, type Manifest } from '../../src/domain/report.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { systemRandom } from '../../src/host.ts'
import { advance } from '../../src/pipeline.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { createApp } from '../../src/server/app.ts'
import { startServer } from '../../src/server/server.ts'
import { importFile } from '../../src/stages/import.ts'
import { settle } from '../../src/stages/settle.ts'
import { type SubmitOutcome, submit } from '../../src/stages/submit.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { sweep } from '../../src/sweep.ts'
import { type Daybook, wire } from '../../src/wiring.ts'
import { CRASH_REQUEST } from '../support/crash-request.ts'
import type { FaultPlan } from '../support/fault-plan.ts'
import { freePort } from '../support/free-port.ts'
import { ALPHA, query } from '../support/sandbox-client.ts'
import { shiftedClock } from '../support/shifted-clock.ts'
import { wholeDay } from '../support/whole-day.ts'

export interface OutagePlace<T> {
  /** A store of its own, which meets what is planned. */
  readonly store: ObjectStore
  readonly plan: FaultPlan<T>
  stop(): Promise<void>
}

export interface OutageKind<T> {
  readonly troubles: readonly T[]
  readonly open: () => Promise<OutagePlace<T>>
}

export interface OutageOptions {
  /** So many calls of every case fail, evenly apart; each case has others. */
  readonly most: number
}

export interface OutageSample {
  /** Every so-manieth case, with one of its calls. */
  readonly sample: number
  /** With every call once, under `submit`: where one call matters more than all others, the claim of a slot. */
  readonly fully: readonly string[]
}

const SPANS = ['once', 'from then on'] as const
type Span = (typeof SPANS)[number]
const MONTH = '2026-10'
const ROWS_PER_DAY = 6
const DAYS = ['2026-10-01', '2026-10-02', '2026-10-03']
const CASE_MS = 1_800_000
/** Longer than any wait for another try, and than any lease. */
const LATER_MS = 2 * 3_600_000

/** What a flow has to do with a Daybook whose store may fail. */
interface Flow {
  /** Before the outage. */
  prepare?(world: World): Promise<void>
  /** In the outage. Whatever it throws must be a fault from the table. */
  run(world: World): Promise<void>
  /** After the outage, before the sweep. */
  recover?(world: World, lasted: boolean): Promise<void>
  /** The reports that must then be whole, of those that were made; all when absent. */
  readonly replaced?: number
}

interface World {
  readonly daybook: Daybook
  readonly port: number
  /** The reports that the provider has made in this case, oldest first. */
  made(): string[]
  ask(again?: boolean): Promise<SubmitOutcome>
  /** The provider's callback, once; answers its HTTP status. */
  deliver(reportId: string): Promise<number | null>
  /** Takes callbacks and does no more. */
  listening(work: () => Promise<void>): Promise<void>
  pass(ms: number): void
  sweep(): Promise<void>
  setRowsPerDay(rows: number): void
  readonly store: ObjectStore
}

const FLOWS: Record<string, Flow> = {
  submit: {
    run: async world => void (await world.ask()),
    async recover(world, lasted) {
      // What was not asked for is asked for; what may have been made is not asked for again.
      const isMade = world.made().length === 1
      const asked = await world.ask()
      if (isMade) expect(asked.outcome).toBe('already-requested')
      // Nobody could write down that nothing was sent; a person can say so.
      if (world.made().length === 0) {
        expect(asked.outcome).toBe('already-requested')
        // A store that failed but once has taken the slot back.
        expect(lasted).toBe(true)
        await settleAsUnsent(world)
        expect(await world.ask()).toMatchObject({ outcome: 'accepted' })
      }
      await tellAll(world)
    },
  },
  receive: {
    prepare: async world => void (await world.ask()),
    run: world => world.listening(async () => void (await told(world))),
    recover: tellAgain,
  },
  'serve (receive, match, archive, parse)': {
    prepare: async world => void (await world.ask()),
    run: serve,
    recover: tellAgain,
  },
  'sweep by poll': {
    prepare: async world => void (await world.ask()),
    run: sweepTwice,
  },
  'sweep after a callback': {
    async prepare(world) {
      await world.ask()
      await tellAll(world)
    },
    run: sweepTwice,
  },
  'match of a lost answer': {
    async prepare(world) {
      sandboxOf(world).setKnobs({ submitFault: 'reset-after-effect' })
      expect(await world.ask()).toMatchObject({ outcome: 'unknown' })
      sandboxOf(world).setKnobs({ submitFault: 'none' })
      await tellAll(world)
    },
    run: sweepTwice,
  },
  'publish over an earlier report': {
    async prepare(world) {
      await world.ask()
      world.pass(2_000)
      await world.sweep()
      world.setRowsPerDay(ROWS_PER_DAY + 2)
      await world.ask(true)
    },
    run: sweepTwice,
    replaced: 1,
  },
  import: {
    run: bring,
    recover: bring,
  },
}

async function settleAsUnsent({ daybook: { context, accounts } }: World): Promise<void> {
  const said = { month: MONTH, slot: 1, reportId: undefined, by: 'outage', why: 'the provider has none' }
  expect(await settle(context, accounts[0]!, said)).toMatchObject({ outcome: 'settled' })
}

/** Where a world's provider is; flows reach it only through this. */
const SANDBOXES = new WeakMap<World, Sandbox>()
const sandboxOf = (world: World) => SANDBOXES.get(world)!

/** One delivery of the callback, and that an acknowledged one is in the store. */
async function told(world: World): Promise<boolean> {
  const [reportId] = world.made()
  return (await world.deliver(reportId!)) === 200
}

async function tellAll(world: World): Promise<void> {
  await world.listening(async () => {
    for (const reportId of world.made()) expect(await world.deliver(reportId)).toBe(200)
  })
}

/** A provider tells again what was not acknowledged, and nothing else. */
async function tellAgain(world: World): Promise<void> {
  const [reportId] = world.made()
  const last = sandboxOf(world)
    .books()
    .deliveries.filter(delivery => delivery.reportId === reportId)
    .at(-1)
  // A server that could not start has heard nothing.
  if (last === undefined) return tellAll(world)
  const kept = await world.daybook.context.reports.read(REF, reportId!, 'callback')
  if (last.outcome === 'acknowledged') {
    expect(Buffer.from(kept?.bodyBase64 ?? '', 'base64').toString()).toBe(last.body)
    return
  }
  // Only a failure of our own makes a sender come back.
  expect([500, 503]).toContain(last.httpStatus)
  // A key that could not be had is not asked for again at once.
  world.pass(60_000)
  await tellAll(world)
}

async function serve(world: World): Promise<void> {
  const { daybook, port } = world
  const server = await startServer({
    context: daybook.context,
    accounts: daybook.accounts,
    host: '127.0.0.1',
    port,
    maxCallbackBytes: daybook.config.callbacks.maxBytes,
    daily: false,
    sweepEveryMs: 3_600_000,
  })
  try {
    await told(world)
  } finally {
    await server.stop()
  }
}

/** The second one is past every wait that the first one wrote down. */
async function sweepTwice(world: World): Promise<void> {
  await world.sweep().catch(expectFault)
  world.pass(LATER_MS)
  await world.sweep()
}

async function bring({ daybook: { context, accounts } }: World): Promise<void> {
  const file = { file: handMade(), request: CRASH_REQUEST, reportId: undefined, generatedAt: undefined }
  const imported = await importFile(context, accounts[0]!, { ...file, by: 'outage' })
  await advance(context, accounts[0]!, imported.reportId)
}

const REF = { provider: 'binance-pay', account: 'main' }

const HAND_MADE = Buffer.from(
  [
    'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark',
    ...DAYS.flatMap(day =>
      Array.from({ length: ROWS_PER_DAY }, (_, row) => `1,${day} 10:00:1${row},Spot,Deposit,USDT,${row}.50,`),
    ),
    '',
  ].join('\n'),
)

function handMade(): ByteSource {
  return {
    name: 'by-hand.csv',
    size: HAND_MADE.length,
    async *read({ start, end } = { start: 0 }) {
      yield HAND_MADE.subarray(start, end)
    },
  }
}

function expectFault(error: unknown): void {
  if (findFault(error) === undefined) throw error
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(store.read(key)))
}

/** At most `most` of the calls from 1 to `calls`, evenly apart, and others for another `turn`. */
function someCalls(calls: number, most: number, turn: number): number[] {
  const step = Math.max(1, calls / most)
  const first = (turn * 0.618) % 1
  return Array.from({ length: Math.min(calls, most) }, (_, index) => 1 + Math.floor((index + first) * step))
}

export function describeOutage<T extends string>(
  name: string,
  kind: OutageKind<T>,
  options: OutageOptions | OutageSample,
): void {
  describe(`an outage of ${name}`, () => {
    let sandbox: Sandbox
    const clock = shiftedClock()
    let folder: string
    let port: number
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'daybook-outage-'))
      port = await freePort()
      sandbox = await startSandbox({
        merchants: [{ ...ALPHA, callbackUrl: `http://127.0.0.1:${port}/callbacks/binance-pay/main` }],
        seed: 'outage',
        knobs: {
          quotaPerMonth: 1_000_000,
          processingMs: 0,
          rowsPerDay: ROWS_PER_DAY,
          callbackLost: true,
          clockWindowMs: 60_000,
          linkLifeMs: 30 * 86_400_000,
        },
        clock,
        random: systemRandom,
      })
    })
    afterAll(async () => {
      await sandbox.stop()
      await rm(folder, { recursive: true, force: true })
    })

    let place: OutagePlace<T>
    let daybook: Daybook
    let passedMs = 0
    let isOpen = false
    const close = async () => {
      if (!isOpen) return
      isOpen = false
      await daybook.close()
      await place.stop()
      clock.shift(-passedMs)
      passedMs = 0
      sandbox.setKnobs({ rowsPerDay: ROWS_PER_DAY, submitFault: 'none' })
    }
    afterEach(close)

    async function open(): Promise<World> {
      place = await kind.open()
      const loaded = loadConfig({
        DAYBOOK_STORE: join(folder, 'unused'),
        BINANCE_PAY_BASE_URL: sandbox.url,
        BINANCE_PAY_API_KEY: ALPHA.apiKey,
        BINANCE_PAY_SECRET_KEY: ALPHA.secretKey,
        DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
        DAYBOOK_POLL_FIRST_SECONDS: '1',
        DAYBOOK_POLL_SECONDS: '1',
        DAYBOOK_LOG_LEVEL: 'silent',
      })
      daybook = await wire(loaded, { clock })
      Object.assign(daybook.context.store, place.store)
      isOpen = true
      const { context, accounts, config } = daybook
      const earlier = sandbox.books().reports.length
      const world: World = {
        daybook,
        port,
        store: place.store,
        made: () =>
          sandbox
            .books()
            .reports.slice(earlier)
            .map(({ reportId }) => reportId),
        async ask(again = false) {
          const input = { request: CRASH_REQUEST, reason: 'outage', again }
          try {
            return await submit(context, accounts[0]!, input)
          } finally {
            // Past the patience with whoever may still wait for an answer.
            world.pass(300_000)
          }
        },
        async deliver(reportId) {
          const [delivery] = await sandbox.redeliver(reportId, { callbackLost: false, callbackRetries: 0 })
          return delivery!.httpStatus
        },
        async listening(work) {
          const app = createApp({
            context,
            accounts,
            maxBytes: config.callbacks.maxBytes,
            onReport: () => {},
            onReceive: () => {},
          })
          const server = app.listen(port, '127.0.0.1')
          try {
            await work()
          } finally {
            server.closeAllConnections()
            await new Promise(closed => server.close(closed))
          }
        },
        pass(ms) {
          clock.shift(ms)
          passedMs += ms
        },
        sweep: async () => void (await sweep(context, accounts)),
        setRowsPerDay: rowsPerDay => sandbox.setKnobs({ rowsPerDay }),
      }
      SANDBOXES.set(world, sandbox)
      return world
    }

    /** The files as the provider has them, by report; a file brought by hand is its own. */
    const files = new Map<string, string>()
    async function fileOf(reportId: string): Promise<string> {
      if (reportId.startsWith('import-')) return sha256Of(HAND_MADE)
      const known = files.get(reportId)
      if (known !== undefined) return known
      const { json, text } = await query(sandbox, reportId, { timestamp: clock.now().getTime() })
      if (!json?.downloadUrl) throw new Error(`no link: ${text}`)
      const sha256 = sha256Of(Buffer.from(await (await fetch(json.downloadUrl)).arrayBuffer()))
      files.set(reportId, sha256)
      return sha256
    }

    /** At any moment: no object holds less than the whole of what it is. */
    async function expectNothingHalf({ store }: World): Promise<void> {
      for await (const { key, size } of store.list('')) {
        const [, reportId] = /^reports\/.+\/([^/]+)\/file\//.exec(key) ?? []
        if (reportId !== undefined) expect(sha256Of(await bytesOf(store, key))).toBe(await fileOf(reportId))
        else if (key.endsWith('.json')) JSON.parse((await bytesOf(store, key)).toString())
        else if (key.endsWith('.parquet')) expect(await wholeDay(store, key)).toBeGreaterThan(0)
        else expect(size).toBe(0)
      }
    }

    /** After the recovery: everything, once, paid for once. */
    async function expectWhole(world: World, replaced: number): Promise<void> {
      const { reports, ledger, store } = daybook.context
      const all = await Array.fromAsync(reports.list(REF))
      expect(all.filter(({ parts }) => !isFinished(parts) || !parts.has('manifest'))).toEqual([])
      const ids = all.map(({ reportId }) => reportId)
      const asked = ids.filter(id => !id.startsWith('import-'))
      expect(asked).toEqual(world.made())
      expect(ids).toHaveLength(replaced + 1)
      for (const reportId of ids) {
        const archive = await reports.read(REF, reportId, 'archive')
        expect(archive?.sha256).toBe(await fileOf(reportId))
        const fileKeys = await Array.fromAsync(store.list(`reports/binance-pay/main/${reportId}/file/`))
        expect(fileKeys).toHaveLength(1)
      }
      const newest = ids.at(-1)!
      const manifest: Manifest | undefined = await reports.read(REF, newest, 'manifest')
      const rows = (ROWS_PER_DAY + 2 * replaced) * DAYS.length
      expect(manifest?.rows).toEqual({ read: rows, written: rows, quarantined: 0, outside: 0 })
      expect(manifest?.days.map(({ publication }) => publication)).toEqual(DAYS.map(() => 'published'))
      for (const { key, sha256, rows } of manifest!.days) {
        expect(sha256Of(await bytesOf(store, key))).toBe(sha256)
        expect(await wholeDay(store, key)).toBe(rows)
      }
      expect(await Array.fromAsync(store.list('activity/'))).toHaveLength(DAYS.length)
      expect(spent(await ledger.month(REF, MONTH))).toBe(world.made().length)
    }

    async function tryCall(flow: Flow, trouble: T, first: number, last: number): Promise<boolean> {
      const world = await open()
      await flow.prepare?.(world)
      place.plan.arm(trouble, first, last)
      await flow.run(world).catch(expectFault)
      place.plan.lift()
      const isMet = place.plan.met() > 0
      await expectNothingHalf(world)
      await flow.recover?.(world, last > first)
      world.pass(LATER_MS)
      await world.sweep()
      await expectWhole(world, flow.replaced ?? 0)
      await expectNothingHalf(world)
      await close()
      return isMet
    }

    async function tryNamed(flow: string, trouble: T, span: Span, call: number): Promise<boolean> {
      try {
        return await tryCall(FLOWS[flow]!, trouble, call, span === 'once' ? call : Number.POSITIVE_INFINITY)
      } catch (cause) {
        const says = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`${flow}: ${name} ${trouble} ${span}, call ${call}: ${says}`, { cause })
      }
    }

    /** How many calls a flow makes undisturbed that the trouble could befall. */
    const counted = new Map<string, number>()
    async function callsOf(flow: string, trouble: T): Promise<number> {
      const known = counted.get(`${flow} ${trouble}`)
      if (known !== undefined) return known
      await tryNamed(flow, trouble, 'from then on', Number.POSITIVE_INFINITY)
      const calls = place.plan.calls()
      counted.set(`${flow} ${trouble}`, calls)
      return calls
    }

    // What is slow is only waited for, so it is slow throughout.
    const cases = Object.keys(FLOWS).flatMap(flow =>
      kind.troubles.flatMap(trouble =>
        SPANS.filter(span => trouble !== 'is slow' || span === 'from then on').map(span => ({
          flow,
          trouble,
          span,
        })),
      ),
    )
    if ('most' in options) {
      it.each(cases.map((one, index) => ({ ...one, index })))(
        '$flow: it $trouble, $span',
        async ({ flow, trouble, span, index }) => {
          const calls = await callsOf(flow, trouble)
          const tried = trouble === 'is slow' ? [1] : someCalls(calls, options.most, index)
          let met = 0
          for (const call of tried) if (await tryNamed(flow, trouble, span, call)) met++
          // A call more or less is made when others take another time.
          expect(met).toBeGreaterThanOrEqual(Math.ceil(tried.length / 2))
        },
        CASE_MS,
      )
    } else {
      it.each(kind.troubles.filter(trouble => options.fully.includes(trouble)))(
        'submit: it %s, once, at any call',
        async trouble => {
          let call = 1
          while (await tryNamed('submit', trouble, 'once', call)) call++
          expect(call).toBeGreaterThan(1)
        },
        CASE_MS,
      )
      const some = cases
        .map((one, index) => ({ ...one, index }))
        .filter(({ index }) => index % options.sample === 0)
      it.each(some)(
        '$flow: it $trouble, $span',
        async ({ flow, trouble, span, index }) => {
          const calls = await callsOf(flow, kind.troubles[0]!)
          // What lasts begins early, or little of the flow is left to meet it.
          let call = 1 + ((index * 7919) % (span === 'once' ? calls : Math.ceil(calls / 4)))
          // Some troubles befall only some of the calls.
          while (!(await tryNamed(flow, trouble, span, call))) {
            expect(call).toBeGreaterThan(1)
            call = Math.ceil(call / 3)
          }
        },
        CASE_MS,
      )
    }
  })
}
