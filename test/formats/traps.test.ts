/**
 * The groups of traps in what is known about report files (facts/report-file.md, section 11), each with the
 * fixtures of `test/fixtures/statements` and the tests that hold it. What is named here must exist.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ActivityRow, identifyRows } from '../../src/domain/activity.ts'
import { HOSTILE_FILES } from '../hostile/hostile-files.ts'
import { readItems } from '../support/statement-fixture.ts'
import { type MadeRow, madeRows, renderStatement } from '../support/statement-generator.ts'
import { sourceOf } from '../support/statement-source.ts'

interface Trap {
  /** Fixtures by name, with texts they must hold. */
  readonly fixtures: Readonly<Record<string, readonly string[]>>
  /** Titles of tests, or the beginnings of titles, by test file. */
  readonly tests: Readonly<Record<string, readonly string[]>>
}

const TRAPS: Readonly<Record<string, Trap>> = {
  '1 headers by alias': {
    fixtures: {
      'header-a': ['UTC_Time,Account,Operation,Coin,Change,Remark'],
      'header-b-bare': ['User_ID,UTC_Time'],
      'header-b-quoted-with-bom': ['\ufeff"User_ID"'],
      'header-c-four-digit-year': ['User ID,Time'],
      'header-spanish': ['Cambio'],
      'header-french': ['Jeton'],
      'header-portuguese': ['Alterar'],
      'header-russian': ['Изменить'],
      'header-mixed-case': [],
      'header-mix-user-id-time': ['User_Id,Time'],
      'header-none': [],
      'header-none-layout-a': [],
      'header-repeated': [],
      'fault-no-header-uncertain': [],
      'fault-binance-us': ['Order_Id'],
      'fault-futures-history': ['Symbol'],
    },
    tests: {
      'formats/layout.test.ts': [
        'refuses as %s: %s',
        'knows the names a user adds',
        'does not guess when there is %s',
      ],
      'formats/statement.test.ts': ['reads each part with its own header and zone'],
    },
  },
  '2 times and zones': {
    fixtures: {
      'header-c-zone(UTC+7)': [],
      'header-c-zone-negative(UTC--6)': [],
      'header-c-zone-half-hour': [],
      'header-c-zone-plain-UTC2-part1-of1': [],
      'header-c-zone-null(UTCnull)': [],
      'header-c-four-digit-year': ['2025-'],
      'times-damaged': ['5/1/2022 14:00'],
    },
    tests: {
      'formats/time.test.ts': ['reads %s at %s minutes as %s', 'refuses %j as %s'],
      'formats/zone.test.ts': ['finds in %s: %s', 'prefers what the header says, then the names'],
      'formats/xlsx.test.ts': ['tells its zone in a label, else in its name'],
    },
  },
  '3 numbers': {
    fixtures: {
      'numbers-scientific': [
        ...[',1E-8,', ',-6E-8,', ',-1.0E-7,', ',4.1E-7,', ',0E-8,', ',-0E-8,', ',+11.04,', ',-300,'],
        ...[',-3.605E-05,', ',-0.9049715199999999,'],
      ],
      'numbers-damaged': [',--,', ',,', '"1,234.5"', '0.0528450000BTC'],
    },
    tests: { 'domain/amount.test.ts': ['agrees with a model in whole numbers, whatever the notation'] },
  },
  '4 identical rows and overlapping reports': {
    fixtures: { 'identical-rows': [] },
    tests: {
      'domain/activity.test.ts': [
        'numbers identical rows',
        'gives the same rows, order and ids whatever order',
      ],
      'formats/digest.test.ts': [
        'gives the same rows from an overlapping file',
        'gives the same bytes for the same file twice',
      ],
      'formats/traps.test.ts': ['two overlapping reports merge by the maximum count'],
    },
  },
  '5 unknown names': {
    fixtures: { 'names-unknown': ['Moon Wallet', 'Quantum Settlement'] },
    tests: { 'formats/describe.test.ts': ['counts number shapes and unknown operations'] },
  },
  '6 remarks': {
    fixtures: {
      remarks: [
        '"one, two"',
        '"say ""hi"""',
        '"first\nsecond',
        '分发',
        '-  Wallet',
        'P2P - 20912345678901234567',
      ],
      'cells-missing-remark': [],
      'cells-too-many': [],
      'columns-extra': ['EUR_Value'],
    },
    tests: { 'formats/csv.test.ts': ['reads back whatever was written, however the bytes are cut'] },
  },
  '7 transfer legs': {
    fixtures: { 'transfer-legs-a-second-apart': ['23:59:59', '00:00:00'], 'transfer-leg-alone': [] },
    tests: {},
  },
  '8 balances below zero': {
    fixtures: { 'balance-below-zero': ['-26.00000000'] },
    tests: { 'formats/duckdb.test.ts': ['counts, days and sums of many small tables'] },
  },
  '9 fees included, rewards booked twice': {
    fixtures: {
      'withdraw-fee-included': ['Withdraw fee is included'],
      'reward-booked-twice': ['Earn', 'Spot'],
    },
    tests: {},
  },
  '10 containers and parts': {
    fixtures: {
      'fault-xls': [],
      'fault-pdf': ['%PDF'],
      'fault-html': ['<'],
      'fault-xml': ['<'],
      'fault-json': ['{'],
      'fault-utf-16': [],
      'fault-empty': [],
      'header-only': [],
      'no-data': ['No data matches the criteria.'],
      'no-data-without-header': ['No data matches the criteria.'],
    },
    tests: {
      'formats/container.test.ts': [
        'reads stored and deflated parts in the order of their numbers',
        'passes over directories and what macOS adds',
        'is damaged when a part is missing',
        'reads and checks several parts with %s',
        'refuses a zip, a gzip and a tar inside',
        'is damaged when its checksum, size or data is wrong',
      ],
      'formats/tar.test.ts': ['holds one part or several', 'is damaged when a part is missing'],
      'formats/xlsx.test.ts': [
        'is read with its header in row 10, merged columns, a wrong dimension and %s strings',
      ],
      'formats/properties.test.ts': ['any table, in any layout, container and chunking'],
    },
  },
  '11 damaged lines': {
    fixtures: {
      'line-packed-into-one-cell': [',"""""'],
      'line-packed-with-header': ['"User_ID,'],
      'line-semicolons': ['User_ID;'],
      'lines-crlf-and-blank': ['\r\n'],
      'lines-without-final-line-feed': [],
      'names-with-spaces': [],
      'fault-cut-off-in-a-row': [],
      'fault-cut-off-in-an-amount': [],
      'fault-cut-off-in-quotes': [],
      'fault-cut-off-before-quotes': [],
      'fault-cut-off-in-layout-a': [],
      'fault-cut-off-in-a-packed-line': [],
    },
    tests: { 'formats/statement.test.ts': ['never leaves a cut-off file as a whole one'] },
  },
  '12 coins': {
    fixtures: { coins: ['1INCH', '1000SATS', 'LDBNB', 'usdt', '币安人生'] },
    tests: {},
  },
  '13 nothing is lost': {
    fixtures: {},
    tests: {
      'formats/digest.test.ts': [
        'writes a file a covered day, also for a day without rows, and accounts for every row',
      ],
      'formats/duckdb.test.ts': ['counts, days and sums of many small tables', 'a file of a million rows'],
      'formats/properties.test.ts': ['any bytes after the header: every line is a row, unreadable or blank'],
      'fuzz/fuzz.test.ts': ['a few damaged files: no crash, no row lost'],
    },
  },
}

