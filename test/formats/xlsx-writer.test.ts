import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SheetCell, workbookBytes } from '../../src/formats/xlsx-writer.ts'
import { hostileText } from '../support/hostile-text.ts'
import { readWorkbook, unzip } from '../support/unzip.ts'

const columns = [
  { title: 'a', width: 10 },
  { title: 'b', width: 10 },
]

function workbook(rows: SheetCell[][], sheetRows?: number) {
  async function* pieces() {
    for (let at = 0; at < rows.length; at += 3) yield rows.slice(at, at + 3)
  }
  async function* sheets() {
    yield { name: 'Rows', columns, rows: pieces() }
  }
  return workbookBytes(sheets(), sheetRows)
}

describe('a workbook as a stream', () => {
  it('gives every text back, and holds no formula', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostileText, { minLength: 1, maxLength: 8 }), async texts => {
        const rows = texts.map((text): SheetCell[] => [{ text: 'x' }, { text }])
        const read = (await readWorkbook(workbook(rows))).get('Rows')!
        expect(read.slice(1).map(([, text = '']) => text)).toEqual(texts)
        const xml = (await unzip(workbook(rows))).get('xl/worksheets/sheet1.xml')!.toString()
        expect(xml).not.toMatch(/<f[ >]/)
        // What XML does not allow, and what it allows but makes a line feed of.
        expect(xml).not.toMatch(/[\x00-\x08\x0b-\x1f\ufffe\uffff]/)
      }),
      { numRuns: 150 },
    )
  })

  it('marks a text that looks like a formula as text for good', async () => {
    const xml = (await unzip(workbook([[{ text: '=1' }, { text: 'plain' }]]))).get('xl/worksheets/sheet1.xml')
    expect(xml!.toString()).toContain('<c r="A2" t="inlineStr" s="5">')
    expect(xml!.toString()).toContain('<c r="B2" t="inlineStr" s="0">')
  })

  it('keeps digits that a float cannot hold, as text and in the file of the number', async () => {
    const amount = '-123456789012345678.000000000000000001'
    const read = (await readWorkbook(workbook([[{ digits: amount }, { number: '0.1' }]]))).get('Rows')!
    expect(read[1]).toEqual([amount, '0.1'])
    const xml = (await unzip(workbook([[{ number: amount }]]))).get('xl/worksheets/sheet1.xml')!.toString()
    expect(xml).toContain(`<v>${amount}</v>`)
  })

  it('writes a day as the number that is shown as one', async () => {
    const read = (await readWorkbook(workbook([[{ day: '2026-10-31' }, null]]))).get('Rows')!
    // As every spreadsheet counts: 1 January 2000 is 36526.
    expect(read[1]).toEqual(['46326'])
    expect((await readWorkbook(workbook([[{ day: '2000-01-01' }]]))).get('Rows')![1]).toEqual(['36526'])
  })

  it.each([
    [3, ['Rows']],
    [4, ['Rows', 'Rows 2']],
    [7, ['Rows', 'Rows 2', 'Rows 3']],
  ])('goes on in a next sheet: %i rows of at most three', async (count, names) => {
    const rows = Array.from({ length: count }, (_, index): SheetCell[] => [{ text: `${index}` }])
    const sheets = await readWorkbook(workbook(rows, 4))
    expect([...sheets.keys()]).toEqual(names)
    expect([...sheets.values()].map(([head]) => head)).toEqual(names.map(() => ['a', 'b']))
    expect([...sheets.values()].flatMap(([, ...rest]) => rest.flat())).toEqual(
      rows.map((_, index) => `${index}`),
    )
  })

  it('is a workbook also without rows', async () => {
    expect([...(await readWorkbook(workbook([])))]).toEqual([['Rows', [['a', 'b']]]])
  })

  it('cuts a text that no cell can hold, and says so', async () => {
    const read = (await readWorkbook(workbook([[{ text: 'x'.repeat(40_000) }]]))).get('Rows')!
    expect(read[1]![0]).toHaveLength(32_767)
    expect(read[1]![0]).toMatch(/x \[cut: 40000 characters; the CSV has them all\]$/)
  })
})
