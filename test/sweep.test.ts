import { beforeEach, describe, expect, it } from 'vitest'
import { DaybookError } from '../src/domain/errors.ts'
import { agendaKey, attemptKey, reportKeys, workPrefix } from '../src/domain/keys.ts'
import { importFile } from '../src/stages/import.ts'
import { moveOn, type SweepOptions, sweep } from '../src/sweep.ts'
import {
  FILE,
  RANGE,
  REF,
  type ReportWorld,
  reportWorld,
  requestsSince,
  START,
} from './support/report-world.ts'
import { costOfSweep } from './support/sweep-cost.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let world: ReportWorld
beforeEach(() => {
  world = reportWorld()
})

const run = (options: SweepOptions = {}, context = world.context) => sweep(context, [world.account], options)
const polls = (reportId: string) =>
  world.queries.filter(query => query.reportId === reportId).map(({ at }) => at.slice(11, 19))
const ended = (reportId: string, part: 'ended' | 'ended-called' = 'ended') =>
  world.context.reports.read(REF, reportId, part)

/** Sweeps every minute, as a server does. */
async function sweepFor(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += MINUTE) {
    await run()
    await world.clock.advance(MINUTE)
  }
}

function fileSource(content = FILE) {
  const bytes = Buffer.from(content)
  return {
    name: 'by-hand.csv',
    size: bytes.length,
    async *read({ start = 0, end }: { start?: number; end?: number } = {}) {
      yield bytes.subarray(start, end)
    },
  }
}

function bring(reportId: string | undefined, content = FILE) {
  return importFile(world.context, world.account, {
    file: fileSource(content),
    request: reportId === undefined ? { range: RANGE, wallets: 'all' } : undefined,
    reportId,
    generatedAt: undefined,
    by: 'anna',
  })
}

