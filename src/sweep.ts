/**
 * The only recovery there is: finds the reports that are unfinished and runs what each lacks. Any number of
 * sweeps may run at once, anywhere, and be killed at any moment. What a sweep costs depends on the reports
 * that are open, not on those that are finished.
 */
import { type Agenda, agendaRecord, daysToRead, nextAgenda } from './domain/agenda.ts'
import { type Attempt, begin, hear, nextTryOf } from './domain/attempt.ts'
import type { Day } from './domain/calendar.ts'
import { findFault } from './domain/errors.ts'
import {
  type Duration,
  firstPollAt,
  nextPollAt,
  nextTryAt,
  nextTryOfRefused,
  usualMs,
} from './domain/polling.ts'
import {
  type AcceptedRecord,
  type CallbackRecord,
  type EndedRecord,
  isFinished,
  type ReportPart,
  reportState,
} from './domain/report.ts'
import { errorFields } from './log.ts'
import { type AdvanceOutcome, advance } from './pipeline.ts'
import { forbiddenHost } from './providers/download-policy.ts'
import { conclude } from './stages/conclude.ts'
import type { Account, Context } from './stages/context.ts'
import { mapAtOnce } from './stores/at-once.ts'

export interface SweepOptions {
  /** How many reports are worked on at once. */
  readonly atOnce?: number
  /** How many open reports are looked at, each for a handful of small requests; the others have their turn later. */
  readonly mostLooks?: number
  /** How many reports are worked on in all. */
  readonly mostTries?: number
  /** Considers the whole history again, whatever the agenda says. */
  readonly everything?: boolean
  /** Begins with no further report once it aborts. */
  readonly signal?: AbortSignal
}

export interface SweepOutcome {
  /** Reports that were open. */
  readonly open: number
  /** Of those: finished by this sweep, tried without finishing, not yet due, and left to others or for later. */
  readonly finished: number
  readonly tried: number
  readonly waiting: number
  readonly left: number
}

const AT_ONCE = 2
const MOST_LOOKS = 200
const MOST_TRIES = 100

/** Sweeps accounts, one after the other; one whose store or records fail does not keep the others waiting. */
export async function sweep(
  context: Context,
  accounts: readonly Account[],
  options: SweepOptions = {},
): Promise<SweepOutcome> {
  let total: SweepOutcome = { open: 0, finished: 0, tried: 0, waiting: 0, left: 0 }
  let failed: unknown
  for (const account of accounts) {
    try {
      total = sum(total, await sweepAccount(context, account, options))
    } catch (error) {
      context.log.error('sweep.failed', { ...account.ref, ...errorFields(error) })
      failed = error
    }
  }
  if (failed !== undefined) throw failed
  return total
}

function sum(a: SweepOutcome, b: SweepOutcome): SweepOutcome {
  return {
    open: a.open + b.open,
    finished: a.finished + b.finished,
    tried: a.tried + b.tried,
    waiting: a.waiting + b.waiting,
    left: a.left + b.left,
  }
}

async function sweepAccount(
  context: Context,
  account: Account,
  options: SweepOptions,
): Promise<SweepOutcome> {
  const found = await findOpen(context, account, options.everything === true)
  const usual = usualMs(found.durations, context.polling)
  const looked = choose(context, found, options.mostLooks ?? MOST_LOOKS)
  const looks = (
    await mapAtOnce(looked, LOOKS_AT_ONCE, id => lookSafely(context, account, id, usual))
  ).filter(one => one !== undefined)
  const now = context.clock.now()
  const unfinished = looks.filter(({ finished }) => !finished)
  const due = unfinished.filter(({ dueAt }) => dueAt <= now).sort(byUrgency)
  const tries = due.slice(0, options.mostTries ?? MOST_TRIES)
  const outcomes = await mapAtOnce(tries, options.atOnce ?? AT_ONCE, async one =>
    options.signal?.aborted === true ? 'taken' : trySafely(context, account, one),
  )
  const count = (outcome: TryOutcome) => outcomes.filter(one => one === outcome).length
  await remember(
    context,
    account,
    found,
    looks,
    tries.filter((_, index) => outcomes[index] === 'finished'),
  )
  return {
    open: found.candidates.size - (looks.length - unfinished.length),
    finished: count('finished'),
    tried: count('unfinished'),
    waiting: unfinished.length - due.length,
    left: found.candidates.size - looks.length + due.length - tries.length + count('taken'),
  }
}

