import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { identifyRows } from '../../src/domain/activity.ts'
import { numberText } from '../../src/formats/xlsx-rows.ts'
import { outcomeOf, readContainer } from '../support/file-outcome.ts'
import { readFixture, readItems } from '../support/statement-fixture.ts'
import { sourceOf } from '../support/statement-source.ts'
import { type MadeCell, sheetRow, workbookFrom, workbookOf } from '../support/workbook-maker.ts'

const ROWS = [
  ['35460001', '26-01-01 05:00:00', 'Spot', 'Deposit', 'USDT', '+11.04', ''],
  ['35460001', '26-01-01 05:00:00', 'Spot', 'Deposit', 'USDT', '+11.04', ''],
  ['35460001', '26-01-01 05:00:01', 'Funding', 'Send', '1INCH', '-0.00000002', 'a, "b" <&> 分发\nc'],
]

const file = (bytes: Uint8Array, name = 'x.xlsx') => sourceOf(bytes, name)
const HEADER = ['User_ID', 'UTC_Time', 'Account', 'Operation', 'Coin', 'Change', 'Remark']

/** A sheet whose header stands in row 1, and one row with these cells instead of the plain ones. */
async function rowWith(cells: readonly MadeCell[]): Promise<string> {
  const header = HEADER.map((name, index) => inline('ABCDEFG'[index]!, 1, name))
  const plain = ['35460001', '2026-01-01 00:00:00', 'Spot', 'Deposit', 'USDT', '1', ''].map((text, index) =>
    inline('ABCDEFG'[index]!, 2, text),
  )
  const row = plain.map(cell => cells.find(({ at }) => at === cell.at) ?? cell)
  const { rows, unreadable, fault } = await readFixture(
    file(await workbookFrom({ S: sheetRow(1, header) + sheetRow(2, row) }, ['shared', ''])),
  )
  return fault === undefined ? [...rows, ...unreadable].join() : String(fault.reason)
}

const inline = (column: string, row: number, text: string): MadeCell => ({
  at: `${column}${row}`,
  type: 'inlineStr',
  xml: `<is><t>${text}</t></is>`,
})

