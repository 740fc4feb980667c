/** The fast path against the slow one, on the same bytes: the slow one is the truth. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LineScanner } from '../../src/formats/fast-lines.ts'
import { limitsOf } from '../../src/formats/limits.ts'
import { newBatch, perTextColumn, rowAt } from '../../src/formats/row-batch.ts'
import { readBatches } from '../../src/formats/statement-batches.ts'
import { textTable } from '../../src/formats/text-table.ts'
import { readItems } from '../support/statement-fixture.ts'
import { chanceFrom, type MadeLayout, madeRows, renderStatement } from '../support/statement-generator.ts'
import { sourceOf } from '../support/statement-source.ts'

const START = Date.UTC(2026, 9, 1) / 1000
const LAYOUTS: MadeLayout[] = ['A', 'B-bare', 'B-quoted', 'C']

interface Outcome {
  rows: string[]
  unreadable: unknown[]
  fault?: unknown
}

const textOf = (row: object) =>
  JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))

async function slow(content: Uint8Array): Promise<Outcome> {
  const outcome: Outcome = { rows: [], unreadable: [] }
  try {
    for (const item of await readItems(sourceOf(content))) {
      if (item.kind === 'row') outcome.rows.push(textOf(item.row))
      else outcome.unreadable.push(item)
    }
  } catch (error) {
    return { rows: [], unreadable: [], fault: String(error) }
  }
  return outcome
}

/** Reads in columns, by chunks and blocks of any size, into a batch of any size, whose tables are renewed. */
async function columnsBy(
  scanner: LineScanner,
  content: Uint8Array,
  chunkBytes = 65_536,
  blockBytes?: number,
  capacity = 60_000,
): Promise<Outcome> {
  const outcome: Outcome = { rows: [], unreadable: [] }
  const batch = newBatch(capacity)
  const onUnreadable = (item: unknown) => outcome.unreadable.push(item)
  const options = { limits: limitsOf(), scanner, blockBytes, onPart: () => {}, onUnreadable }
  try {
    for await (const _ of readBatches(sourceOf(content, 'statement.csv', chunkBytes), batch, options)) {
      for (let row = 0; row < batch.rows; row++) outcome.rows.push(textOf(rowAt(batch, row)))
      batch.rows = 0
      batch.tables = perTextColumn(textTable)
    }
  } catch (error) {
    return { rows: [], unreadable: [], fault: String(error) }
  }
  return outcome
}

const cell = fc.string({
  unit: fc.constantFrom('a', 'B', ',', '"', '\n', '\r', ' ', 'é', '分', '7', '.', '\x1f', '\0', '\x7f'),
  maxLength: 6,
})
/** Around the lengths at which the kernel changes its ways. */
const anyText = fc.oneof(
  cell,
  fc
    .tuple(fc.constantFrom(1, 15, 16, 17, 31, 32, 33, 48, 70), cell)
    .map(([size, end]) => 'x'.repeat(size) + end),
)
const amount = fc.oneof(
  fc.constantFrom(
    '0E-8',
    '-0E-8',
    '1E-8',
    '-1.0E-7',
    '+11.04',
    '-300',
    '--',
    '',
    '1e3',
    '1E+2',
    '-3.605E-05',
  ),
  fc.constantFrom('.5', '5.', '.', '-', '+', '1.5E-8', '1E-9', '1E-', 'E-8', '1,234.5', '1.2.3', ' 1', '1 '),
  fc.constantFrom('9007199254740991', '90071992.54740991', '90071992.54740992', '90071992.54740993'),
  fc.constantFrom('0.123456789', '0.1234567890', '000000000000000000001', '99999999999999999999999', '1E-08'),
  fc.tuple(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.nat(12)).map(([digits, places]) => {
    const text = String(digits < 0n ? -digits : digits).padStart(places + 1, '0')
    const point = text.length - places
    return `${digits < 0n ? '-' : ''}${text.slice(0, point)}${places === 0 ? '' : `.${text.slice(point)}`}`
  }),
)
const time = fc.oneof(
  fc.constantFrom('2026-10-01 00:00:00', '26-10-01 23:59:59', '2026-02-29 10:00:00', '2024-02-29 10:00:00'),
  fc.constantFrom('2026-10-01 24:00:00', '2026-10-01 23:60:00', '2026-10-01 23:59:60', '1999-12-31 23:59:59'),
  fc.constantFrom('2026-10-01 10:00:00.25', '2026-10-01', '5/1/2022 14:00', '', ' 2026-10-01 00:00:00'),
  fc.constantFrom(`${'\0'.repeat(8)} 00:00:00`, `${'\0'.repeat(4)}-${'\0'.repeat(5)} 00:00:00`),
  fc.constantFrom('99-12-31 23:59:59', '2026-13-01 00:00:00', '2026-10-01T00:00:00', '2026-10-01 0:00:00'),
)
const name = fc.oneof(fc.constantFrom('Spot', 'Funding', 'USDT-Futures', 'CrossMargin', 'Spot '), anyText)
const quoted = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.boolean()).map(([value, quote]) => (quote ? `"${value}"` : value))
const line = fc
  .tuple(
    quoted(fc.constantFrom('1', '', ' 2')),
    ...[time, name, name, name, amount, anyText].map(quoted),
    fc.constantFrom('', '', '', '', '\r', ',', ' '),
  )
  .map(([user, at, wallet, operation, asset, change, remark, end]) => {
    return `${[user, at, wallet, operation, asset, change, remark].join(',')}${end}`
  })
