/** A whole Daybook for a test: a folder of its own, a sandbox, real HTTP, and a clock that starts mid-month. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { loadConfig } from '../../src/config/config.ts'
import { systemRandom } from '../../src/host.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { type Daybook, type WiredAccount, wire } from '../../src/wiring.ts'
import { shiftedClock } from './shifted-clock.ts'

export const CREDENTIALS = { apiKey: 'test-api-key', secretKey: 'planted-secret-key' }

export interface TestDaybook {
  readonly folder: string
  readonly clock: ReturnType<typeof shiftedClock>
  readonly sandbox: Sandbox
  readonly daybook: Daybook
  readonly account: WiredAccount
  readonly server: Server
  /** Every link that let or lets a person into the desk, the newest last. */
  readonly loginLinks: string[]
  /** Everything that was logged. */
  readonly log: string[]
  /** Every object of the store, by key, in order. */
  keys(): Promise<string[]>
  /** Stops everything and removes the folder. */
  stop(): Promise<void>
}

export interface TestDaybookOptions {
  readonly knobs?: Partial<Knobs>
  readonly env?: Record<string, string>
  /** Without a server no callback can arrive. */
  readonly serve?: boolean
  /** When the clock starts; the middle of a month when absent. */
  readonly start?: string
  /** Whether there is a desk, on a port of its own. */
  readonly desk?: boolean
  /** Hosts that files may be fetched from, beside the sandbox's. */
  readonly hosts?: readonly string[]
}

export async function startTestDaybook(options: TestDaybookOptions = {}): Promise<TestDaybook> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-test-'))
  const clock = shiftedClock(options.start)
  const sandbox = await startSandbox({
    merchants: [{ name: 'test', ...CREDENTIALS }],
    seed: 'test',
    knobs: { processingMs: 50, rowsPerDay: 50, callbackRetryFirstMs: 50, ...options.knobs },
    clock,
    random: systemRandom,
  })
  const log: string[] = []
  const loaded = loadConfig({
    DAYBOOK_STORE: join(folder, 'store'),
    BINANCE_PAY_BASE_URL: sandbox.url,
    BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
    BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
    DAYBOOK_DOWNLOAD_HOSTS: [`127.0.0.1:${sandbox.port}`, ...(options.hosts ?? [])].join(','),
    DAYBOOK_LISTEN: '127.0.0.1:0',
    DAYBOOK_DESK_LISTEN: options.desk === true ? '127.0.0.1:0' : 'off',
    DAYBOOK_SWEEP_SECONDS: '1',
    DAYBOOK_POLL_FIRST_SECONDS: '1',
    DAYBOOK_POLL_SECONDS: '1',
    DAYBOOK_API_TIMEOUT_SECONDS: '2',
    DAYBOOK_LOG_LEVEL: 'debug',
    ...options.env,
  })
  const daybook = await wire(loaded, { clock, random: systemRandom, writeLog: line => log.push(line) })
  const loginLinks: string[] = []
  const { desk } = daybook.config
  const server = await startServer({
    context: daybook.context,
    accounts: options.serve === false ? [] : daybook.accounts,
    ...daybook.config.listen,
    maxCallbackBytes: daybook.config.callbacks.maxBytes,
    sweepEveryMs: daybook.config.sweepEveryMs,
    daily: false,
    ...(desk === undefined
      ? {}
      : {
          desk: {
            config: desk,
            secrets: daybook.deskSecrets,
            personName: 'tester@here',
            onLoginLink: (link: string) => void loginLinks.push(link),
          },
        }),
  })
  sandbox.setKnobs({ callbackUrl: `${server.url}/callbacks/binance-pay/main` })
  return {
    folder,
    clock,
    sandbox,
    daybook,
    account: daybook.accounts[0]!,
    server,
    loginLinks,
    log,
    keys: () => objectKeys(join(folder, 'store')),
    async stop() {
      await sandbox.stop()
      await server.stop()
      await daybook.close()
      // A callback whose sender has gone away may still be writing its record.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    },
  }
}

/** The keys of a folder store, without the store's own files. */
export async function objectKeys(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .filter(key => !key.startsWith('.'))
    .sort()
}

/** The bytes of every object of a folder store but for advice, which a server that runs renews by itself. */
export async function objectBytes(root: string): Promise<Map<string, Buffer>> {
  const keys = (await objectKeys(root)).filter(key => !key.startsWith('work/'))
  return new Map(await Promise.all(keys.map(async key => [key, await readFile(join(root, key))] as const)))
}

/** Waits until `look` answers something. */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
  patienceMs = 10_000,
): Promise<T> {
  const ends = performance.now() + patienceMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > ends) throw new Error(`not seen within ${patienceMs} ms: ${look.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