describe('polling', () => {
  it('begins when reports are usually ready, and then comes later and later', async () => {
    world.answer = () => ({ status: 'processing' })
    await world.accept('1')
    await sweepFor(25 * MINUTE)
    expect(polls('1')).toEqual(['12:02:00', '12:03:00', '12:05:00', '12:08:00', '12:12:00', '12:18:00'])
  })

  it('learns from the callbacks of earlier reports how long they take', async () => {
    for (const reportId of ['1', '2', '3']) {
      await world.accept(reportId)
      await world.clock.advance(10 * MINUTE)
      await world.call(reportId)
      await run()
      expect(await world.parts(reportId)).toContain('manifest')
    }
    await run()
    world.answer = () => ({ status: 'processing' })
    await world.accept('4')
    await sweepFor(12 * MINUTE)
    expect(polls('4')).toEqual(['12:40:00'])
  })

  it('has learnt the same when the agenda is lost', async () => {
    await world.accept('1')
    await world.clock.advance(10 * MINUTE)
    await world.call('1')
    await run()
    world.objects.byKey.delete(agendaKey(REF))
    world.answer = () => ({ status: 'processing' })
    await world.accept('2')
    await sweepFor(12 * MINUTE)
    expect(polls('2')).toEqual(['12:20:00'])
  })

  it('is never done more often than is set, also when the provider fails', async () => {
    world.answer = () => {
      throw new Error('connection reset')
    }
    await world.accept('1')
    for (let seconds = 0; seconds < 1800; seconds += 5) {
      await run()
      await world.clock.advance(5000)
    }
    const times = world.queries.map(({ at }) => new Date(at).getTime())
    expect(times.length).toBeGreaterThan(5)
    times.slice(1).forEach((time, index) => {
      expect(time - times[index]!).toBeGreaterThanOrEqual(MINUTE)
    })
  })

  it('ends at once with what the provider says of a report that failed', async () => {
    world.answer = () => ({ status: 'failed', answer: '{"exist":true,"status":"FAILED"}' })
    await world.accept('1')
    await sweepFor(10 * MINUTE)
    expect(await ended('1')).toMatchObject({ outcome: 'failed', answer: '{"exist":true,"status":"FAILED"}' })
    expect(polls('1')).toEqual(['12:02:00'])
  })

  it('ends when the provider has not known the report for a day, and begins anew when it did in between', async () => {
    world.answer = () => ({ status: 'absent', answer: '{"exist":false}' })
    await world.accept('1')
    await sweepFor(20 * HOUR)
    world.answer = () => ({ status: 'processing' })
    await sweepFor(2 * HOUR)
    world.answer = () => ({ status: 'absent', answer: '{"exist":false}' })
    await sweepFor(20 * HOUR)
    expect(await ended('1')).toBeUndefined()
    await sweepFor(8 * HOUR)
    expect(await ended('1')).toMatchObject({ outcome: 'abandoned', status: 'absent' })
  })

  it('ends when the provider has been at work for a month', async () => {
    world.answer = () => ({ status: 'processing' })
    await world.accept('1')
    for (let days = 0; days < 31; days++) {
      expect(await ended('1')).toBeUndefined()
      await run()
      await world.clock.advance(DAY)
    }
    expect(await ended('1')).toMatchObject({ outcome: 'abandoned', status: 'processing' })
    expect(world.log.of('report.failed')).toEqual([])
  })

  it('asks for a link again when it has run out, and takes the new one', async () => {
    world.answer = () => ({ status: 'expired', answer: '{}' })
    await world.accept('1')
    await world.call('1', { endsAt: new Date(world.clock.now().getTime() - 1) })
    await sweepFor(10 * MINUTE)
    expect(await ended('1', 'ended-called')).toBeUndefined()
    world.answer = () => ({ status: 'ready', link: 'https://files.example.com/fresh' })
    await sweepFor(HOUR)
    expect(world.downloads).toEqual(['https://files.example.com/fresh'])
    expect(await world.parts('1')).toContain('manifest')
  })

  it('leaves a host that is not allowed alone, a day at last, and fetches from it once it is', async () => {
    const odd = 'https://odd.example.org/1'
    world.answer = () => ({ status: 'ready', link: odd })
    await world.accept('1')
    await world.call('1', { link: odd })
    const tries: number[] = []
    for (let hour = 0; hour < 24 * 7; hour++) {
      const before = world.queries.length
      await run()
      if (world.queries.length > before) tries.push(hour)
      await world.clock.advance(HOUR)
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 55, 79, 103, 127, 151])
    const { record } = await world.context.work.attempt(REF, '1')
    expect(record).toMatchObject({ refusedHost: 'odd.example.org', retry: false })
    expect(record?.says).toContain('DAYBOOK_DOWNLOAD_HOSTS')
    expect(world.downloads).toEqual([])

    world.allowedHosts = ['files.example.com', '*.example.org']
    expect(await run()).toMatchObject({ finished: 1 })
    expect(await world.parts('1')).toContain('manifest')
  })

  it('looks by itself whether the provider has moved away from a host that is not allowed', async () => {
    world.answer = () => ({ status: 'ready', link: 'https://odd.example.org/1' })
    await world.accept('1')
    await world.clock.advance(HOUR)
    await run()
    world.answer = () => ({ status: 'ready', link: 'https://files.example.com/1' })
    await run()
    expect(await world.parts('1')).not.toContain('archive')
    await world.clock.advance(HOUR)
    await run()
    expect(await world.parts('1')).toContain('manifest')
  })

  it('ends a report whose link has run out when none is given for an hour', async () => {
    world.answer = () => ({ status: 'expired', answer: '{"status":"EXPIRED"}' })
    await world.accept('1')
    await world.call('1', { endsAt: new Date(world.clock.now().getTime() - 1) })
    await sweepFor(2 * HOUR)
    expect(await ended('1', 'ended-called')).toMatchObject({
      outcome: 'expired',
      answer: '{"status":"EXPIRED"}',
    })
    const asked = world.queries.length
    await sweepFor(2 * HOUR)
    expect(world.queries.length).toBe(asked)
  })
})

