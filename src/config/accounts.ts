/** Merchant accounts: one from variables alone, or many from a JSON file. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Day } from '../domain/calendar.ts'
import { parseCounts } from '../domain/json.ts'
import { CADENCES, type Cadence } from '../domain/plan.ts'
import { type Env, VARIABLES } from './env.ts'
import type { Faults } from './faults.ts'
import { type AccountSecrets, cleanSecret, hasSecret, readSecret, readSecretFile } from './secrets.ts'
import { readDay, readUrl, readWhole, readWord, readZone, textOf } from './values.ts'

export interface AccountConfig {
  /** The name of a provider in the registry. */
  readonly provider: string
  /** Lower-case letters, digits and dashes: part of keys and of the callback path. */
  readonly account: string
  /** Binance Pay's address; other providers have theirs in `settings`. */
  readonly baseUrl: string
  /** Reports that may be generated in a month; 0 where the provider makes none. */
  readonly monthlyLimit: number
  readonly planning: PlanningConfig
  /** Minutes east of UTC of times in files without a zone of their own. */
  readonly zoneMinutes: number | undefined
  /** What the provider's own schema reads; never a secret. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** What plans and schedules of an account keep to. */
export interface PlanningConfig {
  /** How many of the month's reports are kept for people. */
  readonly reserve: number
  readonly cadence: Cadence
  /** The first day worth asking for. */
  readonly earliestDay: Day | undefined
}

export interface ReadAccounts {
  readonly accounts: AccountConfig[]
  readonly secrets: Map<string, AccountSecrets>
}

export const BINANCE_PAY_ACCOUNT = 'binance-pay'

const ACCOUNT_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/
const NAME_RULE = 'expected lower-case letters, digits and dashes, at most 40'
const LARGEST_LIMIT = 10_000

/** Texts of accounts, and the variable that says where they are. */
interface AccountsSource {
  readonly variable: 'DAYBOOK_ACCOUNTS' | 'DAYBOOK_SECRET_ID'
  readonly texts: readonly string[]
}

/** `secretTexts`: what the secrets hold that `DAYBOOK_SECRET_ID` names. */
export function readAccounts(env: Env, faults: Faults, secretTexts?: readonly string[]): ReadAccounts {
  if (secretTexts !== undefined) {
    if (env.DAYBOOK_ACCOUNTS !== undefined)
      faults.add('DAYBOOK_ACCOUNTS', 'leave it out: the accounts are in the secrets of DAYBOOK_SECRET_ID')
    return readManyAccounts(env, { variable: 'DAYBOOK_SECRET_ID', texts: secretTexts }, faults)
  }
  return env.DAYBOOK_ACCOUNTS === undefined
    ? readSingleAccount(env, faults)
    : readManyAccounts(env, readAccountsFile(env.DAYBOOK_ACCOUNTS, faults), faults)
}

/** What names one account; a file of accounts beside it would leave open which of the two is meant. */
const SINGLE_ACCOUNT = [
  'DAYBOOK_ACCOUNT',
  'BINANCE_PAY_API_KEY',
  'BINANCE_PAY_API_KEY_FILE',
  'BINANCE_PAY_SECRET_KEY',
  'BINANCE_PAY_SECRET_KEY_FILE',
]

function readSingleAccount(env: Env, faults: Faults): ReadAccounts {
  const account = env.DAYBOOK_ACCOUNT ?? VARIABLES.DAYBOOK_ACCOUNT.default
  if (!ACCOUNT_NAME.test(account)) faults.add('DAYBOOK_ACCOUNT', NAME_RULE)
  const apiKey = readSecret(env, 'BINANCE_PAY_API_KEY', faults)
  const secretKey = readSecret(env, 'BINANCE_PAY_SECRET_KEY', faults)
  const hasApiKey = hasSecret(env, 'BINANCE_PAY_API_KEY')
  const hasSecretKey = hasSecret(env, 'BINANCE_PAY_SECRET_KEY')
  if (hasApiKey && !hasSecretKey)
    faults.add('BINANCE_PAY_SECRET_KEY', 'expected the secret key that belongs to BINANCE_PAY_API_KEY')
  if (!hasApiKey && hasSecretKey)
    faults.add('BINANCE_PAY_API_KEY', 'expected the API key that belongs to BINANCE_PAY_SECRET_KEY')
  const secrets = new Map<string, AccountSecrets>()
  if (apiKey !== undefined && secretKey !== undefined) secrets.set(account, { apiKey, secretKey })
  const shared = sharedSettings(env, faults)
  return { accounts: [{ provider: BINANCE_PAY_ACCOUNT, account, ...shared }], secrets }
}

