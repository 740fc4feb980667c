/** What an owner may decide about the stack. Every fault of a settings file is told at once, before anything is made. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { VARIABLES } from '../src/config/env.ts'
import { isDay } from '../src/domain/calendar.ts'
import { DaybookError } from '../src/domain/errors.ts'
import { parseCounts } from '../src/domain/json.ts'

/** Variables that the stack sets itself, or that would put a secret into the template. */
const OWN_VARIABLES = [
  'AWS_REGION',
  'DAYBOOK_STORE',
  'DAYBOOK_S3_ENDPOINT',
  'DAYBOOK_ACCOUNTS',
  'DAYBOOK_ACCOUNT',
  'DAYBOOK_COLUMNS_FILE',
  'DAYBOOK_LISTEN',
  'DAYBOOK_SWEEP_SECONDS',
  'BINANCE_PAY_API_KEY',
  'BINANCE_PAY_SECRET_KEY',
]

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected lower-case letters, digits and dashes')

/** Of the desk, and of the one process that serves it: the stack has none. */
const OF_THE_DESK = /^DAYBOOK_(DESK_|OIDC_|API_TOKEN$|PROXIES$|CALLBACK_REFUSALS_PER_MINUTE$)/

const isSettable = (variable: string) =>
  Object.hasOwn(VARIABLES, variable) && !OWN_VARIABLES.includes(variable) && !OF_THE_DESK.test(variable)

/** A function takes at most 4 KiB of variables; a schedule's expression has no odd minutes. */
export const stackSettings = z.strictObject({
  /** The stack's name, and the beginning of the names in it. */
  stackName: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, 'expected at most 20 lower-case letters, digits and dashes')
    .default('daybook'),
  /** Who is in the secrets, by name: Athena finds partitions by these. */
  accounts: z
    .array(z.strictObject({ provider: name.default('binance-pay'), name }))
    .min(1)
    .default([{ provider: 'binance-pay', name: 'main' }]),
  /** How many secrets hold the accounts; each holds 64 KiB, some 250 accounts. */
  secrets: z.int().min(1).max(10).default(1),
  /** For how long no version of an object can be deleted, and whether an administrator may undo that. */
  retention: z
    .strictObject({
      mode: z.enum(['governance', 'compliance', 'none']).default('governance'),
      days: z.int().min(1).max(36_500).default(365),
    })
    .prefault({}),
  /** Who is told of alarms, beside whoever subscribes to the topic. */
  alarmEmails: z.array(z.email()).default([]),
  logRetentionDays: z
    .union([7, 14, 30, 60, 90, 180, 365, 400, 731, 1827].map(days => z.literal(days)))
    .default(90),
  /** Whether the schedules run; off until the secrets are filled, and for a restore. */
  schedules: z.enum(['on', 'off']).default('on'),
  sweepEveryMinutes: z.int().min(2).max(60).default(15),
  /** Minutes past midnight (UTC). */
  snapshotMinute: z.int().min(0).max(1439).default(20),
  submitMinute: z.int().min(0).max(1439).default(375),
  reconcileMinute: z.int().min(0).max(1439).default(600),
  /** Share of the account's concurrent executions that is set aside for a function, which is also its most; 0: none. */
  reserved: z
    .strictObject({
      receive: z.int().min(0).max(500).default(20),
      submit: z.int().min(0).max(10).default(1),
      sweep: z.int().min(0).max(10).default(1),
    })
    .prefault({}),
  /** How many batches of a queue are worked on at once. */
  atOnce: z
    .strictObject({
      archive: z.int().min(2).max(500).default(10),
      parse: z.int().min(2).max(500).default(10),
    })
    .prefault({}),
  /** Whether providers are called from one address that stays, which needs a network with a NAT gateway. */
  fixedAddress: z.boolean().default(false),
  /** Below 3,538 MB (two vCPUs) a parse uses one thread. */
  parseMemoryMb: z.int().min(1024).max(10_240).default(3538),
  parseStorageMb: z.int().min(512).max(10_240).default(2048),
  /** The first day that Athena looks for. */
  firstDay: z.string().refine(isDay, 'expected a day such as 2026-01-31').default('2023-01-01'),
  /** Further settings of Daybook, by the variables of its README. */
  environment: z
    .record(
      z.string().refine(isSettable, 'expected a variable of the README that the stack does not set itself'),
      z.string(),
    )
    .default({}),
})
export type StackSettings = z.infer<typeof stackSettings>

/** The settings of a file; those that are safe to begin with where there is none. Throws `config-invalid`. */
export function readSettings(path: string | undefined): StackSettings {
  if (path === undefined) return stackSettings.parse({})
  const parsed = stackSettings.safeParse(readJson(path))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(issue => `  ${issue.path.join('.') || 'file'}: ${issue.message}`)
  throw new DaybookError('config-invalid', `The settings of the stack have faults:\n${faults.join('\n')}`)
}

function readJson(path: string): unknown {
  try {
    return parseCounts(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new DaybookError('config-invalid', `${path}: expected a JSON file that can be read`, { cause })
  }
}
