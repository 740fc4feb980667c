/**
 * The bucket's layout: every object key is built here, and nowhere else.
 * Keys are made of safe segments, so they mean the same on S3 and on a disk.
 */
import type { Day, Month } from './calendar.ts'
import { DaybookError } from './errors.ts'

/** One merchant account at one provider. */
export interface AccountRef {
  readonly provider: string
  readonly account: string
}

/**
 * The parts of the bucket, and how their objects may be written. `created`: once, and never again. `settled`:
 * created once, but what became of it may replace its own earlier word. `replaced`: whoever has read what
 * stands may replace it. `advice`: the same, and all of it may be deleted. Nothing else is ever deleted.
 */
export const PARTS = {
  quota: 'settled',
  reports: 'created',
  callbacks: 'created',
  keys: 'created',
  activity: 'replaced',
  replacements: 'created',
  quarantine: 'created',
  snapshots: 'created',
  balances: 'created',
  movements: 'created',
  reconciliations: 'created',
  explanations: 'created',
  debits: 'created',
  closings: 'created',
  actions: 'created',
  audit: 'created',
  work: 'advice',
  doctor: 'advice',
} as const satisfies Record<string, 'created' | 'settled' | 'replaced' | 'advice'>

const SEGMENT = /^[A-Za-z0-9_=+@~(),-][A-Za-z0-9_=+@~(),.-]*$/
const LONGEST_KEY = 900

/**
 * Answers `key` when it is one: segments of plain characters, none of them empty or beginning with a dot.
 * Throws `key-refused` for anything else, so no key can leave its store.
 */
export function checkKey(key: string): string {
  if (key.length <= LONGEST_KEY && key.split('/').every(segment => SEGMENT.test(segment))) return key
  throw new DaybookError('key-refused', `This is not an object key: ${JSON.stringify(key.slice(0, 120))}.`)
}

/** Answers `prefix` when it is empty or the beginning of a key; throws `key-refused` otherwise. */
export function checkPrefix(prefix: string): string {
  if (prefix !== '') checkKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix)
  return prefix
}

