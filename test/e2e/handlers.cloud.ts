import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { reportKeys } from '../../src/domain/keys.ts'
import type { Manifest } from '../../src/domain/report.ts'
import { systemRandom } from '../../src/host.ts'
import { startServer } from '../../src/server/server.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { wire } from '../../src/wiring.ts'
import { type CloudWorld, startCloud } from '../support/lambda/cloud-world.ts'
import { collect } from '../support/objects.ts'
import { runDaybook } from '../support/run-daybook.ts'
import { eventually } from '../support/test-daybook.ts'

const ceph = inject('ceph')
const bundles = inject('bundles')

const TODAY = dayOf(new Date())
const RANGE = { from: addDays(TODAY, -10), to: addDays(TODAY, -8) }

describe.skipIf(ceph === undefined)('the bundled handlers on a real S3', () => {
  let world: CloudWorld
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-same-'))
    world = await startCloud({ ceph: ceph!, bundles, accounts: 3 })
  })
  afterAll(async () => {
    await world?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function asked(account: string, days = RANGE): Promise<string> {
    const invoked = await world.functions.submit.invoke({ account, ...days })
    expect(invoked).toMatchObject({
      outcome: 'answered',
      answer: { left: 0, done: [{ outcome: 'accepted' }] },
    })
    return (invoked as { answer: { done: { reportId: string }[] } }).answer.done[0]!.reportId
  }

  const keysOf = (account: string, id: string) => reportKeys({ provider: 'binance-pay', account }, id)
  const parsed = (account: string, id: string) =>
    eventually(() => world.store.get(keysOf(account, id).manifest), 60_000)
  const text = async (store: ObjectStore, key: string) =>
    Buffer.from((await store.get(key))!.bytes).toString('utf8')

  it('make of a report what the server and the command line make of it, to the byte', async () => {
    // Long enough that a second thread works on it, from the bundle too.
    world.sandbox.setKnobs({ rowsPerDay: 45_000 })
    const id = await asked('m001')
    await parsed('m001', id)
    world.sandbox.setKnobs({ rowsPerDay: 30 })
    const measured = world.lines.find(line => line.includes('"QuotaUsedPercent"'))
    expect(JSON.parse(measured!)).toMatchObject({
      ...{ function: 'daybook-submit', account: 'm001', QuotaUsed: 1, QuotaLimit: 50, QuotaUsedPercent: 2 },
      // Of 29 days that can be asked for, three were.
      CoverageGapDays: 26,
    })
    const keys = keysOf('m001', id)
    const accepted = (await world.store.get(keys.accepted))!.bytes
    const settings = (name: string) => ({
      PATH: process.env.PATH ?? '',
      DAYBOOK_STORE: join(folder, name),
      DAYBOOK_ACCOUNT: 'm001',
      BINANCE_PAY_BASE_URL: world.sandbox.url,
      BINANCE_PAY_API_KEY: 'key-of-m001-0001',
      BINANCE_PAY_SECRET_KEY: 'secret-of-m001',
      DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${world.sandbox.port}`,
    })

    // The server hears of it by the callback.
    const served = fileStore(join(folder, 'server'), { random: systemRandom })
    await served.create(keys.accepted, accepted)
    const daybook = await wire(loadConfig(settings('server')), { writeLog: () => {} })
    const server = await startServer({
      ...{ context: daybook.context, accounts: daybook.accounts, host: '127.0.0.1', port: 0 },
      ...{ maxCallbackBytes: 65_536, sweepEveryMs: 60_000, daily: false },
    })
    await world.sandbox.redeliver(id, { callbackUrl: `${server.url}/callbacks/binance-pay/m001` })
    await eventually(() => served.get(keys.manifest), 60_000)
    await server.stop()
    await daybook.close()

    // The command line asks for the link.
    const typed = fileStore(join(folder, 'cli'), { random: systemRandom })
    await typed.create(keys.accepted, accepted)
    for (const command of ['archive', 'parse']) {
      const { code, stderr } = await runDaybook([command, id], settings('cli'))
      expect({ code, stderr }).toMatchObject({ code: 0 })
    }

    const manifestOf = async (store: ObjectStore) => JSON.parse(await text(store, keys.manifest)) as Manifest
    const byHandlers = await manifestOf(world.store)
    expect(byHandlers.rows.written).toBe(135_000)
    expect(byHandlers.days.map(({ publication }) => publication)).toEqual(Array(3).fill('published'))
    const archive = JSON.parse(await text(world.store, keys.archive)) as { size: number }
    expect(archive.size).toBeGreaterThan(8 * 1024 ** 2)
    for (const store of [served, typed]) {
      const manifest = await manifestOf(store)
      expect(manifest.parsedAt).not.toBe(byHandlers.parsedAt)
      expect({ ...manifest, parsedAt: '' }).toEqual({ ...byHandlers, parsedAt: '' })
      for (const { key } of byHandlers.days) {
        const [one, other] = [await collect(world.store.read(key)), await collect(store.read(key))]
        expect(one.equals(other)).toBe(true)
      }
    }
  })

  it('return the days to the queue until the bus has taken them', async () => {
    const before = world.aws.events.length
    const { returned } = world.queues.parse.counts
    world.aws.refuseEvents(1)
    const id = await asked('m000')
    await parsed('m000', id)
    await eventually(() => (world.aws.events.length >= before + 3 ? true : undefined), 30_000)
    expect(world.queues.parse.counts.returned).toBeGreaterThan(returned)
    const days = new Set(world.aws.events.slice(before).map(({ detail }) => JSON.parse(detail).day))
    expect([...days].sort()).toEqual([addDays(TODAY, -10), addDays(TODAY, -9), addDays(TODAY, -8)])
    expect(world.aws.events.at(-1)).toMatchObject({ bus: 'days', type: 'DayPublished' })
  })

  it('finish by the sweep what no event told of', async () => {
    world.sandbox.setKnobs({ callbackLost: true })
    const id = await asked('m002')
    await eventually(async () => {
      await world.functions.sweep.invoke({ account: 'm002' })
      return world.store.head(keysOf('m002', id).manifest)
    }, 60_000)
    world.sandbox.setKnobs({ callbackLost: false })
    expect(await world.store.head(keysOf('m002', id).callback)).toBeUndefined()
    const measured = world.lines.filter(line => line.includes('"OldestUnfinishedSeconds":'))
    expect(JSON.parse(measured.at(-1)!)).toMatchObject({ function: 'daybook-sweep', OpenReports: 0 })
  })

  it('record balances and reconcile them', async () => {
    const taken = await world.functions.snapshot.invoke({})
    expect(taken).toMatchObject({ outcome: 'answered', answer: { left: 0 } })
    const { done } = (taken as { answer: { done: { outcome: string }[] } }).answer
    expect(done.map(({ outcome }) => outcome)).toEqual(['taken', 'taken', 'taken'])
    const reconciled = await world.functions.reconcile.invoke({ account: 'm001' })
    expect(reconciled).toMatchObject({
      outcome: 'answered',
      answer: { done: [{ outcome: 'reconciled', days: 6, breaks: 0 }] },
    })
    expect(world.lines.some(line => line.includes('"ReconciliationBreaks":0'))).toBe(true)
  })

  it('answer on the URL as the server does, and tell nobody why', async () => {
    const post = (path: string, body: string | Buffer = '{}', method = 'POST') =>
      fetch(`${world.url}${path}`, { method, ...(method === 'GET' ? {} : { body }) })
    expect((await post('/')).status).toBe(404)
    expect((await post('/callbacks/binance-pay/m001', '', 'GET')).status).toBe(404)
    const refused = await post('/callbacks/binance-pay/m001')
    expect([refused.status, await refused.text()]).toEqual([
      401,
      '{"returnCode":"FAIL","returnMessage":null}',
    ])
    expect((await post('/callbacks/binance-pay/m001', Buffer.alloc(262_145))).status).toBe(413)
    // Both ways in which AWS hands over a body.
    for (const kind of ['PAY', 'REFUND', 'PAYOUT', 'OTHER']) {
      const settled = await world.sandbox.deliver({
        merchant: 'm001',
        rawBody: JSON.stringify({ bizType: kind, bizIdStr: '1', bizStatus: 'DONE', data: 'ü €' }),
      })
      // At the first try: a retry would come in the other way.
      expect(settled).toMatchObject([{ httpStatus: 200, outcome: 'acknowledged' }])
    }
  })

  it('give names of their own to what they write, for environments share host and process', async () => {
    const id = (await Array.fromAsync(world.store.list('reports/binance-pay/m001/')))[0]!.key.split('/')[3]!
    expect(await text(world.store, keysOf('m001', id).accepted)).toContain('"via": "answer"')
    const slot = await Array.fromAsync(world.store.list('quota/binance-pay/m001/'))
    expect(JSON.parse(await text(world.store, slot[0]!.key)).by).toMatch(/^daybook-submit:20\d\d\//)
    expect(await readFile(join(bundles, 'parse', 'group-thread.mjs'), 'utf8')).toContain('parentPort')
  })
})