describe('what arrives, in any order', () => {
  const failed = () => {
    world.answer = () => ({ status: 'failed', answer: '{}' })
  }

  it('callback after an end: the file is taken', async () => {
    failed()
    await world.accept('1')
    await sweepFor(3 * MINUTE)
    expect(await ended('1')).toMatchObject({ outcome: 'failed' })
    await world.clock.advance(3 * DAY)
    await run()
    await world.call('1')
    await run()
    expect(await world.parts('1')).toEqual(['accepted', 'archive', 'callback', 'ended', 'manifest'])
  })

  it('callback after an end that is no good either: it has ended again, with the callback known', async () => {
    failed()
    await world.accept('1')
    await sweepFor(3 * MINUTE)
    await world.call('1', { endsAt: new Date(world.clock.now().getTime() - 1) })
    await run()
    expect(await world.parts('1')).toEqual(['accepted', 'callback', 'ended', 'ended-called'])
    const asked = world.queries.length
    await sweepFor(HOUR)
    expect(world.queries.length).toBe(asked)
  })

  it('import after an end: the file is taken', async () => {
    failed()
    await world.accept('1')
    await sweepFor(3 * MINUTE)
    expect(await bring('1')).toMatchObject({ outcome: 'imported', accepted: { via: 'answer' } })
    await run()
    expect(await world.parts('1')).toEqual(['accepted', 'archive', 'ended', 'manifest'])
  })

  it('import, then callback: nothing is fetched again', async () => {
    await world.accept('1')
    await bring('1')
    await run()
    await world.call('1')
    await run()
    await moveOn(world.context, world.account, '1')
    expect(world.downloads).toEqual([])
    expect(await world.parts('1')).toEqual(['accepted', 'archive', 'callback', 'manifest'])
  })

  it('callback, then import: the fetched file stays', async () => {
    await world.accept('1')
    await world.call('1')
    await run()
    const other = FILE.replace('7.00', '8.00')
    expect(await bring('1', other)).toMatchObject({ outcome: 'other-file', archived: { via: 'callback' } })
    expect(await bring('1')).toMatchObject({ outcome: 'already-imported', archived: { via: 'callback' } })
  })

  it('callback for a report nobody asked for: its file is kept, and waits for its days', async () => {
    await world.call('1')
    await run()
    expect(await world.parts('1')).toEqual(['archive', 'callback'])
    const { record } = await world.context.work.attempt(REF, '1')
    expect(record).toMatchObject({ retry: false, says: expect.stringContaining('nobody here asked') })
    await importFile(world.context, world.account, {
      file: fileSource(),
      request: { range: RANGE, wallets: 'all' },
      reportId: '1',
      generatedAt: undefined,
      by: 'anna',
    })
    await world.clock.advance(DAY)
    await run()
    expect(await world.parts('1')).toEqual(['accepted', 'archive', 'callback', 'manifest'])
  })

  it('a callback that comes while a report waits for its poll is not kept waiting', async () => {
    world.answer = () => ({ status: 'processing' })
    await world.accept('1')
    await sweepFor(20 * MINUTE)
    await world.call('1')
    expect(await run()).toMatchObject({ finished: 1, open: 1 })
  })
})

