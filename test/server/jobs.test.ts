import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextMinute } from '../../src/domain/schedule.ts'
import { jobsOf } from '../../src/server/jobs.ts'
import { type Scheduler, startScheduler } from '../../src/server/scheduler.ts'
import { fetchActivity } from '../../src/stages/fetch-activity.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { submit } from '../../src/stages/submit.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { runDaybook } from '../support/run-daybook.ts'
import { eventually } from '../support/test-daybook.ts'
import { BINANCE, startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'

const ASK = 'ask/binance-pay/bp'
const PROVING = [
  'fetch/onerway/ow',
  'reconcile/binance-pay/bp',
  'reconcile/payermax/pm',
  'reconcile/onerway/ow',
]
const SNAPSHOTS = ['snapshot/binance-pay/bp', 'snapshot/payermax/pm', 'snapshot/onerway/ow']

let three: ThreeProviders
afterEach(() => three.stop())

function jobsFor({ context, accounts }: ThreeProviders['daybook'], isDaily = true) {
  return jobsOf(context, accounts, { sweepEveryMs: 86_400_000, daily: isDaily })
}

function run(name: string, jobs = jobsFor(three.daybook)): Promise<string> {
  return jobs.find(job => job.name === name)!.run(new AbortController().signal)
}

const generations = () => three.sandbox.books().generationsByMonth.test?.['2026-10'] ?? 0
const snapshots = async () => (await three.keys()).filter(key => key.startsWith('snapshots/'))

describe('the jobs of a day', () => {
  beforeEach(async () => {
    three = await startThreeProviders()
  })

  it('are those that the accounts have a use for', async () => {
    const names = (jobs: ReturnType<typeof jobsOf>) => jobs.map(({ name }) => name)
    expect(names(jobsFor(three.daybook))).toEqual(['sweep', ASK, ...SNAPSHOTS, ...PROVING])
    expect(names(jobsFor(three.daybook, false))).toEqual(['sweep'])
    const entries = [{ name: 'quiet', apiKey: 'other-key', secretKey: BINANCE.secretKey, cadence: 'off' }]
    const more = names(jobsFor(await three.rewire({ entries })))
    expect(more).toContain('snapshot/binance-pay/quiet')
    expect(more).not.toContain('ask/binance-pay/quiet')
  })

  it('begin after midnight (UTC), balances first', () => {
    const firstOf = (name: string) => {
      const { when } = jobsFor(three.daybook).find(job => job.name === name)!
      if (!('cron' in when)) throw new Error(name)
      return nextMinute(when.cron, new Date('2026-10-31T00:00:00Z'))?.toISOString()
    }
    expect(SNAPSHOTS.map(firstOf)).toEqual([
      '2026-10-31T00:02:00.000Z',
      '2026-10-31T00:20:00.000Z',
      '2026-10-31T00:02:00.000Z',
    ])
    expect(PROVING.map(firstOf)).toEqual([
      '2026-10-31T01:10:00.000Z',
      '2026-10-31T01:40:00.000Z',
      '2026-10-31T01:40:00.000Z',
      '2026-10-31T01:40:00.000Z',
    ])
    expect(firstOf(ASK)).toBe('2026-10-31T06:15:00.000Z')
  })

  it('ask for each day once, and leave the reserve to people', async () => {
    expect(await run(ASK)).toMatch(/^2026-10-12: report \d+$/)
    expect(await run(ASK)).toBe('nothing due up to 2026-10-12')
    three.clock.set('2026-10-17T06:15:00Z')
    expect(await run(ASK)).toMatch(/^2026-10-13 to 2026-10-14: report \d+$/)
    expect(generations()).toBe(2)
    const few = [{ name: 'few', apiKey: 'few-key', secretKey: 'x', monthlyLimit: 3, reserve: 3 }]
    expect(await run('ask/binance-pay/few', jobsFor(await three.rewire({ entries: few })))).toBe(
      '2026-10-14: no report left of the 0 of 2026-10 that a schedule may use',
    )
    expect(generations()).toBe(2)
  })

  it('say that a day was asked for by a person', async () => {
    const request = { range: { start: '2026-10-12', end: '2026-10-13' }, wallets: 'all' } as const
    const account = three.account('binance-pay')
    await submit(three.daybook.context, account, { request, reason: 'command', again: false })
    expect(await run(ASK)).toBe('nothing due up to 2026-10-12')
    expect(generations()).toBe(1)
  })

  it('fail when the provider refuses, and say why', async () => {
    three.sandbox.setKnobs({ ipAllowed: false })
    await expect(run(ASK)).rejects.toThrow('400004')
  })

  it('record what is held now, and how the day closed once', async () => {
    expect(await run('snapshot/binance-pay/bp')).toBe('14 balances of 2026-10-15')
    expect(await run('snapshot/payermax/pm')).toBe('12 balances of 2026-10-14')
    expect(await run('snapshot/payermax/pm')).toBe('the balances of 2026-10-14 are here')
    expect(await snapshots()).toHaveLength(2)
  })

  it('make up for days that were missed, from the first one here on', async () => {
    expect(await run('fetch/onerway/ow')).toMatch(/^\d+ rows of 2026-10-14$/)
    await run('snapshot/payermax/pm')
    three.clock.set('2026-10-18T01:10:00Z')
    expect(await run('snapshot/payermax/pm')).toBe(
      '12 balances of 2026-10-17; 12 balances of 2026-10-15; 12 balances of 2026-10-16',
    )
    expect(await run('fetch/onerway/ow')).toMatch(
      /^\d+ rows of 2026-10-17; \d+ rows of 2026-10-16; \d+ rows of 2026-10-15$/,
    )
    expect(await run('fetch/onerway/ow')).toBe('nothing missing')
  })

  it('reconcile what can be judged, and again only what does not add up or rests on something new', async () => {
    for (const at of ['2026-10-16T00:20:00Z', '2026-10-17T00:20:00Z', '2026-10-18T00:20:00Z']) {
      three.clock.set(at)
      if (at.startsWith('2026-10-17'))
        three.sandbox.setKnobs({ breakKind: 'wrong-total', breakDay: '2026-10-16' })
      await run('snapshot/payermax/pm')
    }
    const days = async () => {
      const says = await run('reconcile/payermax/pm')
      return says.split('; ').filter(line => !line.includes('incomplete'))
    }
    expect(await days()).toEqual([
      '2026-10-15 matched',
      expect.stringMatching(/^2026-10-16 break in R1\/123456\/USD\/UTC, R1\/123456\/USD\/UTC\+08:00, R3/),
    ])
    expect(await days()).toEqual([expect.stringMatching(/^2026-10-16 break/)])
    three.sandbox.setKnobs({ breakKind: 'none' })
    const { context } = three.daybook
    await snapshot(context, three.account('payermax'), { day: '2026-10-16', reason: 'test', again: true })
    expect(await days()).toEqual(['2026-10-16 matched'])
    expect(await days()).toEqual([])
  })

  it('reconcile a day that added up once more when its movements are told anew', async () => {
    const jobs = jobsFor(
      await three.rewire({ provider: 'onerway', settings: { activityTargetConfirmed: true } }),
    )
    const runAt = (at: string, name: string) => {
      three.clock.set(at)
      return run(name, jobs)
    }
    await runAt('2026-10-15T23:58:00Z', 'snapshot/onerway/ow')
    await runAt('2026-10-16T01:10:00Z', 'fetch/onerway/ow')
    await runAt('2026-10-17T00:02:00Z', 'snapshot/onerway/ow')
    await runAt('2026-10-18T01:10:00Z', 'fetch/onerway/ow')
    const adds = async () => (await run('reconcile/onerway/ow', jobs)).includes('2026-10-16 ')
    expect(await run('reconcile/onerway/ow', jobs)).toContain('2026-10-16 matched')
    expect(await adds()).toBe(false)
    three.sandbox.setKnobs({ breakKind: 'doubled-row', breakDay: '2026-10-16' })
    await fetchActivity(three.daybook.context, three.account('onerway'), '2026-10-16')
    three.clock.set('2026-10-18T01:11:00Z')
    await fetchActivity(three.daybook.context, three.account('onerway'), '2026-10-16')
    expect(await run('reconcile/onerway/ow', jobs)).toContain('2026-10-16 break in R6/USD')
  })

  it('say of Onerway that nothing is proved while its target is not confirmed', async () => {
    for (const at of ['2026-10-15T23:58:00Z', '2026-10-17T00:02:00Z']) {
      three.clock.set(at)
      await run('snapshot/onerway/ow')
    }
    for (const at of ['2026-10-16T01:10:00Z', '2026-10-18T01:10:00Z']) {
      three.clock.set(at)
      await run('fetch/onerway/ow')
    }
    expect(await run('reconcile/onerway/ow')).toContain('2026-10-16 unproven')
  })
})

describe('two machines that share a store', () => {
  const schedulers: Scheduler[] = []
  beforeEach(async () => {
    three = await startThreeProviders({}, fixedClock('2026-10-15T23:50:00.000Z', 'waits'))
  })
  afterEach(() => Promise.all(schedulers.splice(0).map(scheduler => scheduler.stop())))

  /** Moves the clock on, but not while a job is at work: a signature is good for a moment only. */
  async function passUntilDone(names: readonly string[], day: string): Promise<void> {
    const { work } = three.daybook.context
    await eventually(async () => {
      const runs = await work.jobs()
      const isDone = (name: string) =>
        runs.some(({ job, dueAt, outcome }) => job === name && dueAt?.startsWith(day) && outcome === 'done')
      if (names.every(isDone)) return true
      if (!runs.some(({ outcome }) => outcome === 'running')) await three.clock.advance(60_000)
      return undefined
    }, 30_000)
  }

  it('record balances and ask for the newest day once a day, and status shows it', async () => {
    for (const daybook of [three.daybook, await three.rewire({})])
      schedulers.push(startScheduler(daybook.context, jobsFor(daybook)))
    for (const day of ['2026-10-16', '2026-10-17']) {
      await passUntilDone(SNAPSHOTS, day)
      three.clock.set(`${day}T06:14:00.000Z`)
      await passUntilDone([ASK], day)
      three.clock.set(`${day}T23:59:00.000Z`)
    }
    expect(generations()).toBe(2)
    const daily = await snapshots()
    expect(daily.filter(key => key.includes('payermax'))).toHaveLength(2)
    for (const day of ['2026-10-16', '2026-10-17'])
      for (const name of ['binance-pay', 'onerway']) {
        const hours = daily.filter(key => key.includes(`${name}/`) && key.includes(`/${day}/`))
        // One machine reads at each of its minutes.
        expect(new Set(hours.map(key => key.slice(-25, -12))).size).toBe(hours.length)
        expect(hours.length).toBeGreaterThan(0)
      }
    const { stdout } = await runDaybook(['status'], three.env)
    expect(stdout).toMatch(/job ask\/binance-pay\/bp: done at 2026-10-17T06:\d\d:\d\dZ \(2026-10-14: report/)
    for (const name of SNAPSHOTS) {
      const line = `job ${name}: done at 2026-10-17T\\d\\d:\\d\\d:\\d\\dZ \\(\\d+ balances of 2026-10-1[67]\\); next 2026-10-1[78]T\\d\\d:\\d\\d:00Z`
      expect(stdout).toMatch(new RegExp(line))
    }
  }, 60_000)
})
