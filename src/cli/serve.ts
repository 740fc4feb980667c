/** `daybook serve`: takes callbacks and moves reports on, until it is told to stop. */
import type { Command } from 'commander'
import { personName } from '../host.ts'
import type { ServerOptions } from '../server/server.ts'
import type { Daybook } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

export function serveCommand(): Command {
  return createCommand('serve', 'take callbacks, fetch and parse reports; logs to stderr')
    .addHelpText(
      'after',
      `
Listens on DAYBOOK_LISTEN. Behind a proxy that ends TLS, set the merchant portal's callback URL to
https://<your host>/callbacks/binance-pay/<account>.

The finance desk listens on DAYBOOK_DESK_LISTEN. Open the link that is printed: it works once, and after that a
new one is printed. For a team, set DAYBOOK_OIDC_ISSUER and the settings beside it.

Every day it asks for the newest days as DAYBOOK_CADENCE says (off: never), records what the accounts hold, fetches
movements and reconciles; of all that share a store, one does. "daybook status" shows what ran last.`,
    )
    .action(exitsWith(runServe))
}

async function runServe(options: CommonOptions): Promise<ExitCode> {
  const { withSession } = await import('./session.ts')
  const { startServer } = await import('../server/server.ts')
  return withSession(
    options,
    async ({ daybook, terminal }) => {
      for (const { credentials } of daybook.accounts) credentials()
      const stopped = stopSignal()
      const server = await startServer(
        serverOptions(daybook, link => terminal.say(`finance desk: ${link}   (works once)`)),
      )
      const paths = daybook.accounts
        .filter(({ provider }) => provider.callbacks !== undefined)
        .map(({ ref }) => `/callbacks/${ref.provider}/${ref.account}`)
      const urls = paths.map(path => `${server.url}${path}`)
      terminal.result('serve', { url: server.url, callbacks: urls, desk: server.deskUrl ?? null }, [
        ...urls.map(url => `takes callbacks at ${url}`),
        ...(server.deskUrl === undefined
          ? []
          : [`finance desk at ${daybook.config.desk?.url ?? server.deskUrl}`]),
      ])
      await stopped
      endSoon()
      await server.stop()
      return EXIT.done
    },
    { logs: options.quiet === true ? 'warn' : 'configured' },
  )
}

/** The settings of the server of this Daybook; a desk is only opened for whoever can be told of its links. */
export function serverOptions(
  { config, deskSecrets, context, accounts }: Daybook,
  onLoginLink?: (link: string) => void,
): ServerOptions {
  const { desk } = config
  return {
    context,
    accounts,
    ...config.listen,
    maxCallbackBytes: config.callbacks.maxBytes,
    refusalsPerMinute: config.callbacks.refusalsPerMinute,
    proxies: config.proxies,
    sweepEveryMs: config.sweepEveryMs,
    daily: true,
    ...(desk === undefined || onLoginLink === undefined
      ? {}
      : { desk: { config: desk, secrets: deskSecrets, personName: personName(), onLoginLink } }),
  }
}

/** Resolves at the first request to end; a second one ends the process at once, as it does by default. */
export function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

const PATIENCE_MS = 10_000

/** Ends the process even if a transfer drags on: a stage may be killed anywhere, and the next run goes on. */
function endSoon(): void {
  setTimeout(() => process.exit(EXIT.done), PATIENCE_MS).unref()
}
