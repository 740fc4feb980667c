import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LedgerQuery, ledgerRows } from '../../src/sandbox/ledger.ts'
import type { LedgerRow } from '../../src/sandbox/ledger-events.ts'

const DAY = 86_400
const START = Date.UTC(2025, 2, 30) / 1000

function rowsOf(changed: Partial<LedgerQuery> = {}): LedgerRow[] {
  const whole = { fromSecond: START, toSecond: START + 30 * DAY, wallet: undefined, descending: false }
  return [...ledgerRows({ seed: 's', merchant: 'm', rowsPerDay: 120, ...whole, ...changed })].flat()
}

test('rows follow from seed, merchant and day alone: overlapping ranges agree', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(5), fc.nat(5), fc.nat(400), (seed, before, after, rowsPerDay) => {
      const wide = rowsOf({
        seed,
        rowsPerDay,
        fromSecond: START - before * DAY,
        toSecond: START + (after + 2) * DAY,
      })
      const narrow = rowsOf({ seed, rowsPerDay, fromSecond: START, toSecond: START + 2 * DAY })
      expect(narrow).toHaveLength(2 * rowsPerDay)
      expect(wide.filter(row => row.second >= START && row.second < START + 2 * DAY)).toEqual(narrow)
    }),
    { numRuns: 40, seed: 1 },
  )
})

test('another seed, merchant or day gives other rows', () => {
  const day = { fromSecond: START, toSecond: START + DAY }
  const shapes = [rowsOf(day), rowsOf({ ...day, seed: 't' }), rowsOf({ ...day, merchant: 'n' })].map(rows =>
    rows.map(row => `${row.second - START} ${row.units}`).join(),
  )
  const next = rowsOf({ fromSecond: START + DAY, toSecond: START + 2 * DAY })
  shapes.push(next.map(row => `${row.second - START - DAY} ${row.units}`).join())
  expect(new Set(shapes).size).toBe(4)
})

test('ascends in time, and descends as its exact reverse, also for large days', () => {
  for (const rowsPerDay of [120, 50_000]) {
    const range = { rowsPerDay, fromSecond: START, toSecond: START + 2 * DAY }
    const rows = rowsOf(range)
    expect(rows).toHaveLength(2 * rowsPerDay)
    expect(rows.every((row, index) => index === 0 || rows[index - 1]!.second <= row.second)).toBe(true)
    expect(rowsOf({ ...range, descending: true }).reverse()).toEqual(rows)
  }
})

test('a wallet is a part of both', () => {
  const spot = rowsOf({ wallet: 'Spot' })
  const funding = rowsOf({ wallet: 'Funding' })
  expect(spot.length + funding.length).toBe(rowsOf().length)
  expect(new Set(spot.map(row => row.wallet))).toEqual(new Set(['Spot']))
})

test('batches never split a second', () => {
  const seen = new Set<number>()
  for (const batch of ledgerRows({
    ...{ seed: 's', merchant: 'm', rowsPerDay: 40_000, wallet: undefined, descending: false },
    ...{ fromSecond: START, toSecond: START + DAY },
  })) {
    const seconds = new Set(batch.map(row => row.second))
    for (const second of seconds) expect(seen.has(second)).toBe(false)
    for (const second of seconds) seen.add(second)
  }
})

test('a month has everything a real file has', () => {
  const rows = rowsOf()
  const of = (operation: string) => rows.filter(row => row.operation === operation)
  expect(of('Merchant Acquiring').some(row => row.units > 0n)).toBe(true)
  expect([...of('Transfer'), ...of('Send')].every(row => row.units < 0n)).toBe(true)
  expect(of('Send')[0]?.remark).toMatch(/^Binance Pay - P_[A-Z0-9]{16}$/)
  expect(of('Withdraw')[0]).toMatchObject({ wallet: 'Spot', remark: 'Withdraw fee is included' })
  expect(of('P2P Trading')[0]?.remark).toMatch(/^P2P - \d{20}$/)
  expect(of('Simple Earn Flexible Interest').some(row => row.units < 100n)).toBe(true)
  const coins = new Set(rows.map(row => row.coin))
  for (const coin of ['1INCH', 'LDBNB', 'USDT', 'BTC', 'BNB']) expect(coins).toContain(coin)
  const remarks = rows.map(row => row.remark).join('\n')
  for (const odd of [',', '"', '分发', '  ']) expect(remarks).toContain(odd)
  expect(rows.some(row => row.operation === 'Quasar Points Conversion')).toBe(true)
})

test('transfers between the wallets sum to zero, legs at most a second apart', () => {
  const legs = rowsOf().filter(row => row.operation === 'Transfer Between Spot and Funding')
  expect(legs.length).toBeGreaterThan(20)
  expect(legs.length % 2).toBe(0)
  expect(legs.reduce((sum, row) => sum + (row.coin === 'USDT' ? row.units : 0n), 0n)).toBe(0n)
  const gaps = new Set<number>()
  for (const leg of legs) {
    const other = legs.find(row => row.units === -leg.units && Math.abs(row.second - leg.second) <= 1)
    expect(other).toBeDefined()
    gaps.add(Math.abs(other!.second - leg.second))
  }
  expect(gaps).toEqual(new Set([0, 1]))
})

test('identical rows in one second, up to about 28', () => {
  const counts = new Map<string, number>()
  for (const row of rowsOf()) {
    const text = Object.values(row).join('|')
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const largest = Math.max(...counts.values())
  expect(largest).toBeGreaterThan(15)
  expect(largest).toBeLessThanOrEqual(28)
})