/** The settings that an account has unless it brings its own. */
function sharedSettings(env: Env, faults: Faults): Omit<AccountConfig, 'provider' | 'account'> {
  return {
    baseUrl: readUrl(env, 'BINANCE_PAY_BASE_URL', faults),
    monthlyLimit: readWhole(env, 'DAYBOOK_MONTHLY_LIMIT', { least: 1, most: LARGEST_LIMIT }, faults),
    planning: {
      reserve: readWhole(env, 'DAYBOOK_RESERVE', { least: 0, most: LARGEST_LIMIT }, faults),
      cadence: readWord(textOf(env, 'DAYBOOK_CADENCE'), 'DAYBOOK_CADENCE', CADENCES, faults) ?? 'off',
      earliestDay: readDay(env.DAYBOOK_EARLIEST_DAY, 'DAYBOOK_EARLIEST_DAY', faults),
    },
    zoneMinutes: readZone(env.DAYBOOK_FILE_ZONE, 'DAYBOOK_FILE_ZONE', faults),
    ...balanceSettings(env),
  }
}

/** Only what is set, so that the provider's own defaults hold for the rest. */
function balanceSettings(env: Env): { settings?: Record<string, unknown> } {
  const assets = textOf(env, 'BINANCE_PAY_BALANCE_ASSETS')
    .split(',')
    .map(asset => asset.trim())
    .filter(asset => asset !== '')
  const settings = {
    ...(env.BINANCE_PAY_BALANCE_API === undefined ? {} : { balanceApi: env.BINANCE_PAY_BALANCE_API }),
    ...(assets.length === 0 ? {} : { balanceAssets: assets }),
  }
  return Object.keys(settings).length === 0 ? {} : { settings }
}

const binancePayEntry = z.strictObject({
  name: z.string().regex(ACCOUNT_NAME, NAME_RULE),
  provider: z.literal(BINANCE_PAY_ACCOUNT).default(BINANCE_PAY_ACCOUNT),
  apiKey: z.string().min(1).optional(),
  apiKeyFile: z.string().min(1).optional(),
  secretKey: z.string().min(1).optional(),
  secretKeyFile: z.string().min(1).optional(),
  monthlyLimit: z.number().int().min(1).max(LARGEST_LIMIT).optional(),
  reserve: z.number().int().min(0).max(LARGEST_LIMIT).optional(),
  cadence: z.enum(CADENCES).optional(),
  earliestDay: z.string().optional(),
  zone: z.string().optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
})

/** What every other provider's entry looks like; the provider itself reads what is in it. */
const otherEntry = z.strictObject({
  name: z.string().regex(ACCOUNT_NAME, NAME_RULE),
  provider: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, NAME_RULE),
  settings: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(z.string(), z.string().min(1)).default({}),
})

type BinancePayEntry = z.infer<typeof binancePayEntry>
type OtherEntry = z.infer<typeof otherEntry>

const accountsFile = z.strictObject({ accounts: z.array(z.record(z.string(), z.unknown())).min(1) })

function readAccountsFile(path: string, faults: Faults): AccountsSource {
  const variable = 'DAYBOOK_ACCOUNTS'
  try {
    return { variable, texts: [readFileSync(path, 'utf8')] }
  } catch {
    faults.add(variable, CONTENT_RULE)
    return { variable, texts: [] }
  }
}

const CONTENT_RULE = 'expected a JSON file that can be read'

function readManyAccounts(env: Env, source: AccountsSource, faults: Faults): ReadAccounts {
  const { variable } = source
  const where =
    variable === 'DAYBOOK_ACCOUNTS'
      ? 'the file that DAYBOOK_ACCOUNTS names'
      : 'the secrets of DAYBOOK_SECRET_ID'
  for (const name of SINGLE_ACCOUNT) {
    if (env[name] !== undefined) faults.add(name, `leave it out: the accounts are in ${where}`)
  }
  const secrets = new Map<string, AccountSecrets>()
  const shared = sharedSettings(env, faults)
  const accounts: AccountConfig[] = []
  const isNewApiKey = onceOnly()
  const isNewName = onceOnly()
  for (const entry of source.texts.flatMap(text => readEntries({ variable, text }, faults))) {
    const name = `${variable}, account ${entry.name}`
    if (!isNewName(entry.name)) faults.add(name, 'expected each name once')
    if ('secrets' in entry) {
      accounts.push(otherAccount(entry))
      secrets.set(entry.name, otherSecrets(entry, name, faults))
      continue
    }
    const apiKey = entrySecret(entry.apiKey, entry.apiKeyFile, `${name}, apiKey`, faults)
    const secretKey = entrySecret(entry.secretKey, entry.secretKeyFile, `${name}, secretKey`, faults)
    if (apiKey !== undefined && !isNewApiKey(apiKey))
      faults.add(`${name}, apiKey`, 'expected each API key once; its accounts would share one quota')
    if (apiKey !== undefined && secretKey !== undefined) secrets.set(entry.name, { apiKey, secretKey })
    const settings = entry.settings ?? shared.settings
    accounts.push({
      provider: BINANCE_PAY_ACCOUNT,
      account: entry.name,
      baseUrl: shared.baseUrl,
      monthlyLimit: entry.monthlyLimit ?? shared.monthlyLimit,
      planning: {
        reserve: entry.reserve ?? shared.planning.reserve,
        cadence: entry.cadence ?? shared.planning.cadence,
        earliestDay:
          readDay(entry.earliestDay, `${name}, earliestDay`, faults) ?? shared.planning.earliestDay,
      },
      zoneMinutes: readZone(entry.zone, `${name}, zone`, faults) ?? shared.zoneMinutes,
      ...(settings === undefined ? {} : { settings }),
    })
  }
  return { accounts, secrets }
}

