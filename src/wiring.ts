/** Puts the parts together: the only place where stores, providers and settings meet. */
import { type AccountConfig, BINANCE_PAY_ACCOUNT, type PlanningConfig } from './config/accounts.ts'
import type { Config, LoadedConfig, StoreConfig } from './config/config.ts'
import type { DeskSecrets } from './config/desk.ts'
import type { AccountSecrets, Secrets } from './config/secrets.ts'
import { DaybookError, isFault } from './domain/errors.ts'
import {
  type Clock,
  makeWorkFolder,
  mayBeAlive,
  processName,
  type Random,
  systemClock,
  systemRandom,
} from './host.ts'
import { createLog, type Log } from './log.ts'
import type { DownloadOptions } from './providers/download.ts'
import { isAllowedHost } from './providers/download-policy.ts'
import type { Http } from './providers/http.ts'
import { PROVIDERS, type ProbedProvider, type ProviderFactory } from './providers/registry.ts'
import type { Account, Context, Progress } from './stages/context.ts'
import type { ObjectStore } from './stores/object-store.ts'
import { publicKeys } from './stores/public-keys.ts'
import { quotaLedger } from './stores/quota-ledger.ts'
import { reportLog } from './stores/report-log.ts'
import { workLog } from './stores/work-log.ts'

/** An account whose provider can be probed. */
export interface WiredAccount extends Account {
  readonly provider: ProbedProvider
  readonly planning: PlanningConfig
  /** Throws `config-invalid` when there are none. */
  readonly credentials: () => AccountSecrets
}

export interface Daybook {
  readonly config: Config
  readonly deskSecrets: DeskSecrets
  readonly context: Context
  readonly accounts: readonly WiredAccount[]
  /** Closes connections, so that the process can end. */
  close(): Promise<void>
}

export interface WiringOptions {
  readonly clock?: Clock
  readonly random?: Random
  readonly writeLog?: (line: string) => void
  readonly onProgress?: (progress: Progress) => void
  /** Who writes the records: host and process when absent. */
  readonly processName?: string
  /** Those of the registry when absent. */
  readonly providers?: Readonly<Record<string, ProviderFactory>>
}

/** The longest answer of an API; balances of all assets are far below. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20
const DOWNLOAD_SILENCE_MS = 60_000
const DOWNLOAD_DEADLINE_MS = 3_600_000
const NOT_FOUND_PATIENCE_MS = 30_000
const KEY_REFETCH_AFTER_MS = 10_000

export async function wire(
  { config, secrets, deskSecrets }: LoadedConfig,
  options: WiringOptions = {},
): Promise<Daybook> {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const write = options.writeLog ?? (line => void process.stderr.write(line))
  const log = createLog({ write, clock, level: config.logLevel })
  const network = openNetwork(config, clock)
  const store = await openStore(config.store, { clock, random })
  const context: Context = {
    store,
    ledger: quotaLedger(store),
    reports: reportLog(store),
    work: workLog(store),
    polling: config.polling,
    download: network.download,
    allowsHost: host => isAllowedHost(host, config.download.hosts),
    clock,
    random,
    log,
    processName: options.processName ?? processName(),
    makeWorkFolder,
    mayBeAlive,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  }
  const providers = options.providers ?? PROVIDERS
  const parts = { config, secrets, http: network.http, store, clock, random, log, providers }
  return {
    config,
    deskSecrets,
    context,
    accounts: wireAccounts(config.accounts, parts),
    close: network.close,
  }
}

/** Calls and downloads; what they need is loaded by the first of them, for most processes make none. */
function openNetwork(
  config: Config,
  clock: Clock,
): { http: Http; download: Context['download']; close: () => Promise<void> } {
  const downloads: DownloadOptions = {
    allowedHosts: config.download.hosts,
    maxBytes: config.download.maxBytes,
    timeoutMs: DOWNLOAD_SILENCE_MS,
    deadlineMs: DOWNLOAD_DEADLINE_MS,
    notFoundPatienceMs: NOT_FOUND_PATIENCE_MS,
    clock,
  }
  async function open() {
    const [{ createAgent, createHttp }, { createDownloader }] = await Promise.all([
      import('./providers/http.ts'),
      import('./providers/download.ts'),
    ])
    const agent = createAgent({ connectTimeoutMs: 10_000 })
    const http = createHttp({
      dispatcher: agent,
      timeoutMs: config.apiTimeoutMs,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    })
    return { http, download: createDownloader(downloads), close: () => agent.close() }
  }
  let opened: ReturnType<typeof open> | undefined
  const network = () => (opened ??= open())
  return {
    http: async request => (await network()).http(request),
    download: async link => (await network()).download(link),
    close: async () => (await opened)?.close(),
  }
}

