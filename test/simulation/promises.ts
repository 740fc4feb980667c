/** What must be true after a run, from the bucket and from the provider's own books. */

import { hash } from 'node:crypto'
import { addDays, covers, type Day, monthOf } from '../../src/domain/calendar.ts'
import { compareOrigins } from '../../src/domain/day-origin.ts'
import { activityKey, reportKeys, slotKey } from '../../src/domain/keys.ts'
import { isSpent, isUnsettled, type Slot } from '../../src/domain/quota.ts'
import {
  type AcceptedRecord,
  type EndedRecord,
  type Manifest,
  type ReportPart,
  sameRequest,
} from '../../src/domain/report.ts'
import { readActivity } from '../../src/formats/parquet.ts'
import { storedSource } from '../../src/stores/activity-table.ts'
import { type Generation, ODD_HOST } from './provider-model.ts'
import { type FinishedRun, POLICY, REF } from './world.ts'

interface Report {
  readonly id: string
  readonly parts: ReadonlySet<ReportPart>
  readonly accepted: AcceptedRecord | undefined
  readonly ended: EndedRecord | undefined
  readonly manifest: Manifest | undefined
}

/** Every promise that was broken, as sentences. */
export async function brokenPromises(run: FinishedRun): Promise<string[]> {
  const { context, objects } = run
  const slots = await context.ledger.since(REF, '2000-01')
  const reports: Report[] = []
  for await (const { reportId, parts } of context.reports.list(REF)) {
    const read = <P extends ReportPart>(part: P) =>
      parts.has(part) ? context.reports.read(REF, reportId, part) : undefined
    const [accepted, ended, called, manifest] = await Promise.all([
      read('accepted'),
      read('ended'),
      read('ended-called'),
      read('manifest'),
    ])
    reports.push({ id: reportId, parts, accepted, ended: called ?? ended, manifest })
  }
  const broken = [
    ...run.seen,
    ...run.writtenAgain.map(key => `P7: ${key} changed when everything was done again`),
    ...limitKept(run, slots),
    ...askedOnce(run, slots, reports),
    ...nothingLost(run, slots, reports),
  ]
  for (const [day, parsed] of coveredDays(reports)) broken.push(...(await dayWhole(run, day, parsed)))
  for (const { id, parts } of reports) {
    const one = run.provider.books.find(generation => generation.id === id)
    if (one === undefined || !parts.has('archive')) continue
    const { filePrefix } = reportKeys(REF, id)
    const files = [...objects.byKey].filter(([key]) => key.startsWith(filePrefix))
    const isKept = ([, { bytes }]: (typeof files)[number]) => Buffer.from(bytes).toString() === one.file
    if (files.length === 0 || !files.every(isKept))
      broken.push(`P5: the file of ${id} is not what the provider made`)
  }
  return broken
}

/** P1: the limit, by the provider's clock and by ours, and the reserve. */
function limitKept({ provider, account }: FinishedRun, slots: readonly Slot[]): string[] {
  const limit = account.monthlyLimit
  const made = new Map<string, number>()
  for (const { by, madeAtMs } of provider.books) {
    const month = monthOf(new Date(madeAtMs))
    if (by === 'api') made.set(month, (made.get(month) ?? 0) + 1)
  }
  const over = [...made].filter(([, count]) => count > limit)
  const spent = slots.filter(isSpent)
  const reserved = spent.filter(
    ({ month, number, claim }) =>
      (claim.reason === 'plan' || claim.reason === 'schedule') &&
      spent.filter(other => other.month === month && other.number <= number).length >
        limit - account.planning.reserve,
  )
  return [
    ...over.map(([month, count]) => `P1: ${count} reports were made in ${month}, the limit is ${limit}`),
    ...reserved.map(({ month, number }) => `P1: slot ${number} of ${month} took from the reserve`),
  ]
}

