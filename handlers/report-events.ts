/** Batches of messages, each about objects that S3 has created: which reports they are about, and what is answered. */
import type { Context as LambdaContext, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { z } from 'zod'
import { findFault } from '../src/domain/errors.ts'
import { tryParseJson } from '../src/domain/json.ts'
import { parseAnyReportKey } from '../src/domain/keys.ts'
import { errorFields } from '../src/log.ts'
import { noteFailure } from '../src/sweep.ts'
import type { WiredAccount } from '../src/wiring.ts'
import type { Started } from './start.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const s3Event = z.object({
  Records: z.array(
    z.object({
      eventName: z.string(),
      s3: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
    }),
  ),
})

/** What S3 sends once, when it is first told of a queue. */
const testEvent = z.object({ Event: z.literal('s3:TestEvent') })

/** A message is not begun with when less is left: it is returned, and comes back to a fresh invocation. */
const MARGIN_MS = 10_000

type Work = (account: WiredAccount, reportId: string) => Promise<void>

/**
 * Works on every report of which the batch says that its `part` was created. A message whose report may
 * succeed later (the store or the provider did not answer) is returned for redelivery. One that can never
 * succeed is acknowledged after its failure is written down under the report, where status and sweep find
 * it: redelivered, it would fail again, and end in the dead-letter queue, which knows less than the bucket.
 */
export async function eachReport(
  daybook: Started,
  { Records }: SQSEvent,
  lambda: Pick<LambdaContext, 'getRemainingTimeInMillis'>,
  part: string,
  work: Work,
): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = []
  const marginMs = Math.min(MARGIN_MS, lambda.getRemainingTimeInMillis() / 2)
  for (const record of Records) {
    const hasTime = lambda.getRemainingTimeInMillis() >= marginMs
    if (!hasTime || !(await settle(daybook, record, part, work)))
      batchItemFailures.push({ itemIdentifier: record.messageId })
  }
  return { batchItemFailures }
}

/** Whether the message is done with. */
async function settle(daybook: Started, record: SQSRecord, part: string, work: Work): Promise<boolean> {
  const { context, accounts } = daybook
  for (const key of createdKeys(daybook, record)) {
    const found = parseAnyReportKey(key)
    // A queue that is told of more than it should is not a failure of the report.
    if (found === undefined || found.part !== part) continue
    const { ref, reportId } = found
    const account = accounts.find(
      each => each.ref.provider === ref.provider && each.ref.account === ref.account,
    )
    if (account === undefined) {
      // The secret may be the one that is late: a later environment may know the account.
      context.log.error('event.failed', { ...ref, reportId, reason: 'account-unknown' })
      return false
    }
    try {
      await work(account, reportId)
    } catch (error) {
      const fault = findFault(error)
      context.log.error('event.failed', { ...ref, reportId, ...errorFields(error) })
      // What is no fault of ours to know is a bug: a person reads of it in the dead-letter queue.
      if (fault === undefined || fault.retry) return false
      if (!(await isNoted(daybook, account, reportId, error))) return false
    }
  }
  return true
}

async function isNoted(
  { context }: Started,
  account: WiredAccount,
  reportId: string,
  error: unknown,
): Promise<boolean> {
  try {
    await noteFailure(context, account, reportId, error)
    return true
  } catch (unnoted) {
    context.log.error('event.failed', { ...account.ref, reportId, ...errorFields(unnoted) })
    return false
  }
}

/** The keys of created objects, without the store's prefix; none of a message that is not about any. */
function createdKeys({ config, context }: Started, { body, messageId }: SQSRecord): string[] {
  const content = tryParseJson(body)
  if (testEvent.safeParse(content).success) return []
  const event = s3Event.safeParse(content)
  if (!event.success) {
    // It will never be readable, so it is told of and acknowledged.
    context.log.error('event.unreadable', { messageId })
    return []
  }
  const { store } = config
  const prefix = store.kind === 's3' && store.prefix !== '' ? `${store.prefix}/` : ''
  return event.data.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'))
    .map(({ s3 }) => decodeKey(s3.object.key))
    .filter(key => key.startsWith(prefix))
    .map(key => key.slice(prefix.length))
}

/** Keys come as in the query of a URL: a space is a plus, and a plus is `%2B`. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
