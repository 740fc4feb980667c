/** Onerway: the abilities of one account. */
import type { AccountParts, ProbedProvider } from '../account-parts.ts'
import type { Activity, Balances } from '../provider.ts'
import { readSettings } from '../settings.ts'
import { accountBalances, askOverview, readBalances } from './account-balance.ts'
import { readMovements } from './account-transactions.ts'
import { onerwayClient } from './client.ts'
import { onerwaySecrets, onerwaySettings, WHERE_FOUND } from './settings.ts'

export const ONERWAY = 'onerway'

export interface Onerway extends ProbedProvider {
  readonly balances: Balances
  readonly activity: Activity
}

/** The clock rule of the documentation: ten minutes. */
const CLOCK_WINDOW_MS = 600_000

/** Throws `config-invalid`, naming every setting that is not usable and where the missing ones are found. */
export function onerway(parts: AccountParts): Onerway {
  const settings = readSettings(onerwaySettings, parts.settings, 'settings', WHERE_FOUND)
  const apiKey = () => readSettings(onerwaySecrets, parts.secrets(), 'secrets').apiKey
  const client = onerwayClient({ ...parts, settings, apiKey })
  const options = { client, settings }
  const assets = async () => {
    const told = readBalances(await askOverview(options)).map(({ asset }) => asset)
    return [...new Set([...told, ...settings.currencies])].sort()
  }
  return {
    name: ONERWAY,
    balances: accountBalances(options),
    activity: { assets, movements: (asset, from, to) => readMovements(options, asset, from, to) },
    async probe() {
      await askOverview(options)
      return { serials: [], aheadMs: client.aheadMs(), clockWindowMs: CLOCK_WINDOW_MS }
    },
  }
}
