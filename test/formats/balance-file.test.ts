import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AMOUNT_LIMIT, formatAmount } from '../../src/domain/amount.ts'
import { BALANCE_COLUMNS, type BalanceRow, NO_FIGURES } from '../../src/domain/balance.ts'
import { encodeBalances, readBalances } from '../../src/formats/balance-file.ts'
import { runSql } from '../support/parquet-query.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybook-balances-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${++files}.parquet`)
  await writeFile(path, bytes)
  return path
}

const amount = fc.option(fc.bigInt({ min: -AMOUNT_LIMIT, max: AMOUNT_LIMIT }))
const text = fc.option(fc.string({ unit: 'binary', maxLength: 12 }).filter(value => value.isWellFormed()))
const micros = fc.bigInt({ min: 0n, max: 4_102_444_800_000_000n })
const rowArbitrary: fc.Arbitrary<BalanceRow> = fc.record({
  ...{ wallet: text, fundsAccount: text, asset: fc.string({ minLength: 1, maxLength: 6 }) },
  basis: fc.constantFrom('instant' as const, 'day-end' as const),
  ...{ asOfMicros: fc.option(micros), day: text, zone: text },
  ...{ available: amount, onHold: amount, withdrawable: amount, deposit: amount, total: amount },
  ...{ opening: amount, inflow: amount, outflow: amount, closing: amount },
  ...{ valuations: text, status: text, extra: text },
  ...{ operation: fc.constant('op'), sentMicros: micros, answeredMicros: micros },
  ...{ rawSha256: fc.constant('0'.repeat(64)), assumptions: fc.constant('[]') },
})

describe('a file of the balances table', () => {
  it('gives back exactly what was written, whatever is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowArbitrary, { maxLength: 40 }), async rows => {
        expect(await readBalances(encodeBalances(rows, { note: 'n' }))).toEqual(rows)
      }),
      { numRuns: 60 },
    )
  })

  it('says the same to DuckDB: every amount, time and text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowArbitrary, { minLength: 1, maxLength: 20 }), async rows => {
        const path = await fileOf(encodeBalances(rows, {}))
        const columns = BALANCE_COLUMNS.map(({ name, type }) =>
          type === 'string'
            ? `hex(${name})`
            : type === 'timestamp'
              ? `epoch_us(${name})::VARCHAR`
              : `${name}::VARCHAR`,
        )
        const told = await runSql(`SELECT ${columns.join(', ')} FROM read_parquet('${path}')`)
        const expected = rows.map(row =>
          BALANCE_COLUMNS.map(({ type, of }) => {
            const cell = of(row)
            if (cell === null) return 'null'
            if (type === 'string') return Buffer.from(String(cell)).toString('hex').toUpperCase()
            return type === 'timestamp' ? String(cell) : fixed(cell as bigint)
          }),
        )
        expect(told).toEqual(expected)
      }),
      { numRuns: 12 },
    )
  })

  it('has the types that the table promises', async () => {
    const path = await fileOf(encodeBalances([], { 'daybook.snapshot': 's' }))
    const told = await runSql(
      `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('${path}'))`,
    )
    const types = { string: 'VARCHAR', timestamp: 'TIMESTAMP WITH TIME ZONE', amount: 'DECIMAL(38,18)' }
    expect(told).toEqual(BALANCE_COLUMNS.map(({ name, type }) => [name, types[type]]))
    expect(await runSql(`SELECT count(*) FROM read_parquet('${path}')`)).toEqual([['0']])
    const metadata = await runSql(`SELECT decode(key), decode(value) FROM parquet_kv_metadata('${path}')`)
    expect(metadata).toEqual([['daybook.snapshot', 's']])
  })

  it('is the same bytes for the same rows', () => {
    const [row] = fc.sample(rowArbitrary, 1)
    expect(encodeBalances([row!], { b: '2', a: '1' })).toEqual(encodeBalances([row!], { a: '1', b: '2' }))
  })

  it('that is damaged is said to be', async () => {
    const [row] = fc.sample(rowArbitrary, { numRuns: 1, seed: 1 })
    const bytes = encodeBalances([{ ...row!, ...NO_FIGURES }], {})
    for (const broken of [bytes.subarray(0, bytes.length - 5), Buffer.from('PAR1'), new Uint8Array()]) {
      await expect(readBalances(broken)).rejects.toMatchObject({ code: 'file-damaged' })
    }
  })
})

/** As DuckDB prints a DECIMAL(38,18). */
function fixed(amount: bigint): string {
  const [whole = '', fraction = ''] = formatAmount(amount).split('.')
  return `${whole}.${fraction.padEnd(18, '0')}`
}