/** Makes one key segment of a name from outside: odd characters become `_`, and it is never empty. */
export function safeSegment(name: string): string {
  const plain = name
    .normalize('NFC')
    .replace(/[^A-Za-z0-9_=+@~(),.-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 120)
  return plain === '' ? '_' : plain
}

/** Whether `name` can stand in a key as it is, unchanged by `safeSegment`. */
export function isSafeSegment(name: string): boolean {
  return SEGMENT.test(name) && name.length <= 120
}

const slotName = (slot: number) => slot.toString().padStart(2, '0')

/** Every slot of an account; of one month when it is given. */
export function quotaPrefix(ref: AccountRef, month?: Month): string {
  return `quota/${ref.provider}/${ref.account}/${month === undefined ? '' : `${month}/`}`
}

export function slotKey(ref: AccountRef, month: Month, slot: number): string {
  return `${quotaPrefix(ref, month)}${slotName(slot)}.json`
}

export function slotOutcomeKey(ref: AccountRef, month: Month, slot: number): string {
  return `${quotaPrefix(ref, month)}${slotName(slot)}.outcome.json`
}

/** What a key under `quotaPrefix` names, or `undefined` when it is none of ours. */
export function parseSlotKey(key: string): { month: Month; slot: number; outcome: boolean } | undefined {
  const match = /^quota\/[^/]+\/[^/]+\/(\d{4}-\d{2})\/(\d+)(\.outcome)?\.json$/.exec(key)
  if (match === null) return undefined
  return { month: match[1] as Month, slot: Number.parseInt(match[2]!, 10), outcome: match[3] !== undefined }
}

/** Every report of an account. */
export function reportsPrefix(ref: AccountRef): string {
  return `reports/${ref.provider}/${ref.account}/`
}

/** The objects of one report. `filePrefix` holds the file as it was received; `archive` names it. */
export function reportKeys(ref: AccountRef, reportId: string) {
  const folder = `${reportsPrefix(ref)}${reportId}/`
  return {
    folder,
    accepted: `${folder}accepted.json`,
    callback: `${folder}callback.json`,
    archive: `${folder}archive.json`,
    manifest: `${folder}manifest.json`,
    /** The manifest of a later parse by another version of the parser. */
    reparse: (parserVersion: string) => `${folder}reparses/${parserVersion}.json`,
    ended: `${folder}ended.json`,
    'ended-called': `${folder}ended-called.json`,
    filePrefix: `${folder}file/`,
    file: (name: string) => `${folder}file/${name}`,
  }
}

/** The report id and the rest of a key under `reportsPrefix`. */
export function parseReportKey(ref: AccountRef, key: string): { reportId: string; part: string } | undefined {
  const rest = key.startsWith(reportsPrefix(ref)) ? key.slice(reportsPrefix(ref).length) : ''
  const slash = rest.indexOf('/')
  return slash < 1 ? undefined : { reportId: rest.slice(0, slash), part: rest.slice(slash + 1) }
}

/** The account, the report id and the rest of a key under any account's `reportsPrefix`. */
export function parseAnyReportKey(
  key: string,
): { ref: AccountRef; reportId: string; part: string } | undefined {
  const [, provider, account, reportId, part] = /^reports\/([^/]+)\/([^/]+)\/([^/]+)\/(.+)$/.exec(key) ?? []
  if (provider === undefined || account === undefined || reportId === undefined || part === undefined)
    return undefined
  return { ref: { provider, account }, reportId, part }
}

/** A verified callback that is not about a report. */
export function otherCallbackKey(ref: AccountRef, day: Day, id: string): string {
  return `callbacks/${ref.provider}/${ref.account}/${day}/${id}.json`
}

/** A provider's public key, under the serial the provider gave it. */
export function publicKeyKey(provider: string, serial: string): string {
  return `keys/${provider}/${serial}.json`
}

/** Every published day of an account: the `activity` table's data files. */
function activityPrefix(ref: AccountRef): string {
  return `activity/v1/provider=${ref.provider}/account=${ref.account}/`
}

export function activityKey(ref: AccountRef, day: Day): string {
  return `${activityPrefix(ref)}date=${day}/activity.parquet`
}

/** Who published a day over what stood there, and what that changed. */
export function replacementsPrefix(ref: AccountRef, day: Day): string {
  return `replacements/${ref.provider}/${ref.account}/${day}/`
}

export function replacementKey(ref: AccountRef, day: Day, name: string): string {
  return `${replacementsPrefix(ref, day)}${name}.json`
}

/** The rows of a report that could not be read, as JSON lines; of a later parse when its version is given. */
export function quarantineKey(ref: AccountRef, reportId: string, parserVersion?: string): string {
  const file = parserVersion === undefined ? 'rows.jsonl' : `rows-${parserVersion}.jsonl`
  return `quarantine/v1/provider=${ref.provider}/account=${ref.account}/report=${reportId}/${file}`
}

/**
 * What helps to find unfinished work, and when to try it again. It is advice, not a fact: all of it may be
 * deleted, all at once, and is made anew from the reports.
 */
export function workPrefix(ref: AccountRef): string {
  return `work/${ref.provider}/${ref.account}/`
}

/** Up to where an account's reports are known to be finished, and which are open. */
export function agendaKey(ref: AccountRef): string {
  return `${workPrefix(ref)}agenda.json`
}

/** The last try to move a report on. */
export function attemptKey(ref: AccountRef, reportId: string): string {
  return `${workPrefix(ref)}attempts/${reportId}.json`
}

/** The marks of all days. */
export function allArrivalsPrefix(ref: AccountRef): string {
  return `${workPrefix(ref)}arrivals/`
}

/** The reports of which something arrived on `day`. */
export function arrivalsPrefix(ref: AccountRef, day: Day): string {
  return `${allArrivalsPrefix(ref)}${day}/`
}

/** Says, without a word, that something of this report arrived on this day. */
export function arrivalKey(ref: AccountRef, day: Day, reportId: string): string {
  return `${arrivalsPrefix(ref, day)}${reportId}`
}

export const JOBS_PREFIX = 'work/jobs/'

/** The last run of a scheduled job. */
export function jobKey(job: string): string {
  return `${JOBS_PREFIX}${job}.json`
}

/** Every snapshot of an account: the answers as they came. */
export function snapshotsPrefix(ref: AccountRef, day?: Day): string {
  return `snapshots/${ref.provider}/${ref.account}/${day === undefined ? '' : `${day}/`}`
}

export function snapshotKey(ref: AccountRef, day: Day, name: string): string {
  return `${snapshotsPrefix(ref, day)}${name}.json`
}

/** What a key under `snapshotsPrefix` names, or `undefined` when it is none of ours. */
export function parseSnapshotKey(key: string): { day: Day; name: string } | undefined {
  const match = /^snapshots\/[^/]+\/[^/]+\/(\d{4}-\d{2}-\d{2})\/([^/]+)\.json$/.exec(key)
  return match === null ? undefined : { day: match[1]!, name: match[2]! }
}

/** Every published snapshot of an account: the `balances` table's data files. */
export function balancesPrefix(ref: AccountRef): string {
  return `balances/v1/provider=${ref.provider}/account=${ref.account}/`
}

export function balancesKey(ref: AccountRef, day: Day, name: string): string {
  return `${balancesPrefix(ref)}date=${day}/${name}.parquet`
}

/** What is known of one announced debit: the intent, and every result. */
export function debitKeys(ref: AccountRef, requestId: string) {
  const folder = `debits/${ref.provider}/${ref.account}/${requestId}/`
  return {
    folder,
    intent: `${folder}intent.json`,
    resultsPrefix: `${folder}results/`,
    result: (name: string) => `${folder}results/${name}.json`,
  }
}

/** The movements of a day as a provider told them, page by page. */
export function movementsKey(ref: AccountRef, day: Day, name: string): string {
  return `movements/${ref.provider}/${ref.account}/${day}/${name}.json`
}

/** Everything that was found about the days of an account. */
export function reconciliationsPrefix(ref: AccountRef): string {
  return `reconciliations/${ref.provider}/${ref.account}/`
}

/** What the runs of reconciling a day have found; the later of two supersedes the earlier. */
export function reconciliationKey(ref: AccountRef, day: Day, run: number): string {
  return `${reconciliationsPrefix(ref)}${day}${run === 1 ? '' : `-${run}`}.json`
}

/** The day and the run of a key under `reconciliationsPrefix`, or `undefined` when it is none of ours. */
export function parseReconciliationKey(key: string): { day: Day; run: number } | undefined {
  const match = /^reconciliations\/[^/]+\/[^/]+\/(\d{4}-\d{2}-\d{2})(?:-(\d+))?\.json$/.exec(key)
  return match === null ? undefined : { day: match[1]!, run: Number.parseInt(match[2] ?? '1', 10) }
}

/** What people have said of the findings of an account, or of one day. */
export function explanationsPrefix(ref: AccountRef, day?: Day): string {
  return `explanations/${ref.provider}/${ref.account}/${day === undefined ? '' : `${day}/`}`
}

/** The day of a key under `explanationsPrefix`, or `undefined` when it is none of ours. */
export function parseExplanationKey(key: string): Day | undefined {
  return /^explanations\/[^/]+\/[^/]+\/(\d{4}-\d{2}-\d{2})\//.exec(key)?.[1]
}

export function explanationKey(ref: AccountRef, day: Day, name: string): string {
  return `${explanationsPrefix(ref, day)}${name}.json`
}

/** The closings of a month: the first, and those after it was found changed. */
function closingsPrefix(ref: AccountRef, month: Month): string {
  return `closings/${ref.provider}/${ref.account}/${month}/`
}

export function closingKey(ref: AccountRef, month: Month, number: number): string {
  return `${closingsPrefix(ref, month)}${number}.json`
}

/** Who downloaded or did what on a day (UTC). */
export function auditPrefix(day: Day): string {
  return `audit/${day}/`
}

export function auditKey(day: Day, name: string): string {
  return `${auditPrefix(day)}${name}.json`
}

/** An action that a person has asked for under a key of their own: the intent, and what came of it. */
export function actionKeys(id: string) {
  return { intent: `actions/${id}/intent.json`, result: `actions/${id}/result.json` }
}
