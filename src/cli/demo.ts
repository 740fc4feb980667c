/** `daybook demo`: a report from the signed request to rows that DuckDB reads, all of it for real. */
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { loadConfig } from '../config/config.ts'
import { systemClock, systemRandom } from '../host.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { ask, follow, show } from './demo-flow.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { serverOptions } from './serve.ts'
import type { CommonOptions } from './session.ts'
import type { Terminal } from './terminal.ts'

interface DemoOptions extends CommonOptions {
  readonly folder: string
}

export function demoCommand(): Command {
  return createCommand('demo', 'run the whole flow on this machine against the sandbox')
    .option('--folder <folder>', 'where everything goes', 'daybook-demo')
    .addHelpText(
      'after',
      `
Everything is real: a sandbox with the provider's checks, signatures and quota, a server that takes the
signed callback over HTTP, and Parquet files read back by DuckDB. It may be stopped at any moment; the next
run completes it. Delete the folder to begin anew.`,
    )
    .action(exitsWith(runDemo))
}

const ROWS_PER_DAY = 2_000
const PROCESSING_MS = 400
const CREDENTIALS = { apiKey: 'demo-api-key', secretKey: 'demo-secret-key' }

async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const { terminalFor } = await import('./session.ts')
  const terminal = terminalFor(options)
  const folder = resolve(options.folder)
  const port = await freePort()
  const sandbox = await startDemoSandbox(folder, port)
  try {
    terminal.say(`sandbox    ${sandbox.url} plays Binance Pay: checks, quota, signed callbacks`)
    const daybook = await wireDemo(folder, sandbox, port, options, terminal)
    try {
      return await tell(daybook, folder, terminal)
    } finally {
      await daybook.close()
    }
  } finally {
    await sandbox.stop()
  }
}

async function tell(daybook: Daybook, folder: string, terminal: Terminal): Promise<ExitCode> {
  const { startServer } = await import('../server/server.ts')
  // One report is the tale; what is due daily would ask for another when the clock happens to say so.
  const server = await startServer({ ...serverOptions(daybook), daily: false })
  try {
    const [account] = daybook.accounts as [WiredAccount]
    terminal.say(`daybook    ${server.url}/callbacks/binance-pay/main takes callbacks`)
    const reportId = await ask(daybook, account, terminal)
    await follow(daybook, account, reportId, terminal)
    await show(daybook, account, reportId, folder, terminal)
    return EXIT.done
  } finally {
    await server.stop()
  }
}

/** A port that is free now: the sandbox must know it before the server that will listen there can start. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(listening => probe.listen(0, '127.0.0.1', listening))
  const address = probe.address()
  await new Promise(closed => probe.close(closed))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function startDemoSandbox(folder: string, port: number): Promise<Sandbox> {
  const { startSandbox } = await import('../sandbox/sandbox.ts')
  return startSandbox({
    merchants: [
      { name: 'demo', ...CREDENTIALS, callbackUrl: `http://127.0.0.1:${port}/callbacks/binance-pay/main` },
    ],
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
    },
    clock: systemClock,
    random: systemRandom,
  })
}

/** The demo's settings take the same way as real ones, so it proves that way too. */
async function wireDemo(
  folder: string,
  sandbox: Sandbox,
  port: number,
  options: CommonOptions,
  terminal: Terminal,
): Promise<Daybook> {
  const { wire } = await import('../wiring.ts')
  const loaded = loadConfig({
    DAYBOOK_STORE: join(folder, 'store'),
    DAYBOOK_LISTEN: `127.0.0.1:${port}`,
    BINANCE_PAY_BASE_URL: sandbox.url,
    BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
    BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
    DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
    DAYBOOK_SWEEP_SECONDS: '1',
    DAYBOOK_LOG_LEVEL: options.verbose === true ? 'info' : 'silent',
  })
  return wire(loaded, { onProgress: terminal.progress })
}
