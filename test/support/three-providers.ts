/** One sandbox that plays all three providers, and a Daybook with an account at each. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/config.ts'
import { systemRandom } from '../../src/host.ts'
import type { ProviderFactory } from '../../src/providers/registry.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { type Daybook, type WiredAccount, wire } from '../../src/wiring.ts'
import { type FixedClock, fixedClock } from './fixed-clock.ts'
import { objectKeys } from './test-daybook.ts'

export const NOW = '2026-10-15T12:00:00.000Z'

export const APP = {
  appId: '798b79c2e33a4d8e866410bf401551a7',
  memberId: '20250619P01B00000075000002',
}
export const ONERWAY_KEY = 'planted-onerway-key'
export const BINANCE = { apiKey: 'test-api-key', secretKey: 'planted-secret-key' }

/** The merchant's own key pair, made once for all tests of a file. */
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const MERCHANT_PRIVATE = pair.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
export const MERCHANT_PUBLIC = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

export interface ThreeProviders {
  readonly folder: string
  readonly store: string
  readonly clock: FixedClock
  readonly sandbox: Sandbox
  readonly daybook: Daybook
  readonly log: string[]
  /** The environment that makes a process see the same. */
  readonly env: Record<string, string>
  account(provider: string): WiredAccount
  /** The same accounts wired once more, with other settings of one provider. */
  rewire(changed: {
    provider?: string
    settings?: Record<string, unknown>
    secrets?: Record<string, string>
    providers?: Readonly<Record<string, ProviderFactory>>
    entries?: readonly unknown[]
  }): Promise<Daybook>
  keys(): Promise<string[]>
  stop(): Promise<void>
}

export async function startThreeProviders(
  knobs: Partial<Knobs> = {},
  clock = fixedClock(NOW),
): Promise<ThreeProviders> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-three-'))
  const store = join(folder, 'store')
  const sandbox = await startSandbox({
    merchants: [
      {
        name: 'test',
        ...BINANCE,
        payermax: { ...APP, publicKey: MERCHANT_PUBLIC },
        onerway: { apiKey: ONERWAY_KEY },
      },
    ],
    seed: 'test',
    knobs: { processingMs: 0, rowsPerDay: 40, certificateBits: '2048', ...knobs },
    clock,
    random: systemRandom,
  })
  const log: string[] = []
  const publicKey = await sandbox.payermaxPublicKey()
  const gateway = `${sandbox.url}/aggregate-pay/api/gateway`
  const paths = {
    balance: '/onerway/account/balance',
    overview: '/onerway/account/overview',
    transactions: '/onerway/account/transactions',
  }
  const entries = [
    { name: 'bp', ...BINANCE },
    {
      name: 'pm',
      provider: 'payermax',
      settings: { baseUrl: gateway, ...APP, publicKey, zones: ['UTC', 'CST'] },
      secrets: { privateKey: MERCHANT_PRIVATE },
    },
    {
      name: 'ow',
      provider: 'onerway',
      settings: { baseUrl: sandbox.url, paths },
      secrets: { apiKey: ONERWAY_KEY },
    },
  ]
  let files = 0
  async function envOf(list: readonly unknown[]): Promise<Record<string, string>> {
    const path = join(folder, `accounts-${++files}.json`)
    await writeFile(path, JSON.stringify({ accounts: list }))
    return {
      DAYBOOK_STORE: store,
      DAYBOOK_ACCOUNTS: path,
      BINANCE_PAY_BASE_URL: sandbox.url,
      DAYBOOK_API_TIMEOUT_SECONDS: '2',
      DAYBOOK_LOG_LEVEL: 'debug',
    }
  }
  const open = async (
    list: readonly unknown[],
    providers?: Readonly<Record<string, ProviderFactory>>,
  ): Promise<Daybook> =>
    wire(loadConfig(await envOf(list)), {
      clock,
      random: systemRandom,
      writeLog: line => log.push(line),
      ...(providers === undefined ? {} : { providers }),
    })
  const daybook = await open(entries)
  const others: Daybook[] = []
  return {
    folder,
    store,
    clock,
    sandbox,
    daybook,
    log,
    env: await envOf(entries),
    account: provider => daybook.accounts.find(({ ref }) => ref.provider === provider)!,
    async rewire({ provider, settings, secrets, providers, entries: more = [] }) {
      const list = entries.map(entry =>
        'provider' in entry && entry.provider === provider
          ? { ...entry, settings: { ...entry.settings, ...settings }, secrets: secrets ?? entry.secrets }
          : provider === 'binance-pay' && entry.name === 'bp'
            ? { ...entry, settings }
            : entry,
      )
      const other = await open([...list, ...more], providers)
      others.push(other)
      return other
    },
    keys: () => objectKeys(store),
    async stop() {
      await Promise.all([daybook, ...others].map(each => each.close()))
      await sandbox.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    },
  }
}

/** What the sandbox was asked at an endpoint, by the code of the answer. */
export function countsOf({ sandbox }: ThreeProviders, endpoint: string): Record<string, number> {
  return { ...sandbox.books().requests[endpoint]?.byCode }
}
