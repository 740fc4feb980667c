import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, type Day } from '../../src/domain/calendar.ts'
import {
  askedDays,
  type CoverageFacts,
  coverageOf,
  type DayState,
  openDays,
  rangesOf,
  type Wallet,
} from '../../src/domain/coverage.ts'
import type { SlotOutcome } from '../../src/domain/quota.ts'
import { WALLET_SCOPES, type WalletScope } from '../../src/domain/report.ts'
import { madeManifest, madeReport, madeSlot } from '../support/coverage-maker.ts'

const day = (number: number) => addDays('2026-09-01', number)
const ALL = { start: day(0), end: day(12) }
const at = (minute: number) => `2026-10-05T00:${String(minute).padStart(2, '0')}:00.000Z`

interface Made {
  readonly start: number
  readonly length: number
  readonly wallets: WalletScope
  readonly kind:
    | 'requested'
    | 'failed'
    | 'archived'
    | 'parsed'
    | 'slot-lost'
    | 'slot-accepted'
    | 'slot-rejected'
  readonly publications: readonly ('published' | 'newer-kept' | 'withheld')[]
  readonly quarantined: number
}

const made: fc.Arbitrary<Made[]> = fc.array(
  fc.record({
    start: fc.integer({ min: 0, max: 10 }),
    length: fc.integer({ min: 1, max: 5 }),
    wallets: fc.constantFrom(...WALLET_SCOPES),
    kind: fc.constantFrom(
      ...([
        'requested',
        'failed',
        'archived',
        'parsed',
        'slot-lost',
        'slot-accepted',
        'slot-rejected',
      ] as const),
    ),
    publications: fc.array(fc.constantFrom('published' as const, 'newer-kept' as const), {
      minLength: 5,
      maxLength: 5,
    }),
    quarantined: fc.integer({ min: 0, max: 2 }),
  }),
  { maxLength: 7 },
)

const requestOf = ({ start, length, wallets }: Made) => ({
  range: { start: day(start), end: day(start + length) },
  wallets,
})

function factsOf(all: readonly Made[]): CoverageFacts {
  const reports = all.flatMap((one, index) => {
    const { kind } = one
    if (kind === 'slot-lost' || kind === 'slot-accepted' || kind === 'slot-rejected') return []
    const request = requestOf(one)
    const days = one.publications
      .slice(0, one.length)
      .map((publication, number) => ({ day: day(one.start + number), publication }))
    const { quarantined } = one
    const manifest =
      kind === 'parsed'
        ? madeManifest(`r${index}`, request, days, { generatedAt: at(index), quarantined })
        : undefined
    return [madeReport(`r${index}`, request, kind, at(index), manifest)]
  })
  const slots = all.flatMap((one, index) => {
    const outcomes: Partial<Record<Made['kind'], SlotOutcome>> = {
      'slot-rejected': { outcome: 'rejected', code: 'x', says: 'x', at: at(0) },
      'slot-lost': { outcome: 'unknown', says: 'x', at: at(0) },
    }
    const outcome = outcomes[one.kind] ?? { outcome: 'accepted' as const, reportId: `r${index}`, at: at(0) }
    return [madeSlot(index + 1, requestOf(one), outcome, { claimedAt: at(index) })]
  })
  return { reports, slots }
}

/** Day by day and one by one, from what was made, without ranges or ranks. */
function naive(
  all: readonly Made[],
  number: number,
  wallet: Wallet,
): { state: DayState; reportId: string | null } {
  let found: { state: DayState; reportId: string | null } = { state: 'missing', reportId: null }
  const words = all.map((one, index) => {
    if (number < one.start || number >= one.start + one.length) return undefined
    if (one.wallets !== 'all' && one.wallets !== wallet) return undefined
    if (one.kind === 'slot-rejected') return undefined
    if (one.kind === 'slot-lost') return { state: 'unanswered' as const, reportId: null }
    if (one.kind === 'slot-accepted') return { state: 'requested' as const, reportId: `r${index}` }
    if (one.kind !== 'parsed') return { state: one.kind, reportId: `r${index}` }
    const isPublished = one.publications[number - one.start] === 'published'
    return { state: isPublished ? ('published' as const) : ('archived' as const), reportId: `r${index}` }
  })
  for (const state of ['failed', 'unanswered', 'requested', 'archived', 'published'] as const) {
    for (const word of words) if (word?.state === state) found = word
  }
  return found
}

describe('coverage', () => {
  it('is what looking at every day and wallet by itself finds', () => {
    fc.assert(
      fc.property(made, all => {
        const facts = factsOf(all)
        for (const [number, { day: name, wallets }] of coverageOf(facts, ALL).entries()) {
          expect(name).toBe(day(number))
          for (const wallet of ['spot', 'funding'] as const) {
            const { state, reportId } = wallets[wallet]
            expect({ state, reportId }).toEqual(naive(all, number, wallet))
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('leaves open exactly the days that nothing about all wallets holds or may bring', () => {
    fc.assert(
      fc.property(made, all => {
        const whole = all.filter(({ wallets }) => wallets === 'all')
        const open = openDays(factsOf(all), ALL)
        const expected = coverageOf(factsOf(whole), ALL)
          .filter(({ wallets: { spot } }) => spot.state === 'missing' || spot.state === 'failed')
          .map(({ day: name }) => name)
        expect(open).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('takes the newest of two reports that both published, and tells of its quarantine', () => {
    const request = { range: { start: day(0), end: day(1) }, wallets: 'all' as const }
    const published = [{ day: day(0), publication: 'published' as const }]
    const report = (id: string, minute: number, quarantined: number) =>
      madeReport(
        id,
        request,
        'parsed',
        at(0),
        madeManifest(id, request, published, { generatedAt: at(minute), quarantined }),
      )
    for (const reports of [
      [report('old', 1, 9), report('new', 2, 3)],
      [report('new', 2, 3), report('old', 1, 9)],
    ]) {
      const [first] = coverageOf({ reports, slots: [] }, request.range)
      expect(first?.wallets.spot).toEqual({ state: 'published', reportId: 'new', quarantined: 3 })
    }
  })

  it('has a withheld report archived, and its days still to be asked for', () => {
    const request = { range: { start: day(0), end: day(2) }, wallets: 'all' as const }
    const days = [day(0), day(1)].map(name => ({ day: name, publication: 'withheld' as const }))
    const reports = [madeReport('r', request, 'parsed', at(0), madeManifest('r', request, days))]
    const facts = { reports, slots: [] }
    expect(coverageOf(facts, request.range)[0]?.wallets.funding.state).toBe('archived')
    expect(openDays(facts, request.range)).toEqual([day(0), day(1)])
    expect([...askedDays(facts, ALL)]).toEqual([day(0), day(1)])
  })

  it('counts a day that was asked for in vain as asked for', () => {
    const request = { range: { start: day(3), end: day(5) }, wallets: 'all' as const }
    const facts = { reports: [madeReport('r', request, 'failed', at(0))], slots: [] }
    expect([...askedDays(facts, ALL)]).toEqual([day(3), day(4)])
    expect(openDays(facts, request.range)).toEqual([day(3), day(4)])
  })

  it('joins days to ranges', () => {
    expect(rangesOf([0, 1, 2, 5, 7, 8].map(day))).toEqual([
      { start: day(0), end: day(3) },
      { start: day(5), end: day(6) },
      { start: day(7), end: day(9) },
    ])
    expect(rangesOf([] as Day[])).toEqual([])
  })
})
