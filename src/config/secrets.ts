/** Secrets, apart from the configuration so that the configuration can be printed. */
import { readFileSync } from 'node:fs'
import type { Env } from './env.ts'
import type { Faults } from './faults.ts'

/** What signs the requests of one Binance Pay account. */
export interface Credentials {
  readonly apiKey: string
  readonly secretKey: string
}

/** The secrets of one account, by the names its provider gives them. */
export type AccountSecrets = Readonly<Record<string, string>>

/** The secrets of the accounts that have them, by account name. */
export type Secrets = ReadonlyMap<string, AccountSecrets>

/** A secret from `NAME`, or from the file that `NAME_FILE` names; `undefined` when neither is set. */
export function readSecret(env: Env, name: string, faults: Faults): string | undefined {
  const direct = env[name]
  const path = env[`${name}_FILE`]
  if (direct !== undefined && path !== undefined) {
    return faults.add(name, `set either ${name} or ${name}_FILE, not both`)
  }
  if (path !== undefined) return readSecretFile(path, `${name}_FILE`, faults)
  return direct === undefined ? undefined : cleanSecret(direct, name, faults)
}

/** Whether a secret is set at all, usable or not. */
export function hasSecret(env: Env, name: string): boolean {
  return env[name] !== undefined || env[`${name}_FILE`] !== undefined
}

/** A secret without surrounding white space, which no header can carry and no portal prints. */
export function cleanSecret(text: string, name: string, faults: Faults): string | undefined {
  const secret = text.trim()
  return secret === '' ? faults.add(name, 'expected a secret; there is only white space') : secret
}

/** The content of a secret's file without surrounding white space. */
export function readSecretFile(path: string, name: string, faults: Faults): string | undefined {
  try {
    const secret = readFileSync(path, 'utf8').trim()
    return secret === ''
      ? faults.add(name, 'expected a file with the secret in it; the file is empty')
      : secret
  } catch {
    return faults.add(name, 'expected a file that can be read')
  }
}