/** Whether a text is seen for the first time. */
function onceOnly(): (text: string) => boolean {
  const seen = new Set<string>()
  return text => !seen.has(text) && seen.add(text) === seen
}

/** A provider that makes no reports has nothing to plan. */
const NO_PLANNING: PlanningConfig = { reserve: 0, cadence: 'off', earliestDay: undefined }

function otherAccount({ provider, name, settings }: OtherEntry): AccountConfig {
  return {
    provider,
    account: name,
    baseUrl: '',
    monthlyLimit: 0,
    planning: NO_PLANNING,
    zoneMinutes: undefined,
    settings,
  }
}

/** `"apiKey": secret`, or `"apiKeyFile": path`, each by the name the provider gives it. */
function otherSecrets({ secrets }: OtherEntry, where: string, faults: Faults): AccountSecrets {
  const read: Record<string, string> = {}
  for (const [key, text] of Object.entries(secrets)) {
    const name = key.replace(/File$/, '')
    const isFile = name !== key
    if (isFile && secrets[name] !== undefined)
      faults.add(`${where}, ${name}`, 'expected the secret or its file, not both')
    const secret = isFile
      ? readSecretFile(text, `${where}, ${key}`, faults)
      : cleanSecret(text, `${where}, ${name}`, faults)
    if (secret !== undefined) read[name] = secret
  }
  return read
}

function entrySecret(
  direct: string | undefined,
  path: string | undefined,
  name: string,
  faults: Faults,
): string | undefined {
  if (direct === undefined && path === undefined)
    return faults.add(name, 'expected the secret, or the file that holds it')
  if (direct !== undefined && path !== undefined)
    return faults.add(name, 'expected the secret or its file, not both')
  return direct === undefined
    ? readSecretFile(path ?? '', `${name}File`, faults)
    : cleanSecret(direct, name, faults)
}

interface AccountsText {
  readonly variable: AccountsSource['variable']
  readonly text: string
}

function readEntries({ variable, text }: AccountsText, faults: Faults): (BinancePayEntry | OtherEntry)[] {
  let content: unknown
  try {
    content = parseCounts(text)
  } catch {
    faults.add(variable, CONTENT_RULE)
    return []
  }
  const parsed = accountsFile.safeParse(content)
  if (parsed.success) {
    return parsed.data.accounts.flatMap(
      (entry, index) => readEntry(entry, { variable, place: ['accounts', index] }, faults) ?? [],
    )
  }
  noteIssues(parsed.error, { variable, place: [] }, faults)
  return []
}

interface EntryPlace {
  readonly variable: AccountsSource['variable']
  readonly place: readonly (string | number)[]
}

function readEntry(
  entry: Readonly<Record<string, unknown>>,
  at: EntryPlace,
  faults: Faults,
): BinancePayEntry | OtherEntry | undefined {
  const { provider = BINANCE_PAY_ACCOUNT } = entry
  if (provider === BINANCE_PAY_ACCOUNT) {
    const parsed = binancePayEntry.safeParse(entry)
    return parsed.success ? parsed.data : noteIssues(parsed.error, at, faults)
  }
  if (Object.keys(entry).some(key => !Object.hasOwn(otherEntry.shape, key))) {
    const says =
      'expected binance-pay, or an entry of name, provider, settings and secrets, as other providers have'
    return faults.add(`${at.variable}, ${[...at.place, 'provider'].join('.')}`, says)
  }
  const parsed = otherEntry.safeParse(entry)
  return parsed.success ? parsed.data : noteIssues(parsed.error, at, faults)
}

function noteIssues(error: z.ZodError, { variable, place }: EntryPlace, faults: Faults): undefined {
  for (const issue of error.issues) {
    const where = [...place, ...issue.path].join('.') || 'file'
    faults.add(`${variable}, ${where}`, issue.message)
  }
}
