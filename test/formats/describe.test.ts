import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeFile } from '../../src/formats/describe.ts'
import { shapeOf } from '../../src/formats/shapes.ts'
import { madeRows, renderStatement } from '../support/statement-generator.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'

const START = Date.UTC(2026, 9, 1) / 1000
const rows = [...madeRows(500, 3, START, 2 * 86_400)]

describe('describeFile', () => {
  it('says what a file looks like', async () => {
    const text = renderStatement(rows, 'C', { zoneMinutes: 420, bom: true, eol: '\r\n' })
    const described = await describeFile(sourceOf(text, 'x(UTC+7).csv'))
    expect(described).toMatchObject({
      kind: 'text',
      fault: null,
      parts: [
        {
          encoding: 'utf-8',
          bom: true,
          eol: { crlf: 501 },
          quoting: { bare: 500 },
          header: ['User ID', 'Time', 'Account', 'Operation', 'Coin', 'Change', 'Remark'],
          missing: [],
          times: { '99-99-99 99:99:99': 500 },
          numbers: { plain: 500 },
        },
      ],
      statement: {
        layouts: ['C'],
        zones: [{ zone: 'UTC+7', from: 'file-name' }],
        rows: 500,
        firstDay: '2026-10-01',
        lastDay: '2026-10-02',
        assets: 7,
      },
    })
    expect(described.parts[0]?.columns.map(({ meaning }) => meaning)).toEqual([
      'userId',
      'time',
      'wallet',
      'operation',
      'asset',
      'amount',
      'remark',
    ])
  })

  it('counts number shapes and unknown operations', async () => {
    const text = `${renderStatement(rows, 'B-quoted')}"1","2026-10-01 00:00:00","Spot","Quantum 1234567","X","+1.5",""\n`
    const { parts, statement } = await describeFile(sourceOf(text))
    expect(Object.keys(parts[0]!.numbers).sort()).toEqual(['plain', 'plus', 'scientific'])
    expect(statement.operations).toContainEqual({
      operation: 'Quantum #',
      category: 'unknown',
      known: false,
      rows: 1,
    })
  })

  it('notices another encoding', async () => {
    const text = renderStatement([{ ...rows[0]!, remark: 'café' }], 'B-bare')
    const { parts, statement } = await describeFile(sourceOf(Buffer.from(text, 'latin1')))
    expect(parts[0]).toMatchObject({ encoding: 'not utf-8' })
    expect(statement.unreadable).toEqual({ 'not-utf8': 1 })
  })

  it('proposes what it can for a header nobody has seen', async () => {
    const text =
      'Merchant,Time,Account,Kind,Coin,Total\n123456789,2026-10-01 10:00,Spot,Sale,USDT,-12.345678\n'
    const described = await describeFile(sourceOf(text))
    expect(described.fault).toMatchObject({ code: 'file-unreadable', reason: 'column-missing' })
    expect(described.parts[0]).toMatchObject({
      missing: ['operation', 'amount'],
      times: { '9999-99-99 99:99': 1 },
    })
    expect(described.parts[0]?.columns.map(({ column, meaning }) => [column, meaning])).toEqual([
      ['Merchant', null],
      ['Time', 'time'],
      ['Account', 'wallet'],
      ['Kind', null],
      ['Coin', 'asset'],
      ['Total', null],
    ])
  })

  it('reads as the statement does: added names, semicolons, packed lines', async () => {
    const text = renderStatement(rows.slice(0, 9), 'B-bare').replace('Change', 'Net')
    const packed = text.replace(/.+/g, line => `"${line}"`)
    const columns = { amount: ['Net'] }
    for (const [content, separator] of [
      [text, ','],
      [text.replaceAll(',', ';'), ';'],
      [packed, ','],
    ] as const) {
      const described = await describeFile(sourceOf(content), { columns })
      expect(described).toMatchObject({
        fault: null,
        parts: [{ separator, missing: [], times: { '9999-99-99 99:99:99': 9 }, cellsPerRow: { 7: 9 } }],
        statement: { rows: 9, unreadable: {} },
      })
    }
  })

  it('tells how far it is', async () => {
    const text = renderStatement(rows, 'B-bare')
    const seen: Array<{ bytes: number; rows: number }> = []
    await describeFile(sourceOf(text), { onProgress: progress => seen.push(progress) })
    expect(seen.length).toBeGreaterThan(1)
    expect(seen).toEqual(seen.toSorted((a, b) => a.bytes - b.bytes || a.rows - b.rows))
    expect(seen[0]!.bytes).toBeLessThan(text.length)
    // The header was a record of the first reading.
    expect(seen.at(-1)).toEqual({ bytes: text.length, rows: Math.round((2 * rows.length + 1) / 2) })
  })

  it('holds no id and no amount', async () => {
    const texts = [
      renderStatement(rows, 'B-quoted'),
      renderStatement(rows, 'B-quoted').split('\n').slice(1).join('\n'),
      renderStatement(rows, 'B-bare').replace('Change', 'Sum'),
    ]
    for (const text of texts) {
      const described = JSON.stringify(await describeFile(sourceOf(text)))
      expect(described).not.toMatch(/35460001|P_0000|\d+\.\d{3,}/)
      for (const { units } of rows.slice(0, 50)) {
        if (units > 1_000_000n) expect(described).not.toContain(units.toString())
      }
    }
  })

  it('describes, and does not throw, whatever is refused or damaged', async () => {
    const gzip = gzipOf(renderStatement(rows, 'A'))
    const files: Array<[string, Uint8Array | string]> = [
      ['empty', ''],
      ['html', '<html>'],
      ['xlsx-sheet', await zipOf({ 'xl/workbook.xml': '<x/>' })],
      ['truncated', gzip.subarray(0, gzip.length - 10)],
      ['truncated', 'UTC_Time,Account,Operation,Coin,Change\n2026-10-01 00:00:00,Spot,"Dep'],
      ['no-header', '1,2,3\n'],
    ]
    for (const [reason, content] of files) {
      expect((await describeFile(sourceOf(content))).fault).toMatchObject({ reason })
    }
  })

  it('describes every fixture', async () => {
    const folder = new URL('../fixtures/statements/', import.meta.url)
    for (const name of readdirSync(folder).filter(file => file.endsWith('.csv'))) {
      const described = await describeFile(
        sourceOf(readFileSync(new URL(encodeURIComponent(name), folder)), name),
      )
      expect(described.fault !== null, name).toBe(name.startsWith('fault-'))
    }
  })
})

it('shapes hold no value', () => {
  expect(shapeOf('2026-01-04 10:00:00')).toBe('9999-99-99 99:99:99')
  expect(shapeOf('Binance Pay - P_A1B2')).toBe('Aa Aa - A_A9A9')
  expect(shapeOf('123456.78')).toBe('9+.99')
  expect(shapeOf('分发 ß')).toBe('x a')
})