describe('a workbook as it is exported', () => {
  it.each(['shared', 'inline'] as const)(
    'is read with its header in row 10, merged columns, a wrong dimension and %s strings',
    async strings => {
      const source = file(await workbookOf(ROWS, { strings }))
      expect(await readFixture(source)).toEqual({
        zone: '300 minutes, header',
        rows: [
          '11 2026-01-01T00:00:00.000Z "35460001" "Spot" "Deposit" "USDT" "11.04" "" -',
          '12 2026-01-01T00:00:00.000Z "35460001" "Spot" "Deposit" "USDT" "11.04" "" -',
          '13 2026-01-01T00:00:01.000Z "35460001" "Funding" "Send" "1INCH" "-0.00000002" "a, \\"b\\" <&> 分发\\nc" -',
        ],
        unreadable: [],
      })
      expect(await readContainer(source)).toMatchObject({ kind: 'xlsx', names: ['Sheet0'], notes: [] })
    },
  )

  it('is read with Russian names, and gives the rows and ids of the CSV file', async () => {
    const header = ['ID пользователя', 'Время', 'Аккаунт', 'Операция', 'Коин', 'Изменить', 'Примечание']
    const csv = `${['User ID', 'Time', 'Account', 'Operation', 'Coin', 'Change', 'Remark']}\n${ROWS.slice(0, 2).join('\n')}\n`
    const rowsOf = async (source: ReturnType<typeof file>) =>
      identifyRows((await readItems(source)).flatMap(item => (item.kind === 'row' ? [item.row] : [])))
    const workbook = await workbookOf(ROWS.slice(0, 2), { header, label: 'Период(UTC+5)' })
    expect(await rowsOf(file(workbook))).toEqual(await rowsOf(sourceOf(csv, 'x(UTC+5).csv')))
  })

  it('tells its zone in a label, else in its name', async () => {
    const zoneOf = async (label: string, name: string) =>
      (await readFixture(file(await workbookOf(ROWS, { label }), name))).zone
    expect(await zoneOf('Period(UTC--6)', 'x(UTC+2).xlsx')).toBe('-360 minutes, header')
    expect(await zoneOf('Period(UTC+5:30)', 'x.xlsx')).toBe('330 minutes, header')
    expect(await zoneOf('Period(UTCnull)', 'x(UTC+2)_344d77e2.xlsx')).toBe('120 minutes, file-name')
    expect(await zoneOf('Period', 'x.xlsx')).toBe('0 minutes, assumed')
  })

  it('may say that there is no data, below a header or without one', async () => {
    const without = sheetRow(2, [inline('C', 2, 'No data matches the criteria.')])
    for (const bytes of [
      await workbookOf([['No data matches the criteria.']]),
      await workbookFrom({ S: without }),
    ]) {
      expect(await readFixture(file(bytes))).toMatchObject({ rows: [], unreadable: [] })
    }
  })

  it('keeps extra columns, and rows that leave out others', async () => {
    const header = [...HEADER, 'Note'].map((name, index) => inline('ABCDEFGH'[index]!, 3, name))
    const cells = ['1', '2026-01-01 00:00:00', 'Spot', 'Deposit', 'USDT', '1'].map((text, index) =>
      inline('ABCDEF'[index]!, 9, text),
    )
    const sheet = sheetRow(3, header) + sheetRow(9, [...cells, inline('H', 9, 'kept')])
    const { rows } = await readFixture(file(await workbookFrom({ S: sheet })))
    expect(rows).toEqual(['9 2026-01-01T00:00:00.000Z "1" "Spot" "Deposit" "USDT" "1" "" {"Note":"kept"}'])
  })

  it('reads every sheet that has a header, and notes the others', async () => {
    const sheet = (day: number) =>
      sheetRow(
        1,
        HEADER.map((name, index) => inline('ABCDEFG'[index]!, 1, name)),
      ) +
      sheetRow(
        2,
        ['1', `2026-01-0${day} 00:00:00`, 'Spot', 'Deposit', 'USDT', '1'].map((text, index) =>
          inline('ABCDEF'[index]!, 2, text),
        ),
      )
    const source = file(await workbookFrom({ One: sheet(1), Empty: '', Two: sheet(2) }))
    expect(await readContainer(source)).toMatchObject({ names: ['One', 'Two'], notes: ['entries-ignored'] })
    expect(await readItems(source)).toHaveLength(2)
  })
})

describe('a cell', () => {
  it.each([
    ['text', { at: 'G2', type: 's', xml: '<v>0</v>' }, '"1" "shared"'],
    [
      'text in runs, without how it sounds',
      { at: 'G2', type: 'inlineStr', xml: '<is><r><t>a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></is>' },
      '"1" "ab"',
    ],
    ['the result of a formula', { at: 'G2', type: 'str', xml: '<f>A1&amp;"x"</f><v>x</v>' }, '"1" "x"'],
    [
      'an escaped line feed',
      { at: 'G2', type: 'inlineStr', xml: '<is><t>a_x000A_b</t></is>' },
      '"1" "a\\nb"',
    ],
    ['a number', { at: 'F2', xml: '<v>-1.1E-7</v>' }, '"-0.00000011" ""'],
    ['a number of 15 digits', { at: 'F2', xml: '<v>1234567890.12345</v>' }, '"1234567890.12345" ""'],
    ['a number of an unknown text', { at: 'G2', type: 's', xml: '<v>2</v>' }, 'xlsx-sheet'],
    ['an error', { at: 'F2', type: 'e', xml: '<v>#N/A</v>' }, 'amount-malformed'],
    ['a truth', { at: 'F2', type: 'b', xml: '<v>1</v>' }, 'amount-malformed'],
    ['a day number instead of a time', { at: 'B2', xml: '<v>46023.5</v>' }, 'time-malformed'],
    [
      'a number that a float has changed',
      { at: 'F2', xml: '<v>0.30000000000000004</v>' },
      'amount-malformed',
    ],
    [
      'an id that a float has changed',
      { at: 'A2', xml: '<v>1.2345678901234567E19</v>' },
      '"~1.2345678901234567E19"',
    ],
  ])('can be %s', async (_, cell, expected) => {
    expect(await rowWith([cell])).toContain(expected)
  })

  it('keeps every digit of a number up to fifteen', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }),
        fc.integer({ min: -20, max: 20 }),
        (digits, power) => {
          expect(numberText(`${digits}E${power}`)).toBe(`${digits}E${power}`)
        },
      ),
    )
    expect(numberText('0.000000100000000')).toBe('0.000000100000000')
    expect(numberText('100000000000000000000')).toBe('100000000000000000000')
    expect(numberText('1234567890.123456')).toBe('~1234567890.123456')
  })
})

