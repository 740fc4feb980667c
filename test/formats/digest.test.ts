import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { identifyRows } from '../../src/domain/activity.ts'
import { dayOfMicros } from '../../src/domain/calendar.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { type DigestOptions, digestStatement, type StatementDigest } from '../../src/formats/digest.ts'
import { encodeActivity, readActivity, readActivityMetadata } from '../../src/formats/parquet.ts'
import { readItems } from '../support/statement-fixture.ts'
import { chanceFrom, type MadeRow, madeRows, renderStatement } from '../support/statement-generator.ts'
import { fileSource, gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'

const ROOT = mkdtempSync(join(tmpdir(), 'daybook-digest-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

const RANGE = { start: '2026-10-01', end: '2026-10-04' }
const START = Date.UTC(2026, 9, 1) / 1000
const DAY = 86_400
const METADATA = { 'daybook.report_id': '197620356272996352' }

function digest(source: ByteSource, options: Partial<DigestOptions> = {}): Promise<StatementDigest> {
  const folder = mkdtempSync(join(ROOT, 'work-'))
  return digestStatement(source, { range: RANGE, folder, metadata: METADATA, ...options })
}

/** What must not depend on the layout, the container or the order inside a second. */
const bytesOf = ({ days }: StatementDigest) => days.map(({ path }) => readFileSync(path).toString('hex'))

/** So many that a day does not fit in one block of the spill. */
const made = [...madeRows(12_000, 11, START, 3 * DAY)]

function shuffled(rows: readonly MadeRow[], seed: number): MadeRow[] {
  const chance = chanceFrom(seed)
  return rows
    .map(row => ({ row, order: chance(1_000_000) }))
    .sort((a, b) => a.row.second - b.row.second || a.order - b.order)
    .map(({ row }) => row)
}

describe('digestStatement', () => {
  it('writes a file a covered day, also for a day without rows, and accounts for every row', async () => {
    const header = 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n'
    const row = (time: string, change: string, operation = 'Deposit') =>
      `1,${time},Spot,${operation},USDT,${change},\n`
    const text =
      header +
      row('2026-09-30 23:59:59', '100.00000000') +
      row('2026-10-01 00:00:00', '1.50000000') +
      row('2026-10-01 00:00:00', '1.50000000') +
      row('2026-10-01 12:00:00', '1,5') +
      row('2026-10-03 23:59:59', '-1E-8', 'Quantum Settlement') +
      row('2026-10-03 99:59:59', '1.00000000') +
      row('2026-10-04 00:00:00', '5.00000000') +
      row('2026-10-04 00:00:01', '5.00000000')
    const result = await digest(sourceOf(text))
    expect(result).toMatchObject({
      container: 'csv',
      layout: 'B',
      notes: [],
      rows: { read: 8, written: 3, quarantined: 2, outside: 3 },
      operations: [
        { operation: 'Deposit', category: 'deposit', rows: 2 },
        { operation: 'Quantum Settlement', category: 'unknown', rows: 1 },
      ],
      sums: [{ wallet: 'Spot', asset: 'USDT', amount: '2.99999999' }],
      reasons: { 'time-impossible': 1, 'too-many-cells': 1 },
      outsideDays: { '2026-09-30': 1, '2026-10-04': 2 },
    })
    expect(result.days.map(({ day, rows, sums }) => [day, rows, sums])).toEqual([
      ['2026-10-01', 2, [{ wallet: 'Spot', asset: 'USDT', amount: '3' }]],
      ['2026-10-02', 0, []],
      ['2026-10-03', 1, [{ wallet: 'Spot', asset: 'USDT', amount: '-0.00000001' }]],
    ])
    const lines = readFileSync(result.quarantine!.path, 'utf8').trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line))).toEqual([
      { line: 5, reason: 'too-many-cells', text: '1,2026-10-01 12:00:00,Spot,Deposit,USDT,1,5,' },
      { line: 7, reason: 'time-impossible', text: '1,2026-10-03 99:59:59,Spot,Deposit,USDT,1.00000000,' },
    ])
  })

  it('describes each file truly and leaves nothing else behind', async () => {
    const folder = mkdtempSync(join(ROOT, 'work-'))
    const { days, quarantine, rows } = await digest(sourceOf(renderStatement(made, 'B-quoted')), { folder })
    expect(quarantine).toBeUndefined()
    expect(rows).toEqual({ read: 12_000, written: 12_000, quarantined: 0, outside: 0 })
    for (const { path, size, sha256, rows: count } of days) {
      const bytes = readFileSync(path)
      expect(bytes.length).toBe(size)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
      expect(await readActivity(fileSource(path))).toHaveLength(count)
      expect(await readActivityMetadata(fileSource(path))).toEqual(METADATA)
    }
    expect(readdirSync(folder)).toEqual(days.map(({ day }) => `${day}.parquet`))
  })

  it('gives the same bytes for the same file twice, also in a folder that was used before', async () => {
    const folder = mkdtempSync(join(ROOT, 'work-'))
    const source = sourceOf(`${renderStatement(made, 'B-bare')}broken\n`)
    const first = await digest(source, { folder })
    const bytes = bytesOf(first)
    const quarantined = readFileSync(first.quarantine!.path, 'utf8')
    writeFileSync(join(folder, '2026-10-01T00.spill'), 'left behind by a run that was killed')
    const second = await digest(source, { folder })
    expect(second).toEqual(first)
    expect(bytesOf(second)).toEqual(bytes)
    expect(readFileSync(second.quarantine!.path, 'utf8')).toBe(quarantined)
  })

  it('gives the same bytes from another layout, zone, container and order inside a second', async () => {
    const expected = bytesOf(await digest(sourceOf(renderStatement(made, 'B-quoted'))))
    const other = shuffled(made, 5)
    const third = other.length / 3
    const c = (from: number, to: number) =>
      renderStatement(other.slice(from, to), 'C', { zoneMinutes: 420, eol: '\r\n', bom: true })
    const zip = await zipOf({
      'x(UTC+7)-part1-of3.csv': c(0, third),
      'x(UTC+7)-part2-of3.csv': c(third, 2 * third),
      'x(UTC+7)-part3-of3.csv': c(2 * third, other.length),
    })
    expect(bytesOf(await digest(sourceOf(renderStatement(other, 'B-bare'))))).toEqual(expected)
    expect(bytesOf(await digest(sourceOf(gzipOf(renderStatement(other, 'B-bare')), 'x.gz', 11)))).toEqual(
      expected,
    )
    expect(bytesOf(await digest(sourceOf(zip, 'x.zip')))).toEqual(expected)
  })

  it('gives the same rows from an overlapping file, and each identical row its own id', async () => {
    const twice = [...made.slice(0, 100), ...Array.from({ length: 28 }, () => made[100]!)]
    const { days } = await digest(sourceOf(renderStatement(twice, 'B-bare')))
    const rows = (await Promise.all(days.map(({ path }) => readActivity(fileSource(path))))).flat()
    expect(rows).toHaveLength(128)
    expect(new Set(rows.map(({ rowId }) => rowId)).size).toBe(128)
  })

  it('gives the order and ids that the whole day gives at once, in the bytes of one encoding', async () => {
    const source = sourceOf(renderStatement(shuffled(made, 9), 'B-bare'))
    const { days } = await digest(source)
    const rows = (await readItems(source)).flatMap(item => (item.kind === 'row' ? [item.row] : []))
    const byDay = Map.groupBy(rows, ({ micros }) => dayOfMicros(micros))
    for (const { day, path } of days) {
      const expected = encodeActivity(identifyRows(byDay.get(day) ?? []), METADATA)
      expect(readFileSync(path).equals(expected)).toBe(true)
    }
  })

  it('refuses a source that gives the same bytes twice, instead of losing their rows', async () => {
    // As long as a block, so that it is read where it stands; but for the first, whose head is looked at.
    const chunk = new Uint8Array(Buffer.from(renderStatement(made, 'B-bare')).subarray(0, 256 * 1024))
    const source: ByteSource = {
      name: 'statement.csv',
      size: 3 * chunk.length,
      async *read() {
        yield chunk
        yield chunk
        yield chunk
      },
    }
    await expect(digest(source)).rejects.toThrow('A source gave the same bytes twice.')
  })

  it('says when it had to assume the zone, and which part a quarantined row stood in', async () => {
    const text = renderStatement(made.slice(0, 5), 'C')
    expect(await digest(sourceOf(text))).toMatchObject({ layout: 'C', notes: ['assumed-utc'] })
    expect(await digest(sourceOf(text), { zoneMinutes: 0 })).toMatchObject({ notes: [] })
    const zip = await zipOf({ 'a(UTC+0).csv': `${text}x,\n`, 'b.csv': renderStatement([], 'A') })
    const result = await digest(sourceOf(zip, 'x.zip'))
    expect(result).toMatchObject({ container: 'zip', layout: 'A+C', notes: [] })
    expect(JSON.parse(readFileSync(result.quarantine!.path, 'utf8'))).toEqual({
      part: 'a(UTC+0).csv',
      line: 7,
      reason: 'too-few-cells',
      text: 'x,',
    })
  })

  it('reads columns by names a user adds, and says when there is no header', async () => {
    const text = renderStatement(made.slice(0, 5), 'B-bare')
    const renamed = text.replace('Change', 'Net').replace('Coin', 'Currency')
    const columns = { amount: ['net'], asset: ['CURRENCY'] }
    await expect(digest(sourceOf(renamed))).rejects.toMatchObject({ details: { reason: 'column-missing' } })
    expect(bytesOf(await digest(sourceOf(renamed), { columns }))).toEqual(
      bytesOf(await digest(sourceOf(text))),
    )
    const headerless = sourceOf(text.slice(text.indexOf('\n') + 1))
    expect(await digest(headerless)).toMatchObject({ rows: { read: 5 }, notes: ['assumed-utc', 'no-header'] })
  })

  it('reads a period without activity as zero rows', async () => {
    for (const text of ['No data matches the criteria.\n', renderStatement([], 'C')]) {
      const { days, rows } = await digest(sourceOf(text))
      expect(rows).toEqual({ read: 0, written: 0, quarantined: 0, outside: 0 })
      expect(days.map(day => day.rows)).toEqual([0, 0, 0])
      expect(await readActivity(fileSource(days[0]!.path))).toEqual([])
    }
  })

  it('tells how far it is', async () => {
    const seen: Array<{ bytes: number; rows: number }> = []
    const source = sourceOf(renderStatement(made, 'B-bare'))
    await digest(source, { onProgress: progress => seen.push(progress) })
    expect(seen.at(-1)).toEqual({ bytes: source.size, rows: 12_000 })
    expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).sort((a, b) => a - b))
  })

  it('refuses more names than the limit, and zones that are none of a row', async () => {
    const source = sourceOf(renderStatement(made, 'B-bare'))
    await expect(digest(source, { limits: { names: 3 } })).rejects.toMatchObject({
      details: { reason: 'too-many-names' },
    })
  })

  it('refuses a file of which more cannot be read than is set aside', async () => {
    const header = 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n'
    const source = sourceOf(header + 'x\n'.repeat(1000))
    const limits = { quarantineBytes: 10_000 }
    await expect(digest(source, { limits })).rejects.toMatchObject({
      details: { reason: 'too-many-unreadable' },
    })
    const few = await digest(sourceOf(header + 'x\n'.repeat(10)), { limits })
    expect(few.rows.quarantined).toBe(10)
  })
})
