/**
 * Runs jobs when they are due: a loop a job, so a job never overlaps itself. A job that is due at minutes is
 * run by one of all processes: by whoever writes its run over the one before. What ran last is in the store.
 */

import { type JobRun, lastMinute, nextMinute, type When } from '../domain/schedule.ts'
import { errorFields } from '../log.ts'
import type { Context } from '../stages/context.ts'
import type { Advice, WorkLog } from '../stores/work-log.ts'

export interface Job {
  readonly name: string
  readonly when: When
  /** Waits before a run that failed is tried again, until it is due anew; it is not tried again when absent. */
  readonly retryMs?: readonly number[]
  /** Does the work and says in words what it did. It must bear to be run twice, and to be killed. */
  run(signal: AbortSignal): Promise<string>
}

export interface Scheduler {
  /** Ends the waiting, and waits for what runs. */
  stop(): Promise<void>
}

export type SchedulerContext = Pick<Context, 'clock' | 'random' | 'log' | 'processName' | 'mayBeAlive'> & {
  readonly work: Pick<WorkLog, 'job' | 'writeJob'>
}

/** How much longer than its time a job that runs every so often waits at most, as a part of it. */
const EVERY_JITTER = 0.1

/** A run of the same outcome is written down this often, not every time. */
const WRITE_EVERY_MS = 600_000

/** A run that has not ended by then never will. */
const LONGEST_RUN_MS = 6 * 3_600_000

/** How often a job that may be tried again is looked at: whoever failed may have died since. */
const LOOK_EVERY_MS = 300_000

/** Longer waits are cut, so that a clock that is set, or a machine that slept, is noticed. */
const LONGEST_SLEEP_MS = 60_000

