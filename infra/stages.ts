/** The functions of the stack, and what each may touch: the one place that grants anything of the bucket. */
import {
  activityKey,
  agendaKey,
  arrivalKey,
  attemptKey,
  balancesKey,
  otherCallbackKey,
  publicKeyKey,
  quarantineKey,
  quotaPrefix,
  reconciliationKey,
  replacementKey,
  reportKeys,
  reportsPrefix,
  slotOutcomeKey,
  snapshotKey,
} from '../src/domain/keys.ts'

export const STAGES = ['receive', 'archive', 'parse', 'submit', 'snapshot', 'reconcile', 'sweep'] as const
export type Stage = (typeof STAGES)[number]

/** The stages that a schedule starts; the others are started by a callback or by the creation of an object. */
export const SCHEDULED = ['submit', 'snapshot', 'reconcile', 'sweep'] as const satisfies readonly Stage[]
export type ScheduledStage = (typeof SCHEDULED)[number]

/** What a function may do with the bucket, as patterns of keys. Who may write a key may also read it. */
export interface Access {
  readonly reads: readonly string[]
  /** A write that lost its answer looks at what stands, and a long object is put together of parts. */
  readonly writes: readonly string[]
}

/** Stands for every name; in a policy it matches any characters, slashes too. */
const ANY = '*'
const EVERY = { provider: ANY, account: ANY }

const report = reportKeys(EVERY, ANY)
const allReports = `${reportsPrefix(EVERY)}${ANY}`
const slots = `${quotaPrefix(EVERY)}${ANY}`
const slotOutcomes = slotOutcomeKey(EVERY, ANY, 0).replace('00.', `${ANY}.`)
const arrivals = arrivalKey(EVERY, ANY, ANY)
const attempts = attemptKey(EVERY, ANY)
const days = activityKey(EVERY, ANY)
const balances = balancesKey(EVERY, ANY, ANY)
const snapshots = snapshotKey(EVERY, ANY, ANY)

/** What finding the request behind a report needs whose answer was lost. */
const matching: Access = { reads: [allReports, slots], writes: [report.accepted, slotOutcomes, arrivals] }

/** What fetching a file needs. */
const fetching: Access = {
  reads: matching.reads,
  writes: [...matching.writes, report.file(ANY), report.archive, attempts],
}

/** What turning a file into days needs. */
const parsing: Access = {
  reads: [allReports],
  writes: [report.manifest, days, replacementKey(EVERY, ANY, ANY), quarantineKey(EVERY, ANY), attempts],
}

/** Whatever a report lacks, and its end. */
const sweeping: Access = {
  reads: fetching.reads,
  writes: [
    ...new Set([...fetching.writes, ...parsing.writes]),
    report.ended,
    report['ended-called'],
    agendaKey(EVERY),
  ],
}

export const ACCESS: Readonly<Record<Stage, Access>> = {
  receive: {
    reads: [],
    writes: [publicKeyKey(ANY, ANY), report.callback, otherCallbackKey(EVERY, ANY, ANY), arrivals],
  },
  archive: fetching,
  parse: parsing,
  submit: { reads: [allReports], writes: [slots, report.accepted, arrivals] },
  snapshot: { reads: [], writes: [snapshots, balances] },
  reconcile: {
    reads: [allReports, slots, days, snapshots, balances],
    writes: [reconciliationKey(EVERY, ANY, 1)],
  },
  sweep: sweeping,
}
