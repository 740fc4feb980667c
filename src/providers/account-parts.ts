/** What a provider is made from: one account's settings and secrets, and what of the machine it may use. */
import type { Clock, Random } from '../host.ts'
import type { Log } from '../log.ts'
import type { Http } from './http.ts'
import type { ProbeAnswer, Provider } from './provider.ts'

export interface AccountParts {
  /** What the account's entry says; the provider's own schema reads it. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Asked for when something is signed, so that commands that sign nothing need no secrets. */
  readonly secrets: () => Readonly<Record<string, string>>
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface ProbedProvider extends Provider {
  /** Proves address, clock and credentials without spending quota; answers what it learnt. */
  probe(): Promise<ProbeAnswer>
}