export function startScheduler(context: SchedulerContext, jobs: readonly Job[]): Scheduler {
  const stopping = new AbortController()
  const loops = jobs.map(job =>
    'everyMs' in job.when
      ? runEvery(context, job, job.when.everyMs, stopping.signal)
      : runAtMinutes(context, job, job.when, stopping.signal),
  )
  return {
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

async function runEvery(
  context: SchedulerContext,
  job: Job,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  let written: JobRun | undefined
  while (!signal.aborted) {
    const begunAt = context.clock.now()
    const result = await runOnce(context, job, signal)
    const endedAt = context.clock.now()
    const waitMs = Math.round(everyMs * (1 + EVERY_JITTER * context.random.fraction()))
    const run = runOf(context, job, null, begunAt, {
      ...result,
      endedAt: endedAt.toISOString(),
      failures: result.outcome === 'failed' ? (written?.failures ?? 0) + 1 : 0,
      nextAt: new Date(endedAt.getTime() + waitMs).toISOString(),
    })
    if (isNews(run, written, endedAt)) {
      await keep(context, run)
      written = run
    }
    await sleepUntil(context, new Date(endedAt.getTime() + waitMs), signal)
  }
}

function isNews(run: JobRun, written: JobRun | undefined, now: Date): boolean {
  if (written === undefined || written.outcome !== run.outcome || written.says !== run.says) return true
  return now.getTime() - new Date(written.begunAt).getTime() >= WRITE_EVERY_MS
}

/** Writes a run over whatever stands; when others write too, theirs will do. */
async function keep({ work, log }: SchedulerContext, run: JobRun): Promise<void> {
  try {
    const { etag } = await work.job(run.job)
    await work.writeJob(run, etag)
  } catch (error) {
    log.warn('job.unrecorded', { job: run.job, ...errorFields(error) })
  }
}

async function runAtMinutes(
  context: SchedulerContext,
  job: Job,
  when: Extract<When, { cron: unknown }>,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = context.clock.now()
  while (!signal.aborted) {
    const now = context.clock.now()
    const due = await dueMinute(context, job, when, startedAt, now)
    const nextAt = nextMinute(when.cron, now)
    // A year without the minute: `readCron` takes no fields that never come.
    if (nextAt === undefined) return
    let retryAt: Date | undefined
    if (due !== undefined) {
      const jitterMs = due.isRetry ? 0 : when.jitterMs
      await context.clock.sleep(Math.floor(jitterMs * context.random.fraction()), signal).catch(() => {})
      if (!signal.aborted) retryAt = await runDue(context, job, due.at, nextAt, signal)
    }
    const lookAt = new Date(context.clock.now().getTime() + LOOK_EVERY_MS)
    const wakeAt = retryAt ?? (job.retryMs === undefined ? nextAt : lookAt)
    await sleepUntil(context, wakeAt < nextAt ? wakeAt : nextAt, signal)
  }
}

interface Due {
  readonly at: Date
  /** It was run, and failed. */
  readonly isRetry: boolean
}

/** The minute that nobody has run, if there is one. A job that has never run waits for its first minute. */
async function dueMinute(
  context: SchedulerContext,
  job: Job,
  { cron }: Extract<When, { cron: unknown }>,
  startedAt: Date,
  now: Date,
): Promise<Due | undefined> {
  const last = lastMinute(cron, now)
  if (last === undefined) return undefined
  try {
    const { record } = await context.work.job(job.name)
    if (record === undefined) return last > startedAt ? { at: last, isRetry: false } : undefined
    const isRetry = record.dueAt === last.toISOString() && record.outcome === 'failed'
    return isTaken(context, job, record, last, now) ? undefined : { at: last, isRetry }
  } catch (error) {
    context.log.error('job.failed', { job: job.name, ...errorFields(error) })
    return undefined
  }
}

function isTaken(
  { mayBeAlive }: SchedulerContext,
  { retryMs }: Job,
  run: JobRun,
  due: Date,
  now: Date,
): boolean {
  if (run.dueAt === null || run.dueAt < due.toISOString()) return false
  if (run.outcome === 'failed' && retryMs !== undefined)
    return run.nextAt === null || now.toISOString() < run.nextAt
  const ranMs = now.getTime() - new Date(run.begunAt).getTime()
  return run.outcome !== 'running' || (mayBeAlive(run.by) && ranMs < LONGEST_RUN_MS)
}

/**
 * Takes the minute before the run; of several processes one can, and the others leave it. Answers when to try
 * again, where it failed.
 */
async function runDue(
  context: SchedulerContext,
  job: Job,
  due: Date,
  nextAt: Date,
  signal: AbortSignal,
): Promise<Date | undefined> {
  try {
    const now = context.clock.now()
    const standing: Advice<JobRun> = await context.work.job(job.name)
    const { record } = standing
    if (record !== undefined && isTaken(context, job, record, due, now)) return undefined
    const before = record?.dueAt === due.toISOString() ? record.failures : 0
    const begun = { outcome: 'running' as const, says: '', endedAt: null, failures: before }
    const next = { nextAt: nextAt.toISOString() }
    const taken = await context.work.writeJob(
      runOf(context, job, due, now, { ...begun, ...next }),
      standing.etag,
    )
    if (taken === undefined) return undefined
    const result = await runOnce(context, job, signal)
    const endedAt = context.clock.now()
    const failures = result.outcome === 'failed' ? before + 1 : 0
    const retryAt = result.outcome === 'failed' ? retryOf(job, failures, endedAt, nextAt) : undefined
    const ended = { ...result, endedAt: endedAt.toISOString(), failures }
    await keep(
      context,
      runOf(context, job, due, now, { ...ended, nextAt: (retryAt ?? nextAt).toISOString() }),
    )
    return retryAt
  } catch (error) {
    context.log.error('job.failed', { job: job.name, ...errorFields(error) })
    return undefined
  }
}

/** Only while the run can still serve: once it is due anew, it is a new run. */
function retryOf({ retryMs }: Job, failures: number, endedAt: Date, nextAt: Date): Date | undefined {
  const waitMs = retryMs?.[Math.min(failures, retryMs.length) - 1]
  const at = waitMs === undefined ? undefined : new Date(endedAt.getTime() + waitMs)
  return at !== undefined && at < nextAt ? at : undefined
}

/** Never throws: a job that failed is run again when it is due again. */
async function runOnce(
  { log }: SchedulerContext,
  job: Job,
  signal: AbortSignal,
): Promise<Pick<JobRun, 'outcome' | 'says'>> {
  try {
    const says = await job.run(signal)
    log.debug('job.done', { job: job.name, says })
    return { outcome: 'done', says }
  } catch (error) {
    const fields = errorFields(error)
    log.error('job.failed', { job: job.name, ...fields })
    return { outcome: 'failed', says: String(fields.says ?? fields.error ?? 'unknown error') }
  }
}

function runOf(
  { processName }: SchedulerContext,
  job: Job,
  due: Date | null,
  begunAt: Date,
  rest: Pick<JobRun, 'outcome' | 'says' | 'endedAt' | 'nextAt' | 'failures'>,
): JobRun {
  return {
    job: job.name,
    dueAt: due?.toISOString() ?? null,
    begunAt: begunAt.toISOString(),
    by: processName,
    ...rest,
  }
}

async function sleepUntil({ clock }: SchedulerContext, until: Date, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const waitMs = until.getTime() - clock.now().getTime()
    if (waitMs <= 0) return
    await clock.sleep(Math.min(waitMs, LONGEST_SLEEP_MS), signal).catch(() => {})
  }
}
