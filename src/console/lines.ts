/** What the desk shows of a day, a finding, a slot and a report, made of their records. */
import { addDays, type Day } from '../domain/calendar.ts'
import { type DayKnowledge, isAnswered, openFindings, standingOf } from '../domain/day-standing.ts'
import { type AccountRef, reportKeys } from '../domain/keys.ts'
import type { Slot } from '../domain/quota.ts'
import { type CallbackRecord, reportState } from '../domain/report.ts'
import type { DayFindings } from '../stores/indexed-findings.ts'
import type { IndexedReport } from '../stores/indexed-reports.ts'
import type { DayLine, FindingLine, QuotaView, ReportLine, ReportView } from './views.ts'

export interface ReportFilter {
  readonly state?: string | undefined
  readonly wallets?: string | undefined
  /** Reports about any day from here on, and up to here. */
  readonly from?: Day | undefined
  readonly to?: Day | undefined
  /** A part of the id, of the file's name, or of its SHA-256. */
  readonly search?: string | undefined
}

export function dayLineOf(known: DayKnowledge & { readonly day: Day }): DayLine {
  const { day, coverage, runs, explanations } = known
  const wallets = coverage === undefined ? undefined : Object.entries(coverage.wallets)
  return {
    day,
    standing: standingOf(known),
    wallets:
      wallets === undefined ? null : Object.fromEntries(wallets.map(([name, { state }]) => [name, state])),
    reportId: wallets?.find(([, { reportId }]) => reportId !== null)?.[1].reportId ?? null,
    quarantined: Math.max(0, ...(wallets ?? []).map(([, { quarantined }]) => quarantined)),
    verdict: runs.at(-1)?.verdict ?? null,
    openFindings: openFindings(runs, explanations).length,
  }
}

export function findingLinesOf(day: Day, { runs, explanations }: DayFindings): FindingLine[] {
  const newest = runs.at(-1)
  return (newest?.findings ?? []).map(each => ({
    ...each,
    day,
    run: newest!.run,
    answered: isAnswered(each, runs, explanations),
    explanations: explanations.filter(({ finding: id }) => id === each.id),
  }))
}

export function slotLineOf({ month, number, claim, outcome }: Slot): QuotaView['slots'][number] {
  return {
    month,
    number,
    from: claim.request.range.start,
    to: addDays(claim.request.range.end, -1),
    wallets: claim.request.wallets,
    reason: claim.reason,
    by: claim.by,
    claimedAt: claim.claimedAt,
    outcome: outcome?.outcome ?? 'claimed',
    reportId: outcome?.outcome === 'accepted' ? outcome.reportId : null,
  }
}

export function reportLineOf(
  ref: AccountRef,
  { reportId, parts, accepted, archive, manifest, ended }: IndexedReport,
): ReportLine {
  const state = reportState(parts)
  const days = manifest?.days
  return {
    ...ref,
    reportId,
    state: state === 'ended' ? (ended?.outcome ?? 'failed') : state,
    from: accepted?.request.range.start ?? null,
    to: accepted === undefined ? null : addDays(accepted.request.range.end, -1),
    wallets: accepted?.request.wallets ?? null,
    askedAt: accepted?.askedAt ?? null,
    via: accepted?.via ?? null,
    slot: accepted?.slot == null ? null : `${accepted.slot.month}/${accepted.slot.number}`,
    file: archive === undefined ? null : { name: archive.name, size: archive.size, sha256: archive.sha256 },
    rows: manifest?.rows ?? null,
    publishedDays: days?.filter(({ publication }) => publication === 'published').length ?? null,
    days: days?.length ?? null,
  }
}

