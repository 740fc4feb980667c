/** The providers there are. A new one is a folder beside the others and a line here. */

import { BINANCE_PAY, type BinancePayOptions, binancePay } from './binance-pay/binance-pay.ts'
import type { ProbeAnswer, Provider } from './provider.ts'

export interface ProbedProvider extends Provider {
  /** Proves address, clock and credentials without spending quota; answers what it learnt. */
  probe(): Promise<ProbeAnswer>
}

/** What every provider is made from. */
export type ProviderOptions = BinancePayOptions

export const PROVIDERS = {
  [BINANCE_PAY]: binancePay,
} as const satisfies Record<string, (options: ProviderOptions) => ProbedProvider>
