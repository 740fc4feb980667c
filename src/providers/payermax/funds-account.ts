/**
 * POST …/fundsAccountQuery
 * https://docs.payermax.com/public/api/New-Version/en/v1.0/aggregate-pay_api_gateway_fundsAccountQuery.html
 *
 * ask    {"fundsAccountNoList"?:[]}
 * answer {"fundsAccountInfoList":[{"accountNo","accountName","accountAlias",…}]}; further fields are not
 *        established, and are kept as they come
 */
import { type JsonObject, otherFields, requiredList, requiredText, textOf } from '../json-fields.ts'
import type { PayerMaxClient } from './client.ts'

export const FUNDS_ACCOUNT_PATH = 'fundsAccountQuery'

export interface FundsAccount {
  readonly accountNo: string
  readonly name: string | null
  readonly alias: string | null
  /** The other fields, as a JSON object. */
  readonly extra: string | null
}

/** The funds accounts of these numbers, or all of them. */
export async function queryFundsAccounts(
  client: PayerMaxClient,
  accountNos: readonly string[] = [],
): Promise<FundsAccount[]> {
  const question = accountNos.length === 0 ? {} : { fundsAccountNoList: accountNos }
  return readFundsAccounts((await client.call(FUNDS_ACCOUNT_PATH, question)).data)
}

/** Throws `provider-protocol`. */
export function readFundsAccounts(data: JsonObject): FundsAccount[] {
  return requiredList(data, 'fundsAccountInfoList').map(account => ({
    accountNo: requiredText(account, 'accountNo'),
    name: textOf(account.accountName) ?? null,
    alias: textOf(account.accountAlias) ?? null,
    extra: otherFields(account, ['accountNo', 'accountName', 'accountAlias']),
  }))
}
