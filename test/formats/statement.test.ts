import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isFault } from '../../src/domain/errors.ts'
import { readFixture, readItems } from '../support/statement-fixture.ts'
import { sourceOf, zipOf } from '../support/statement-source.ts'

const FOLDER = new URL('../fixtures/statements/', import.meta.url)

const fixtures = readdirSync(FOLDER)
  .filter(name => name.endsWith('.csv'))
  .map(name => {
    const { fileName = name, ...expected } = JSON.parse(
      readFileSync(new URL(encodeURIComponent(name.replace(/csv$/, 'json')), FOLDER), 'utf8'),
    )
    return { name, fileName, expected, bytes: readFileSync(new URL(encodeURIComponent(name), FOLDER)) }
  })

describe('fixtures', () => {
  it.each(fixtures)('$name', async ({ fileName, expected, bytes }) => {
    expect(await readFixture(sourceOf(bytes, fileName))).toEqual(expected)
  })

  it.each(fixtures)('$name, in chunks of a byte', async ({ fileName, expected, bytes }) => {
    expect(await readFixture(sourceOf(bytes, fileName, 1))).toEqual(expected)
  })
})

const HEADER = 'User_ID,Time,Account,Operation,Coin,Change,Remark\n'
const row = (time: string) => `35460001,${time},Spot,Deposit,USDT,1.5,\n`

describe('readStatement', () => {
  it('reads each part with its own header and zone', async () => {
    const zip = await zipOf({
      'a(UTC+7).csv': HEADER + row('26-01-01 07:00:00'),
      'b(UTC+8).csv': `Change,Coin,Operation,Account,UTC_Time\n1E-8,BTC,Deposit,Spot,2026-01-01 00:00:01\n`,
    })
    const items = await readItems(sourceOf(zip, 'x(UTC+9).zip'))
    const start = BigInt(Date.UTC(2026, 0, 1)) * 1000n
    expect(items.map(item => [item.line, item.kind === 'row' && item.row.micros - start])).toEqual([
      [2, 0n],
      [2, 1_000_000n],
    ])
  })

  it('takes the zone from the file when the part tells none, and then from the setting', async () => {
    const midnight = BigInt(Date.UTC(2026, 0, 1)) * 1000n
    const text = HEADER + row('26-01-01 07:00:00')
    const zip = sourceOf(await zipOf({ 'x.csv': text }), 'x(UTC+7).zip')
    expect((await readItems(zip))[0]).toMatchObject({ row: { micros: midnight } })
    expect((await readItems(sourceOf(text), { zoneMinutes: 420 }))[0]).toMatchObject({
      row: { micros: midnight },
    })
  })

  it('never leaves a cut-off file as a whole one: cut anywhere, it is damaged or a prefix of its rows', async () => {
    const quoted = (cells: string[]) => `${cells.map(cell => `"${cell}"`).join(',')}\n`
    const text =
      quoted(['User_ID', 'UTC_Time', 'Account', 'Operation', 'Coin', 'Change', 'Remark']) +
      quoted(['35460001', '2026-01-01 00:00:00', 'Spot', 'Deposit', 'USDT', '12.5', '']) +
      quoted([
        '35460001',
        '2026-01-01 00:00:01',
        'Spot',
        'Withdraw',
        'USDT',
        '-12.5',
        'Withdraw fee is included',
      ])
    const whole = await readItems(sourceOf(text))
    for (let length = text.indexOf('\n') + 1; length < text.length; length++) {
      const items = await readItems(sourceOf(text.slice(0, length))).catch(error => {
        if (!isFault(error, 'file-damaged')) throw error
        return undefined
      })
      if (items !== undefined) expect(items).toEqual(whole.slice(0, items.length))
    }
  })

  it('ends at once for a header of 100,000 columns, of quotes only, and of one long line', async () => {
    for (const text of [`Time${',x'.repeat(100_000)}`, '"'.repeat(3_000_000), 'x'.repeat(3_000_000)]) {
      await expect(readItems(sourceOf(text))).rejects.toSatisfy(error => isFault(error, 'file-unreadable'))
    }
  })

  it('leaves unreadable rows behind and reads on', async () => {
    const damaged = ['x', '\0', '"', 'a,b', '\x1f', ',,,,,,', ',,,,,,,,,,'].map(text => `${text}\n`)
    const text = HEADER + damaged.map(line => line + row('26-01-01 07:00:00')).join('')
    const items = await readItems(sourceOf(text))
    expect(items.filter(({ kind }) => kind === 'row')).toHaveLength(damaged.length)
    expect(items.filter(({ kind }) => kind === 'unreadable')).toHaveLength(damaged.length)
  })
})