it('counts the text it gives against the limits, and refuses a row that is too wide', async () => {
  const header = HEADER.map((name, index) => inline('ABCDEFG'[index]!, 1, name))
  const rows = Array.from({ length: 20 }, (_, index) =>
    sheetRow(index + 2, [{ at: `G${index + 2}`, type: 's', xml: '<v>0</v>' }]),
  )
  const shared = file(await workbookFrom({ S: sheetRow(1, header) + rows.join('') }, ['x'.repeat(30_000)]))
  expect(await outcomeOf(shared, { inflatedBytes: 200_000 })).toBe('file-unreadable/too-large')
  expect(await outcomeOf(shared)).toMatch(/^read 60\d{4}$/)
  const wide = sheetRow(1, header) + sheetRow(2, [inline('XFD', 2, 'x')])
  expect(await outcomeOf(file(await workbookFrom({ S: wide })))).toBe('file-unreadable/too-many-columns')
})

describe('what is no such workbook', () => {
  const cells = (count: number) =>
    sheetRow(
      1,
      Array.from({ length: count }, (_, index) => inline('A', index + 1, 'x')),
    )
  const doctype = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'

  it.each([
    ['no-header', { S: sheetRow(1, [inline('A', 1, 'Hello')]) }, {}],
    ['empty', { S: '' }, {}],
    ['column-missing', { S: sheetRow(4, [inline('A', 4, 'UTC_Time'), inline('B', 4, 'Coin')]) }, {}],
    ['xlsx-sheet', { S: sheetRow(2, []) + sheetRow(1, []) }, {}],
    ['xlsx-sheet', { S: sheetRow(2_000_000, []) }, {}],
    ['xlsx-sheet', { S: cells(2) }, {}],
    ['xlsx-sheet', { S: sheetRow(1, [{ at: 'A-1', xml: '' }]) }, {}],
    ['too-many-columns', { S: sheetRow(1, [inline('XFD', 1, 'x')]) }, {}],
    ['xlsx-xml', { S: '<row' }, {}],
    ['xlsx-xml', { S: '<x>'.repeat(100_000) }, {}],
    ['xlsx-xml', { S: '<x>'.repeat(100) + '</x>'.repeat(100) }, {}],
    ['xlsx-xml', { S: '' }, { 'xl/worksheets/sheet1.xml': '<!DOCTYPE x><worksheet/>' }],
    ['xlsx-xml', { S: `<row ${Array.from({ length: 100 }, (_, index) => `a${index}="1"`).join(' ')}/>` }, {}],
    ['xlsx-xml', { S: '<row r="1"><c r="A1" t="str"><v>&a;</v></c></row>' }, {}],
    ['xlsx-xml', { S: '' }, { 'xl/worksheets/sheet1.xml': `${doctype}<worksheet>&b;</worksheet>` }],
    ['xlsx-xml', { S: '' }, { 'xl/sharedStrings.xml': `${doctype}<sst><si><t>&b;</t></si></sst>` }],
    ['xlsx-xml', { S: '' }, { 'xl/workbook.xml': '\xff\xfe<' }],
    ['xlsx-sheet', { S: '' }, { 'xl/_rels/workbook.xml.rels': '<x/>' }],
  ])('is refused as %s', async (reason, sheets, changes) => {
    const bytes = await workbookFrom(sheets, [], changes)
    const { fault } = await readFixture(file(bytes))
    expect(fault).toEqual({ code: 'file-unreadable', reason })
  })

  it('is damaged when a checksum is wrong or a file is missing its end', async () => {
    const bytes = await workbookOf(ROWS)
    const directory = bytes.lastIndexOf(Buffer.from('PK\x01\x02'))
    const wrong = Buffer.from(bytes)
    wrong[directory + 16]! ^= 1
    expect(await outcomeOf(file(wrong))).toBe('file-damaged/crc')
    expect(await outcomeOf(file(bytes.subarray(0, -30)))).toMatch(/^file-damaged/)
  })
})
