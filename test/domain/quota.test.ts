import { describe, expect, it } from 'vitest'
import { lastSeen, laterQuestion } from '../../src/domain/quota.ts'
import { madeSlot } from '../support/coverage-maker.ts'

const request = { range: { start: '2026-09-01', end: '2026-09-04' }, wallets: 'all' as const }
const slot = (number: number, month = '2026-10') => madeSlot(number, request, undefined, { month })

describe('the last slot that was seen', () => {
  it('is the one before the first number that a listing lacks', () => {
    expect(lastSeen([], '2026-10')).toEqual({ month: '2026-10', number: 0 })
    expect(lastSeen([slot(1), slot(2), slot(3)], '2026-10')).toEqual({ month: '2026-10', number: 3 })
    expect(lastSeen([slot(1), slot(3)], '2026-10')).toEqual({ month: '2026-10', number: 1 })
    expect(lastSeen([slot(9, '2026-09')], '2026-10')).toEqual({ month: '2026-10', number: 0 })
  })

  it('divides slots that stand in the way from those that were weighed', () => {
    const slots = [slot(7, '2026-09'), slot(1), slot(2)]
    const laterThan = (month: string, number: number) => laterQuestion(slots, request, { month, number })
    expect(laterThan('2026-09', 6)?.number).toBe(2)
    expect(laterThan('2026-10', 1)?.number).toBe(2)
    expect(laterThan('2026-10', 2)).toBeUndefined()
    expect(laterThan('2026-11', 0)).toBeUndefined()
  })

  it('does not let another wallet, other days or a slot given back stand in the way', () => {
    const mark = { month: '2026-10', number: 0 }
    const at = '2026-10-05T00:00:00.000Z'
    const rejected = madeSlot(1, request, { outcome: 'rejected', code: 'x', says: 'x', at })
    const spot = madeSlot(2, { ...request, wallets: 'spot' }, undefined)
    const next = madeSlot(3, { ...request, range: { start: '2026-09-04', end: '2026-09-05' } }, undefined)
    expect(laterQuestion([rejected, spot, next], request, mark)).toBeUndefined()
    const last = madeSlot(4, { ...request, range: { start: '2026-09-03', end: '2026-09-05' } }, undefined)
    expect(laterQuestion([last], request, mark)).toBe(last)
  })
})
