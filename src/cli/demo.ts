/** `daybook demo`: a report from the signed request to rows that DuckDB reads and balances prove, all of it for real. */
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { loadConfig } from '../config/config.ts'
import { type Clock, systemClock, systemRandom } from '../host.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { ask, follow, rowsByOperation, rowsText } from './demo-flow.ts'
import { BREAK_NAMES, BREAKS, type Break, brokenDay, type DemoPlan, planDemo } from './demo-plan.ts'
import {
  askPastDays,
  breaksOf,
  breakText,
  isOn,
  type Reconciled,
  readBalances,
  reconcileDays,
  verdictTable,
} from './demo-proof.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { makeSandboxMerchant, type SandboxMerchant, writeSandboxAccounts } from './sandbox-accounts.ts'
import { serverOptions } from './serve.ts'
import type { CommonOptions } from './session.ts'
import type { Terminal } from './terminal.ts'

interface DemoOptions extends CommonOptions {
  readonly folder?: string
  readonly break?: Break
}

const FOLDER = 'daybook-demo'

export function demoCommand(): Command {
  const width = Math.max(...BREAK_NAMES.map(name => name.length))
  return createCommand('demo', 'run the whole flow on this machine against the sandbox')
    .option('--folder <folder>', `where everything goes (default: ${FOLDER}, and what is broken)`)
    .addOption(
      new Option('--break <what>', 'let one thing not add up, and see it found').choices(BREAK_NAMES),
    )
    .addHelpText(
      'after',
      `
Everything is real: a sandbox with the checks, signatures and quota of three providers, a server that takes the
signed callback over HTTP, Parquet files read back by DuckDB, and balances that prove the rows. Only the clock is
helped along: balances of days gone by are read with the clock of both sides set back. It may be stopped at any
moment; the next run completes it. Delete the folder to begin anew.

What can be broken, on one day:
${BREAK_NAMES.map(name => `  ${name.padEnd(width)}  ${BREAKS[name]}`).join('\n')}
Exits with 0 when the break was found on its day, and with 1 when it was not.`,
    )
    .action(exitsWith(runDemo))
}

const ROWS_PER_DAY = 2_000
const PROCESSING_MS = 400
const CREDENTIALS = { apiKey: 'demo-api-key', secretKey: 'demo-secret-key' }

async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const { terminalFor } = await import('./session.ts')
  const terminal = terminalFor(options)
  const name = options.break === undefined ? FOLDER : `${FOLDER}-${options.break}`
  const folder = resolve(options.folder ?? name)
  const plan = await planDemo(folder, options.break, systemClock.now())
  const port = await freePort()
  const clock = movableClock()
  const made = await makeSandboxMerchant({
    name: 'demo',
    ...CREDENTIALS,
    callbackUrl: `http://127.0.0.1:${port}/callbacks/binance-pay/main`,
  })
  const sandbox = await startDemoSandbox(folder, made, plan, clock)
  try {
    terminal.say(`sandbox    ${sandbox.url} plays the providers: checks, quota, signed answers and callbacks`)
    const daybook = await wireDemo(folder, { sandbox, made, port, clock }, options, terminal)
    try {
      await readBalances(daybook, plan, clock.moveTo, terminal)
      clock.moveTo(systemClock.now())
      return await tell(daybook, folder, plan, terminal)
    } finally {
      await daybook.close()
    }
  } finally {
    await sandbox.stop()
  }
}

/** A clock that runs, and can be set. */
function movableClock(): Clock & { readonly moveTo: (time: Date) => void } {
  let offsetMs = 0
  return {
    now: () => new Date(systemClock.now().getTime() + offsetMs),
    sleep: systemClock.sleep,
    moveTo: time => {
      offsetMs = time.getTime() - systemClock.now().getTime()
    },
  }
}

