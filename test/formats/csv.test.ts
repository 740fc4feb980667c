import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CsvRecord, readCsv } from '../../src/formats/csv.ts'
import { sourceOf } from '../support/statement-source.ts'

const LIMITS = { lineBytes: 10_000, recordLines: 32 }

async function recordsOf(content: string | Uint8Array, options = {}): Promise<CsvRecord[]> {
  const records: CsvRecord[] = []
  for await (const batch of readCsv(sourceOf(content).read(), { ...LIMITS, ...options }))
    records.push(...batch)
  return records
}

const cellsOf = async (content: string) => (await recordsOf(content)).map(({ cells }) => cells)
const faultsOf = async (content: string) =>
  (await recordsOf(content)).map(({ line, fault }) => `${line} ${fault ?? 'ok'}`)

describe('readCsv', () => {
  it('reads bare and quoted cells, doubled quotes, line feeds and both line ends', async () => {
    const text = 'a,b,\r\n"a","say ""hi""","x\ny\r\nz"\n,"",5" nail\n'
    expect(await cellsOf(text)).toEqual([
      ['a', 'b', ''],
      ['a', 'say "hi"', 'x\ny\r\nz'],
      ['', '', '5" nail'],
    ])
  })

  it('keeps the first line number and the verbatim text of each record', async () => {
    const records = await recordsOf('h\n"a\nb",c\r\nlast')
    expect(records.map(({ line, text, ended }) => [line, text, ended])).toEqual([
      [1, 'h', true],
      [2, '"a\nb",c', true],
      [4, 'last', false],
    ])
  })

  it('loses one line to a misplaced quote, not the file', async () => {
    expect(await faultsOf('a,"b"x,c\nd\n')).toEqual(['1 quote-misplaced', '2 ok'])
    expect(await faultsOf('a,"b\nc,d\n"e",f\ng\n')).toEqual(['1 quote-misplaced', '2 ok', '3 ok', '4 ok'])
  })

  it('loses one line to a quote that is never closed, not the file', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => `row ${index}`).join('\n')
    const faults = await faultsOf(`a,"b\n${lines}\n`)
    expect(faults).toHaveLength(101)
    expect(faults.filter(fault => fault.endsWith('ok'))).toHaveLength(100)
    expect(faults[0]).toBe('1 quote-unclosed')
  })

  it('says when the last record is open', async () => {
    const last = (await recordsOf('a\n"b,c')).at(-1)
    expect(last).toMatchObject({ line: 2, fault: 'quote-unclosed', ended: false, text: '"b,c' })
  })

  it('reads back whatever was written, however the bytes are cut', async () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é', '分', '𝄞'), maxLength: 8 }),
      fc.string({ unit: 'grapheme', maxLength: 8 }).map(text => text.replace(/[\0\ufeff]/g, '')),
    )
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        async (rows, crlf, quoteAll, blockBytes) => {
          const eol = crlf ? '\r\n' : '\n'
          const text = rows.map(row => row.map(one => write(one, quoteAll)).join(',') + eol).join('')
          const records = await recordsOf(text, { blockBytes, recordLines: 1000 })
          expect(records.map(({ cells }) => cells)).toEqual(rows)
          expect(records.every(({ fault, ended }) => fault === undefined && ended)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('answers in time and in order for any bytes, and every line is in exactly one record', async () => {
    const bytes = fc.array(fc.constantFrom(10, 13, 34, 34, 44, 97, 0, 0xff, 0xc3, 0xa9), { maxLength: 400 })
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (codes, blockBytes) => {
        const content = Buffer.from(codes)
        const records = await recordsOf(content, { recordLines: 5 })
        expect(await recordsOf(content, { recordLines: 5, blockBytes })).toEqual(records)
        let next = 1
        for (const { line, text } of records) {
          expect(line).toBe(next)
          next += text.split('\n').length
        }
      }),
      { numRuns: 500 },
    )
  })

  it('takes hostile quotes in linear time', async () => {
    // Anything worse than linear would outlast the test.
    await recordsOf('b",x,"y\n'.repeat(200_000))
    await recordsOf('"a\n'.repeat(200_000))
    await recordsOf(`"${'""\n'.repeat(200_000)}`)
  })
})

function write(cell: string, quoteAll: boolean): string {
  return quoteAll || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
