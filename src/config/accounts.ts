/** Merchant accounts: one from variables alone, or many from a JSON file. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Day } from '../domain/calendar.ts'
import { parseCounts } from '../domain/json.ts'
import { CADENCES, type Cadence } from '../domain/plan.ts'
import { type Env, VARIABLES } from './env.ts'
import type { Faults } from './faults.ts'
import { type Credentials, cleanSecret, hasSecret, readSecret, readSecretFile } from './secrets.ts'
import { readDay, readUrl, readWhole, readWord, readZone, textOf } from './values.ts'

export interface AccountConfig {
  readonly provider: 'binance-pay'
  /** Lower-case letters, digits and dashes: part of keys and of the callback path. */
  readonly account: string
  readonly baseUrl: string
  readonly monthlyLimit: number
  readonly planning: PlanningConfig
  /** Minutes east of UTC of times in files without a zone of their own. */
  readonly zoneMinutes: number | undefined
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
  readonly secrets: Map<string, Credentials>
}

const ACCOUNT_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/
const NAME_RULE = 'expected lower-case letters, digits and dashes, at most 40'
const LARGEST_LIMIT = 10_000

export function readAccounts(env: Env, faults: Faults): ReadAccounts {
  return env.DAYBOOK_ACCOUNTS === undefined
    ? readSingleAccount(env, faults)
    : readAccountsFile(env, env.DAYBOOK_ACCOUNTS, faults)
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
  const secrets = new Map<string, Credentials>()
  if (apiKey !== undefined && secretKey !== undefined) secrets.set(account, { apiKey, secretKey })
  return { accounts: [{ provider: 'binance-pay', account, ...sharedSettings(env, faults) }], secrets }
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
  }
}

const accountEntry = z.strictObject({
  name: z.string().regex(ACCOUNT_NAME, NAME_RULE),
  provider: z.literal('binance-pay').default('binance-pay'),
  apiKey: z.string().min(1).optional(),
  apiKeyFile: z.string().min(1).optional(),
  secretKey: z.string().min(1).optional(),
  secretKeyFile: z.string().min(1).optional(),
  monthlyLimit: z.number().int().min(1).max(LARGEST_LIMIT).optional(),
  reserve: z.number().int().min(0).max(LARGEST_LIMIT).optional(),
  cadence: z.enum(CADENCES).optional(),
  earliestDay: z.string().optional(),
  zone: z.string().optional(),
})

const accountsFile = z.strictObject({ accounts: z.array(accountEntry).min(1) })

function readAccountsFile(env: Env, path: string, faults: Faults): ReadAccounts {
  for (const name of SINGLE_ACCOUNT) {
    if (env[name] !== undefined)
      faults.add(name, 'leave it out: the accounts are in the file that DAYBOOK_ACCOUNTS names')
  }
  const secrets = new Map<string, Credentials>()
  const apiKeys = new Set<string>()
  const shared = sharedSettings(env, faults)
  const accounts: AccountConfig[] = []
  for (const entry of readEntries(path, faults)) {
    const name = `DAYBOOK_ACCOUNTS, account ${entry.name}`
    if (accounts.some(({ account }) => account === entry.name)) faults.add(name, 'expected each name once')
    const apiKey = entrySecret(entry.apiKey, entry.apiKeyFile, `${name}, apiKey`, faults)
    const secretKey = entrySecret(entry.secretKey, entry.secretKeyFile, `${name}, secretKey`, faults)
    if (apiKey !== undefined && apiKeys.has(apiKey))
      faults.add(`${name}, apiKey`, 'expected each API key once; its accounts would share one quota')
    if (apiKey !== undefined) apiKeys.add(apiKey)
    if (apiKey !== undefined && secretKey !== undefined) secrets.set(entry.name, { apiKey, secretKey })
    accounts.push({
      provider: entry.provider,
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
    })
  }
  return { accounts, secrets }
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

function readEntries(path: string, faults: Faults): z.infer<typeof accountEntry>[] {
  let content: unknown
  try {
    content = parseCounts(readFileSync(path, 'utf8'))
  } catch {
    faults.add('DAYBOOK_ACCOUNTS', 'expected a JSON file that can be read')
    return []
  }
  const parsed = accountsFile.safeParse(content)
  if (parsed.success) return parsed.data.accounts
  for (const issue of parsed.error.issues) {
    faults.add(`DAYBOOK_ACCOUNTS, ${issue.path.join('.') || 'file'}`, issue.message)
  }
  return []
}
