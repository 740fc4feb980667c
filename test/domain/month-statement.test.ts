import { describe, expect, it } from 'vitest'
import type { DayState } from '../../src/domain/coverage.ts'
import { type DayKnown, monthStatement } from '../../src/domain/month-statement.ts'
import { findingOf, type Verdict, worstOf } from '../../src/domain/reconciliation.ts'
import { REF } from '../support/day-maker.ts'

interface Made {
  readonly spot?: DayState
  readonly funding?: DayState
  readonly quarantined?: number
  readonly verdicts?: readonly Verdict[]
  readonly explained?: readonly string[]
  readonly noted?: readonly string[]
}

function dayKnown(
  day: string,
  { spot = 'published', funding = 'published', quarantined = 0, ...made }: Made,
): DayKnown {
  const { verdicts = ['matched'], explained = [], noted = [] } = made
  const findings = verdicts.map((verdict, index) =>
    findingOf({ check: 'R6', asset: `A${index}`, verdict, says: '' }),
  )
  const explanation = (kind: 'explained' | 'note') => (finding: string) => ({
    day,
    finding,
    run: 1,
    kind,
    says: 'known',
    by: 'someone',
    at: '2026-11-05T00:00:00.000Z',
  })
  return {
    day,
    coverage: {
      day,
      wallets: {
        spot: { state: spot, reportId: '1', quarantined },
        funding: { state: funding, reportId: '2', quarantined: 0 },
      },
    },
    isFuture: false,
    explanations: [...explained.map(explanation('explained')), ...noted.map(explanation('note'))],
    runs:
      findings.length === 0
        ? []
        : [
            {
              ...REF,
              day,
              run: 1,
              ranAt: '2026-11-05T00:00:00.000Z',
              by: 'test',
              verdict: worstOf(verdicts),
              assumptions: [],
              findings,
            },
          ],
  }
}

const verdictOf = (...days: Made[]) => {
  const known = days.map((made, index) => dayKnown(`2026-10-0${index + 1}`, made))
  const { verdict, lacking } = monthStatement(REF, '2026-10', known)
  return { verdict, lacking }
}

describe('the statement of a month', () => {
  it('is proved when every day is published and agrees with its balances', () => {
    expect(verdictOf({}, { verdicts: ['matched', 'not_checkable', 'within_tolerance'] })).toEqual({
      verdict: 'proved',
      lacking: [],
    })
  })

  it.each<[string, Made]>([
    ['a wallet is not published', { funding: 'archived' }],
    ['rows could not be read', { quarantined: 1 }],
    ['a difference is not explained', { verdicts: ['break', 'matched'] }],
    ['one of two differences is explained', { verdicts: ['break', 'break'], explained: ['R6/A0'] }],
    ['a difference has a note but no explanation', { verdicts: ['break'], noted: ['R6/A0'] }],
    ['a day was never reconciled', { verdicts: [] }],
    ['a day is unproven', { verdicts: ['unproven'] }],
    ['a day cannot be checked', { verdicts: ['not_checkable'] }],
    ['a day lacks a side', { verdicts: ['incomplete'] }],
  ])('is incomplete when %s', (_, made) => {
    expect(verdictOf({}, made)).toMatchObject({
      verdict: 'incomplete',
      lacking: [expect.stringContaining('2026-10-02')],
    })
  })

  it.each<[string, Made]>([
    ['what is unproven was explained', { verdicts: ['unproven'], explained: ['R6/A0'] }],
    ['a difference was explained', { verdicts: ['break'], explained: ['R6/A0'] }],
  ])('is complete but not proved when %s', (_, made) => {
    expect(verdictOf({}, made)).toMatchObject({
      verdict: 'complete',
      lacking: [expect.stringContaining('2026-10-02')],
    })
  })

  it('is incomplete without any day', () => {
    expect(verdictOf().verdict).toBe('incomplete')
  })

  it('tells stretches of days as people do', () => {
    const missing: Made = { spot: 'missing', funding: 'missing' }
    expect(verdictOf(missing, missing, {}, missing).lacking).toEqual([
      'No report covers these days: 2026-10-01 to 2026-10-02, 2026-10-04.',
    ])
  })
})
