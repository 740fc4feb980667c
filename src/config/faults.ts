/** Collects everything that is wrong with a configuration, so that it is all said at once. */
import { DaybookError } from '../domain/errors.ts'

export interface Faults {
  /** Notes that `name` is not usable: what was expected, never what was found. */
  add(name: string, expected: string): undefined
  /** Throws `config-invalid` with every fault noted so far, if there is any. */
  throwIfAny(): void
}

export function collectFaults(): Faults {
  const lines: string[] = []
  return {
    add(name, expected) {
      lines.push(`${name}: ${expected}`)
      return undefined
    },
    throwIfAny() {
      if (lines.length === 0) return
      const title =
        lines.length === 1 ? 'The configuration has a fault' : `The configuration has ${lines.length} faults`
      throw new DaybookError('config-invalid', `${title}:\n${lines.map(line => `  ${line}`).join('\n')}`)
    },
  }
}
