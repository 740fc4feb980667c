/** The providers there are. A new one is a folder beside the others and a line here. */
import type { AccountParts, ProbedProvider } from './account-parts.ts'
import { BINANCE_PAY, binancePay } from './binance-pay/binance-pay.ts'
import type { KeyRecords } from './binance-pay/key-ring.ts'
import { balanceSettings } from './binance-pay/wallet-balance.ts'
import { ONERWAY, onerway } from './onerway/onerway.ts'
import { PAYERMAX, payerMax } from './payermax/payermax.ts'
import { readSettings } from './settings.ts'

export type { ProbedProvider } from './account-parts.ts'

/** What every provider is made from. */
export interface ProviderOptions extends AccountParts {
  readonly baseUrl: string
  /** Where the keys that sign callbacks are kept. */
  readonly keyRecords: KeyRecords
  readonly callbackMaxAgeMs: number
  readonly keyRefetchAfterMs: number
}

export type ProviderFactory = (options: ProviderOptions) => ProbedProvider

export const PROVIDERS: Readonly<Record<string, ProviderFactory>> = {
  [BINANCE_PAY]: options =>
    binancePay({
      ...options,
      credentials: () => options.secrets() as { apiKey: string; secretKey: string },
      balances: readSettings(balanceSettings, options.settings, 'settings'),
    }),
  [PAYERMAX]: payerMax,
  [ONERWAY]: onerway,
}
