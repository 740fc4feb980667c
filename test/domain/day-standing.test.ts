import { describe, expect, it } from 'vitest'
import type { DayState } from '../../src/domain/coverage.ts'
import {
  type DayKnowledge,
  isAnswered,
  lacksOf,
  openFindings,
  standingOf,
} from '../../src/domain/day-standing.ts'
import {
  type ExplanationRecord,
  findingOf,
  type ReconciliationRecord,
  type Verdict,
} from '../../src/domain/reconciliation.ts'

const DAY = '2026-10-01'

function run(number: number, verdicts: readonly Verdict[], actual = '2'): ReconciliationRecord {
  const findings = verdicts.map((verdict, index) =>
    findingOf({ check: 'R6', place: 'Spot', asset: `A${index}`, verdict, expected: '1', actual, says: '' }),
  )
  const verdict = verdicts[0] ?? 'matched'
  return {
    provider: 'p',
    account: 'a',
    day: DAY,
    run: number,
    ranAt: '2026-10-05T00:00:00Z',
    by: 'x',
    verdict,
    assumptions: [],
    findings,
  }
}

function answer(
  finding: string,
  runNumber: number,
  kind: ExplanationRecord['kind'] = 'explained',
): ExplanationRecord {
  return { day: DAY, finding, run: runNumber, kind, says: 'so', by: 'me', at: '2026-10-06T00:00:00Z' }
}

function known(
  states: readonly [DayState, DayState] | undefined,
  runs: readonly ReconciliationRecord[] = [],
  explanations: readonly ExplanationRecord[] = [],
  { isFuture = false, quarantined = 0 } = {},
): DayKnowledge {
  const wallet = (state: DayState) => ({ state, reportId: '1', quarantined })
  const coverage = states && { day: DAY, wallets: { spot: wallet(states[0]), funding: wallet(states[1]) } }
  return { coverage, runs, explanations, isFuture }
}

const HERE = ['published', 'published'] as const

describe('what a day is', () => {
  it.each([
    ['proved', known(HERE, [run(1, ['matched'])])],
    ['proved', known(HERE, [run(1, ['within_tolerance'])])],
    ['covered', known(HERE)],
    ['covered', known(HERE, [run(1, ['incomplete'])])],
    ['covered', known(HERE, [run(1, ['unproven'])])],
    ['break', known(HERE, [run(1, ['break'])])],
    ['break', known(HERE, [run(1, ['break', 'break'])], [answer('R6/Spot/A0', 1)])],
    [
      'explained',
      known(HERE, [run(1, ['break', 'break'])], [answer('R6/Spot/A0', 1), answer('R6/Spot/A1', 1)]),
    ],
    ['break', known(HERE, [run(1, ['break'])], [answer('R6/Spot/A0', 1, 'note')])],
    ['quarantined', known(HERE, [run(1, ['matched'])], [], { quarantined: 1 })],
    ['pending', known(['published', 'requested'])],
    ['pending', known(['archived', 'unanswered'])],
    ['missing', known(['published', 'missing'])],
    ['missing', known(['failed', 'requested'])],
    ['future', known(['missing', 'missing'], [], [], { isFuture: true })],
    ['break', known(['requested', 'requested'], [run(1, ['break'])])],
    ['proved', known(undefined, [run(1, ['matched'])])],
    ['pending', known(undefined, [run(1, ['incomplete'])])],
    ['missing', known(undefined)],
    ['future', known(undefined, [], [], { isFuture: true })],
  ] as const)('%s', (standing, day) => {
    expect(standingOf(day)).toBe(standing)
  })
})

describe('an answer', () => {
  const finding = (record: ReconciliationRecord) => record.findings[0]!

  it('stands while the numbers do, and not for others', () => {
    const [first, same, other] = [run(1, ['break']), run(2, ['break', 'unproven']), run(3, ['break'], '3')]
    const said = [answer('R6/Spot/A0', 1)]
    expect(isAnswered(finding(same), [first, same], said)).toBe(true)
    expect(isAnswered(finding(other), [first, same, other], said)).toBe(false)
    expect(openFindings([first, same, other], said)).toHaveLength(1)
    expect(isAnswered(finding(first), [first], [answer('R6/Spot/A0', 9)])).toBe(false)
  })

  it('is only asked for where a person can help', () => {
    const verdicts = [
      'break',
      'unproven',
      'incomplete',
      'matched',
      'within_tolerance',
      'not_checkable',
    ] as const
    expect(openFindings([run(1, verdicts)], []).map(({ verdict }) => verdict)).toEqual(['break', 'unproven'])
  })
})

describe('a month', () => {
  const lacks = (day: DayKnowledge) => lacksOf(new Map([[DAY, day]])).map(({ kind }) => kind)

  it('is ready when every day is proved, or every difference and doubt is answered', () => {
    expect(lacks(known(HERE, [run(1, ['matched'])]))).toEqual([])
    expect(lacks(known(HERE, [run(1, ['break'])], [answer('R6/Spot/A0', 1)]))).toEqual([])
    expect(lacks(known(HERE, [run(1, ['unproven'])], [answer('R6/Spot/A0', 1)]))).toEqual([])
  })

  it.each([
    ['break', known(HERE, [run(1, ['break'])])],
    ['unproven', known(HERE, [run(1, ['unproven'])])],
    ['unproven', known(HERE, [run(1, ['break', 'unproven'])], [answer('R6/Spot/A0', 1)])],
    ['unproved', known(HERE)],
    ['unproved', known(HERE, [run(1, ['incomplete'])])],
    ['missing', known(['missing', 'missing'])],
    ['pending', known(['requested', 'requested'])],
    ['quarantined', known(HERE, [run(1, ['matched'])], [], { quarantined: 2 })],
    ['not-over', known(['missing', 'missing'], [], [], { isFuture: true })],
  ] as const)('is not while something is %s', (kind, day) => {
    expect(lacks(day)).toEqual([kind])
  })
})
