import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type IdentifiedRow, identifyRows } from '../../src/domain/activity.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { type CsvRecord, readCsv } from '../../src/formats/csv.ts'
import { readItems } from '../support/statement-fixture.ts'
import { type MadeLayout, type MadeRow, renderStatement } from '../support/statement-generator.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'
import { tarOf } from '../support/tar-maker.ts'
import { workbookOf } from '../support/workbook-maker.ts'

const USER = '35460001'
const FIRST = Date.UTC(2026, 9, 1) / 1000

const cell = fc.string({
  unit: fc.constantFrom('a', 'B', ',', '"', '\n', '\r', ' ', 'é', '分', '𝄞', '7', ';'),
  maxLength: 10,
})
const name = cell.map(text => `x${text.replace(/\s/g, '')}`)

const madeRow: fc.Arbitrary<MadeRow> = fc.record({
  second: fc.integer({ min: FIRST, max: FIRST + 5 }),
  wallet: fc.oneof(fc.constantFrom('Spot', 'Funding'), name),
  operation: fc.oneof(fc.constantFrom('Merchant Acquiring', 'Transfer', 'Send'), name),
  coin: fc.oneof(fc.constantFrom('USDT', '1INCH', '1000SATS'), name),
  units: fc.oneof(fc.bigInt({ min: -120n, max: 120n }), fc.bigInt({ min: -(10n ** 26n), max: 10n ** 26n })),
  remark: cell,
})

/** Tables in which identical rows are common. */
const table = fc
  .array(fc.tuple(madeRow, fc.integer({ min: 1, max: 4 })), { maxLength: 15 })
  .map(rows => rows.flatMap(([row, times]) => Array.from({ length: times }, () => row)))

const layouts: MadeLayout[] = ['A', 'B-bare', 'B-quoted', 'C']
const rendering = fc.record({
  layout: fc.constantFrom(...layouts),
  container: fc.constantFrom(
    'csv',
    'gzip',
    'zip',
    'zip of three',
    'stored zip',
    'tar.gz',
    'tar of three',
    'workbook',
  ),
  zoneMinutes: fc.constantFrom(0, 420, -360, 330),
  eol: fc.constantFrom('\n', '\r\n'),
  bom: fc.boolean(),
  finalEol: fc.boolean(),
  chunkBytes: fc.integer({ min: 1, max: 300 }),
  blockBytes: fc.integer({ min: 1, max: 300 }),
})
type Rendering = typeof rendering extends fc.Arbitrary<infer T> ? T : never

it('any table, in any layout, container and chunking, gives the same rows and row ids', async () => {
  await fc.assert(
    fc.asyncProperty(table, rendering, async (rows, how) => {
      const expected = identifyRows(rows.map(row => activityOf(row, how.layout)))
      expect(await readRows(await packed(rows, how), how)).toEqual(expected)
    }),
    { numRuns: 400 },
  )
})

it('a row id does not depend on the layout', async () => {
  await fc.assert(
    fc.asyncProperty(table, async rows => {
      const how = { zoneMinutes: 420, eol: '\n', bom: false, finalEol: true, chunkBytes: 99 } as const
      const ids = []
      for (const layout of layouts) {
        const rendered = { ...how, layout, container: 'csv' as const, blockBytes: 99 }
        ids.push((await readRows(await packed(rows, rendered), rendered)).map(({ rowId }) => rowId))
      }
      expect(new Set(ids.map(list => list.join())).size).toBe(1)
    }),
  )
})

it('splitting the bytes at every boundary changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom(...layouts), async (rows, layout) => {
      const bytes = Buffer.from(renderStatement(rows, layout, { bom: true, eol: '\r\n' }))
      const whole = await readItems(sourceOf(bytes))
      expect(await readItems(sourceOf(bytes, 'x.csv', 1), { blockBytes: 1 })).toEqual(whole)
      const step = Math.max(1, Math.floor(bytes.length / 40))
      for (let at = 0; at <= bytes.length; at += step) {
        expect(await readItems(cutAt(bytes, at), { blockBytes: 1 })).toEqual(whole)
      }
    }),
    { numRuns: 25 },
  )
})