interface Found {
  readonly candidates: ReadonlySet<string>
  readonly marks: ReadonlyMap<string, Day>
  readonly parsed: ReadonlySet<string>
  readonly durations: readonly Duration[]
  readonly agenda: Agenda | undefined
  readonly etag: string | undefined
}

/** What may be unfinished: what the agenda has left open and what has arrived since; without one, everything. */
async function findOpen(context: Context, account: Account, everything: boolean): Promise<Found> {
  const { reports, work, clock } = context
  const { record, etag } = await work.agenda(account.ref)
  const now = clock.now()
  const days = record === undefined ? undefined : daysToRead(record, now)
  if (record === undefined || days === undefined || everything) {
    return { ...(await findAll(context, account, now)), agenda: record, etag }
  }
  const marks = new Map<string, Day>()
  for (const day of days) for (const id of await reports.arrivals(account.ref, day)) marks.set(id, day)
  const parsed = new Set(record.parsed)
  const candidates = new Set([...record.open, ...marks.keys()].filter(id => !parsed.has(id)))
  return { candidates, marks, parsed, durations: record.durations, agenda: record, etag }
}

async function findAll({ reports }: Context, account: Account, now: Date) {
  const fresh = nextAgenda(now, { marks: new Map(), open: new Set(), parsed: new Set(), durations: [] })
  // The marks first: what arrives while everything is listed is then found by the next sweep, if not by this.
  const marks = await reports.allArrivals(account.ref)
  const candidates = new Set<string>()
  const listed = new Set<string>()
  const parsed = new Set<string>()
  const newest: string[] = []
  for await (const { reportId, parts } of reports.list(account.ref)) {
    listed.add(reportId)
    if (!isFinished(parts)) candidates.add(reportId)
    if (!parts.has('manifest')) continue
    if (marks.has(reportId)) parsed.add(reportId)
    // Ids are in the order of their text, which for most providers is that of time.
    if (newest.push(reportId) > HISTORY) newest.shift()
  }
  // Of a mark without a record, however old, the id is all that is left.
  for (const [id, day] of marks)
    if (!listed.has(id) || (day >= fresh.from && !parsed.has(id))) candidates.add(id)
  const durations: Duration[] = []
  for (const id of newest) {
    const duration = await durationOf({ reports }, account, id)
    if (duration !== undefined) durations.push(duration)
  }
  return { candidates, marks, parsed, durations }
}

const HISTORY = 20

/** How long a report took, from its records. Of one that a person brought nothing can be learnt. */
async function durationOf(
  { reports }: Pick<Context, 'reports'>,
  { ref }: Account,
  reportId: string,
): Promise<Duration | undefined> {
  const [accepted, callback, archive] = await Promise.all([
    readable(() => reports.read(ref, reportId, 'accepted')),
    readable(() => reports.read(ref, reportId, 'callback')),
    readable(() => reports.read(ref, reportId, 'archive')),
  ])
  if (accepted === undefined || accepted.via === 'import') return undefined
  const since = (at: string) => Math.max(0, new Date(at).getTime() - new Date(accepted.askedAt).getTime())
  if (callback?.fresh === true) return { ms: since(callback.receivedAt), by: 'callback' }
  return archive?.via === 'query' ? { ms: since(archive.archivedAt), by: 'query' } : undefined
}