/** P2: no question twice but on purpose, and no report without a slot that is spent on it. */
function askedOnce({ provider }: FinishedRun, slots: readonly Slot[], reports: readonly Report[]): string[] {
  const broken: string[] = []
  const spent = slots.filter(isSpent)
  const byApi = provider.books.filter(({ by }) => by === 'api')
  for (const one of byApi) {
    const same = byApi.filter(other => sameRequest(other.request, one.request))
    const paid = spent.filter(({ claim }) => sameRequest(claim.request, one.request))
    if (same.length > paid.length) broken.push(`P2: report ${one.id} was made, but its slot is given back`)
  }
  const endedAt = new Map(reports.map(({ id, ended }) => [id, ended?.endedAt]))
  /** Whether it was known, when `later` was claimed, that the slot would bring nothing. */
  const isInVain = (slot: Slot, later: Slot) => {
    const id = slot.outcome?.outcome === 'accepted' ? slot.outcome.reportId : undefined
    const at = id === undefined ? undefined : endedAt.get(id)
    return at !== undefined && at <= new Date(new Date(later.claim.claimedAt).getTime() + 5_000).toISOString()
  }
  const asked = new Map(provider.asked.map(one => [one.slotKey, one]))
  for (const slot of slots) {
    const one = asked.get(slotKey(REF, slot.month, slot.number))
    if (one === undefined) continue
    const waitedMs = one.atMs - new Date(slot.claim.claimedAt).getTime()
    if (!sameRequest(one.request, slot.claim.request) || waitedMs < 0 || waitedMs > 20_000)
      broken.push(`P2: slot ${slot.month}/${slot.number} was asked with ${waitedMs} ms after its claim`)
  }
  if (asked.size < provider.asked.length) broken.push('P2: two requests were sent with one slot, or without')
  /** A process that dies between claim and call leaves a slot that nobody asks with. */
  const isAsked = ({ month, number }: Slot) => asked.has(slotKey(REF, month, number))
  spent.forEach((slot, index) => {
    const { request, reason, again } = slot.claim
    if (again || !isAsked(slot)) return
    for (const before of spent.slice(0, index)) {
      const isSame = sameRequest(before.claim.request, request)
      const isMachine = reason === 'plan' || reason === 'schedule'
      const meets =
        before.claim.request.wallets === 'all' &&
        [request.range.start, addDays(request.range.end, -1)].some(day =>
          covers(before.claim.request.range, day),
        )
      if (isMachine ? meets && !isInVain(before, slot) : isSame)
        broken.push(
          `P2: slot ${slot.month}/${slot.number} (${reason}) asks what ${before.month}/${before.number} had asked`,
        )
    }
  })
  return broken
}

/** P3: what was acknowledged or accepted is parsed, or has ended with evidence, or nobody could finish it. */
function nothingLost(run: FinishedRun, slots: readonly Slot[], reports: readonly Report[]): string[] {
  const broken: string[] = []
  const byId = new Map(reports.map(report => [report.id, report]))
  const books = new Map(run.provider.books.map(one => [one.id, one]))
  const expected = new Set(run.provider.acknowledged.map(({ letter }) => letter.generation.id))
  // An import that died is completed by whoever imports the file again.
  for (const { id, parts } of reports)
    if (!id.startsWith('import-') || (parts.has('accepted') && parts.has('archive'))) expected.add(id)
  for (const { outcome } of slots) if (outcome?.outcome === 'accepted') expected.add(outcome.reportId)
  for (const id of expected) {
    const report = byId.get(id)
    const one = books.get(id)
    if (report === undefined) broken.push(`P3: ${id} is not in the bucket`)
    else if (report.manifest === undefined && report.ended !== undefined && !report.parts.has('archive'))
      broken.push(...evidenceFor(report.ended, one).map(why => `P3: ${id} ended, but ${why}`))
    else if (report.manifest === undefined && !isBeyondUs(report, one, slots) && !isRefused(run, id, one))
      broken.push(`P3: ${id} is unfinished: ${[...report.parts]} ${one?.fate} by ${one?.by}`)
    if (
      one?.by === 'api' &&
      report?.accepted !== undefined &&
      !sameRequest(one.request, report.accepted.request)
    )
      broken.push(`P3: ${id} was taken for the answer to another question`)
  }
  return broken
}

