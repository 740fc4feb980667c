/** Reports over a store in memory, with a clock that stands and a provider whose answers a test writes. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PollPolicy } from '../../src/domain/polling.ts'
import type { AcceptedRecord, ReportPart } from '../../src/domain/report.ts'
import type { Download } from '../../src/providers/download.ts'
import { checkLink, isAllowedHost } from '../../src/providers/download-policy.ts'
import type { ReportStatus } from '../../src/providers/provider.ts'
import type { Account, Context } from '../../src/stages/context.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { workLog } from '../../src/stores/work-log.ts'
import { type FixedClock, fixedClock } from './fixed-clock.ts'
import { type MemoryObjects, memoryObjects, memoryStore } from './memory-store.ts'
import { type QuietLog, quietLog } from './quiet-log.ts'

export const REF = { provider: 'binance-pay', account: 'main' }
export const RANGE = { start: '2026-10-01', end: '2026-10-03' }
export const START = '2026-10-15T12:00:00.000Z'

/** Three rows on the two days of `RANGE`. */
export const FILE = `User_ID,UTC_Time,Account,Operation,Coin,Change,Remark
1,2026-10-01 10:00:00,Spot,Deposit,USDT,5.00,
1,2026-10-02 10:00:00,Spot,Deposit,USDT,7.00,
1,2026-10-02 10:00:00,Funding,Withdraw,USDT,-1.00,
`

export const POLICY: PollPolicy = {
  firstMs: 120_000,
  leastMs: 60_000,
  expiredMs: 3_600_000,
  absentMs: 86_400_000,
  abandonMs: 30 * 86_400_000,
}

export interface ReportWorld {
  readonly context: Context
  readonly account: Account
  readonly clock: FixedClock
  readonly log: QuietLog
  readonly objects: MemoryObjects
  /** Requests of the store so far, by kind; a listing counts one for every thousand keys. */
  readonly requests: Record<string, number>
  /** Every query, with its time. */
  readonly queries: { readonly reportId: string; readonly at: string }[]
  /** Every download, by its link, in order. */
  readonly downloads: string[]
  /** What the configuration allows. */
  allowedHosts: readonly string[]
  /** What a query answers; `ready` with a link of its own unless a test says otherwise. */
  answer: (reportId: string) => ReportStatus
  /** What a link delivers, or the error it fails with. */
  file: (link: string) => string
  /** The same store in another process, which may be dead. */
  process(name: string): Context
  readonly dead: Set<string>
  accept(reportId: string, changed?: Partial<AcceptedRecord>): Promise<void>
  call(reportId: string, changed?: { link?: string; endsAt?: Date }): Promise<void>
  parts(reportId: string): Promise<ReportPart[]>
}

export function reportWorld(objects = memoryObjects(), clock = fixedClock(START)): ReportWorld {
  const requests: Record<string, number> = {}
  const store = countedStore(memoryStore(objects), requests)
  const log = quietLog()
  const dead = new Set<string>()
  const world: ReportWorld = {
    clock,
    log,
    objects,
    requests,
    dead,
    queries: [],
    downloads: [],
    allowedHosts: ['files.example.com'],
    answer: reportId => ({ status: 'ready', link: `https://files.example.com/${reportId}` }),
    file: () => FILE,
    context: contextOf('test:1'),
    account: {
      ref: REF,
      monthlyLimit: 50,
      zoneMinutes: undefined,
      columns: {},
      provider: {
        name: 'binance-pay',
        reports: {
          refusal: () => undefined,
          createdAt: () => undefined,
          submit: () => Promise.reject(new Error('not here')),
          async query(reportId) {
            world.queries.push({ reportId, at: clock.now().toISOString() })
            return world.answer(reportId)
          },
        },
        callbacks: {
          verify: () => Promise.reject(new Error('not here')),
          read(body) {
            const { endsAt, ...said } = JSON.parse(Buffer.from(body).toString())
            return { kind: 'report', ...said, ...(endsAt && { linkExpiresAt: new Date(endsAt) }) }
          },
          replies: { accepted: { status: 200, body: '' }, refused: { status: 401, body: '' } },
        },
      },
    },
    process: contextOf,
    async accept(reportId, changed = {}) {
      const now = clock.now().toISOString()
      await world.context.reports.create(REF, reportId, 'accepted', {
        reportId,
        request: { range: RANGE, wallets: 'all' },
        slot: null,
        askedAt: now,
        via: 'answer',
        answer: 'yes',
        recordedAt: now,
        ...changed,
      })
    },
    async call(reportId, { link = `https://files.example.com/${reportId}`, endsAt } = {}) {
      const now = clock.now().toISOString()
      await world.context.reports.create(REF, reportId, 'callback', {
        kind: 'report',
        id: reportId,
        receivedAt: now,
        headers: {},
        bodyBase64: Buffer.from(JSON.stringify({ reportId, link, endsAt })).toString('base64'),
        bodySha256: '0'.repeat(64),
        keySerial: 'key',
        signedAt: now,
        fresh: true,
      })
    },
    parts: async reportId => [...(await world.context.reports.parts(REF, reportId))].sort(),
  }

  function contextOf(processName: string): Context {
    return {
      store,
      ledger: quotaLedger(store),
      reports: reportLog(store),
      work: workLog(store),
      polling: POLICY,
      download: async link => downloadOf(link),
      allowsHost: host => isAllowedHost(host, world.allowedHosts),
      clock,
      random: { hex: length => '0'.repeat(length), fraction: () => 0.5 },
      log,
      processName,
      mayBeAlive: name => !dead.has(name),
      makeWorkFolder: () => mkdtemp(join(tmpdir(), 'daybook-world-')),
    }
  }

  function downloadOf(link: string): Download {
    checkLink(link, world.allowedHosts)
    world.downloads.push(link)
    const content = Buffer.from(world.file(link))
    return {
      host: new URL(link).host,
      name: 'report.csv',
      contentType: 'text/csv',
      bytes: (async function* () {
        yield content
      })(),
      discard: async () => {},
    }
  }

  return world
}

const KEYS_A_PAGE = 1000

function countedStore(store: ObjectStore, requests: Record<string, number>): ObjectStore {
  const count = (kind: string) => {
    requests[kind] = (requests[kind] ?? 0) + 1
  }
  function counted<A extends unknown[], R>(kind: string, call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      count(kind)
      return call(...args)
    }
  }
  return {
    address: store.address,
    get: counted('get', store.get),
    head: counted('head', store.head),
    create: counted('create', store.create),
    replace: counted('replace', store.replace),
    read: counted('read', store.read),
    async *list(prefix) {
      count('list')
      let keys = 0
      for await (const head of store.list(prefix)) {
        if (keys++ > 0 && keys % KEYS_A_PAGE === 1) count('list')
        yield head
      }
    },
  }
}

/** The requests since the last call. */
export function requestsSince(world: ReportWorld): number {
  const total = Object.values(world.requests).reduce((sum, count) => sum + count, 0)
  for (const kind of Object.keys(world.requests)) world.requests[kind] = 0
  return total
}
