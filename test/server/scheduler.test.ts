import { afterEach, describe, expect, it } from 'vitest'
import { type JobRun, readCron, type When } from '../../src/domain/schedule.ts'
import {
  type Job,
  type Scheduler,
  type SchedulerContext,
  startScheduler,
} from '../../src/server/scheduler.ts'
import { workLog } from '../../src/stores/work-log.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { memoryObjects, memoryStore } from '../support/memory-store.ts'
import { quietLog } from '../support/quiet-log.ts'

const START = '2026-10-15T12:00:00.000Z'
const MINUTE = 60_000
const objects = { current: memoryObjects() }
const running: Scheduler[] = []
afterEach(async () => {
  for (const scheduler of running.splice(0)) await scheduler.stop()
  objects.current = memoryObjects()
})

interface Machine extends SchedulerContext {
  readonly clock: ReturnType<typeof fixedClock>
  readonly log: ReturnType<typeof quietLog>
}

function machine(name = 'a:1', clock = fixedClock(START, 'waits'), fraction = 0.5): Machine {
  return {
    clock,
    random: { hex: () => '', fraction: () => fraction },
    log: quietLog(),
    processName: name,
    mayBeAlive: other => other !== 'dead:1',
    work: workLog(memoryStore(objects.current)),
  }
}

const settled = () => new Promise(resolve => setTimeout(resolve, 5))

/** Moves the clock on in small steps, so that every sleeper has its turn. */
async function pass(clock: Machine['clock'], ms: number, stepMs = 10_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await settled()
    await clock.advance(stepMs)
  }
  await settled()
}

function job(when: When, run: Job['run'] = async () => 'well'): Job {
  return { name: 'job', when, run }
}

function start(context: Machine, ...jobs: Job[]): void {
  running.push(startScheduler(context, jobs))
}

const lastRun = async (): Promise<JobRun | undefined> =>
  (await workLog(memoryStore(objects.current)).job('job')).record

describe('a job that runs every so often', () => {
  it.each([
    [0, [0, 60, 120]],
    [0.5, [0, 63, 126]],
    [0.999, [0, 66, 132]],
  ] as const)(
    'runs at the start and then after its time, at most a tenth later: chance %d',
    async (fraction, expected) => {
      const context = machine('a:1', fixedClock(START, 'waits'), fraction)
      const at: number[] = []
      const run = async () => {
        at.push((context.clock.now().getTime() - new Date(START).getTime()) / 1000)
        return 'well'
      }
      start(context, job({ everyMs: MINUTE }, run))
      await pass(context.clock, 140_000, 1000)
      expect(at).toEqual(expected)
    },
  )

  it('never overlaps itself, however long it takes', async () => {
    const context = machine()
    let now = 0
    let most = 0
    const run = async () => {
      most = Math.max(most, ++now)
      await context.clock.sleep(5 * MINUTE)
      now--
      return 'well'
    }
    start(context, job({ everyMs: MINUTE }, run))
    await pass(context.clock, 30 * MINUTE)
    expect(most).toBe(1)
  })

  it('goes on after a failure, and says what it was', async () => {
    const context = machine()
    let runs = 0
    const run = async () => {
      if (++runs === 1) throw new Error('the store is gone')
      return 'well'
    }
    start(context, job({ everyMs: MINUTE }, run))
    await settled()
    expect(await lastRun()).toMatchObject({ outcome: 'failed', says: 'the store is gone', by: 'a:1' })
    await pass(context.clock, 2 * MINUTE)
    expect(await lastRun()).toMatchObject({ outcome: 'done', says: 'well' })
  })

  it('is written down when its outcome changes, not every time', async () => {
    const context = machine()
    start(context, job({ everyMs: MINUTE }))
    await pass(context.clock, 9 * MINUTE)
    expect(objects.current.writes).toBe(1)
    await pass(context.clock, 5 * MINUTE)
    expect(objects.current.writes).toBe(2)
  })
})

