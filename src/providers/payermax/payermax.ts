/** PayerMax: the abilities of one merchant account. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { DaybookError } from '../../domain/errors.ts'
import type { AccountParts, ProbedProvider } from '../account-parts.ts'
import type { Balances } from '../provider.ts'
import { readPrivateKey, readPublicKey } from '../rsa-keys.ts'
import { readSettings } from '../settings.ts'
import { payerMaxClient } from './client.ts'
import { dayEndBalances } from './day-end-balance.ts'
import { type FundsAccount, queryFundsAccounts } from './funds-account.ts'
import { payerMaxSecrets, payerMaxSettings } from './settings.ts'

export const PAYERMAX = 'payermax'

export interface PayerMax extends ProbedProvider {
  readonly balances: Balances
  fundsAccounts(accountNos?: readonly string[]): Promise<FundsAccount[]>
}

/** The clock rule of the documentation: two minutes. */
const CLOCK_WINDOW_MS = 120_000

/** Throws `config-invalid`, naming every setting that is not usable. */
export function payerMax(parts: AccountParts): PayerMax {
  const settings = readSettings(payerMaxSettings, parts.settings, 'settings')
  const publicKey = providersKey(settings.publicKey)
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  let privateKey: KeyObject | undefined
  const client = payerMaxClient({
    ...parts,
    settings,
    publicKey,
    privateKey: () => (privateKey ??= merchantsKey(parts, publicKeyPem)),
  })
  return {
    name: PAYERMAX,
    balances: dayEndBalances({ client, settings, publicKeyPem }),
    fundsAccounts: accountNos => queryFundsAccounts(client, accountNos),
    async probe() {
      await queryFundsAccounts(client)
      const serial = createHash('sha256').update(publicKeyPem).digest('hex').slice(0, 16)
      return { serials: [serial], aheadMs: client.aheadMs(), clockWindowMs: CLOCK_WINDOW_MS }
    },
  }
}

function providersKey(text: string): KeyObject {
  try {
    return readPublicKey(text)
  } catch (cause) {
    const says = "publicKey: expected PayerMax's RSA public key of 2048 bits or more, as the portal prints it"
    throw new DaybookError('config-invalid', says, { cause })
  }
}

/** A key whose public half is configured as PayerMax's own would verify nothing that PayerMax signs. */
function merchantsKey({ secrets }: AccountParts, publicKeyPem: string): KeyObject {
  const key = readPrivateKey(readSettings(payerMaxSecrets, secrets(), 'secrets').privateKey)
  const ours = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  if (ours !== publicKeyPem) return key
  const says = "publicKey is the merchant's own: expected the public key of PayerMax that the portal shows."
  throw new DaybookError('config-invalid', says)
}