/** Which of very many open reports are looked at: chance takes its turn, so that none is forgotten. */
function choose({ random }: Context, { candidates }: Found, most: number): string[] {
  const ids = [...candidates]
  if (ids.length <= most) return ids
  return ids
    .map(id => ({ id, at: random.fraction() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, most)
    .map(({ id }) => id)
}

const LOOKS_AT_ONCE = 8

interface Look {
  readonly reportId: string
  readonly parts: ReadonlySet<ReportPart>
  readonly finished: boolean
  readonly accepted: AcceptedRecord | undefined
  readonly attempt: Attempt | undefined
  readonly etag: string | undefined
  readonly dueAt: Date
  /** When the callback's link runs out; `undefined` when there is none or it is not needed. */
  readonly linkEndsAt: Date | undefined
}

/** One report that cannot be looked at must not keep the others waiting. */
async function lookSafely(...args: Parameters<typeof look>): Promise<Look | undefined> {
  const [context, account, reportId] = args
  try {
    return await look(...args)
  } catch (error) {
    context.log.error('report.failed', { ...account.ref, reportId, ...errorFields(error) })
    return undefined
  }
}

/** What is known of a report, and when it is due. */
async function look(context: Context, account: Account, reportId: string, usual: number): Promise<Look> {
  const { reports, work, clock } = context
  const { ref } = account
  const parts = await reports.parts(ref, reportId)
  const nothing = { accepted: undefined, attempt: undefined, etag: undefined, linkEndsAt: undefined }
  const known = { reportId, parts, finished: isFinished(parts), dueAt: clock.now() }
  // A mark without a record: whoever writes it is not that far, or died before it. Then the id is all that is
  // left of an answer or a callback, and it will do if it is the provider's.
  const isEmpty = parts.size === 0 && account.provider.reports?.createdAt(reportId) === undefined
  if (known.finished || isEmpty) return { ...known, ...nothing, finished: true }
  const [{ record: attempt, etag }, accepted, callback] = await Promise.all([
    work.attempt(ref, reportId),
    readable(() => (parts.has('accepted') ? reports.read(ref, reportId, 'accepted') : undefined)),
    readable(() =>
      parts.has('callback') && !parts.has('archive') ? reports.read(ref, reportId, 'callback') : undefined,
    ),
  ])
  const now = clock.now()
  const linkEndsAt = callback === undefined ? undefined : linkEndOf(account, callback)
  const isNew = callback !== undefined && attempt !== undefined && callback.receivedAt > attempt.begunAt
  const waits = reportState(parts) === 'accepted' && accepted !== undefined && attempt === undefined
  const dueAt = isNew
    ? now
    : attempt !== undefined
      ? nextTryOf(attempt, now, context)
      : waits
        ? firstPollAt(new Date(accepted.askedAt), usual)
        : now
  return { ...known, accepted, attempt, etag, dueAt, linkEndsAt }
}

/** A record that cannot be read is a failure of its report, and comes to light when that is tried. */
async function readable<T>(read: () => Promise<T | undefined> | undefined): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (findFault(error)?.code === 'record-invalid') return undefined
    throw error
  }
}

function linkEndOf({ provider }: Account, { bodyBase64, fresh }: CallbackRecord): Date | undefined {
  const content = provider.callbacks?.read(Buffer.from(bodyBase64, 'base64'))
  return fresh && content?.kind === 'report' ? content.linkExpiresAt : undefined
}

/** Links that run out come first, the next to run out before the others; then whoever has waited longest. */
function byUrgency(a: Look, b: Look): number {
  const ends = ({ linkEndsAt }: Look) => linkEndsAt?.getTime() ?? Number.POSITIVE_INFINITY
  return ends(a) === ends(b) ? a.dueAt.getTime() - b.dueAt.getTime() : ends(a) < ends(b) ? -1 : 1
}

export type TryOutcome =
  | 'finished'
  | 'unfinished'
  /** Somebody else has begun with it. */
  | 'taken'

/**
 * Moves a report on now, due or not: for whoever has just heard of it. What comes of it is written down as a
 * sweep would.
 */
export async function moveOn(context: Context, account: Account, reportId: string): Promise<TryOutcome> {
  const usual = context.polling.firstMs
  const seen = await look(context, account, reportId, usual)
  if (seen.parts.size === 0 || seen.parts.has('manifest')) return 'finished'
  return tryOnce(context, account, seen)
}

/** One report whose try cannot even be written down must not keep the others waiting. */
async function trySafely(context: Context, account: Account, seen: Look): Promise<TryOutcome> {
  try {
    return await tryOnce(context, account, seen)
  } catch (error) {
    const { reportId } = seen
    context.log.error('report.failed', { ...account.ref, reportId, ...errorFields(error) })
    return 'unfinished'
  }
}

