/** Which lines take the fast path: told by the fast path itself. */
import { afterEach, expect, it, vi } from 'vitest'
import type { AddedColumns } from '../../src/domain/column-names.ts'
import type * as fast from '../../src/formats/fast-lines.ts'
import { limitsOf } from '../../src/formats/limits.ts'
import { newBatch, rowAt } from '../../src/formats/row-batch.ts'
import { readBatches } from '../../src/formats/statement-batches.ts'
import { readItems } from '../support/statement-fixture.ts'
import { madeRows, renderStatement } from '../support/statement-generator.ts'
import { sourceOf } from '../support/statement-source.ts'

const taken = vi.hoisted(() => ({ lines: 0 }))
vi.mock('../../src/formats/fast-lines.ts', async original => {
  const real = await original<typeof fast>()
  const fastLines: typeof real.fastLines = (...input) => {
    const lines = real.fastLines(...input)
    if (lines === undefined) return undefined
    return {
      ...lines,
      take(...where) {
        const end = lines.take(...where)
        taken.lines += lines.taken.lines
        return end
      },
    }
  }
  return { ...real, fastLines }
})
afterEach(() => {
  taken.lines = 0
})

const START = Date.UTC(2026, 9, 1) / 1000
const ROWS = 5000

async function read(text: string, columns?: AddedColumns) {
  const batch = newBatch(ROWS + 100)
  const source = sourceOf(text)
  const onUnreadable = () => {}
  for await (const _ of readBatches(source, batch, {
    limits: limitsOf(),
    columns,
    onPart: () => {},
    onUnreadable,
  }));
  const expected = (await readItems(source, { columns })).flatMap(item =>
    item.kind === 'row' ? [item.row] : [],
  )
  expect(Array.from({ length: batch.rows }, (_, row) => rowAt(batch, row))).toEqual(expected)
  return { fast: taken.lines, rows: batch.rows }
}

it.each(['A', 'B-bare', 'B-quoted', 'C'] as const)('are the common lines of layout %s', async layout => {
  const { fast, rows } = await read(renderStatement(madeRows(ROWS, 3, START, 9000), layout))
  expect(rows).toBe(ROWS)
  expect(fast / rows).toBeGreaterThan(0.9)
})

const HEADER = 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark'
const ROW = '35460001,2026-10-01 00:00:00,Spot,Deposit,USDT,1.5,'

it('are the lines between odd ones, also under names that were added', async () => {
  const text = [HEADER.replace('Coin', 'Token'), ROW, `${ROW}é`, ROW, HEADER, 'x', ROW].join('\n')
  expect(await read(`${text}\n`, { asset: ['Token'] })).toEqual({ fast: 3, rows: 4 })
})

it.each([
  ['separated by semicolons', [HEADER, ROW, ROW].map(line => line.replaceAll(',', ';')), {}],
  ['of a file without a header', [ROW, ROW, ROW], {}],
  ['with a cell nobody asked for', [`${HEADER},Note`, `${ROW},`, `${ROW},a`], {}],
  ['packed into one cell', [HEADER, `"${ROW}"`, `"${ROW}"`], {}],
  [
    'under a header that reads as a row',
    [ROW, ROW, ROW],
    {
      time: ['2026-10-01 00:00:00'],
      wallet: ['Spot'],
      operation: ['Deposit'],
      asset: ['USDT'],
      amount: ['1.5'],
      userId: ['35460001'],
      remark: [''],
    },
  ],
])('are not those %s', async (_, lines, columns) => {
  expect((await read(`${lines.join('\n')}\n`, columns)).fast).toBe(0)
})

it('forget how wallets were spelled before that takes memory, and lose no row by it', async () => {
  const spelling = (row: number) => `Spot${' '.repeat(1 + row)}Lead`
  const lines = Array.from({ length: ROWS }, (_, row) => ROW.replace('Spot', spelling(row % 2500)))
  const { fast, rows } = await read(`${HEADER}\n${lines.join('\n')}\n`)
  expect(rows).toBe(ROWS)
  expect(fast / rows).toBeGreaterThan(0.9)
})
