/** The configuration of a process, with what AWS Secrets Manager keeps of it. */
import { DaybookError } from '../domain/errors.ts'
import { type LoadedConfig, loadConfig } from './config.ts'
import type { Env } from './env.ts'

/**
 * Reads the configuration, and the accounts from the secrets that `DAYBOOK_SECRET_ID` names. Throws
 * `config-invalid`: what is set or kept is not usable; `store-unavailable`: Secrets Manager gave no answer.
 */
export async function configure(env: Env): Promise<LoadedConfig> {
  const ids = (env.DAYBOOK_SECRET_ID ?? '').split(',').map(id => id.trim())
  const named = ids.filter(id => id !== '')
  return named.length === 0 ? loadConfig(env) : loadConfig(env, await readSecrets(named, env.AWS_REGION))
}

/** The client is loaded only by those who use it. */
async function readSecrets(ids: readonly string[], region: string | undefined): Promise<string[]> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager')
  const client = new SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
  })
  try {
    return await Promise.all(
      ids.map(async id => {
        const { SecretString } = await client
          .send(new GetSecretValueCommand({ SecretId: id }))
          .catch(error => Promise.reject(secretFault(id, error)))
        return SecretString ?? ''
      }),
    )
  } finally {
    client.destroy()
  }
}

/** What a retry cannot change; anything else may pass. */
const LASTING = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidParameterException',
  'InvalidRequestException',
  'CredentialsProviderError',
  'UnrecognizedClientException',
])

function secretFault(id: string, cause: unknown): DaybookError {
  const name = cause instanceof Error ? cause.name : 'unknown'
  const says = `The secret ${id} of DAYBOOK_SECRET_ID could not be read (${name}).`
  return new DaybookError(LASTING.has(name) ? 'config-invalid' : 'store-unavailable', says, { cause })
}
