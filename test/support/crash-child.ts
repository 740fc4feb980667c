/**
 * One process that runs a stage and kills itself at a write of the store.
 * argv: stage, number of the write, `before` or `after`, argument of the stage
 */

import { openFile } from '../../src/cli/local-file.ts'
import { loadConfig } from '../../src/config/config.ts'
import { readEnv } from '../../src/config/env.ts'
import { advance } from '../../src/pipeline.ts'
import { startServer } from '../../src/server/server.ts'
import { importFile } from '../../src/stages/import.ts'
import { settle } from '../../src/stages/settle.ts'
import { submit } from '../../src/stages/submit.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { sweep } from '../../src/sweep.ts'
import { wire } from '../../src/wiring.ts'
import { CRASH_REQUEST } from './crash-request.ts'
import { shiftedClock } from './shifted-clock.ts'
import { eventually } from './test-daybook.ts'

const [stage = '', number = '0', moment = '', argument = '', start = ''] = process.argv.slice(2)
const daybook = await wire(loadConfig(readEnv()), { clock: shiftedClock(start) })
const { context } = daybook
const account = daybook.accounts[0]!
killAtWrite(context.store, Number.parseInt(number, 10), moment)

const STAGES: Record<string, () => Promise<void>> = {
  async submit() {
    await submit(context, account, { request: CRASH_REQUEST, reason: 'crash', again: false })
  },
  async sweep() {
    await sweep(context, [account])
  },
  /** Takes the callback that comes, and works on it. */
  async serve() {
    const server = await startServer({
      context,
      accounts: [account],
      ...daybook.config.listen,
      maxCallbackBytes: daybook.config.callbacks.maxBytes,
      sweepEveryMs: 3_600_000,
    })
    process.stdout.write('listening\n')
    await eventually(() => context.reports.read(account.ref, argument, 'manifest'), 20_000)
    await server.stop()
  },
  async import() {
    const { reportId } = await importFile(context, account, {
      file: await openFile(argument),
      request: CRASH_REQUEST,
      reportId: undefined,
      generatedAt: undefined,
      by: 'crash',
    })
    await advance(context, account, reportId)
  },
  async settle() {
    const month = context.clock.now().toISOString().slice(0, 7)
    await settle(context, account, { month, slot: 1, reportId: argument, by: 'crash', why: 'known' })
  },
}
await STAGES[stage]!()
await daybook.close()

/** The store's writes are counted from 1; the process dies before one begins, or after it is durable. */
function killAtWrite(store: ObjectStore, last: number, when: string): void {
  let writes = 0
  const die = () => process.kill(process.pid, 'SIGKILL')
  for (const kind of ['create', 'replace'] as const) {
    const write = store[kind] as (...args: unknown[]) => Promise<unknown>
    store[kind] = (async (...args: unknown[]) => {
      const mine = ++writes
      if (mine === last && when === 'before') die()
      const written = await write(...args)
      if (mine === last && when === 'after') die()
      return written
    }) as never
  }
}
