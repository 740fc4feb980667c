/**
 * Moves reports on in the background: those a callback has told of at once, and by the scheduler's jobs
 * every unfinished one.
 */
import { errorFields } from '../log.ts'
import type { Account, Context } from '../stages/context.ts'
import { moveOn } from '../sweep.ts'
import { type JobSettings, jobsOf } from './jobs.ts'
import { startScheduler } from './scheduler.ts'

export interface Worker {
  /** Moves a report on now, or as soon as its turn comes. */
  wake(account: Account, reportId: string): void
  /** Ends the timers and waits for what is running. */
  stop(): Promise<void>
}

export interface WorkerOptions extends JobSettings {
  readonly context: Context
  readonly accounts: readonly Account[]
  /** How many reports are worked on at once, beside those of the sweep. */
  readonly atOnce?: number
}

interface News {
  readonly account: Account
  readonly reportId: string
}

export function startWorker({ context, accounts, atOnce = 2, ...settings }: WorkerOptions): Worker {
  // The newest news of a report stands for all of it; what is told while it is worked on comes after.
  const queue = new Map<string, News>()
  const running = new Map<string, Promise<void>>()
  let stopped = false

  function fill(): void {
    for (const [name, news] of queue) {
      if (running.size >= atOnce || stopped) return
      if (running.has(name)) continue
      queue.delete(name)
      running.set(
        name,
        run(news).finally(() => {
          running.delete(name)
          fill()
        }),
      )
    }
  }

  /** A failure is in the log and in the report's last try; a store that fails too leaves it to the sweep. */
  async function run({ account, reportId }: News): Promise<void> {
    try {
      await moveOn(context, account, reportId)
    } catch (error) {
      context.log.error('report.failed', { ...account.ref, reportId, ...errorFields(error) })
    }
  }

  const scheduler = startScheduler(context, jobsOf(context, accounts, settings))
  return {
    wake(account, reportId) {
      queue.set(`${account.ref.provider}/${account.ref.account}/${reportId}`, { account, reportId })
      fill()
    },
    async stop() {
      stopped = true
      await Promise.all([scheduler.stop(), ...running.values()])
    },
  }
}