/**
 * One try: written down before it begins and after it has ended. Of several at once, the one whose writing
 * came first goes on; but nothing depends on that, since every stage may run twice.
 */
async function tryOnce(context: Context, account: Account, seen: Look): Promise<TryOutcome> {
  const { work, clock, log, processName } = context
  const { reportId } = seen
  const begun = begin(seen.attempt, clock.now(), processName)
  const etag = await work.writeAttempt(account.ref, reportId, begun, seen.etag)
  if (etag === undefined) return 'taken'
  const fields = { ...account.ref, reportId }
  let judged: Judgement
  try {
    const outcome = await advance(context, account, reportId)
    log.debug('report.advanced', {
      ...fields,
      archive: outcome.archive.outcome,
      parse: outcome.parse?.outcome,
    })
    judged = await judge(context, account, seen, begun, outcome)
  } catch (error) {
    judged = judgeFailure(context, account, seen, begun, error)
  }
  if (judged.written !== undefined) await work.writeAttempt(account.ref, reportId, judged.written, etag)
  return judged.finished ? 'finished' : 'unfinished'
}

/** What a try has come to that failed. */
function judgeFailure(
  context: Context,
  { ref }: Account,
  seen: Look,
  begun: Attempt,
  error: unknown,
): { finished: false; written: Attempt } {
  const failures = begun.failures + 1
  const now = context.clock.now()
  const fault = findFault(error)
  const retry = fault?.retry ?? true
  const says = fault?.message ?? (error instanceof Error ? error.message : 'unknown error')
  const host = fault && forbiddenHost(fault)
  const refusedHost = host === undefined || context.allowsHost(host) ? null : host
  // Until the file is here a try asks the provider, and that is never done more often than is set.
  const leastMs = seen.parts.has('archive') ? 0 : context.polling.leastMs
  const nextAt =
    refusedHost === null
      ? nextTryAt(now, failures, { retry, leastMs, linkEndsAt: seen.linkEndsAt })
      : nextTryOfRefused(now, failures)
  const { heard } = begun
  context.log.error('report.failed', {
    ...ref,
    reportId: seen.reportId,
    failures,
    nextAt: nextAt.toISOString(),
    ...errorFields(error),
  })
  const written = end(context, begun, { failures, says, retry, heard, nextAt, refusedHost })
  return { finished: false, written }
}

/**
 * Writes down under a report that a stage failed at it, as a sweep that tried it would: for whoever runs the
 * stages by themselves. Of several at once one is written.
 */
export async function noteFailure(
  context: Context,
  account: Account,
  reportId: string,
  error: unknown,
): Promise<void> {
  const seen = await look(context, account, reportId, context.polling.firstMs)
  const begun = begin(seen.attempt, context.clock.now(), context.processName)
  const { written } = judgeFailure(context, account, seen, begun, error)
  if (!seen.finished) await context.work.writeAttempt(account.ref, reportId, written, seen.etag)
}

/** How many reports the last sweep left open, and when the oldest of them was made, as far as ids tell. */
export async function openReports(
  { work }: Pick<Context, 'work'>,
  { ref, provider }: Account,
): Promise<{ open: number; oldestAt: Date | undefined }> {
  const open = (await work.agenda(ref)).record?.open ?? []
  const made = open.flatMap(id => provider.reports?.createdAt(id) ?? [])
  const oldestAt = made.toSorted((a, b) => a.getTime() - b.getTime())[0]
  return { open: open.length, oldestAt }
}

interface Judgement {
  readonly finished: boolean
  /** The try as it is written down; nothing is, where nobody will look at it again. */
  readonly written: Attempt | undefined
}

