/** Real processes that are killed before and after every write of every stage; then one sweep. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { spent } from '../../src/domain/quota.ts'
import { isFinished, type Manifest } from '../../src/domain/report.ts'
import { systemRandom } from '../../src/host.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { createApp } from '../../src/server/app.ts'
import { submit } from '../../src/stages/submit.ts'
import { sweep } from '../../src/sweep.ts'
import { type Daybook, wire } from '../../src/wiring.ts'
import { CRASH_REQUEST } from '../support/crash-request.ts'
import { freePort } from '../support/free-port.ts'
import { shiftedClock } from '../support/shifted-clock.ts'
import { CREDENTIALS } from '../support/test-daybook.ts'

export interface CrashPlace {
  /** The environment that names a store of its own. */
  readonly env: Record<string, string>
  stop(): Promise<void>
}

const CHILD = resolve(import.meta.dirname, '../support/crash-child.ts')
const MONTH = '2026-10'
/** More writes than any stage makes: a stage that never ends on its own is a fault. */
const MOST_WRITES = 60
const MATRIX_MS = 400_000

export function describeCrashMatrix(name: string, open: () => Promise<CrashPlace>): void {
  describe(`a process that is killed at any write, on ${name}`, () => {
    let place: CrashPlace
    let sandbox: Sandbox
    let folder: string
    let port: number
    const clock = shiftedClock()
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'daybook-crash-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    let daybook: Daybook
    let env: Record<string, string>
    afterEach(() => close())

    async function begin(): Promise<void> {
      place = await open()
      port = await freePort()
      sandbox = await startSandbox({
        merchants: [
          {
            name: 'test',
            ...CREDENTIALS,
            callbackUrl: `http://127.0.0.1:${port}/callbacks/binance-pay/main`,
          },
        ],
        seed: 'crash',
        knobs: {
          processingMs: 1,
          rowsPerDay: 20,
          callbackLost: true,
          callbackRetries: 20,
          callbackRetryFirstMs: 20,
          callbackRetryFactor: 1,
          clockWindowMs: 60_000,
        },
        clock,
        random: systemRandom,
      })
      env = {
        ...place.env,
        BINANCE_PAY_BASE_URL: sandbox.url,
        BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
        BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
        DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
        DAYBOOK_LISTEN: `127.0.0.1:${port}`,
        DAYBOOK_POLL_FIRST_SECONDS: '1',
        DAYBOOK_POLL_SECONDS: '1',
        DAYBOOK_LOG_LEVEL: 'silent',
      }
      Object.assign(process.env, credentialsOf(place.env))
      daybook = await wire(loadConfig(env), { clock })
      isOpen = true
    }

    let isOpen = false
    async function close(): Promise<void> {
      if (!isOpen) return
      isOpen = false
      await daybook.close()
      await sandbox.stop()
      await place.stop()
    }

    const made = () => sandbox.books().reports.map(({ reportId }) => reportId)
    const account = () => daybook.accounts[0]!

    /** Runs a stage in a process; answers whether it was killed. */
    async function runKilled(stage: string, write: number, moment: string, argument = ''): Promise<boolean> {
      const args = [CHILD, stage, `${write}`, moment, argument, clock.now().toISOString()]
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let talk = ''
      child.stderr.on('data', chunk => {
        talk += chunk
      })
      child.stdout.on('data', chunk => {
        if (`${chunk}`.includes('listening'))
          void sandbox.redeliver(argument, { callbackLost: false }).catch(() => {})
      })
      const [code, signal] = await new Promise<[number | null, string | null]>((done, failed) => {
        child.on('error', failed)
        child.on('close', (...ended) => done(ended))
      })
      if (signal === null && code !== 0) throw new Error(`${stage} ended with ${code}:\n${talk}`)
      return signal === 'SIGKILL'
    }

    /** The callback of every report that was made comes once more, and then one sweep is all there is. */
    async function recover(withCallbacks: boolean): Promise<void> {
      if (withCallbacks) {
        // It takes callbacks and does no more: the sweep is what finishes them.
        const { context, config } = daybook
        const app = createApp({
          context,
          accounts: [account()],
          maxBytes: config.callbacks.maxBytes,
          onReport: () => {},
          onReceive: () => {},
        })
        const server = app.listen(port, '127.0.0.1')
        for (const reportId of made()) await sandbox.redeliver(reportId, { callbackLost: false })
        server.closeAllConnections()
        await new Promise(closed => server.close(closed))
      }
      clock.shift(5_000)
      await sweep(daybook.context, daybook.accounts)
    }

    /** What must hold after every recovery: whole, once, and paid for once. */
    async function expectWhole(ids: readonly string[]): Promise<void> {
      const { reports, ledger, store } = daybook.context
      expect(made().length).toBeLessThanOrEqual(1)
      for (const reportId of ids) {
        const manifest: Manifest | undefined = await reports.read(account().ref, reportId, 'manifest')
        expect(manifest?.rows).toEqual({ read: 60, written: 60, quarantined: 0, outside: 0 })
        expect(manifest?.days.map(({ publication }) => publication)).toEqual(Array(3).fill('published'))
        for (const { key, sha256 } of manifest!.days) {
          const hash = createHash('sha256')
          for await (const chunk of store.read(key)) hash.update(chunk)
          expect(hash.digest('hex')).toBe(sha256)
        }
      }
      const activity = await Array.fromAsync(store.list('activity/'))
      expect(activity).toHaveLength(ids.length > 0 ? 3 : 0)
      const all = await Array.fromAsync(reports.list(account().ref))
      expect(all.filter(({ parts }) => isFinished(parts)).map(({ reportId }) => reportId)).toEqual([...ids])
      expect(all).toHaveLength(ids.length)
      expect(spent(await ledger.month(account().ref, MONTH))).toBeLessThanOrEqual(1)
    }

    /** Every write of a stage, until the stage ends before the write is reached. */
    async function everyWrite(
      prepare: () => Promise<string>,
      stage: string,
      check: (argument: string) => Promise<void>,
    ): Promise<number> {
      for (let write = 1; write <= MOST_WRITES; write++) {
        for (const moment of ['before', 'after']) {
          await begin()
          const argument = await prepare()
          const killed = await runKilled(stage, write, moment, argument)
          try {
            await check(argument)
          } catch (cause) {
            throw new Error(`${stage} killed ${moment} write ${write}`, { cause })
          }
          await close()
          if (!killed) return write - 1
        }
      }
      throw new Error(`${stage} writes more than ${MOST_WRITES} times`)
    }

    async function ask(): Promise<string> {
      const input = { request: CRASH_REQUEST, reason: 'crash', again: false }
      const outcome = await submit(daybook.context, account(), input)
      if (outcome.outcome !== 'accepted') throw new Error(JSON.stringify(outcome))
      clock.shift(2_000)
      return outcome.reportId
    }

    it(
      'submit: what was made is found and whole, and nothing is asked twice',
      async () => {
        const writes = await everyWrite(
          async () => '',
          'submit',
          async () => {
            await recover(true)
            await expectWhole(made())
          },
        )
        expect(writes).toBeGreaterThanOrEqual(4)
      },
      MATRIX_MS,
    )

    it(
      'sweep: the next one completes it',
      async () => {
        const writes = await everyWrite(ask, 'sweep', async reportId => {
          await recover(false)
          await expectWhole([reportId])
        })
        expect(writes).toBeGreaterThanOrEqual(8)
      },
      MATRIX_MS,
    )

    it(
      'serve: a callback that was acknowledged, or not, comes to rows',
      async () => {
        const writes = await everyWrite(ask, 'serve', async reportId => {
          await recover(false)
          await expectWhole([reportId])
        })
        expect(writes).toBeGreaterThanOrEqual(9)
      },
      MATRIX_MS,
    )

    it(
      'import: to bring the file once more completes it',
      async () => {
        const prepare = async () => {
          await writeFile(join(folder, 'by-hand.csv'), importedFile())
          return join(folder, 'by-hand.csv')
        }
        const writes = await everyWrite(prepare, 'import', async path => {
          expect(await runKilled('import', 0, 'never', path)).toBe(false)
          await sweep(daybook.context, daybook.accounts)
          const [imported] = await Array.fromAsync(daybook.context.reports.list(account().ref))
          await expectWhole([imported!.reportId])
        })
        expect(writes).toBeGreaterThanOrEqual(8)
      },
      MATRIX_MS,
    )

    it(
      'settle: to say it once more completes it',
      async () => {
        const prepare = async () => {
          sandbox.setKnobs({ submitFault: 'reset-after-effect' })
          const input = { request: CRASH_REQUEST, reason: 'crash', again: false }
          expect(await submit(daybook.context, account(), input)).toMatchObject({ outcome: 'unknown' })
          clock.shift(2_000)
          return made()[0]!
        }
        const writes = await everyWrite(prepare, 'settle', async reportId => {
          expect(await runKilled('settle', 0, 'never', reportId)).toBe(false)
          await recover(false)
          await expectWhole([reportId])
        })
        expect(writes).toBeGreaterThanOrEqual(4)
      },
      MATRIX_MS,
    )
  })
}

/** Twenty rows on each of the three days. */
function importedFile(): string {
  const lines = ['User_ID,UTC_Time,Account,Operation,Coin,Change,Remark']
  for (const day of ['2026-10-01', '2026-10-02', '2026-10-03'])
    for (let row = 10; row < 30; row++) lines.push(`1,${day} 10:00:${row},Spot,Deposit,USDT,${row}.50,`)
  return `${lines.join('\n')}\n`
}

/** The keys of a store, which its client takes from the process it runs in. */
function credentialsOf(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('AWS_')))
}
