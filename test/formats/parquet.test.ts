import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { type ActivityRow, identifyRows } from '../../src/domain/activity.ts'
import { AMOUNT_LIMIT } from '../../src/domain/amount.ts'
import { isFault } from '../../src/domain/errors.ts'
import { encodeActivity, readActivity, readActivityMetadata } from '../../src/formats/parquet.ts'
import { sourceOf } from '../support/statement-source.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map(value => value.replaceAll('\x1f', ''))
const anyRow: fc.Arbitrary<ActivityRow> = fc.record({
  micros: fc.bigInt({ min: 946_684_800_000_000n, max: 4_102_444_799_999_999n }),
  userId: fc.option(
    text.filter(value => value !== ''),
    { nil: null },
  ),
  wallet: fc.constantFrom('Spot', 'Funding'),
  operation: text,
  asset: text,
  amount: fc.oneof(
    fc.bigInt({ min: -AMOUNT_LIMIT, max: AMOUNT_LIMIT }),
    fc.constantFrom(0n, 1n, -1n, AMOUNT_LIMIT, -AMOUNT_LIMIT),
  ),
  remark: text,
  extra: fc.option(fc.constant('{"EUR_Value":"1.07"}'), { nil: null }),
})

describe('a data file', () => {
  it('gives back the rows exactly, in row groups of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRow, { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        async (rows, size) => {
          const identified = identifyRows(rows)
          const bytes = encodeActivity(identified, {}, size)
          expect(await readActivity(sourceOf(bytes, 'x', 97))).toEqual(identified)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('carries the metadata it was given, which is read from the footer alone', async () => {
    const metadata = { 'daybook.schema_version': '1', 'daybook.source_sha256': 'ab'.repeat(32), é: '' }
    const bytes = encodeActivity(identifyRows([]), metadata)
    expect(await readActivityMetadata(sourceOf(bytes))).toEqual(metadata)
    expect(await readActivity(sourceOf(bytes))).toEqual([])
  })

  it('has the same bytes for the same rows, whatever the order of the metadata', () => {
    const rows = fc.sample(anyRow, { numRuns: 50, seed: 7 })
    const one = encodeActivity(identifyRows([...rows]), { a: '1', b: '2' })
    const other = encodeActivity(identifyRows([...rows].reverse()), { b: '2', a: '1' })
    expect(Buffer.from(other).equals(one)).toBe(true)
  })

  it('says the types, and statistics that are right for negative amounts', () => {
    const [sample] = fc.sample(anyRow, { numRuns: 1, seed: 1 })
    const rows = [-AMOUNT_LIMIT, -1n, 0n, 5n].map(amount => ({ ...sample!, amount }))
    const { schema, row_groups, created_by } = parquetMetadata(encodeActivity(identifyRows(rows), {}))
    const amountColumn = schema.findIndex(({ name }) => name === 'amount')
    expect(schema[amountColumn]).toMatchObject({
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 16,
      converted_type: 'DECIMAL',
      precision: 38,
      scale: 18,
    })
    expect(schema.find(({ name }) => name === 'time')).toMatchObject({
      type: 'INT64',
      repetition_type: 'REQUIRED',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    })
    const { meta_data } = row_groups[0]!.columns[amountColumn - 1]!
    expect(meta_data!.codec).toBe('ZSTD')
    expect(Number(meta_data!.statistics!.min_value)).toBeLessThan(-9e19)
    expect(Number(meta_data!.statistics!.max_value)).toBeCloseTo(5e-18, 20)
    expect(created_by).toBe('daybook version 1.0.0 (build 1)')
  })

  it('is damaged when it is cut off or is something else', async () => {
    const rows = identifyRows(fc.sample(anyRow, { numRuns: 50, seed: 3 }))
    const bytes = encodeActivity(rows, {})
    for (const broken of [
      bytes.subarray(0, 100),
      Buffer.from('PAR1'),
      Buffer.from('no parquet here'),
      Buffer.alloc(0),
    ]) {
      await expect(readActivity(sourceOf(broken))).rejects.toSatisfy(error => isFault(error, 'file-damaged'))
      await expect(readActivityMetadata(sourceOf(broken))).rejects.toSatisfy(error =>
        isFault(error, 'file-damaged'),
      )
    }
  })
})
