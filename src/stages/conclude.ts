/** Ends a report that the provider will not deliver: with what it said, once, and for good unless a file comes. */
import { endingOf, type PollPolicy } from '../domain/polling.ts'
import { type EndedRecord, endedPart, type ReportPart } from '../domain/report.ts'
import type { Account, Context } from './context.ts'

export interface Refused {
  readonly status: EndedRecord['status']
  /** Since when the provider has said so. */
  readonly since: Date
  readonly answer: string | undefined
  /** The records that were there when it was asked: a callback that has come since is not a part of the end. */
  readonly parts: ReadonlySet<ReportPart>
}

export type ConcludeOutcome =
  | { outcome: 'ended'; record: EndedRecord }
  /** The provider may still change its mind. */
  | { outcome: 'open' }

type ConcludeContext = Pick<Context, 'reports' | 'clock' | 'log' | 'processName'>

export async function conclude(
  { reports, clock, log, processName }: ConcludeContext,
  account: Account,
  reportId: string,
  { status, since, answer, parts }: Refused,
  policy: PollPolicy,
): Promise<ConcludeOutcome> {
  const now = clock.now()
  const ending = endingOf(status, since, now, policy)
  if (ending === undefined) return { outcome: 'open' }
  const part = endedPart(parts)
  const record: EndedRecord = {
    reportId,
    outcome: ending,
    status,
    since: since.toISOString(),
    answer: answer ?? null,
    endedAt: now.toISOString(),
    by: processName,
  }
  if ((await reports.create(account.ref, reportId, part, record)) === 'created') {
    log.warn('report.ended', { ...account.ref, reportId, outcome: ending, status, since: record.since })
    return { outcome: 'ended', record }
  }
  return { outcome: 'ended', record: (await reports.read(account.ref, reportId, part)) ?? record }
}
