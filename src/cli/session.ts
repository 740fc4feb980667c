/** What every command stands on: its terminal, the configured Daybook, and the account it is about. */
import { configure } from '../config/configure.ts'
import { readEnv } from '../config/env.ts'
import { DaybookError } from '../domain/errors.ts'
import { systemClock } from '../host.ts'
import type { LogLevel } from '../log.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { wire } from '../wiring.ts'
import type { ExitCode } from './exit-codes.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export interface Session {
  readonly daybook: Daybook
  readonly terminal: Terminal
}

export function terminalFor({ json = false, quiet = false }: CommonOptions): Terminal {
  return createTerminal({ json, quiet, stdout: process.stdout, stderr: process.stderr, clock: systemClock })
}

/** Runs a command on the Daybook that the environment describes, and closes it afterwards. */
export async function withSession(
  options: CommonOptions,
  run: (session: Session) => Promise<ExitCode>,
  { logs = options.verbose === true ? 'configured' : 'silent' }: { logs?: 'configured' | LogLevel } = {},
): Promise<ExitCode> {
  const terminal = terminalFor(options)
  const loaded = await configure(readEnv())
  const config = logs === 'configured' ? loaded.config : { ...loaded.config, logLevel: logs }
  const daybook = await wire({ ...loaded, config }, { onProgress: terminal.progress })
  try {
    return await run({ daybook, terminal })
  } finally {
    terminal.endProgress()
    await daybook.close()
  }
}

/** What an account's provider may be able to do. */
type Ability = 'reports' | 'activity' | 'balances' | 'debits'

/**
 * The account of that name, or the only one whose provider is able to do what is wanted. Throws
 * `usage-invalid` with the names there are.
 */
export function chooseAccount(daybook: Daybook, name: string | undefined, ability?: Ability): WiredAccount {
  const able = daybook.accounts.filter(
    ({ provider }) => ability === undefined || provider[ability] !== undefined,
  )
  // Where none is able, the stage says so of the account that is named.
  const accounts = able.length === 0 ? daybook.accounts : able
  const names = accounts.map(({ ref }) => ref.account)
  const [only] = accounts
  if (name === undefined && accounts.length === 1 && only !== undefined) return only
  const account = accounts.find(({ ref }) => ref.account === name)
  if (account !== undefined) return account
  const says =
    name === undefined ? 'Which account? Say --account' : `There is no account ${name}; say --account`
  throw new DaybookError('usage-invalid', `${says} with one of: ${names.join(', ')}.`)
}

/** The account of that name, or all whose provider makes reports. Throws `usage-invalid` as `chooseAccount` does. */
export function reportAccounts(daybook: Daybook, name: string | undefined): readonly WiredAccount[] {
  return name === undefined
    ? daybook.accounts.filter(({ provider }) => provider.reports !== undefined)
    : [chooseAccount(daybook, name, 'reports')]
}

/** The account that a report belongs to: the one that is named, the only one, or the one that knows the id. */
export async function accountOfReport(
  daybook: Daybook,
  name: string | undefined,
  reportId: string,
): Promise<WiredAccount> {
  if (name !== undefined || daybook.accounts.length === 1) return chooseAccount(daybook, name)
  for (const account of daybook.accounts) {
    if ((await daybook.context.reports.parts(account.ref, reportId)).size > 0) return account
  }
  throw new DaybookError('not-found', `No account knows a report ${reportId}; "daybook status" lists them.`)
}
