/** Whatever the order of the file, the data files are those of the rows in the table's order. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { identifyRows } from '../../src/domain/activity.ts'
import { dayOfMicros, daysOf } from '../../src/domain/calendar.ts'
import { digestStatement } from '../../src/formats/digest.ts'
import { encodeActivity } from '../../src/formats/parquet.ts'
import { chanceFrom, type MadeRow, madeRows, renderStatement } from '../support/statement-generator.ts'
import { sourceOf } from '../support/statement-source.ts'

const ROOT = mkdtempSync(join(tmpdir(), 'daybook-order-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

const RANGE = { start: '2026-10-01', end: '2026-10-04' }
const START = Date.UTC(2026, 9, 1) / 1000
const SECONDS = 3 * 86_400

/** More than wait in memory at once. */
const rows = [...madeRows(150_000, 21, START, SECONDS)]
const expected = expectedOf(rows)

function expectedOf(made: readonly MadeRow[]): string[] {
  const all = made.map(row => ({
    micros: BigInt(row.second) * 1_000_000n,
    userId: '35460001',
    wallet: row.wallet,
    operation: row.operation,
    asset: row.coin,
    amount: row.units * 10n ** 10n,
    remark: row.remark,
    extra: null,
  }))
  const byDay = Map.groupBy(all, ({ micros }) => dayOfMicros(micros))
  return daysOf(RANGE).map(day => hashOf(encodeActivity(identifyRows(byDay.get(day) ?? []), {})))
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function digested(made: readonly MadeRow[], threads = 1): Promise<string[]> {
  const folder = mkdtempSync(join(ROOT, 'work-'))
  const source = sourceOf(renderStatement(made, 'B-bare'))
  const { days } = await digestStatement(source, { range: RANGE, folder, metadata: {}, threads })
  expect(readdirSync(folder)).toEqual(days.map(({ day }) => `${day}.parquet`))
  return days.map(({ path }) => hashOf(readFileSync(path)))
}

function shuffled(made: readonly MadeRow[], seed: number): MadeRow[] {
  const chance = chanceFrom(seed)
  return made
    .map(row => ({ row, order: chance(2 ** 31) }))
    .sort((a, b) => a.order - b.order)
    .map(({ row }) => row)
}

describe('the order of the file makes no difference', { timeout: 120_000 }, () => {
  it('ascending, on one thread and on several', async () => {
    expect(await digested(rows)).toEqual(expected)
    expect(await digested(rows, 2)).toEqual(expected)
    expect(await digested(rows, 3)).toEqual(expected)
  })

  it('few on a day, on one thread and on two', async () => {
    for (const count of [1, 30, 900]) {
      const some = [...madeRows(count, 9, START, 86_400)]
      const few = [...some, { ...some.at(-1)!, second: START + 86_400 }]
      expect(await digested(few)).toEqual(expectedOf(few))
      expect(await digested(few, 2)).toEqual(expectedOf(few))
    }
  })

  it('descending', async () => {
    expect(await digested([...rows].reverse())).toEqual(expected)
  })

  it('shuffled altogether, on one thread and on two', async () => {
    const some = shuffled(rows, 3)
    expect(await digested(some)).toEqual(expected)
    expect(await digested(some, 2)).toEqual(expected)
  })

  it('a few rows far from their place', async () => {
    const some = [...rows]
    for (const [from, to] of [
      [149_999, 0],
      [10, 149_000],
      [80_000, 500],
      [70_000, 71_000],
    ] as const) {
      some.splice(to, 0, ...some.splice(from, 3))
    }
    expect(await digested(some)).toEqual(expected)
  })

  it('parts that begin again', async () => {
    const even = rows.filter((_, index) => index % 2 === 0)
    const odd = rows.filter((_, index) => index % 2 === 1)
    expect(await digested([...even, ...odd])).toEqual(expected)
  })

  it('long texts, with which groups end before they have all their rows', async () => {
    const long = rows
      .slice(0, 3000)
      .map((row, index) => ({ ...row, second: START + (index >> 3), remark: `${index} `.repeat(4000) }))
    const ordered = await digested(long)
    expect(ordered).toEqual(expectedOf(long))
    expect(await digested(shuffled(long, 5))).toEqual(ordered)
  })

  it('one row twenty thousand times, each with a number of its own', async () => {
    const many = [...rows.slice(0, 100_000), ...Array.from({ length: 20_000 }, () => rows[50_000]!)]
    expect(await digested(shuffled(many, 7))).toEqual(expectedOf(many))
  })

  it('all in one second', async () => {
    const flood = rows.map(row => ({ ...row, second: START + 5000 }))
    expect(await digested(flood)).toEqual(expectedOf(flood))
    const late = [...rows.slice(0, 70_000), ...flood, ...rows.slice(70_000)]
    expect(await digested(late)).toEqual(expectedOf(late))
  })
})