async function tell(daybook: Daybook, folder: string, plan: DemoPlan, terminal: Terminal): Promise<ExitCode> {
  const { startServer } = await import('../server/server.ts')
  // One report is the tale; what is due daily would ask for another when the clock happens to say so.
  const server = await startServer({ ...serverOptions(daybook), daily: false })
  try {
    const account = daybook.accounts.find(({ provider }) => provider.reports !== undefined) as WiredAccount
    terminal.say(`daybook    ${server.url}/callbacks/binance-pay/main takes callbacks`)
    const reportId = await ask(daybook, account, plan.range, terminal)
    await follow(daybook, account, reportId, terminal)
    await askPastDays(daybook, plan, terminal)
    const reconciled = await reconcileDays(daybook, plan)
    return await conclude(daybook, account, { reportId, folder, plan, reconciled }, terminal)
  } finally {
    await server.stop()
  }
}

interface Concluded {
  readonly reportId: string
  readonly folder: string
  readonly plan: DemoPlan
  readonly reconciled: readonly Reconciled[]
}

async function conclude(
  daybook: Daybook,
  account: WiredAccount,
  { reportId, folder, plan, reconciled }: Concluded,
  terminal: Terminal,
): Promise<ExitCode> {
  const rows = await rowsByOperation(daybook, account, reportId, folder)
  const breaks = breaksOf(reconciled, plan)
  const isFound = breaks.some(each => isOn(each, plan))
  const made = plan.breaks === 'none' ? null : { what: plan.breaks, day: brokenDay(plan), found: isFound }
  const verdicts = reconciled.map(({ findings: _, ...of }) => of)
  terminal.say('')
  terminal.result('demo', { ...rows, reconciled: verdicts, broken: made, breaks }, [
    ...rowsText(rows),
    '',
    ...verdictTable(reconciled),
    ...(made === null ? [] : ['', `broken on purpose: ${made.what} on ${made.day}, ${BREAKS[made.what]}`]),
    ...(breaks.length === 0 ? [] : ['', ...breaks.map(each => `break    ${breakText(each)}`)]),
  ])
  if (made !== null) return isFound ? EXIT.done : EXIT.failed
  return breaks.length === 0 ? EXIT.done : EXIT.discrepancy
}

/** A port that is free now: the sandbox must know it before the server that will listen there can start. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(listening => probe.listen(0, '127.0.0.1', listening))
  const address = probe.address()
  await new Promise(closed => probe.close(closed))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function startDemoSandbox(
  folder: string,
  { merchant }: SandboxMerchant,
  plan: DemoPlan,
  clock: Clock,
): Promise<Sandbox> {
  const { startSandbox } = await import('../sandbox/sandbox.ts')
  return startSandbox({
    merchants: [merchant],
    stateDir: join(folder, 'sandbox'),
    seed: 'demo',
    knobs: {
      processingMs: PROCESSING_MS,
      rowsPerDay: ROWS_PER_DAY,
      fileContainer: 'zip',
      callbackRetryFirstMs: 200,
      // A run that dies must not use up the patience that the next one needs.
      callbackRetryFactor: 1,
      callbackRetries: 100,
      breakKind: plan.breaks,
      breakDay: brokenDay(plan),
    },
    clock,
    random: systemRandom,
  })
}

interface DemoParts {
  readonly sandbox: Sandbox
  readonly made: SandboxMerchant
  readonly port: number
  readonly clock: Clock
}

/** The demo's settings take the same way as real ones, so it proves that way too. */
async function wireDemo(
  folder: string,
  { sandbox, made, port, clock }: DemoParts,
  options: CommonOptions,
  terminal: Terminal,
): Promise<Daybook> {
  const { wire } = await import('../wiring.ts')
  const accounts = join(folder, 'accounts.json')
  await writeSandboxAccounts(accounts, made, sandbox)
  const loaded = loadConfig({
    DAYBOOK_STORE: join(folder, 'store'),
    DAYBOOK_LISTEN: `127.0.0.1:${port}`,
    DAYBOOK_ACCOUNTS: accounts,
    BINANCE_PAY_BASE_URL: sandbox.url,
    DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
    DAYBOOK_SWEEP_SECONDS: '1',
    DAYBOOK_LOG_LEVEL: options.verbose === true ? 'info' : 'silent',
  })
  return wire(loaded, { clock, onProgress: terminal.progress })
}
