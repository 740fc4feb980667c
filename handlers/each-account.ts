/** Work on all accounts within the time of one invocation. */
import type { Context as LambdaContext } from 'aws-lambda'
import { z } from 'zod'
import { isDay } from '../src/domain/calendar.ts'
import { DaybookError } from '../src/domain/errors.ts'
import { errorFields } from '../src/log.ts'
import { mapAtOnce } from '../src/stores/at-once.ts'
import type { WiredAccount } from '../src/wiring.ts'
import type { Started } from './start.ts'

export type LambdaTime = Pick<LambdaContext, 'getRemainingTimeInMillis'>

export const dayText = z.string().refine(isDay, 'expected a day, YYYY-MM-DD')

/** Strict: the envelope that EventBridge sends without an input has an `account` of its own. */
export const dayInput = z.strictObject({ account: z.string().optional(), day: dayText.optional() })

/** What a schedule or a person gave. Throws `usage-invalid` that says what does not fit. */
export function readInput<S extends z.ZodType>(schema: S, event: unknown): z.infer<S> {
  const parsed = schema.safeParse(event ?? {})
  if (parsed.success) return parsed.data
  throw new DaybookError('usage-invalid', `The input does not fit:\n${z.prettifyError(parsed.error)}`)
}

export function makesReports({ provider }: WiredAccount): boolean {
  return provider.reports !== undefined
}

/** Whether it is known which days the account can be asked for. */
export function isPlannable({ provider }: WiredAccount): boolean {
  return provider.reports?.window !== undefined
}

export function hasBalances({ provider }: WiredAccount): boolean {
  return provider.balances !== undefined
}

export interface Chosen {
  /** The name of one account; all when absent. */
  readonly only: string | undefined
  readonly able: (account: WiredAccount) => boolean
}

export interface AccountsOutcome<T> {
  readonly done: readonly T[]
  /** Accounts for which there was no time: the next run begins anywhere, so none is left for ever. */
  readonly left: number
}

/** Accounts wait for stores and providers, not for the processor. */
const AT_ONCE = 4

/** No account is begun with when less is left; a stage that is cut off all the same is finished by a later run. */
const MARGIN_MS = 30_000

/** Of a short invocation, in tests or by mistake, half is worked. */
function marginOf(remainingMs: number): number {
  return Math.min(MARGIN_MS, remainingMs / 2)
}

/**
 * Works on the chosen accounts, some at once; one that fails does not keep the others waiting. Throws the
 * last failure once all are done, so that the invocation counts as failed and is tried again.
 */
export async function eachAccount<T>(
  { context, accounts, metrics }: Started,
  lambda: LambdaTime,
  { only, able }: Chosen,
  work: (account: WiredAccount, signal: AbortSignal) => Promise<T>,
): Promise<AccountsOutcome<T>> {
  const chosen = choose(accounts, only).filter(able)
  const remainingMs = lambda.getRemainingTimeInMillis()
  const ending = AbortSignal.timeout(Math.max(0, Math.floor(remainingMs - marginOf(remainingMs))))
  const first = Math.floor(context.random.fraction() * chosen.length)
  const inTurn = [...chosen.slice(first), ...chosen.slice(0, first)]
  const done: T[] = []
  const failures: unknown[] = []
  let left = 0
  await mapAtOnce(inTurn, AT_ONCE, async account => {
    if (ending.aborted) {
      left++
      return
    }
    try {
      done.push(await work(account, ending))
    } catch (error) {
      context.log.error('account.failed', { ...account.ref, ...errorFields(error) })
      failures.push(error)
    }
  })
  metrics({ AccountsFailed: failures.length, AccountsLeft: left })
  if (failures.length > 0) throw failures.at(-1)
  return { done, left }
}

function choose(accounts: readonly WiredAccount[], only: string | undefined): readonly WiredAccount[] {
  const chosen = only === undefined ? accounts : accounts.filter(({ ref }) => ref.account === only)
  if (only === undefined || chosen.length > 0) return chosen
  throw new DaybookError('not-found', `There is no account ${only}.`)
}