it('any bytes after the header: every line is a row, unreadable or blank, and the reading ends', async () => {
  const bytes = fc.array(fc.constantFrom(10, 10, 34, 44, 44, 49, 45, 58, 32, 0, 0x1f, 0xe2, 0x82), {
    maxLength: 500,
  })
  await fc.assert(
    fc.asyncProperty(bytes, async codes => {
      const content = Buffer.concat([
        Buffer.from('UTC_Time,Account,Operation,Coin,Change\n'),
        Buffer.from(codes),
      ])
      const items = await readItems(sourceOf(Buffer.concat([content, Buffer.from('\n"",\n')])))
      expect(items.length).toBeGreaterThan(0)
    }),
    { numRuns: 300 },
  )
})

function cutAt(bytes: Buffer, at: number): ByteSource {
  return {
    name: 'x.csv',
    size: bytes.length,
    async *read({ start, end } = { start: 0 }) {
      const part = bytes.subarray(start, end)
      yield part.subarray(0, at)
      yield part.subarray(at)
    },
  }
}

function activityOf(row: MadeRow, layout: MadeLayout) {
  return {
    micros: BigInt(row.second) * 1_000_000n,
    userId: layout === 'A' ? null : USER,
    wallet: row.wallet,
    operation: row.operation,
    asset: row.coin,
    amount: row.units * 10n ** 10n,
    remark: row.remark,
    extra: null,
  }
}

async function readRows(
  source: ByteSource,
  { blockBytes }: { blockBytes: number },
): Promise<IdentifiedRow[]> {
  const items = await readItems(source, { blockBytes })
  return identifyRows(
    items.map(item => {
      if (item.kind === 'unreadable') throw new Error(`unreadable: ${item.reason} ${item.text}`)
      return item.row
    }),
  )
}

async function packed(rows: readonly MadeRow[], how: Rendering): Promise<ByteSource> {
  const { layout, container, zoneMinutes, chunkBytes, eol, bom, finalEol } = how
  const text = (some: readonly MadeRow[]) =>
    renderStatement(some, layout, { userId: USER, zoneMinutes, eol, bom, finalEol })
  const zone = layout === 'C' ? zoneText(zoneMinutes) : ''
  const file = (content: string | Uint8Array, name: string) => sourceOf(content, name, chunkBytes)
  if (container === 'csv') return file(text(rows), `x${zone}.csv`)
  if (container === 'gzip') return file(gzipOf(text(rows)), `x${zone}.csv.gz`)
  if (container === 'tar.gz') {
    return file(gzipOf(tarOf([{ name: `x${zone}.csv`, content: text(rows) }])), 'x.tar.gz')
  }
  if (container === 'workbook') {
    const [header = [], ...cells] = await cellsOf(text(rows))
    return file(await workbookOf(cells, { header, label: `Period${zone}` }), 'x.xlsx')
  }
  if (!container.endsWith('of three')) {
    return file(await zipOf({ [`x${zone}.csv`]: text(rows) }, { compress: container === 'zip' }), 'x.zip')
  }
  const third = Math.ceil(rows.length / 3)
  const parts = [rows.slice(0, third), rows.slice(third, 2 * third), rows.slice(2 * third)]
  const entries = parts.map((some, index) => [`x${zone}-part${index + 1}-of3.csv`, text(some)] as const)
  if (container === 'tar of three') {
    return file(tarOf(entries.map(([name, content]) => ({ name, content }))), 'x.tar')
  }
  return file(await zipOf(Object.fromEntries(entries)), 'x.zip')
}

/** A text as the cells of a sheet. */
async function cellsOf(text: string): Promise<readonly (readonly string[])[]> {
  const records: CsvRecord[] = []
  for await (const batch of readCsv(sourceOf(text).read(), { lineBytes: 10_000, recordLines: 100 })) {
    records.push(...batch)
  }
  return records.map(({ cells }) => cells)
}

function zoneText(minutes: number): string {
  const size = Math.abs(minutes)
  const hours = `${Math.floor(size / 60)}${size % 60 === 0 ? '' : `:${size % 60}`}`
  return minutes < 0 ? `(UTC--${hours})` : `(UTC+${hours})`
}