interface Parts {
  readonly config: Config
  readonly secrets: Secrets
  readonly http: Http
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly providers: Readonly<Record<string, ProviderFactory>>
}

/** All accounts, or one `config-invalid` that says what is wrong with each of those that cannot be. */
function wireAccounts(accounts: readonly AccountConfig[], parts: Parts): WiredAccount[] {
  const faults: string[] = []
  const wired = accounts.flatMap(account => {
    try {
      return wireAccount(account, parts)
    } catch (error) {
      if (!isFault(error, 'config-invalid')) throw error
      faults.push(`  account ${account.account} (${account.provider}), ${error.message}`)
      return []
    }
  })
  if (faults.length === 0) return wired
  throw new DaybookError('config-invalid', `The accounts have faults:\n${faults.join('\n')}`)
}

function wireAccount(
  account: AccountConfig,
  { config, secrets, store, providers, ...parts }: Parts,
): WiredAccount {
  const credentials = () => credentialsOf(account, secrets)
  const create = Object.hasOwn(providers, account.provider) ? providers[account.provider] : undefined
  if (create === undefined) {
    const says = `provider: expected one of ${Object.keys(providers).join(', ')}`
    throw new DaybookError('config-invalid', says)
  }
  return {
    ref: { provider: account.provider, account: account.account },
    credentials,
    provider: create({
      ...parts,
      keyRecords: publicKeys(store, account.provider),
      baseUrl: account.baseUrl,
      settings: account.settings ?? {},
      secrets: credentials,
      callbackMaxAgeMs: config.callbacks.maxAgeMs,
      keyRefetchAfterMs: KEY_REFETCH_AFTER_MS,
    }),
    monthlyLimit: account.monthlyLimit,
    planning: account.planning,
    zoneMinutes: account.zoneMinutes,
    columns: config.columns,
  }
}

/** Asked for when a request is signed, so that commands that sign nothing need no secrets. */
function credentialsOf({ account, provider }: AccountConfig, secrets: Secrets): AccountSecrets {
  const credentials = secrets.get(account)
  if (credentials !== undefined) return credentials
  const says =
    provider === BINANCE_PAY_ACCOUNT
      ? `The account ${account} has no credentials: set BINANCE_PAY_API_KEY and BINANCE_PAY_SECRET_KEY (or the same with _FILE).`
      : `The account ${account} has no secrets in the file that DAYBOOK_ACCOUNTS names.`
  throw new DaybookError('config-invalid', says, { details: { account } })
}

/** Opens the store; the S3 client is loaded only by those who use it. */
export async function openStore(
  config: StoreConfig,
  { clock, random }: { clock: Clock; random: Random },
): Promise<ObjectStore> {
  if (config.kind === 'folder') {
    const { fileStore } = await import('./stores/file-store.ts')
    return fileStore(config.path, { random })
  }
  const [{ s3Store }, { s3Client }] = await Promise.all([
    import('./stores/s3-store.ts'),
    import('./stores/s3-client.ts'),
  ])
  const { bucket, prefix, endpoint, region } = config
  const client = s3Client({ region, ...(endpoint === undefined ? {} : { endpoint }) })
  return s3Store({ bucket, prefix, client, clock, random })
}
