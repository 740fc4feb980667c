/** Tries again what may succeed later, and only what can be asked twice without doing anything twice. */
import { findFault } from '../domain/errors.ts'
import type { Clock, Random } from '../host.ts'

export interface RetryOptions {
  readonly clock: Clock
  readonly random: Random
  /** How often it is tried in all. */
  readonly tries: number
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/** Runs `ask` until it answers, its fault says that a retry cannot help, or the tries are used up. */
export async function retried<T>(options: RetryOptions, ask: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await ask()
    } catch (error) {
      if (tried >= options.tries || findFault(error)?.retry !== true) throw error
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (tried - 1), LONGEST_WAIT_MS)
      await options.clock.sleep(waitMs * (0.5 + options.random.fraction()))
    }
  }
}
