/** A file of accounts at every provider that the sandbox plays, with a key pair made for it. */
import { generateKeyPair } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { writePrettyJson } from '../domain/json.ts'
import type { Merchant } from '../sandbox/request-checks.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

const APP_ID = 'sandbox-app'
const MEMBER_ID = 'sandbox-member'
const ONERWAY_KEY = 'sandbox-onerway-key'
const KEY_BITS = 2048

export interface SandboxMerchant {
  readonly merchant: Merchant
  /** What signs the merchant's requests to PayerMax. */
  readonly privateKey: string
}

/** The merchant at all three providers. */
export async function makeSandboxMerchant(merchant: Merchant): Promise<SandboxMerchant> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: KEY_BITS })
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return {
    merchant: {
      ...merchant,
      payermax: { appId: APP_ID, memberId: MEMBER_ID, publicKey },
      onerway: { apiKey: ONERWAY_KEY },
    },
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  }
}

/** Writes the file that `DAYBOOK_ACCOUNTS` is to name; only its owner can read it. */
export async function writeSandboxAccounts(
  path: string,
  { merchant, privateKey }: SandboxMerchant,
  sandbox: Sandbox,
): Promise<void> {
  const { apiKey, secretKey } = merchant
  const paths = {
    balance: '/onerway/account/balance',
    overview: '/onerway/account/overview',
    transactions: '/onerway/account/transactions',
  }
  const accounts = [
    { name: 'main', apiKey, secretKey },
    {
      name: 'pm',
      provider: 'payermax',
      settings: {
        baseUrl: `${sandbox.url}/aggregate-pay/api/gateway`,
        ...{ appId: APP_ID, memberId: MEMBER_ID },
        publicKey: await sandbox.payermaxPublicKey(),
        zones: ['UTC', 'CST'],
      },
      secrets: { privateKey },
    },
    {
      name: 'ow',
      provider: 'onerway',
      // The sandbox is the provider here, and what it moves is the total.
      settings: { baseUrl: sandbox.url, paths, activityTargetConfirmed: true },
      secrets: { apiKey: ONERWAY_KEY },
    },
  ]
  await writeFile(path, writePrettyJson({ accounts }), { mode: 0o600 })
}
