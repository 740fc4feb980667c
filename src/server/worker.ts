/**
 * Moves reports on in the background: those a callback has told of at once, and at start and on a timer
 * every unfinished one. What failed is tried again later and later; a new callback ends the waiting.
 */
import { findFault } from '../domain/errors.ts'
import { errorFields } from '../log.ts'
import { type AdvanceOutcome, advance, unfinishedReports } from '../pipeline.ts'
import type { Account, Context } from '../stages/context.ts'

export interface Worker {
  /** Moves a report on now, or as soon as its turn comes. */
  wake(account: Account, reportId: string): void
  /** Ends the timer and waits for what is running. */
  stop(): Promise<void>
}

export interface WorkerOptions {
  readonly context: Context
  readonly accounts: readonly Account[]
  readonly sweepEveryMs: number
  /** How many reports are worked on at once. */
  readonly atOnce?: number
}

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 3_600_000

interface Job {
  readonly name: string
  readonly account: Account
  readonly reportId: string
  failures: number
  notBefore: number
}

export function startWorker({ context, accounts, sweepEveryMs, atOnce = 2 }: WorkerOptions): Worker {
  const jobs = new Map<string, Job>()
  const queue = new Set<Job>()
  const running = new Map<Job, Promise<void>>()
  const stopping = new AbortController()

  function jobOf(account: Account, reportId: string): Job {
    const name = `${account.ref.provider}/${account.ref.account}/${reportId}`
    const job = jobs.get(name) ?? { name, account, reportId, failures: 0, notBefore: 0 }
    jobs.set(name, job)
    return job
  }

  function fill(): void {
    for (const job of queue) {
      if (running.size >= atOnce || stopping.signal.aborted) return
      if (running.has(job)) continue
      queue.delete(job)
      running.set(
        job,
        run(job).finally(() => {
          running.delete(job)
          fill()
        }),
      )
    }
  }

  async function run(job: Job): Promise<void> {
    const fields = { ...job.account.ref, reportId: job.reportId }
    try {
      const outcome = await advance(context, job.account, job.reportId)
      context.log.debug('report.advanced', {
        ...fields,
        archive: outcome.archive.outcome,
        parse: outcome.parse?.outcome,
      })
      if (isDone(outcome)) {
        jobs.delete(job.name)
        return
      }
      const stuck = stuckAs(outcome)
      if (stuck !== undefined) context.log.warn('report.stuck', { ...fields, ...stuck })
      wait(job, true)
    } catch (error) {
      wait(job, findFault(error)?.retry ?? true)
      context.log.error('report.failed', { ...fields, failures: job.failures, ...errorFields(error) })
    }
  }

  /** What a retry cannot mend is looked at again all the same, but seldom: a person may have mended it. */
  function wait(job: Job, soon: boolean): void {
    const waitMs = soon ? Math.min(FIRST_WAIT_MS * 2 ** job.failures, LONGEST_WAIT_MS) : LONGEST_WAIT_MS
    job.failures++
    job.notBefore = context.clock.now().getTime() + waitMs
  }

  /** A clock that was set back must not make the wait longer than the longest. */
  function isDue({ notBefore }: Job): boolean {
    const waitMs = notBefore - context.clock.now().getTime()
    return waitMs <= 0 || waitMs > LONGEST_WAIT_MS
  }

  async function sweep(): Promise<void> {
    for (const account of accounts) {
      for (const reportId of await unfinishedReports(context, account)) {
        const job = jobOf(account, reportId)
        if (isDue(job)) queue.add(job)
      }
    }
    fill()
  }

  async function sweepForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sweep().catch(error => context.log.error('sweep.failed', errorFields(error)))
      await context.clock.sleep(sweepEveryMs, stopping.signal).catch(() => {})
    }
  }

  const sweeping = sweepForever()
  return {
    wake(account, reportId) {
      const job = jobOf(account, reportId)
      job.failures = 0
      queue.add(job)
      fill()
    },
    async stop() {
      stopping.abort()
      await Promise.all([sweeping, ...running.values()])
    },
  }
}

/** What no waiting will change by itself, so that the owner hears of it. */
function stuckAs({ match, archive, parse }: AdvanceOutcome): Record<string, string> | undefined {
  if (archive.outcome === 'undeliverable') return { reason: 'undeliverable', status: archive.status }
  return parse?.outcome === 'range-unknown' ? { reason: 'range-unknown', match } : undefined
}

function isDone({ parse }: AdvanceOutcome): boolean {
  return parse?.outcome === 'parsed' || parse?.outcome === 'already-parsed'
}
