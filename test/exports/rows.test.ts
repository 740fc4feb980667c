import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ActivityRow, identifyRows } from '../../src/domain/activity.ts'
import { AMOUNT_LIMIT, formatAmount } from '../../src/domain/amount.ts'
import { startOfDayMicros } from '../../src/domain/calendar.ts'
import { activityKey } from '../../src/domain/keys.ts'
import { rowsAsCsv, rowsAsXlsx, timeText } from '../../src/exports/rows.ts'
import { originalText } from '../../src/formats/cell-text.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { DAY, dayBytes, REF } from '../support/day-maker.ts'
import { FORMULAS, hostileText } from '../support/hostile-text.ts'
import { memoryStore } from '../support/memory-store.ts'
import { collect } from '../support/objects.ts'
import { runSql } from '../support/parquet-query.ts'
import { readWorkbook } from '../support/unzip.ts'

/** Tells how to take the apostrophes away again. */
const README = join(import.meta.dirname, '../../README.md')

const RANGE = { start: DAY, end: '2026-10-04' }
/** Where the last of three days begins; the second has no object. */
const LAST = '2026-10-03'

let store: ObjectStore
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybook-exports-'))
})
afterAll(() => rm(folder, { recursive: true }))
beforeEach(() => {
  store = memoryStore()
})

const amounts = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, AMOUNT_LIMIT, -AMOUNT_LIMIT, 10n ** 18n),
  fc.bigInt({ min: -AMOUNT_LIMIT, max: AMOUNT_LIMIT }),
)

/** What a row can hold. A unit separator or a NUL makes a line unreadable, so no row has one. */
const cell = hostileText.map(text => text.replaceAll(/[\x1f\0]/g, ''))

function rowOn(day: string): fc.Arbitrary<ActivityRow> {
  return fc.record({
    micros: fc
      .integer({ min: 0, max: 86_399_999 })
      .map(millis => startOfDayMicros(day) + BigInt(millis) * 1000n + BigInt(millis % 7)),
    userId: fc.option(cell.filter(text => text !== '')),
    wallet: fc.constantFrom('Spot', 'Funding'),
    operation: fc.oneof(fc.constantFrom('Deposit', 'Fee'), cell),
    asset: fc.constantFrom('USDT', '1INCH', 'BTC'),
    amount: amounts,
    remark: cell,
    extra: fc.option(fc.constant('{"=a":"1"}')),
  })
}

async function publish(day: string, rows: readonly ActivityRow[]): Promise<void> {
  const key = activityKey(REF, day)
  const head = await store.head(key)
  if (head === undefined) await store.create(key, dayBytes(rows, undefined, 3))
  else await store.replace(key, dayBytes(rows, undefined, 3), head.etag)
}

async function csv(): Promise<string> {
  return (await collect(rowsAsCsv(store, REF, RANGE))).toString()
}