const HEADER = 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark'

describe.each(['kernel', 'plain'] as const)('the fast path, %s,', { timeout: 60_000 }, scanner => {
  const columns = (content: Uint8Array, ...how: [number?, number?, number?]) =>
    columnsBy(scanner, content, ...how)

  it('reads odd lines as the slow path does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.boolean(), async (lines, ended) => {
        const content = Buffer.from([HEADER, ...lines].join('\n') + (ended ? '\n' : ''))
        expect(await columns(content)).toEqual(await slow(content))
      }),
      { numRuns: 2000 },
    )
  })

  it('reads damaged bytes as the slow path does', async () => {
    const input = fc.tuple(
      fc.constantFrom(...LAYOUTS),
      fc.integer(),
      fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.boolean(),
    )
    await fc.assert(
      fc.asyncProperty(input, async ([layout, seed, damages, crlf]) => {
        const rows = madeRows(30, seed, START, 40)
        const content = Buffer.from(renderStatement(rows, layout, { eol: crlf ? '\r\n' : '\n' }))
        // A mutation is one of the bytes that mean something, or any other.
        for (const [at, byte] of damages) {
          const telling = Buffer.from('",\n\r .-+E0\0')
          content[at % content.length] = byte < 128 ? telling[byte % telling.length]! : byte
        }
        expect(await columns(content)).toEqual(await slow(content))
      }),
      { numRuns: 1000 },
    )
  })

  it('reads the same wherever chunks and blocks are cut', async () => {
    const lines = ['"a\nb"', 'ETH ETF 分发', 'x,y"', '', '""'].map(
      remark => `1,2026-10-01 00:00:01,Spot,Send,BTC,-1E-8,${remark}`,
    )
    const content = Buffer.from(`\ufeff${HEADER}\r\n${lines.join('\n')}\n${lines[3]}\r\n"1`)
    const truth = await slow(content)
    for (let size = 1; size <= content.length; size++) {
      expect(await columns(content, size, size)).toEqual(truth)
      // Blocks of a byte are cut everywhere already; only short chunks cut them elsewhere.
      if (size <= 40) expect(await columns(content, size, 1)).toEqual(truth)
    }
  })

  it('takes the common lines of every layout', async () => {
    for (const layout of LAYOUTS) {
      const content = Buffer.from(renderStatement(madeRows(20_000, 3, START, 40_000), layout))
      expect(await columns(content)).toEqual(await slow(content))
    }
  })

  it('stops when the batch is full, however short the rows', async () => {
    const short = 'Time,Account,Operation,Coin,Change\n'
    const row = (separator: string, quote = '') =>
      ['26-10-01 00:00:00', `${quote}S${quote}`, 'B', 'C', '1'].join(separator)
    for (const text of [
      short + `${row(',')}\n`.repeat(500),
      short.replaceAll(',', ';') + `${row(';')}\n`.repeat(500),
      `${short}${row(',')},"\n${`${row(',')}\n`.repeat(500)}`,
      `${short}${`${row(',', '"')}\n1,2\n${row(',')},\n`.repeat(300)}`,
    ]) {
      const content = Buffer.from(text)
      expect(await columns(content, 65_536, undefined, limitsOf().recordLines + 2)).toEqual(
        await slow(content),
      )
    }
  })

  it('leaves files of other shapes to the slow path, rows and all', async () => {
    const row = '35460001,2026-10-01 00:00:00,Spot,Deposit,USDT,1.5,'
    const packed = (line: string) => `"${line.replaceAll('"', '""')}"`
    for (const lines of [
      [HEADER, row, row].map(line => line.replaceAll(',', ';')),
      [row, row, row],
      [HEADER, row, HEADER, row],
      [packed(HEADER), row, packed(row)],
      [HEADER, packed(row), row],
      ['', ' ', HEADER, row, '', row],
      [`${HEADER},Note`, `${row},a`, `${row},`, row],
      ['Time(UTC+8),Account,Operation,Coin,Change', '2026-10-01 00:00:00,Spot,Deposit,USDT,1'],
      [HEADER, 'No data matches the criteria.,,,,,,'],
    ]) {
      const content = Buffer.from(`${lines.join('\n')}\n`)
      expect(await columns(content)).toEqual(await slow(content))
    }
  })

  it('agrees on times and amounts of every common shape', async () => {
    const chance = chanceFrom(5)
    const lines = Array.from({ length: 5000 }, () => {
      const places = chance(10)
      const digits = String(chance(2 ** 31)) + String(chance(2 ** 31)).slice(0, chance(8))
      const change = `${digits.slice(0, 1 + chance(9))}.${digits.slice(-places - 1)}`
      const at = new Date((START + chance(10 ** 8)) * 1000).toISOString().slice(0, 19).replace('T', ' ')
      return `1,${at},Spot,Send,BTC,${chance(2) === 0 ? '-' : ''}${change},`
    })
    const content = Buffer.from(`${HEADER}\n${lines.join('\n')}\n`)
    expect(await columns(content)).toEqual(await slow(content))
  })
})
