/** The configuration: read once, checked whole, free of secrets. */
import { resolve } from 'node:path'
import type { AddedColumns } from '../domain/column-names.ts'
import { checkPrefix } from '../domain/keys.ts'
import type { PollPolicy } from '../domain/polling.ts'
import { LOG_LEVELS, type LogLevel } from '../log.ts'
import { type AccountConfig, readAccounts } from './accounts.ts'
import { readColumns } from './columns.ts'
import { type DeskConfig, type DeskSecrets, readDesk } from './desk.ts'
import type { Env } from './env.ts'
import { collectFaults, type Faults } from './faults.ts'
import type { Secrets } from './secrets.ts'
import { type Listen, plainUrl, readList, readListen, readWhole, textOf } from './values.ts'

export type StoreConfig =
  | { kind: 'folder'; path: string }
  | { kind: 's3'; bucket: string; prefix: string; endpoint: string | undefined; region: string }

export interface Config {
  readonly store: StoreConfig
  readonly accounts: readonly AccountConfig[]
  /** Names of columns beside those of the table, for the files of all accounts. */
  readonly columns: AddedColumns
  readonly download: { readonly hosts: readonly string[]; readonly maxBytes: number }
  readonly listen: Listen
  /** `undefined`: there is no desk. */
  readonly desk: DeskConfig | undefined
  /** How many proxies name the address of who asks. */
  readonly proxies: number
  readonly callbacks: {
    readonly maxBytes: number
    readonly maxAgeMs: number
    /** 0: any number. */
    readonly refusalsPerMinute: number
  }
  readonly apiTimeoutMs: number
  readonly sweepEveryMs: number
  readonly polling: PollPolicy
  readonly logLevel: LogLevel
}

export interface LoadedConfig {
  readonly config: Config
  readonly secrets: Secrets
  readonly deskSecrets: DeskSecrets
}

/**
 * Reads the whole configuration. Throws `config-invalid` that names every fault at once. `secretTexts`: what
 * the secrets hold that `DAYBOOK_SECRET_ID` names; see `configure`.
 */
export function loadConfig(env: Env, secretTexts?: readonly string[]): LoadedConfig {
  const faults = collectFaults()
  const { accounts, secrets } = readAccounts(env, faults, secretTexts)
  const listen = readListen(env, 'DAYBOOK_LISTEN', faults)
  const { desk, deskSecrets } = readDesk(env, listen, faults)
  const config: Config = {
    store: readStore(env, faults),
    accounts,
    columns: readColumns(env, faults),
    download: {
      hosts: readHosts(env, faults),
      maxBytes: readWhole(env, 'DAYBOOK_DOWNLOAD_MAX_BYTES', { least: 1, most: 2 ** 40 }, faults),
    },
    listen,
    desk,
    proxies: readWhole(env, 'DAYBOOK_PROXIES', { least: 0, most: 10 }, faults),
    callbacks: {
      maxBytes: readWhole(env, 'DAYBOOK_CALLBACK_MAX_BYTES', { least: 1024, most: 16 * 2 ** 20 }, faults),
      maxAgeMs: 1000 * readWhole(env, 'DAYBOOK_CALLBACK_MAX_AGE_SECONDS', { least: 1, most: 86_400 }, faults),
      refusalsPerMinute: readWhole(
        env,
        'DAYBOOK_CALLBACK_REFUSALS_PER_MINUTE',
        { least: 0, most: 1_000_000 },
        faults,
      ),
    },
    apiTimeoutMs: 1000 * readWhole(env, 'DAYBOOK_API_TIMEOUT_SECONDS', { least: 1, most: 600 }, faults),
    sweepEveryMs: 1000 * readWhole(env, 'DAYBOOK_SWEEP_SECONDS', { least: 1, most: 86_400 }, faults),
    polling: readPolling(env, faults),
    logLevel: readLogLevel(env, faults),
  }
  faults.throwIfAny()
  return { config, secrets, deskSecrets }
}

function readPolling(env: Env, faults: Faults): PollPolicy {
  const hour = 3_600_000
  return {
    firstMs: 1000 * readWhole(env, 'DAYBOOK_POLL_FIRST_SECONDS', { least: 1, most: 3600 }, faults),
    leastMs: 1000 * readWhole(env, 'DAYBOOK_POLL_SECONDS', { least: 1, most: 3600 }, faults),
    expiredMs: hour * readWhole(env, 'DAYBOOK_EXPIRED_HOURS', { least: 0, most: 720 }, faults),
    absentMs: hour * readWhole(env, 'DAYBOOK_ABSENT_HOURS', { least: 1, most: 720 }, faults),
    abandonMs: 24 * hour * readWhole(env, 'DAYBOOK_ABANDON_DAYS', { least: 1, most: 365 }, faults),
  }
}

function readStore(env: Env, faults: Faults): StoreConfig {
  const text = textOf(env, 'DAYBOOK_STORE')
  if (!text.startsWith('s3://')) return readFolder(env, text, faults)
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text)
  const prefix = (match?.[2] ?? '').replace(/\/+$/, '')
  if (match === null || !isPrefix(prefix))
    faults.add('DAYBOOK_STORE', 'expected a folder, s3://bucket or s3://bucket/prefix')
  const endpoint = env.DAYBOOK_S3_ENDPOINT
  if (endpoint !== undefined && !/^https?:$/.test(plainUrl(endpoint)?.protocol ?? ''))
    faults.add('DAYBOOK_S3_ENDPOINT', 'expected an http or https address')
  return {
    kind: 's3',
    bucket: match?.[1] ?? '',
    prefix,
    endpoint,
    region: textOf(env, 'AWS_REGION'),
  }
}

/** A mistyped bucket must not become a new, empty folder with a fresh quota. */
function readFolder(env: Env, text: string, faults: Faults): StoreConfig {
  if (/^\s|\s$|^~|^[a-z0-9+]+:/i.test(text)) {
    faults.add('DAYBOOK_STORE', 'expected a folder, s3://bucket or s3://bucket/prefix')
  }
  if (env.DAYBOOK_S3_ENDPOINT !== undefined) {
    faults.add('DAYBOOK_S3_ENDPOINT', 'leave it out: DAYBOOK_STORE is a folder')
  }
  return { kind: 'folder', path: resolve(text) }
}

function isPrefix(prefix: string): boolean {
  try {
    return checkPrefix(prefix) === prefix
  } catch {
    return false
  }
}

const HOST_PATTERN = /^(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/

function readHosts(env: Env, faults: Faults): string[] {
  const hosts = readList(env, 'DAYBOOK_DOWNLOAD_HOSTS')
  if (hosts.length === 0 || !hosts.every(host => HOST_PATTERN.test(host))) {
    faults.add(
      'DAYBOOK_DOWNLOAD_HOSTS',
      'expected host names separated by commas, such as files.example.com,*.example.net',
    )
  }
  return hosts
}

function readLogLevel(env: Env, faults: Faults): LogLevel {
  const level = LOG_LEVELS.find(known => known === textOf(env, 'DAYBOOK_LOG_LEVEL'))
  if (level === undefined) faults.add('DAYBOOK_LOG_LEVEL', `expected one of ${LOG_LEVELS.join(', ')}`)
  return level ?? 'info'
}