export function matches(line: ReportLine, { state, wallets, from, to, search }: ReportFilter): boolean {
  if (state !== undefined && line.state !== state) return false
  if (wallets !== undefined && line.wallets !== wallets) return false
  if (from !== undefined && (line.to === null || line.to < from)) return false
  if (to !== undefined && (line.from === null || line.from > to)) return false
  if (search === undefined) return true
  const texts = [line.reportId, line.file?.name ?? '', line.file?.sha256 ?? '']
  return texts.some(text => text.toLowerCase().includes(search.toLowerCase()))
}

export function timelineOf(
  { parts, accepted, archive, manifest, ended }: IndexedReport,
  calledAt: string | undefined,
  keySerial: string | undefined,
  days: readonly DayLine[],
): ReportView['timeline'] {
  const steps: ReportView['timeline'] = []
  if (accepted !== undefined) {
    const says = {
      answer: 'The provider took the request.',
      match: 'The answer was lost; the report was matched by its time.',
      settle: `The answer was lost; ${accepted.by ?? 'a person'} settled it.`,
      import: `${accepted.by ?? 'A person'} brought the file.`,
    }[accepted.via]
    steps.push({ step: 'asked', at: accepted.askedAt, says })
  }
  if (calledAt !== undefined)
    steps.push({ step: 'called', at: calledAt, says: `Its callback was verified with key ${keySerial}.` })
  if (archive !== undefined)
    steps.push({ step: 'archived', at: archive.archivedAt, says: `${archive.name} is kept as it came.` })
  if (manifest !== undefined) {
    const { read, written, quarantined, outside } = manifest.rows
    const says = `${read} rows read = ${written} written + ${quarantined} quarantined + ${outside} outside.`
    steps.push({ step: 'parsed', at: manifest.parsedAt, says })
    const published = manifest.days.filter(({ publication }) => publication === 'published').length
    steps.push({
      step: 'published',
      at: manifest.parsedAt,
      says: `${published} of ${manifest.days.length} days.`,
    })
    const proved = days.filter(({ standing }) => standing === 'proved' || standing === 'explained').length
    steps.push({
      step: 'proved',
      at: null,
      says: `${proved} of ${days.length} days add up or are explained.`,
    })
  }
  if (ended !== undefined && !parts.has('archive'))
    steps.push({
      step: 'ended',
      at: ended.endedAt,
      says: `It has ${ended.outcome === 'failed' ? 'failed' : `been given up: ${ended.outcome}`}.`,
    })
  return steps
}

/** Where everything that a report rests on is kept, and its hashes. */
export function evidenceOf(
  ref: AccountRef,
  { reportId, accepted, archive, manifest, ended }: IndexedReport,
  callback: CallbackRecord | undefined,
): ReportView['evidence'] {
  return [
    ...(archive === undefined
      ? []
      : [
          { name: 'File', value: reportKeys(ref, reportId).file(archive.file) },
          { name: 'SHA-256 of the file', value: archive.sha256 },
          {
            name: 'Fetched from',
            value: archive.host ?? (archive.via === 'import' ? 'a person' : 'unknown'),
          },
        ]),
    ...(callback === undefined
      ? []
      : [
          { name: 'Callback', value: reportKeys(ref, reportId).callback },
          { name: 'SHA-256 of the callback', value: callback.bodySha256 },
          { name: 'Verified with key', value: callback.keySerial },
          { name: 'Signed at', value: callback.signedAt },
        ]),
    ...(accepted === undefined
      ? []
      : [
          { name: 'Request', value: reportKeys(ref, reportId).accepted },
          ...(accepted.by === undefined ? [] : [{ name: 'Vouched for by', value: accepted.by }]),
        ]),
    ...(manifest === undefined
      ? []
      : [
          { name: 'Read as', value: `${manifest.source.container}, ${manifest.source.layout}` },
          { name: 'Parser', value: manifest.parserVersion },
        ]),
    ...(manifest?.quarantine ? [{ name: 'Quarantine', value: manifest.quarantine }] : []),
    ...(ended === undefined
      ? []
      : [{ name: 'Ended', value: `${ended.outcome}: the provider says ${ended.status}` }]),
  ]
}
