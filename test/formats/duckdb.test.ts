import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { afterAll, describe, expect, it } from 'vitest'
import { ACTIVITY_COLUMNS } from '../../src/domain/activity.ts'
import { digestStatement } from '../../src/formats/digest.ts'
import { openParquet, type ParquetQuery } from '../support/parquet-query.ts'
import { madeRows, renderPieces, renderStatement } from '../support/statement-generator.ts'
import { fileSource, sourceOf } from '../support/statement-source.ts'
import { addLines, newTextSums, plainText, type TextSums } from '../support/statement-sums.ts'

const ROOT = mkdtempSync(join(tmpdir(), 'daybook-duckdb-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

const START = Date.UTC(2026, 9, 1) / 1000
const TYPES = { string: 'VARCHAR', timestamp: 'TIMESTAMP WITH TIME ZONE', amount: 'DECIMAL(38,18)' } as const

const SUMS = `SELECT wallet || ' ' || asset, CAST(sum(amount) AS VARCHAR) FROM activity GROUP BY 1 ORDER BY 1`
const COUNTS = `SELECT count(*), count(DISTINCT row_id) FROM activity`
const DAYS = `SELECT CAST(CAST(time AS DATE) AS VARCHAR), count(*) FROM activity GROUP BY 1 ORDER BY 1`

const isoOf = (instant: unknown) => (instant as Date).toISOString()

async function expectSame(query: ParquetQuery, expected: TextSums): Promise<void> {
  const sums = [...expected.sums]
    .map(([key, sum]) => [key, plainText(sum)])
    .sort(([a], [b]) => (a! < b! ? -1 : 1))
  const days = [...expected.days].map(([day, rows]) => [day, String(rows)]).sort()
  expect(await query.run(COUNTS)).toEqual([[String(expected.rows), String(expected.rows)]])
  expect(await query.run(SUMS)).toEqual(sums)
  expect(await query.run(DAYS)).toEqual(days)
}

describe('DuckDB reads back what was in the file', () => {
  it('types', async () => {
    const folder = mkdtempSync(join(ROOT, 'types-'))
    const range = { start: '2026-10-01', end: '2026-10-02' }
    await digestStatement(sourceOf(renderStatement([], 'A')), { range, folder, metadata: { a: 'b' } })
    const query = await openParquet(folder)
    const types = await query.run('SELECT column_name, column_type FROM (DESCRIBE activity)')
    expect(types).toEqual(ACTIVITY_COLUMNS.map(({ name, type }) => [name, TYPES[type]]))
    expect(await query.run(COUNTS)).toEqual([['0', '0']])
    query.close()
  })

  it('counts, days and sums of many small tables', async () => {
    const table = fc.tuple(
      fc.integer({ min: 1, max: 400 }),
      fc.integer(),
      fc.integer({ min: 1, max: 3 * 86_400 }),
    )
    await fc.assert(
      fc.asyncProperty(table, async ([count, seed, seconds]) => {
        const folder = mkdtempSync(join(ROOT, 'small-'))
        const text = renderStatement(madeRows(count, seed, START, seconds), 'B-bare')
        const range = { start: '2026-10-01', end: '2026-10-04' }
        await digestStatement(sourceOf(text), { range, folder, metadata: {} })
        const expected = newTextSums()
        addLines(expected, text.trimEnd().split('\n').slice(1))
        const query = await openParquet(folder)
        await expectSame(query, expected)
        query.close()
      }),
      { numRuns: 25 },
    )
  })

  it('by time, without touching the row groups that end before or begin after', async () => {
    const folder = mkdtempSync(join(ROOT, 'skipped-'))
    const text = renderStatement(madeRows(200_000, 17, START, 86_400), 'B-bare')
    const range = { start: '2026-10-01', end: '2026-10-02' }
    const { days } = await digestStatement(sourceOf(text), { range, folder, metadata: {} })
    const bytes = readFileSync(days[0]!.path)
    const groups = parquetMetadata(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    ).row_groups
    expect(groups).toHaveLength(4)
    const times = groups.map(({ columns }) => columns[1]!.meta_data!.statistics!)
    const second = `time > TIMESTAMPTZ '${isoOf(times[0]!.max_value)}' AND time < TIMESTAMPTZ '${isoOf(times[2]!.min_value)}'`
    const query = await openParquet(folder)
    const select = `SELECT count(*), min(remark), sum(amount) FROM activity WHERE ${second}`
    const expected = await query.run(select)
    expect(Number(expected[0]![0])).toBeGreaterThan(60_000)

    // Whoever reads anything of the other groups now fails.
    for (const { file_offset, total_compressed_size } of [groups[0]!, groups[2]!, groups[3]!]) {
      const start = Number(file_offset)
      bytes.fill(0xff, start, start + Number(total_compressed_size))
    }
    writeFileSync(days[0]!.path, bytes)
    expect(await query.run(select)).toEqual(expected)
    await expect(query.run('SELECT min(remark) FROM activity')).rejects.toThrow()
    query.close()
  })

  it('a file of a million rows', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(ROOT, 'million-'))
    const path = join(ROOT, 'million.csv')
    const expected = newTextSums()
    await pipeline(async function* () {
      for (const piece of renderPieces(madeRows(1_000_000, 42, START, 31 * 86_400), 'B-bare')) {
        // A piece begins with the header or with the line feed of the piece before.
        addLines(expected, piece.trimEnd().split('\n').slice(1))
        yield piece
      }
    }, createWriteStream(path))
    const range = { start: '2026-10-01', end: '2026-11-01' }
    const { rows, days } = await digestStatement(fileSource(path), { range, folder, metadata: {} })
    expect(rows).toEqual({ read: 1_000_000, written: 1_000_000, quarantined: 0, outside: 0 })
    expect(days).toHaveLength(31)
    const query = await openParquet(folder)
    await expectSame(query, expected)
    query.close()
  })
})
