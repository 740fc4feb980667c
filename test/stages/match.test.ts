import { beforeEach, describe, expect, it } from 'vitest'
import type { SlotClaim } from '../../src/domain/quota.ts'
import { createdAt } from '../../src/providers/binance-pay/id.ts'
import type { Account } from '../../src/stages/context.ts'
import { match } from '../../src/stages/match.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { memoryStore } from '../support/memory-store.ts'
import { quietLog } from '../support/quiet-log.ts'

const FOREIGN = idMadeAt('2026-10-15T12:00:07Z')

const account: Account = {
  ref: { provider: 'binance-pay', account: 'main' },
  provider: {
    name: 'binance-pay',
    reports: {
      refusal: () => undefined,
      createdAt,
      submit: () => Promise.reject(new Error('not here')),
      query: async reportId => ({ status: reportId === FOREIGN ? 'absent' : 'processing' }),
    },
  },
  monthlyLimit: 50,
  zoneMinutes: undefined,
  columns: {},
}

/** An id made in the second of `instant`, as the provider makes them. */
function idMadeAt(instant: string): string {
  const seconds = BigInt(new Date(instant).getTime() / 1000) - 1_577_836_800n
  return ((seconds << 31n) | 4097n).toString()
}

function claimAt(claimedAt: string, end = '2026-10-02'): SlotClaim {
  const request = { range: { start: '2026-10-01', end }, wallets: 'all' as const }
  return { request, reason: 'test', again: false, by: 'test', claimId: claimedAt, claimedAt }
}

describe('matching a report whose answer was lost', () => {
  let context: Parameters<typeof match>[0]
  beforeEach(() => {
    const store = memoryStore()
    const clock = fixedClock('2026-10-15T12:05:00Z')
    context = {
      ledger: quotaLedger(store),
      reports: reportLog(store),
      clock,
      log: quietLog(),
      mayBeAlive: () => false,
    }
  })

  const claim = (at: string, end?: string) =>
    context.ledger.claim(account.ref, '2026-10', 50, claimAt(at, end))
  const settle = (slot: number, outcome: Parameters<typeof context.ledger.settle>[3]) =>
    context.ledger.settle(account.ref, '2026-10', slot, outcome)
  const accepted = (reportId: string) => context.reports.read(account.ref, reportId, 'accepted')
  const at = '2026-10-15T12:00:00.000Z'

  it('takes the one unsettled slot that was claimed around the second of the id', async () => {
    await claim('2026-10-15T12:00:00.900Z', '2026-10-03')
    await settle(1, { outcome: 'unknown', says: 'lost', at })
    const reportId = idMadeAt('2026-10-15T12:00:01Z')
    expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
    expect(await accepted(reportId)).toMatchObject({
      via: 'match',
      slot: { number: 1 },
      request: { range: { end: '2026-10-03' } },
    })
    expect((await context.ledger.month(account.ref, '2026-10'))[0]?.outcome).toMatchObject({
      outcome: 'accepted',
      reportId,
    })
  })

  it('takes a slot that nobody settled because its claimant died', async () => {
    await claim(at)
    expect(await match(context, account, idMadeAt('2026-10-15T12:00:03Z'))).toEqual({ outcome: 'matched' })
  })

  it.each([
    ['made long before the claim', '2026-10-15T11:59:56Z'],
    ['made long after the claim', '2026-10-15T12:01:01Z'],
    ['made on another day', '2026-10-14T12:00:00Z'],
  ])('leaves a report alone that was %s', async (_, made) => {
    await claim(at)
    expect(await match(context, account, idMadeAt(made))).toEqual({ outcome: 'no-match' })
    expect(await accepted(idMadeAt(made))).toBeUndefined()
  })

  it.each([
    { outcome: 'accepted', reportId: '466780563124436993', at } as const,
    { outcome: 'rejected', code: '400102', says: 'no', at } as const,
  ])('never takes a slot that is $outcome', async outcome => {
    await claim(at)
    await settle(1, outcome)
    expect(await match(context, account, idMadeAt('2026-10-15T12:00:01Z'))).toEqual({ outcome: 'no-match' })
  })

  it('leaves a slot to its claimant while that may still get its answer', async () => {
    const clock = fixedClock('2026-10-15T12:00:20Z')
    context = { ...context, clock, mayBeAlive: name => name === 'test' }
    await claim(at)
    const reportId = idMadeAt('2026-10-15T12:00:01Z')
    expect(await match(context, account, reportId)).toEqual({ outcome: 'answer-awaited', slot: 1 })
    await clock.advance(120_000)
    expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
  })

  it("leaves a report alone that the provider does not know as this account's", async () => {
    await claim(at)
    expect(await match(context, account, FOREIGN)).toEqual({ outcome: 'no-match' })
    expect(await accepted(FOREIGN)).toBeUndefined()
  })

  it('takes the nearest of several slots that ask the same question', async () => {
    await claim('2026-10-15T12:00:00Z')
    await claim('2026-10-15T12:00:06Z')
    await claim('2026-10-15T12:00:20Z')
    const reportId = idMadeAt('2026-10-15T12:00:06Z')
    expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
    expect(await accepted(reportId)).toMatchObject({ slot: { number: 2 } })
  })

  it('takes none when two slots with different questions fit, until one of them is settled', async () => {
    await claim(at, '2026-10-03')
    await claim(at, '2026-10-04')
    const reportId = idMadeAt('2026-10-15T12:00:01Z')
    expect(await match(context, account, reportId)).toEqual({ outcome: 'ambiguous', slots: [1, 2] })
    await settle(1, { outcome: 'accepted', reportId: '466780563124436993', at })
    expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
    expect(await accepted(reportId)).toMatchObject({ slot: { number: 2 } })
  })

  it('gives one slot to one report, whoever asks at once', async () => {
    await claim(at)
    const ids = ['2026-10-15T12:00:01Z', '2026-10-15T12:00:02Z', '2026-10-15T12:00:03Z'].map(idMadeAt)
    const outcomes = await Promise.all(ids.map(id => match(context, account, id)))
    expect(outcomes.filter(({ outcome }) => outcome === 'matched')).toHaveLength(1)
    expect((await Promise.all(ids.map(accepted))).filter(record => record !== undefined)).toHaveLength(1)
  })

  it('completes what a run began that died between the slot and the record', async () => {
    await claim(at)
    const reportId = idMadeAt('2026-10-15T12:00:01Z')
    await settle(1, { outcome: 'accepted', reportId, at })
    await claim(at, '2026-10-05')
    expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
    expect(await accepted(reportId)).toMatchObject({ slot: { number: 1 } })
  })

  it('settles the slot that a run left open between the record and the slot', async () => {
    await claim(at)
    const reportId = idMadeAt('2026-10-15T12:00:01Z')
    await context.reports.create(account.ref, reportId, 'accepted', {
      reportId,
      request: claimAt(at).request,
      slot: { month: '2026-10', number: 1 },
      askedAt: at,
      via: 'answer',
      answer: 'yes',
      recordedAt: at,
    })
    expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
    expect((await context.ledger.month(account.ref, '2026-10'))[0]?.outcome).toMatchObject({
      outcome: 'accepted',
      reportId,
    })
  })

  it('answers no-match for an id that tells no time', async () => {
    await claim(at)
    expect(await match(context, account, '29383937493038367292')).toEqual({ outcome: 'no-match' })
  })
})