describe('a sweep', () => {
  it('fetches the link first that runs out first', async () => {
    for (const [reportId, hours] of [
      ['1', 20],
      ['2', 1],
      ['3', 5],
    ] as const) {
      await world.accept(reportId)
      await world.call(reportId, { endsAt: new Date(world.clock.now().getTime() + hours * HOUR) })
    }
    await world.accept('0')
    await world.clock.advance(5 * MINUTE)
    await run({ atOnce: 1 })
    expect(world.downloads.map(link => link.slice(-1))).toEqual(['2', '3', '1', '0'])
  })

  it('gets to every report though most of them fail, and works on so many at once', async () => {
    let working = 0
    let most = 0
    world.file = link => (/[13579]$/.test(link) ? 'PDF, not a statement' : FILE)
    const { download } = world.context
    const context = {
      ...world.context,
      download: async (link: string) => {
        most = Math.max(most, ++working)
        await new Promise(resolve => setTimeout(resolve, 2))
        working--
        return download(link)
      },
    }
    for (let number = 10; number < 40; number++) await world.accept(`${number}`)
    for (let number = 10; number < 40; number++) await world.call(`${number}`)
    expect(await run({ atOnce: 3 }, context)).toEqual({
      open: 30,
      finished: 15,
      tried: 15,
      waiting: 0,
      left: 0,
    })
    expect(most).toBe(3)
  })

  it('is bounded: what it leaves, later ones take', async () => {
    for (let number = 10; number < 40; number++) await world.accept(`${number}`)
    for (let number = 10; number < 40; number++) await world.call(`${number}`)
    expect(await run({ mostTries: 10 })).toMatchObject({ open: 30, finished: 10, left: 20 })
    expect(await run({ mostLooks: 5 })).toMatchObject({ open: 20, finished: 5, left: 15 })
    expect(await run()).toMatchObject({ open: 15, finished: 15, left: 0 })
    expect(await run()).toMatchObject({ open: 0 })
  })

  it('does not stumble over a report whose records cannot be read', async () => {
    for (const reportId of ['1', '2', '3']) await world.accept(reportId)
    for (const reportId of ['1', '2', '3']) await world.call(reportId)
    const key = reportKeys(REF, '2').accepted
    world.objects.byKey.set(key, { bytes: Buffer.from('{"odd":1}'), etag: '"odd"' })
    expect(await run()).toMatchObject({ open: 3, finished: 2, tried: 1 })
    const { record } = await world.context.work.attempt(REF, '2')
    expect(record).toMatchObject({ failures: 1, retry: false, says: expect.stringContaining('is not as') })
  })

  it('works on the others when the try of one cannot be written down', async () => {
    const { store } = world.context
    const create = store.create
    store.create = (key, body) =>
      key === attemptKey(REF, '101')
        ? Promise.reject(new DaybookError('store-refused', 'no permission'))
        : create(key, body)
    const ids = ['101', '102', '103', '104', '105']
    for (const id of ids) await world.accept(id)
    world.clock.set('2026-10-15T13:00:00Z')
    expect(await run({ atOnce: 1 })).toMatchObject({ open: 5, finished: 4, tried: 1 })
    expect(world.log.of('report.failed').map(({ fields }) => fields.reportId)).toEqual(['101'])
  })

  it('may run beside others, in other processes: nothing is doubled', async () => {
    for (let number = 10; number < 20; number++) await world.accept(`${number}`)
    for (let number = 10; number < 20; number++) await world.call(`${number}`)
    const outcomes = await Promise.all(['a:1', 'b:1', 'c:1'].map(name => run({}, world.process(name))))
    expect(outcomes.reduce((sum, { finished }) => sum + finished, 0)).toBe(10)
    expect(world.downloads.length).toBe(10)
    for (let number = 10; number < 20; number++) expect(await world.parts(`${number}`)).toContain('manifest')
    expect(await run()).toMatchObject({ open: 0 })
  })

  it('leaves a report alone that another process is at, and takes it over when that has died', async () => {
    await world.accept('1')
    await world.call('1')
    const other = world.process('other:7')
    const hanging = { ...other, download: () => new Promise<never>(() => {}) }
    void run({}, hanging)
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(await run()).toMatchObject({ open: 1, waiting: 1 })
    world.dead.add('other:7')
    expect(await run()).toMatchObject({ finished: 1 })
  })
})

describe('the wait after a failure', () => {
  beforeEach(async () => {
    world.file = () => 'not a statement at all'
    await world.accept('1')
    await world.call('1')
    await run()
  })

  it('is remembered by every process', async () => {
    const restarted = reportWorld(world.objects, world.clock)
    expect(await sweep(restarted.context, [restarted.account])).toMatchObject({
      open: 1,
      waiting: 1,
      tried: 0,
    })
    const { record } = await restarted.context.work.attempt(REF, '1')
    expect(record).toMatchObject({ failures: 1, says: expect.stringContaining('') })
    await world.clock.advance(HOUR)
    expect(await sweep(restarted.context, [restarted.account])).toMatchObject({ open: 1, tried: 1 })
    expect((await restarted.context.work.attempt(REF, '1')).record).toMatchObject({ failures: 2 })
  })

  it('is lost with the advice, and nothing else', async () => {
    for (const key of [...world.objects.byKey.keys()])
      if (key.startsWith(workPrefix(REF))) world.objects.byKey.delete(key)
    expect(await run()).toMatchObject({ open: 1, tried: 1 })
  })

  it('does not hold when the advice cannot be read', async () => {
    world.objects.byKey.set(attemptKey(REF, '1'), { bytes: Buffer.from('{'), etag: '"odd"' })
    world.objects.byKey.set(agendaKey(REF), { bytes: Buffer.from('[]'), etag: '"odd"' })
    expect(await run()).toMatchObject({ open: 1, tried: 1 })
  })
})

