import { describe, expect, it } from 'vitest'
import { chooseZone, formatZone, readZone, zoneInName } from '../../src/formats/zone.ts'

describe('zoneInName', () => {
  it.each([
    ['Binance-Transaction-History-202604201017(UTC+7).csv', 420],
    ['Binance-Transaction-History-202604201017(UTC+9)-part1-of1.csv', 540],
    ['Binance-Transaction-History-202604201017(UTC+2)_344d77e2.csv', 120],
    ['Binance-Transaction-History-202604201017(UTC--6).csv', -360],
    ['Binance-Transaction-History-202604201017(UTC-6).csv', -360],
    ['Binance-Transaction-History-202604201017(UTC+5:30).csv', 330],
    ['Binance-Transaction-History-202604201017(UTC+5_30).csv', 330],
    ['Binance-Historique-202610031149UTC2-part1-of1.csv', 120],
    ['Binance-Historique-202610031149UTC5:30-part1-of1.csv', 330],
    ['Binance-Historique-202610031149UTC2_344d77e2.csv', 120],
    ['report (UTC).csv', 0],
    ['report(UTC+0).csv', 0],
    ['report(UTCnull).csv', undefined],
    ['report(UTC+99).csv', undefined],
    ['OUTCOME2.csv', undefined],
    ['NUTC7.csv', undefined],
    ['report.csv', undefined],
  ])('finds in %s: %s', (name, offset) => {
    expect(zoneInName(name)).toBe(offset)
  })
})

describe('readZone', () => {
  it.each([
    ['UTC', 0],
    ['Z', 0],
    ['UTC+8', 480],
    ['UTC-03:30', -210],
    ['+05:30', 330],
    ['', undefined],
    ['Europe/Berlin', undefined],
    ['UTC+15', undefined],
    ['UTC+5:75', undefined],
  ])('reads %j as %s', (text, offset) => {
    expect(readZone(text)).toBe(offset)
  })
})

describe('chooseZone', () => {
  it('prefers what the header says, then the names, then the setting, then UTC aloud', () => {
    expect(chooseZone('UTC', ['x(UTC+7).csv'], 60)).toEqual({ offset: 0, from: 'header' })
    expect(chooseZone(undefined, ['x.csv', 'x(UTC+7).zip'], 60)).toEqual({ offset: 420, from: 'file-name' })
    expect(chooseZone(undefined, ['x(UTCnull).csv'], 60)).toEqual({ offset: 60, from: 'setting' })
    expect(chooseZone(undefined, ['x.csv'], undefined)).toEqual({ offset: 0, from: 'assumed' })
  })
})

it('formats offsets', () => {
  expect([0, 420, -210, 330].map(formatZone)).toEqual(['UTC', 'UTC+7', 'UTC-3:30', 'UTC+5:30'])
})
