/** `daybook sandbox`: a Binance Pay of one's own. */
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { systemClock, systemRandom } from '../host.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface SandboxCommandOptions extends CommonOptions {
  readonly port: number
  readonly apiKey: string
  readonly secretKey: string
  readonly callbackUrl: string
  readonly state?: string
  readonly accounts?: string
  readonly seed: string
  readonly knob?: readonly string[]
  readonly knobs?: boolean
}

/** A report of the real provider takes minutes; whoever tries things out should not have to wait. */
const PROCESSING = 'processingMs=3000'

export function sandboxCommand(): Command {
  return createCommand('sandbox', 'run a server that behaves like the providers')
    .option('--port <port>', 'where to listen on this machine; 0: any free port', readPort, 4600)
    .option('--api-key <key>', 'the API key of its merchant', 'sandbox-api-key')
    .option('--secret-key <key>', 'the secret key of its merchant', 'sandbox-secret-key')
    .option(
      '--callback-url <url>',
      'where it sends callbacks',
      'http://127.0.0.1:8080/callbacks/binance-pay/main',
    )
    .option('--state <folder>', 'where its books are kept; forgotten at the end when absent')
    .option('--accounts <file>', 'write accounts at Binance Pay, PayerMax and Onerway into this file')
    .option('--seed <text>', 'what all rows follow from', 'daybook')
    .option('--knob <name=value>', 'change its behaviour; may be given several times', collect)
    .option('--knobs', 'list the knobs and end')
    .addHelpText(
      'after',
      `
Prints the settings that point Daybook at it. With them set, in another terminal:
  daybook serve
and in a third:
  daybook submit --month 2026-09`,
    )
    .action(exitsWith(runSandbox))
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number.parseInt(text, 10) : -1
  if (port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('Expected a port from 0 to 65535.')
}

async function runSandbox(options: SandboxCommandOptions): Promise<ExitCode> {
  const [{ terminalFor }, { stopSignal }, knobs, { startSandbox }, accountsFile] = await Promise.all([
    import('./session.ts'),
    import('./serve.ts'),
    import('../sandbox/knobs.ts'),
    import('../sandbox/sandbox.ts'),
    import('./sandbox-accounts.ts'),
  ])
  const { makeSandboxMerchant, writeSandboxAccounts } = accountsFile
  const terminal = terminalFor(options)
  if (options.knobs === true) {
    const table = knobs.knobTable()
    const lines = table.flatMap(({ name, fallback, values, text }) => [
      `${name}=${fallback}  (${values})`,
      `    ${text}`,
    ])
    terminal.result('sandbox', { knobs: table }, lines)
    return EXIT.done
  }
  const stopped = stopSignal()
  const { apiKey, secretKey, callbackUrl } = options
  const made = await makeSandboxMerchant({ name: 'merchant', apiKey, secretKey, callbackUrl })
  const sandbox = await startSandbox({
    port: options.port,
    merchants: [made.merchant],
    ...(options.state === undefined ? {} : { stateDir: options.state }),
    seed: options.seed,
    knobs: Object.assign({}, ...[PROCESSING, ...(options.knob ?? [])].map(knobs.parseKnob)),
    clock: systemClock,
    random: systemRandom,
    log: (event, fields) => {
      if (options.verbose === true) terminal.say(`${event} ${JSON.stringify(fields)}`)
    },
  })
  const { accounts } = options
  if (accounts !== undefined) await writeSandboxAccounts(accounts, made, sandbox)
  const settings = {
    BINANCE_PAY_BASE_URL: sandbox.url,
    ...(accounts === undefined
      ? { BINANCE_PAY_API_KEY: apiKey, BINANCE_PAY_SECRET_KEY: secretKey }
      : { DAYBOOK_ACCOUNTS: resolve(accounts) }),
    DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
  }
  terminal.say(
    `The sandbox listens at ${sandbox.url} and calls back ${callbackUrl}. These settings point Daybook at it:`,
  )
  terminal.result(
    'sandbox',
    { settings },
    Object.entries(settings).map(([name, value]) => `export ${name}=${value}`),
  )
  await stopped
  await sandbox.stop()
  return EXIT.done
}