describe('the cost of a sweep', () => {
  it('is the same for 100 and for 5,000 finished reports', async () => {
    const few = await costOfSweep(100)
    expect(await costOfSweep(5_000)).toBe(few)
    expect(few).toBeLessThanOrEqual(3 + 3 * 3)
  })

  it('is three requests when nothing is open', async () => {
    await world.accept('1')
    await world.call('1')
    await run()
    await run()
    requestsSince(world)
    await run()
    expect(requestsSince(world)).toBe(3)
  })

  it('never leaves a report out, whenever the days turn and whoever dies', async () => {
    for (let day = 0; day < 6; day++) {
      await world.accept(`a${day}`)
      if (day % 2 === 0) await world.call(`u${day}`)
      if (day === 3) world.objects.byKey.delete(agendaKey(REF))
      if (day !== 2) await Promise.all([run(), run({}, world.process('b:1'))])
      await world.clock.advance(DAY)
    }
    await run()
    for (let day = 0; day < 6; day++) expect(await world.parts(`a${day}`)).toContain('manifest')
    for (const day of [0, 2, 4]) expect(await world.parts(`u${day}`)).toContain('archive')
  })

  it('finds a report whose records were written by a process that died between mark and slot', async () => {
    await world.accept('1')
    await run()
    await world.clock.advance(5 * DAY)
    expect(await world.context.reports.arrivals(REF, '2026-10-15')).toEqual(['1'])
    await run()
    expect(await world.parts('1')).toContain('manifest')
  })

  it('finds a report of which there is but a mark, also days later and without an agenda', async () => {
    const { slot, account } = await lostAnswer('dead:1')
    const outcome = { outcome: 'accepted', reportId: '1', at: START } as const
    await world.context.ledger.settle(REF, '2026-10', slot, outcome)
    await world.context.reports.mark(REF, '1', world.clock.now())
    await world.clock.advance(5 * DAY)
    await sweep(world.context, [account])
    expect(await world.parts('1')).toContain('manifest')
  })

  it('ends no report before its slot is known, for nobody looks at it after that', async () => {
    const { slot, account } = await lostAnswer('b:1')
    await world.context.reports.mark(REF, '1', world.clock.now())
    world.answer = () => ({ status: 'failed', answer: 'FAILED' })
    await sweep(world.context, [account])
    expect(await world.parts('1')).toEqual([])
    await world.clock.advance(5 * MINUTE)
    await sweep(world.context, [account])
    expect(await world.parts('1')).toEqual(['accepted', 'ended'])
    const slots = await world.context.ledger.month(REF, '2026-10')
    expect(slots.find(({ number }) => number === slot)?.outcome).toMatchObject({ reportId: '1' })
  })

  it('parses no report before its slot is settled, though its days be known in the meantime', async () => {
    const { slot, account } = await lostAnswer('b:1')
    await world.call('1')
    world.file = () => {
      // Its asker hears the answer, writes down the report, and dies before it settles the slot.
      void world.accept('1', { slot: { month: '2026-10', number: slot } })
      return FILE
    }
    await sweep(world.context, [account])
    expect(await world.parts('1')).toContain('manifest')
    const slots = await world.context.ledger.month(REF, '2026-10')
    expect(slots.find(({ number }) => number === slot)?.outcome).toMatchObject({ reportId: '1' })
  })

  /** A slot claimed just now by a process, and an account whose ids tell that they were made just now. */
  async function lostAnswer(by: string) {
    world.dead.add('dead:1')
    const madeAt = world.clock.now()
    const claimed = await world.context.ledger.claim(REF, '2026-10', 50, {
      request: { range: RANGE, wallets: 'all' },
      reason: 'test',
      again: false,
      by,
      claimId: '1',
      claimedAt: madeAt.toISOString(),
    })
    if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome)
    const { provider } = world.account
    const reports = { ...provider.reports!, createdAt: () => madeAt }
    return { slot: claimed.number, account: { ...world.account, provider: { ...provider, reports } } }
  }
})