/** Why what a report ended with is not what the provider's books say. */
function evidenceFor({ status, since, endedAt }: EndedRecord, one: Generation | undefined): string[] {
  const forMs = new Date(endedAt).getTime() - new Date(since).getTime()
  switch (status) {
    case 'failed':
      return one?.fate === 'failed' ? [] : ['the provider did not fail']
    case 'expired':
      return one?.renews === false && forMs >= POLICY.expiredMs ? [] : ['a new link was to be had']
    case 'absent':
      return (one === undefined || one.by === 'stranger') && forMs >= POLICY.absentMs
        ? []
        : ['the provider knew it']
    case 'processing':
      return one?.fate === 'stuck' && forMs >= POLICY.abandonMs
        ? []
        : ['the provider was not asked for long enough']
  }
}

/** A file without days: nobody here asked for it, or several lost answers may be about it. */
function isBeyondUs(
  { accepted, parts }: Report,
  one: Generation | undefined,
  slots: readonly Slot[],
): boolean {
  if (accepted !== undefined || !parts.has('archive') || one === undefined) return false
  if (one.by !== 'api') return true
  const fitting = slots.filter(slot => {
    // An id tells no more than the second.
    const madeAtMs = Math.floor(one.madeAtMs / 1000) * 1000
    const waitedMs = madeAtMs - new Date(slot.claim.claimedAt).getTime()
    return isUnsettled(slot) && -3_000 <= waitedMs && waitedMs <= 60_000
  })
  const own = fitting.some(({ claim }) => sameRequest(claim.request, one.request))
  return !own || fitting.some(({ claim }) => !sameRequest(claim.request, one.request))
}

/** The only link that the provider gives names a host that nobody allows: a person must look. */
function isRefused({ objects }: FinishedRun, id: string, one: Generation | undefined): boolean {
  const callback = objects.byKey.get(reportKeys(REF, id).callback)
  if (callback === undefined || (one?.by !== 'stranger' && one?.renews !== false)) return false
  const { bodyBase64 } = JSON.parse(Buffer.from(callback.bytes).toString())
  return Buffer.from(bodyBase64, 'base64').includes(ODD_HOST)
}

function coveredDays(reports: readonly Report[]): Map<Day, Manifest[]> {
  const days = new Map<Day, Manifest[]>()
  for (const { manifest } of reports) {
    for (const { day, publication } of manifest?.days ?? []) {
      if (publication !== 'withheld') days.set(day, [...(days.get(day) ?? []), manifest!])
    }
  }
  return days
}

/** P7: a day that some report covers stands, and holds exactly the rows of the newest such report. */
async function dayWhole(
  { seed, context, objects }: FinishedRun,
  day: Day,
  parsed: readonly Manifest[],
): Promise<string[]> {
  const newest = parsed.toSorted(compareOrigins).at(-1)!
  const key = reportKeys(REF, newest.reportId).file(newest.source.file)
  const file = Buffer.from(objects.byKey.get(key)?.bytes ?? []).toString()
  const wanted = [...file.matchAll(new RegExp(`${day}v\\S*$`, 'gm'))].map(([text]) => text)
  const head = await context.store.head(activityKey(REF, day))
  if (head === undefined) return [`P7: ${day} was published, but does not stand`]
  const own = newest.days.find(one => one.day === day)
  const bytes = objects.byKey.get(head.key)!.bytes
  // That a parse's own bytes are its rows is proved elsewhere, so they are read in some runs only.
  if (seed % 8 !== 0 && hash('sha256', bytes, 'hex') === own?.sha256) return []
  const rows = await readActivity(storedSource(context.store, head))
  const found = rows.map(({ remark }) => remark)
  return wanted.sort().join() === found.sort().join()
    ? []
    : [
        `P7: ${day} holds ${found.join() || 'nothing'}, but ${newest.reportId} says ${wanted.join() || 'nothing'}`,
      ]
}
