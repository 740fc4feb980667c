/** `daybook serve`: takes callbacks and moves reports on, until it is told to stop. */
import type { Command } from 'commander'
import { createCommand, exitsWith } from './command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

export function serveCommand(): Command {
  return createCommand('serve', 'take callbacks, fetch and parse reports; logs to stderr')
    .addHelpText(
      'after',
      `
Listens on DAYBOOK_LISTEN. Behind a proxy that ends TLS, set the merchant portal's callback URL to
https://<your host>/callbacks/binance-pay/<account>.`,
    )
    .action(exitsWith(runServe))
}

async function runServe(options: CommonOptions): Promise<ExitCode> {
  const { withSession } = await import('./session.ts')
  const { startServer } = await import('../server/server.ts')
  return withSession(
    options,
    async ({ daybook: { config, context, accounts }, terminal }) => {
      const stopped = stopSignal()
      const server = await startServer({
        context,
        accounts,
        ...config.listen,
        maxCallbackBytes: config.callbacks.maxBytes,
        sweepEveryMs: config.sweepEveryMs,
      })
      const paths = accounts.map(({ ref }) => `/callbacks/${ref.provider}/${ref.account}`)
      terminal.result('serve', { url: server.url, callbacks: paths }, [])
      for (const path of paths) terminal.say(`Takes callbacks at ${server.url}${path}`)
      await stopped
      await server.stop()
      return EXIT.done
    },
    { logs: options.quiet !== true },
  )
}

/** Resolves at the first request to end; a second one ends the process at once, as it does by default. */
export function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
