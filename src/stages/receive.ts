/**
 * Takes a callback: verified as bytes, durable, then acknowledged. Heavy work comes after the answer, by
 * whoever is told of the report.
 */
import { hash } from 'node:crypto'
import { dayOf } from '../domain/calendar.ts'
import { otherCallbackKey } from '../domain/keys.ts'
import type { CallbackRecord } from '../domain/report.ts'
import type { CallbackMessage, CallbackVerdict, RefusalReason } from '../providers/provider.ts'
import { createRecord } from '../stores/record.ts'
import type { Account, Context } from './context.ts'

export type ReceiveOutcome =
  /** Durable. `reportId` is set when the callback is about a report. */
  | { outcome: 'kept'; reportId: string | undefined }
  /** The same callback is durable already. */
  | { outcome: 'duplicate'; reportId: string | undefined }
  /** Not verified: nothing was kept, and the sender is told nothing. */
  | { outcome: 'refused'; reason: RefusalReason | 'no-callbacks' }

type ReceiveContext = Pick<Context, 'store' | 'reports' | 'clock' | 'log'>

export async function receive(
  context: ReceiveContext,
  account: Account,
  message: CallbackMessage,
): Promise<ReceiveOutcome> {
  const { callbacks } = account.provider
  if (callbacks === undefined) return { outcome: 'refused', reason: 'no-callbacks' }
  const verdict = await callbacks.verify(message)
  if (verdict.verdict === 'refused') {
    context.log.warn('callback.refused', { ...account.ref, reason: verdict.reason })
    return { outcome: 'refused', reason: verdict.reason }
  }
  const content = callbacks.read(message.body)
  const [kind, id] = content.kind === 'report' ? ['report', content.reportId] : [content.type, content.id]
  const record = recordOf(message, verdict, kind, id, context.clock.now())
  const reportId = content.kind === 'report' ? content.reportId : undefined
  const kept =
    reportId === undefined
      ? await keepOther(context, account, record)
      : await keepAboutReport(context, account, reportId, record)
  const outcome = kept ? 'kept' : 'duplicate'
  context.log.info(`callback.${outcome}`, { ...account.ref, kind, id, fresh: verdict.fresh })
  return { outcome, reportId }
}

/** The first callback about a report is its record; one that says something else is kept beside it. */
async function keepAboutReport(
  context: ReceiveContext,
  account: Account,
  reportId: string,
  record: CallbackRecord,
): Promise<boolean> {
  if ((await context.reports.create(account.ref, reportId, 'callback', record)) === 'created') return true
  const standing = await context.reports.read(account.ref, reportId, 'callback')
  return standing?.bodySha256 === record.bodySha256 ? false : keepOther(context, account, record)
}

/** The digest is part of the name: the same message twice is one object, another one never hides it. */
async function keepOther(
  { store, clock }: ReceiveContext,
  account: Account,
  record: CallbackRecord,
): Promise<boolean> {
  const name = `${record.id}-${record.bodySha256.slice(0, 16)}`
  const key = otherCallbackKey(account.ref, dayOf(clock.now()), name)
  return (await createRecord(store, key, record)) === 'created'
}

function recordOf(
  { body }: CallbackMessage,
  verdict: CallbackVerdict & { verdict: 'verified' },
  kind: string,
  id: string,
  now: Date,
): CallbackRecord {
  return {
    kind,
    id,
    receivedAt: now.toISOString(),
    headers: verdict.headers,
    bodyBase64: Buffer.from(body).toString('base64'),
    bodySha256: hash('sha256', body, 'hex'),
    keySerial: verdict.keySerial,
    signedAt: verdict.signedAt.toISOString(),
    fresh: verdict.fresh,
  }
}
