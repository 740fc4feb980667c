/**
 * A platform of two hundred accounts on the bundled handlers and a real S3: events come twice, late and in any
 * order, processes are killed half-way, callbacks are lost. The promises are read off the bucket at the end.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { reportKeys } from '../../src/domain/keys.ts'
import {
  type ArchiveRecord,
  type CallbackRecord,
  type Manifest,
  manifestRecord,
} from '../../src/domain/report.ts'
import { type CloudWorld, startCloud } from '../support/lambda/cloud-world.ts'
import { createdEvent } from '../support/lambda/s3-events.ts'
import { collect } from '../support/objects.ts'
import { runSql } from '../support/parquet-query.ts'
import { query } from '../support/sandbox-client.ts'

const ceph = inject('ceph')
const bundles = inject('bundles')

/** Fewer do for trying things out. */
const ACCOUNTS = Number(process.env.CLOUD_ACCOUNTS ?? 200)
const LIMIT = 3
const TODAY = dayOf(new Date())
/** What the schedule asks for: the two newest days that can be. */
const EARLIEST = addDays(TODAY, -4)
/** What is asked for beside it; the last two are one too many for the limit. */
const RANGES = [6, 8, 10, 12].map(back => ({ from: addDays(TODAY, -back), to: addDays(TODAY, -back) }))
/** What is created and never replaced; the outcome of a slot may be. */
const FACT = /^(reports|callbacks|keys|quarantine)\/|^quota\/.*\/\d+\.json$/

const ref = (account: string) => ({ provider: 'binance-pay', account })

