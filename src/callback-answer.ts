/** What a sender of callbacks hears: for whatever takes them over HTTP. */
import { FAULTS, type FaultCode, findFault } from './domain/errors.ts'
import type { AccountRef } from './domain/keys.ts'
import type { CallbackMessage, CallbackReply } from './providers/provider.ts'
import type { Account, Context } from './stages/context.ts'
import { type ReceiveOutcome, receive } from './stages/receive.ts'

/** What a stranger hears where there is no account: the same as anywhere else. */
export const REFUSED: CallbackReply = { status: 401, body: '{"returnCode":"FAIL","returnMessage":null}' }

/** The account a callback is meant for, or `undefined`; then the sender hears `REFUSED`. */
export function calledAccount<A extends Account>(
  { log }: Pick<Context, 'log'>,
  accounts: readonly A[],
  { provider, account }: Partial<AccountRef>,
): A | undefined {
  const called = accounts.find(({ ref }) => ref.provider === provider && ref.account === account)
  if (called === undefined) log.warn('callback.refused', { reason: 'account-unknown' })
  return called
}

/** Takes a callback, and answers what became of it and what its sender hears. */
export async function answerCallback(
  context: Pick<Context, 'store' | 'reports' | 'clock' | 'log'>,
  account: Account,
  message: CallbackMessage,
): Promise<{ outcome: ReceiveOutcome; reply: CallbackReply }> {
  const outcome = await receive(context, account, message)
  const word = outcome.outcome === 'refused' ? 'refused' : 'accepted'
  return { outcome, reply: account.provider.callbacks?.replies[word] ?? REFUSED }
}

/** The HTTP status of every fault: what may succeed later asks the sender to come back. */
const STATUS = {
  'config-invalid': 500,
  'usage-invalid': 400,
  'not-found': 404,
  'key-refused': 400,
  'record-invalid': 500,
  'store-unavailable': 503,
  'store-refused': 500,
  'provider-unreachable': 503,
  'provider-refused': 502,
  'provider-protocol': 502,
  'download-failed': 502,
  'download-refused': 502,
  'file-unreadable': 500,
  'file-damaged': 500,
  'count-mismatch': 500,
} as const satisfies Record<FaultCode, number>

/** The status of an error, and after how many seconds it is worth coming back, where it is. */
export function statusOf(error: unknown): { status: number; retryAfterSeconds: number | undefined } {
  const fault = findFault(error)
  return {
    status: fault === undefined ? 500 : STATUS[fault.code],
    retryAfterSeconds: fault !== undefined && FAULTS[fault.code].retry ? 30 : undefined,
  }
}