const TEST = new URL('../', import.meta.url)
const textOf = (path: string) =>
  readFileSync(new URL(path.split('/').map(encodeURIComponent).join('/'), TEST), 'utf8')

describe.each(Object.entries(TRAPS))('trap %s', (_, { fixtures, tests }) => {
  it('has its fixtures', () => {
    for (const [name, texts] of Object.entries(fixtures)) {
      const content = textOf(`fixtures/statements/${name}.csv`)
      for (const text of texts) expect(content, name).toContain(text)
      expect(JSON.parse(textOf(`fixtures/statements/${name}.json`)), name).toHaveProperty('rows')
    }
  })

  it('has its tests', () => {
    for (const [path, titles] of Object.entries(tests)) {
      const code = textOf(path)
      for (const title of titles) expect(code, path).toMatch(new RegExp(`['\`]${RegExp.escape(title)}`))
    }
  })
})

it('has a file for each attack that the design names', () => {
  const names = Object.keys(HOSTILE_FILES).join('\n')
  for (const attack of [
    'zip bomb',
    'gzip bomb',
    'line of 4 GiB',
    '100,000 columns',
    'quotes',
    'NUL',
    'UTF-8',
    'UTF-16',
    'in any order',
    'of one second',
  ]) {
    expect(names).toContain(attack)
  }
})

it('two overlapping reports merge by the maximum count, and the same report twice adds nothing', async () => {
  const made = [...madeRows(400, 21, Date.UTC(2026, 9, 1) / 1000, 100)]
  const first = await idsOf(made.slice(0, 300))
  const second = await idsOf(
    [...made.slice(200), ...made.slice(250, 260)].sort((a, b) => a.second - b.second),
  )
  const most = new Map<string, number>()
  for (const report of [first, second]) {
    for (const [content, ids] of report) most.set(content, Math.max(most.get(content) ?? 0, ids.length))
  }
  const merged = new Set([...first.values(), ...second.values()].flat())
  expect(merged.size).toBe([...most.values()].reduce((sum, count) => sum + count, 0))
  expect(new Set([...merged, ...[...first.values()].flat()]).size).toBe(merged.size)
})

/** The row ids of a report, by what the rows say. */
async function idsOf(rows: readonly MadeRow[]): Promise<Map<string, string[]>> {
  const items = await readItems(sourceOf(renderStatement(rows, 'B-bare')))
  const read = items.flatMap(item => (item.kind === 'row' ? [item.row] : []))
  const says = ({ micros, wallet, operation, asset, amount, remark }: ActivityRow) =>
    [micros, wallet, operation, asset, amount, remark].join('|')
  const groups = Map.groupBy(identifyRows(read), says)
  return new Map([...groups].map(([content, same]) => [content, same.map(({ rowId }) => rowId)]))
}