describe.skipIf(ceph === undefined)('a platform of 200 accounts', () => {
  let world: CloudWorld
  const parts = new Map<string, Map<string, string[]>>()
  const manifests: Manifest[] = []
  const counted = { killed: 0, sweeps: 0 }

  beforeAll(async () => {
    world = await startCloud({
      ceph: ceph!,
      bundles,
      accounts: ACCOUNTS,
      most: { sweep: 1 },
      env: { DAYBOOK_MONTHLY_LIMIT: String(LIMIT), DAYBOOK_RESERVE: '0', DAYBOOK_EARLIEST_DAY: EARLIEST },
    })
    const startedAt = performance.now()
    await runEverything()
    const seconds = (performance.now() - startedAt) / 1000
    const { reports } = world.sandbox.books()
    const { archive, parse } = world.queues
    console.error(
      `${reports.length} reports of ${ACCOUNTS} accounts in ${seconds.toFixed(0)} s; ${counted.killed} processes killed, ${counted.sweeps} sweeps, ${world.requests()} requests; archive ${JSON.stringify(archive.counts)}, parse ${JSON.stringify(parse.counts)}`,
    )
    await readBucket()
  }, 900_000)
  afterAll(() => world?.stop())

  /** Two schedulers at once, people asking beside them, and something that kills. */
  async function runEverything(): Promise<void> {
    const { submit, sweep } = world.functions
    const startedAt = performance.now()
    const done = (what: string) =>
      console.error(
        `${((performance.now() - startedAt) / 1000).toFixed(0)} s: ${what}, ${world.requests()} requests`,
      )
    let running = true
    const killing = (async () => {
      const victims = ['receive', 'archive', 'parse', 'submit'] as const
      for (let turn = 0; running; turn++) {
        await new Promise(resolve => setTimeout(resolve, 2_000))
        // A submission that dies leaves its slot open for two minutes: enough of them die early on.
        const victim = victims[turn % (turn < 8 ? 4 : 3)]!
        if (world.functions[victim].killOne()) counted.killed++
      }
    })()
    const sweeping = (async () => {
      while (running) {
        await sweep.invoke({})
        counted.sweeps++
        await new Promise(resolve => setTimeout(resolve, 3_000))
      }
    })()
    const again = async (event: unknown) => {
      for (let tries = 0; tries < 10; tries++) {
        const invoked = await submit.invoke(event)
        if (invoked.outcome === 'answered' && (invoked.answer as { left: number }).left === 0) return
      }
    }
    await Promise.all([again({}), again({})])
    done('the schedule has asked')
    const asks = world.accounts.flatMap((account, index) =>
      RANGES.slice(0, index < 10 ? 4 : index < 60 ? 2 : 1).map(range => ({ account, ...range })),
    )
    // Some questions are asked twice at once; the callbacks of the last part never come.
    const asking = async (events: unknown[]) => {
      const queue = [...events]
      const run = async () => {
        for (let event = queue.shift(); event !== undefined; event = queue.shift()) await again(event)
      }
      await Promise.all([run(), run(), run(), run()])
    }
    const lost = asks.splice(-20)
    await asking(asks.flatMap((event, index) => (index % 10 === 0 ? [event, event] : [event])))
    done('people have asked')
    world.sandbox.setKnobs({ callbackLost: true })
    await asking(lost)
    done('the callbacks of the last ones are lost')
    await until(async () => (await unfinished()).length === 0)
    done('every report has its manifest')
    running = false
    await Promise.all([killing, sweeping])
    await until(() => world.queues.archive.depth() + world.queues.parse.depth() === 0)
  }

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 500))
  }

  /** The sandbox's reports that have no manifest yet. */
  async function unfinished(): Promise<string[]> {
    const done = new Set<string>()
    for await (const { key } of world.store.list('reports/'))
      if (key.endsWith('/manifest.json')) done.add(key.split('/')[3]!)
    return world.sandbox.books().reports.flatMap(({ reportId }) => (done.has(reportId) ? [] : [reportId]))
  }

  /** The parts of every report of every account, and all manifests. */
  async function readBucket(): Promise<void> {
    for await (const { key } of world.store.list('reports/')) {
      const [, , account = '', reportId = '', ...rest] = key.split('/')
      const reports = parts.get(account) ?? new Map<string, string[]>()
      parts.set(account, reports)
      reports.set(reportId, [...(reports.get(reportId) ?? []), rest.join('/')])
      if (rest.join('/') === 'manifest.json') manifests.push(manifestRecord.parse(await read(key)))
    }
  }

  async function read<T>(key: string): Promise<T> {
    return JSON.parse(Buffer.from((await world.store.get(key))!.bytes).toString('utf8')) as T
  }

  it('never passes the limit, and reaches it where more is asked for (P1)', async () => {
    const made = new Map<string, number>()
    for (const { merchant } of world.sandbox.books().reports)
      made.set(merchant, (made.get(merchant) ?? 0) + 1)
    expect(Math.max(...made.values())).toBeLessThanOrEqual(LIMIT)
    const spent = new Map<string, number>()
    for await (const { key } of world.store.list('quota/')) {
      if (key.endsWith('.outcome.json')) continue
      const account = key.split('/')[2]!
      const outcome = await world.store.get(key.replace('.json', '.outcome.json'))
      const word = outcome && JSON.parse(Buffer.from(outcome.bytes).toString('utf8')).outcome
      if (word !== 'rejected') spent.set(account, (spent.get(account) ?? 0) + 1)
    }
    expect(Math.max(...spent.values())).toBe(LIMIT)
    expect(world.accounts.slice(0, 10).map(account => spent.get(account))).toEqual(Array(10).fill(LIMIT))
  })

  it('generates each question once (P2)', () => {
    const asked = world.sandbox
      .books()
      .reports.map(({ merchant, startDate, endDate }) => `${merchant} ${startDate} ${endDate}`)
    expect(asked.length).toBeGreaterThan(ACCOUNTS * 2.2)
    expect(asked.filter((question, index) => asked.indexOf(question) !== index)).toEqual([])
  })

  it('has rows of every report that was made, also where the callback was lost or a process killed (P3)', async () => {
    expect(await unfinished()).toEqual([])
    expect(counted.killed).toBeGreaterThan(10)
    const silent = [...parts.values()].flatMap(reports =>
      [...reports.values()].filter(names => !names.includes('callback.json')),
    )
    expect(silent.length).toBeGreaterThanOrEqual(15)
    expect(world.queues.archive.deadLetters).toEqual([])
    expect(world.queues.parse.deadLetters).toEqual([])
  })

  it('lets in nothing that is not verified (P4)', async () => {
    const [account, reports] = [...parts].find(([, all]) =>
      [...all.values()].some(names => names.includes('callback.json')),
    )!
    const [reportId] = [...reports].find(([, names]) => names.includes('callback.json'))!
    const callback = await read<CallbackRecord>(reportKeys(ref(account), reportId).callback)
    const body = Buffer.from(callback.bodyBase64, 'base64')
    const before = await objects()
    const post = async (
      name: string,
      text: string | Buffer,
      headers: Record<string, string> = callback.headers,
    ) => {
      const url = `${world.url}/callbacks/binance-pay/${name}`
      const sent = { ...headers, 'content-type': 'application/json' }
      return (await fetch(url, { method: 'POST', body: text, headers: sent })).status
    }
    const forged = body.toString('utf8').replace(/\d(?=\D*$)/, digit => String((Number(digit) + 1) % 10))
    for (let n = 0; n < 4; n++) {
      expect(await post(account, forged)).toBe(401)
      expect(await post(account, JSON.stringify(JSON.parse(body.toString('utf8')), null, 1))).toBe(401)
      expect(await post(account, body, {})).toBe(401)
      expect(await post('nobody', body)).toBe(401)
      expect(await post(account, body)).toBe(200)
    }
    expect(await objects()).toEqual(before)
  })

  it('keeps what arrived, byte for byte, and wrote each fact once (P5)', async () => {
    const written = [...world.writes]
    const facts = written.filter(([key]) => FACT.test(key))
    expect(facts.length).toBeGreaterThan(ACCOUNTS * 2 * 5)
    expect(facts.filter(([, times]) => times !== 1)).toEqual([])
    let checked = 0
    for (const [account, reports] of parts) {
      const [reportId] = [...reports.keys()]
      const keys = reportKeys(ref(account), reportId!)
      const archived = await read<ArchiveRecord>(keys.archive)
      const bytes = await collect(world.store.read(keys.file(archived.file)))
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(archived.sha256)
      if (checked++ % 10 !== 0) continue
      const merchant = { name: account, apiKey: `key-of-${account}-0001`, secretKey: `secret-of-${account}` }
      const { json } = await query(world.sandbox, reportId!, { merchant })
      const served = Buffer.from(await (await fetch(json.downloadUrl)).arrayBuffer())
      expect(served.equals(bytes)).toBe(true)
    }
  })

  it('accounts for every row, and DuckDB reads as many as were published (P6)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'daybook-platform-'))
    try {
      let rows = 0
      for (const { rows: count, days, source, reportId } of manifests) {
        expect(count.read).toBe(count.written + count.quarantined + count.outside)
        expect(days.reduce((sum, day) => sum + day.rows, 0)).toBe(count.written)
        expect(days.every(({ publication }) => publication === 'published')).toBe(true)
        expect(count.quarantined).toBe(0)
        rows += count.written
        expect(source.sha256).toMatch(/^[0-9a-f]{64}$/)
        expect(reportId).toMatch(/^\d+$/)
      }
      expect(manifests.length).toBe(world.sandbox.books().reports.length)
      expect(rows).toBeGreaterThan(ACCOUNTS * 60)
      for await (const { key } of world.store.list('activity/')) {
        const path = join(folder, key)
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, await collect(world.store.read(key)))
      }
      const sql = `SELECT count(*), count(DISTINCT account), count(DISTINCT (account, row_id)) FROM read_parquet('${folder}/activity/v1/*/*/*/activity.parquet', hive_partitioning = true)`
      expect(await runSql(sql)).toEqual([[`${rows}`, `${parts.size}`, `${rows}`]])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('changes nothing when everything is told once more (P7)', async () => {
    const before = await objects()
    const { archive, parse } = world.queues
    let told = 0
    for (const [account, reports] of [...parts].slice(0, 40))
      for (const reportId of reports.keys()) {
        const keys = reportKeys(ref(account), reportId)
        archive.send(createdEvent(world.bucket, `books/eu/${keys.callback}`, 'Put'))
        parse.send(createdEvent(world.bucket, `books/eu/${keys.archive}`, 'Put'))
        told++
      }
    expect(told).toBeGreaterThan(80)
    await Promise.all([world.functions.submit.invoke({}), world.functions.sweep.invoke({})])
    await until(() => archive.depth() + parse.depth() === 0)
    expect(await objects()).toEqual(before)
    const days = manifests.flatMap(manifest => manifest.days.map(({ key }) => key))
    const published = [...world.writes].filter(([key]) => key.startsWith('activity/'))
    expect(new Map(published)).toEqual(new Map(days.map(key => [key, 1])))
  })

  it('has told of every published day, at least once, under one id each', () => {
    const days = new Set(manifests.flatMap(manifest => manifest.days.map(({ key }) => key)))
    const told = world.aws.events.map(({ detail }) => JSON.parse(detail) as { key: string; id: string })
    expect(new Set(told.map(({ key }) => key))).toEqual(days)
    expect(new Set(told.map(({ id }) => id)).size).toBe(days.size)
  })

  it('leaves no secret in what it logged', () => {
    const said = world.lines.join('\n')
    expect(said).toContain('report.parsed')
    expect(said).not.toMatch(/secret-of-|key-of-|BEGIN PUBLIC KEY|X-Amz-Signature|signature=/i)
  })

  /** Every object but advice, by its tag. */
  async function objects(): Promise<Map<string, string>> {
    const all = new Map<string, string>()
    for await (const { key, etag } of world.store.list('')) if (!key.startsWith('work/')) all.set(key, etag)
    return all
  }
})