describe('a job that is due at minutes', () => {
  const cron = (text: string, jitterMs = 0): When => ({ cron: readCron(text)!, jitterMs })

  it('runs at each of them once, in UTC, and says when it is due next', async () => {
    const context = machine()
    const at: string[] = []
    const run = async () => {
      at.push(context.clock.now().toISOString().slice(11, 16))
      return 'well'
    }
    start(context, job(cron('*/10 * * * *'), run))
    await pass(context.clock, 35 * MINUTE)
    expect(at).toEqual(['12:10', '12:20', '12:30'])
    expect(await lastRun()).toMatchObject({ outcome: 'done', nextAt: '2026-10-15T12:40:00.000Z' })
  })

  it('begins later by chance, within bounds', async () => {
    const context = machine('a:1', fixedClock(START, 'waits'), 0.5)
    const at: string[] = []
    const run = async () => {
      at.push(context.clock.now().toISOString().slice(11, 19))
      return 'well'
    }
    start(context, job(cron('10 12 * * *', 4 * MINUTE), run))
    await pass(context.clock, 20 * MINUTE)
    expect(at).toEqual(['12:12:00'])
  })

  it('is run by one of many machines', async () => {
    const clock = fixedClock(START, 'waits')
    const runs: string[] = []
    for (const name of ['a:1', 'b:1', 'c:1', 'd:1'])
      start(
        machine(name, clock),
        job(cron('*/10 * * * *', 1000), async () => {
          runs.push(`${name} ${clock.now().toISOString().slice(11, 16)}`)
          return 'well'
        }),
      )
    await pass(clock, 25 * MINUTE)
    expect(runs.map(run => run.slice(-5)).sort()).toEqual(['12:10', '12:20'])
  })

  it('is run late when the machine was away, and not again', async () => {
    await workLog(memoryStore(objects.current)).writeJob(ranAt('2026-10-15T11:50:00.000Z', 'done'), undefined)
    const context = machine()
    let runs = 0
    const run = async () => `${++runs}`
    start(context, job(cron('*/5 * * * *'), run))
    await settled()
    expect(runs).toBe(1)
    await pass(context.clock, 4 * MINUTE)
    expect(runs).toBe(1)
    start(machine('b:1', context.clock), job(cron('*/5 * * * *'), run))
    await settled()
    expect(runs).toBe(1)
  })

  it.each([
    ['dead:1', 1],
    ['alive:1', 0],
  ])('that %s has begun and not ended is run again only when that has died', async (by, expected) => {
    const run = { ...ranAt(START, 'running'), by, endedAt: null }
    await workLog(memoryStore(objects.current)).writeJob(run, undefined)
    let runs = 0
    start(
      machine(),
      job(cron('0 12 * * *'), async () => `${++runs}`),
    )
    await settled()
    expect(runs).toBe(expected)
  })

  it('waits for its first minute when it has never run', async () => {
    let runs = 0
    start(
      machine(),
      job(cron('0 12 * * *'), async () => `${++runs}`),
    )
    await settled()
    expect(runs).toBe(0)
  })

  it('that fails is tried again after longer and longer waits, until it is due anew', async () => {
    const context = machine()
    const tries: string[] = []
    const run = async () => {
      tries.push(context.clock.now().toISOString().slice(11, 16))
      throw new Error('away')
    }
    start(context, { ...job(cron('1,31 12 * * *'), run), retryMs: [MINUTE, 10 * MINUTE] })
    await pass(context.clock, 34 * MINUTE)
    expect(tries).toEqual(['12:01', '12:02', '12:12', '12:22', '12:31', '12:32'])
    expect(await lastRun()).toMatchObject({ outcome: 'failed', failures: 2, says: 'away' })
    expect((await lastRun())?.nextAt).toMatch(/^2026-10-15T12:42/)
  })

  it('that fails shortly before it is due anew waits for that', async () => {
    const context = machine()
    const run = async () => {
      throw new Error('away')
    }
    start(context, { ...job(cron('1,31 12 * * *'), run), retryMs: [45 * MINUTE] })
    await pass(context.clock, 3 * MINUTE)
    expect((await lastRun())?.nextAt).toBe('2026-10-15T12:31:00.000Z')
  })

  it('that failed is tried again by another process when its own has died, and not once it has served', async () => {
    const clock = fixedClock(START, 'waits')
    const failing = machine('a:1', clock)
    start(failing, {
      ...job(cron('1 12 * * *'), async () => {
        throw new Error('away')
      }),
      retryMs: [10 * MINUTE],
    })
    await pass(clock, 3 * MINUTE)
    await running.pop()!.stop()
    let runs = 0
    const well = async () => `${++runs}`
    start(machine('b:1', clock), { ...job(cron('1 12 * * *'), well), retryMs: [10 * MINUTE] })
    await pass(clock, 4 * MINUTE)
    expect(runs).toBe(0)
    await pass(clock, 40 * MINUTE)
    expect(runs).toBe(1)
    expect(await lastRun()).toMatchObject({ outcome: 'done', failures: 0, by: 'b:1' })
  })

  it('ends within its work when it is stopped, and begins no other', async () => {
    const context = machine()
    let ended = false
    const run = async (signal: AbortSignal) => {
      await context.clock.sleep(10 * MINUTE, signal).catch(() => {})
      ended = true
      return 'well'
    }
    start(context, job(cron('1 12 * * *'), run))
    await pass(context.clock, 2 * MINUTE)
    await running.pop()!.stop()
    expect(ended).toBe(true)
    expect(context.clock.sleeping()).toBe(0)
  })
})

function ranAt(dueAt: string, outcome: JobRun['outcome']): JobRun {
  const rest = { by: 'x:1', outcome, says: '', failures: 0, endedAt: dueAt, nextAt: null }
  return { job: 'job', dueAt, begunAt: dueAt, ...rest }
}
