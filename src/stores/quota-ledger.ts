/** The monthly quota, kept as slots in a store. The rules and their proof are in `domain/quota.ts`. */
import type { Month } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { type AccountRef, parseSlotKey, quotaPrefix, slotKey, slotOutcomeKey } from '../domain/keys.ts'
import {
  nextSlot,
  type Slot,
  type SlotClaim,
  type SlotOutcome,
  slotClaim,
  slotOutcome,
} from '../domain/quota.ts'
import { mapAtOnce } from './at-once.ts'
import type { ObjectStore } from './object-store.ts'
import { createRecord, readRecord, replaceRecord } from './record.ts'

export type ClaimOutcome = { outcome: 'claimed'; number: number } | { outcome: 'quota-exhausted' }

export interface QuotaLedger {
  /** The slots of a month, in order. */
  month(ref: AccountRef, month: Month): Promise<Slot[]>
  /** The slots of `month` and every month after it, in order. */
  since(ref: AccountRef, month: Month): Promise<Slot[]>
  /** Creates the lowest free slot of the month, unless its quota is used up. */
  claim(ref: AccountRef, month: Month, limit: number, claim: SlotClaim): Promise<ClaimOutcome>
  /**
   * Records what became of a slot. `unknown` gives way to what is learnt later; everything else stays as
   * it was first recorded. Answers the outcome that now stands.
   */
  settle(ref: AccountRef, month: Month, number: number, outcome: SlotOutcome): Promise<SlotOutcome>
}

/** How often a lost race for a slot number is run again before the store is suspected. */
const CLAIM_TRIES = 1000

/** How many slots are read at once: those of years would be more files than a process may open. */
const AT_ONCE = 50

export function quotaLedger(store: ObjectStore): QuotaLedger {
  // A claim never changes, and of the outcomes only `unknown` does, so what was read once stays read.
  const claims = new Map<string, SlotClaim>()
  const outcomes = new Map<string, SlotOutcome>()

  async function slots(ref: AccountRef, prefix: string, from: Month): Promise<Slot[]> {
    const found: { month: Month; number: number }[] = []
    const settled = new Set<string>()
    for await (const { key } of store.list(prefix)) {
      const parsed = parseSlotKey(key)
      if (parsed === undefined || parsed.month < from) continue
      if (parsed.outcome) settled.add(key)
      else found.push({ month: parsed.month, number: parsed.slot })
    }
    found.sort((a, b) => (a.month < b.month ? -1 : a.month > b.month ? 1 : a.number - b.number))
    return mapAtOnce(found, AT_ONCE, slot => readSlot(ref, slot.month, slot.number, settled))
  }

  async function readSlot(
    ref: AccountRef,
    month: Month,
    number: number,
    settled: ReadonlySet<string>,
  ): Promise<Slot> {
    const outcomeKey = slotOutcomeKey(ref, month, number)
    const [claim, outcome] = await Promise.all([
      readClaim(slotKey(ref, month, number)),
      settled.has(outcomeKey) ? readOutcome(outcomeKey) : undefined,
    ])
    return { month, number, claim, outcome }
  }

  async function readClaim(key: string): Promise<SlotClaim> {
    const known = claims.get(key)
    if (known !== undefined) return known
    const read = await readRecord(store, key, slotClaim)
    if (read === undefined) throw missing(key)
    claims.set(key, read.record)
    return read.record
  }

  async function readOutcome(key: string): Promise<SlotOutcome> {
    const known = outcomes.get(key)
    if (known !== undefined) return known
    const read = await readRecord(store, key, slotOutcome)
    if (read === undefined) throw missing(key)
    if (read.record.outcome !== 'unknown') outcomes.set(key, read.record)
    return read.record
  }

  const ledger: QuotaLedger = {
    month: (ref, month) => slots(ref, quotaPrefix(ref, month), month),
    since: (ref, month) => slots(ref, quotaPrefix(ref), month),

    async claim(ref, month, limit, claim) {
      let listed = await ledger.month(ref, month)
      const lost = new Set<number>()
      for (let tried = 0; tried < CLAIM_TRIES; tried++) {
        const number = nextSlot(listed, limit, lost)
        if (number === undefined) {
          if (lost.size === 0) return { outcome: 'quota-exhausted' }
          // What was lost may have been given back since: only a fresh listing says that nothing is left.
          listed = await ledger.month(ref, month)
          lost.clear()
        } else if ((await createRecord(store, slotKey(ref, month, number), claim)) === 'created') {
          return { outcome: 'claimed', number }
        } else {
          lost.add(number)
        }
      }
      throw new DaybookError(
        'store-unavailable',
        `No slot of ${month} could be claimed in ${CLAIM_TRIES} tries.`,
      )
    },

    async settle(ref, month, number, outcome) {
      const key = slotOutcomeKey(ref, month, number)
      if ((await createRecord(store, key, outcome)) === 'created') return outcome
      for (;;) {
        const standing = await readRecord(store, key, slotOutcome)
        if (standing === undefined) throw missing(key)
        if (standing.record.outcome !== 'unknown' || outcome.outcome === 'unknown') return standing.record
        if ((await replaceRecord(store, key, outcome, standing.etag)) === 'replaced') return outcome
      }
    },
  }
  return ledger
}

function missing(key: string): DaybookError {
  return new DaybookError(
    'record-invalid',
    `The object ${key} was listed but is not there; were facts deleted?`,
    {
      details: { key },
    },
  )
}