/** What a try has come to that did not fail: nothing is left, or when it goes on. */
async function judge(
  context: Context,
  account: Account,
  seen: Look,
  begun: Attempt,
  { match, archive, parse }: AdvanceOutcome,
): Promise<Judgement> {
  const { clock, polling, log } = context
  const now = clock.now()
  if (parse?.outcome === 'parsed' || parse?.outcome === 'already-parsed')
    return { finished: true, written: undefined }
  if (archive.outcome === 'not-ready' || archive.outcome === 'undeliverable') {
    const status: EndedRecord['status'] = archive.outcome === 'not-ready' ? 'processing' : archive.status
    const heard = hear(begun, status, now)
    const askedAt = seen.accepted === undefined ? undefined : new Date(seen.accepted.askedAt)
    const since = status === 'processing' && askedAt !== undefined ? askedAt : new Date(heard.since)
    const refused = { status, since, answer: archive.answer, parts: seen.parts }
    // Nobody looks at what has ended, so first it must be known which slot it is the answer to.
    const isEnd =
      match !== 'answer-awaited' &&
      (await conclude(context, account, seen.reportId, refused, polling)).outcome === 'ended'
    // An end is written down too: a file that comes later must not find a try that never ended.
    const nextAt = isEnd ? now : nextPollAt(since, now, polling)
    const written = end(context, begun, { failures: 0, says: SAYS[status], retry: true, heard, nextAt })
    return { finished: isEnd, written }
  }
  // The file is here, but not the days it was asked for.
  const awaited = match === 'answer-awaited'
  const failures = begun.failures + 1
  const nextAt = nextTryAt(now, failures, { retry: awaited, leastMs: 0, linkEndsAt: undefined })
  if (!awaited)
    log.warn('report.stuck', { ...account.ref, reportId: seen.reportId, reason: 'range-unknown', match })
  const written = end(context, begun, { failures, says: STUCK[match], retry: awaited, nextAt })
  return { finished: false, written }
}

const SAYS = {
  processing: 'The provider is at work on it.',
  failed: 'The provider says that making it failed.',
  expired: 'The link has run out, and the provider gave no new one.',
  absent: 'The provider does not know it.',
} as const

const STUCK = {
  'answer-awaited': 'Its file is here; the answer that tells its days is awaited.',
  ambiguous: 'Its file is here, but several lost answers may be about it: see "daybook settle".',
  'no-match': 'Its file is here, but nobody here asked for it: see "daybook import --report".',
  matched: 'Its file is here, but not its days.',
} as const

function end(
  { clock }: Context,
  begun: Attempt,
  result: Pick<Attempt, 'failures' | 'says' | 'retry'> &
    Partial<Pick<Attempt, 'heard' | 'refusedHost'>> & { nextAt: Date },
): Attempt {
  return {
    ...begun,
    begun: 0,
    heard: null,
    ...result,
    endedAt: clock.now().toISOString(),
    nextAt: result.nextAt.toISOString(),
  }
}

/** Writes the agenda down if it has changed. Whoever is beaten to it leaves it: it is found out again. */
async function remember(
  context: Context,
  account: Account,
  found: Found,
  looks: readonly Look[],
  done: readonly Look[],
): Promise<void> {
  const open = new Set(found.candidates)
  const parsed = new Set(found.parsed)
  const durations = [...found.durations]
  const finished = [...looks.filter(({ finished }) => finished), ...done]
  for (const { reportId, parts } of finished) {
    open.delete(reportId)
    const isParsed = parts.has('manifest') || (await isParsedNow(context, account, reportId, parts))
    if (!isParsed) continue
    parsed.add(reportId)
    const duration = await durationOf(context, account, reportId)
    if (duration !== undefined) durations.push(duration)
  }
  const news = { marks: found.marks, open, parsed, durations }
  const next = agendaRecord.parse(nextAgenda(context.clock.now(), news))
  if (found.agenda !== undefined && JSON.stringify(found.agenda) === JSON.stringify(next)) return
  await context.work.writeAgenda(account.ref, next, found.etag)
}

/** Whether a report that was open when it was looked at is parsed now; an end is no reason to look away. */
async function isParsedNow(
  { reports }: Context,
  { ref }: Account,
  reportId: string,
  before: ReadonlySet<ReportPart>,
): Promise<boolean> {
  return before.size > 0 && !isFinished(before) && (await reports.parts(ref, reportId)).has('manifest')
}