/** As DuckDB prints a DECIMAL(38,18). */
function decimals(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(19, '0')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -18)}.${digits.slice(-18)}`
}

/** What every reader must get: the rows of all days in the table's order, as text. */
function expected(days: ReadonlyArray<readonly [string, readonly ActivityRow[]]>) {
  return days.flatMap(([day, rows]) =>
    identifyRows([...rows]).map(row => ({
      day,
      rowId: row.rowId,
      time: timeText(row.micros),
      userId: row.userId ?? '',
      wallet: row.wallet,
      operation: row.operation,
      asset: row.asset,
      amount: formatAmount(row.amount),
      remark: row.remark,
      extra: row.extra ?? '',
    })),
  )
}

describe('rows as CSV', () => {
  it('are read back exactly by DuckDB, whatever stands in them', async () => {
    const texts = [
      'date',
      'row_id',
      'time',
      'user_id',
      'wallet',
      'operation',
      'asset',
      'amount',
      'remark',
      'extra',
    ]
    const [original] = /regexp_replace\(remark, .*'\)/.exec(await readFile(README, 'utf8')) ?? []
    const typed = `${original}, amount::DECIMAL(38,18)::VARCHAR, epoch_us(time::TIMESTAMP)::VARCHAR`
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowOn(DAY), { maxLength: 8 }),
        fc.array(rowOn(LAST), { maxLength: 8 }),
        async (first, last) => {
          await publish(DAY, first)
          await publish(LAST, last)
          const path = join(folder, 'rows.csv')
          await writeFile(path, await csv())
          const source = `read_csv('${path}', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', new_line = '\\r\\n', nullstr = 'what no text is', auto_detect = false, columns = {${COLUMN_TYPES}})`
          const read = await runSql(`SELECT ${texts}, ${typed} FROM ${source}`)
          const rows = read.map(
            ([day, rowId, time, userId, wallet, operation, asset, amount, remark, extra]) => ({
              day,
              rowId,
              time,
              userId: originalText(userId!),
              wallet,
              operation: originalText(operation!),
              asset,
              amount,
              remark: originalText(remark!),
              extra,
            }),
          )
          const all = [...identifyRows([...first]), ...identifyRows([...last])]
          expect(read.map(cells => cells.slice(-3))).toEqual(
            all.map(({ remark, amount, micros }) => [remark, decimals(amount), micros.toString()]),
          )
          expect(rows).toEqual(
            expected([
              [DAY, first],
              [LAST, last],
            ]),
          )
        },
      ),
      { numRuns: 40 },
    )
  })

  it('hold no cell that a spreadsheet runs, but amounts', async () => {
    await publish(
      DAY,
      FORMULAS.map(remark => ({ ...ROW, remark, userId: remark })),
    )
    for (const line of (await csv()).split('\r\n').slice(1)) expect(line).not.toMatch(/(^|,)"?\s*[=+@]/)
    for (const remark of FORMULAS) expect(await csv()).toContain(`'${remark.replaceAll('"', '""')}`)
  })

  it('end every line as RFC 4180 has it, begin with a header, and are the same bytes every time', async () => {
    await publish(DAY, [{ ...ROW, remark: 'a, "b"\nc' }])
    const text = await csv()
    expect(text.split('\r\n')).toEqual([
      'provider,account,date,row_id,time,user_id,wallet,operation,category,asset,amount,remark,extra',
      expect.stringMatching(
        /^binance-pay,main,2026-10-01,[0-9a-f]{32},2026-10-01T00:00:00Z,7,Spot,Deposit,deposit,USDT,-0\.000000000000000001,"a, ""b""\nc",$/,
      ),
      '',
    ])
    expect(await csv()).toBe(text)
  })

  it.each([
    ['whose bytes lie elsewhere', (rows: readonly ActivityRow[]) => rows.slice(1)],
    // Read with the directory of the old file, the new one looks whole.
    [
      'whose bytes lie in the same places',
      (rows: readonly ActivityRow[]) => rows.map(row => ({ ...row, remark: 'b' })),
    ],
  ])('never mix two versions of a day, also of a file %s', async (_, changed) => {
    const many = Array.from({ length: 12 }, (_, index) => ({ ...ROW, amount: BigInt(index), remark: 'a' }))
    await publish(DAY, many)
    const stream = rowsAsCsv(store, REF, RANGE)
    await stream.next()
    await stream.next()
    await publish(DAY, changed(many))
    await expect(collect(stream)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('2026-10-01 were replaced'),
    })
  })
})

const ROW: ActivityRow = {
  micros: startOfDayMicros(DAY),
  userId: '7',
  wallet: 'Spot',
  operation: 'Deposit',
  asset: 'USDT',
  amount: -1n,
  remark: '',
  extra: null,
}

const COLUMN_TYPES =
  'provider,account,date,row_id,time,user_id,wallet,operation,category,asset,amount,remark,extra'
    .split(',')
    .map(name => `'${name}': 'VARCHAR'`)
    .join(', ')

describe('rows as a workbook', () => {
  it('are read back exactly, whatever stands in them, with exact totals', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowOn(DAY), { maxLength: 8 }), async rows => {
        await publish(DAY, rows)
        const sheets = await readWorkbook(rowsAsXlsx(store, REF, RANGE))
        const [head, ...cells] = sheets.get('Rows')!
        const at = (row: string[], name: string) => row[head!.indexOf(name)] ?? ''
        expect(
          cells.map(row => ({
            day: at(row, 'date') === '46296' ? DAY : at(row, 'date'),
            rowId: at(row, 'row_id'),
            time: at(row, 'time'),
            userId: at(row, 'user_id'),
            wallet: at(row, 'wallet'),
            operation: at(row, 'operation'),
            asset: at(row, 'asset'),
            amount: at(row, 'amount'),
            remark: at(row, 'remark'),
            extra: at(row, 'extra'),
          })),
        ).toEqual(expected([[DAY, rows]]))
        const net = new Map<string, bigint>()
        for (const { wallet, asset, amount } of rows)
          net.set(`${wallet} ${asset}`, (net.get(`${wallet} ${asset}`) ?? 0n) + amount)
        expect(
          sheets
            .get('Totals')!
            .slice(1)
            .map(row => [`${row[0]} ${row[1]}`, row[5]]),
        ).toEqual(
          [...net].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => [name, formatAmount(sum)]),
        )
      }),
      { numRuns: 40 },
    )
  })

  it('go on in a next sheet where one is full', async () => {
    await publish(
      DAY,
      Array.from({ length: 7 }, (_, index) => ({ ...ROW, amount: BigInt(index) })),
    )
    const sheets = await readWorkbook(rowsAsXlsx(store, REF, RANGE, { sheetRows: 4 }))
    expect([...sheets].map(([name, rows]) => [name, rows.length])).toEqual([
      ['Rows', 4],
      ['Rows 2', 4],
      ['Rows 3', 2],
      ['Totals', 2],
    ])
  })

  it('are the same bytes every time', async () => {
    await publish(DAY, [ROW])
    const [one, two] = await Promise.all([1, 2].map(() => collect(rowsAsXlsx(store, REF, RANGE))))
    expect(one!.equals(two!)).toBe(true)
  })
})
