/** The demo with each thing that can be broken: found on its day, of its asset, as what it is, by as much. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BREAK_NAMES, type Break } from '../../src/cli/demo-plan.ts'
import { addDays, type Day, startOfDay } from '../../src/domain/calendar.ts'
import { brokenRows } from '../../src/sandbox/broken-rows.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import { ledgerRows } from '../../src/sandbox/ledger.ts'
import type { LedgerRow } from '../../src/sandbox/ledger-events.ts'
import { movementsOf } from '../../src/sandbox/movements.ts'
import { runDaybook } from '../support/run-daybook.ts'

interface Found {
  readonly provider: string
  readonly day: Day
  readonly finding: {
    readonly check: string
    readonly place: string | null
    readonly asset: string
    readonly zone: string | null
    readonly difference: string | null
    readonly class: string
    readonly firstBad: { readonly days: readonly Day[] }
  }
}

interface Told {
  readonly reconciled: readonly { readonly provider: string; readonly day: Day; readonly verdict: string }[]
  readonly broken: { readonly what: string; readonly day: Day; readonly found: boolean } | null
  readonly breaks: readonly Found[]
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybook-breaks-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function demo(breaks: Break | 'none'): Promise<{ code: number | null; told: Told }> {
  const named = breaks === 'none' ? [] : ['--break', breaks]
  const args = ['demo', '--folder', join(folder, breaks), '--json', ...named]
  const { code, stdout, stderr } = await runDaybook(args)
  if (stdout === '') throw new Error(stderr)
  return { code, told: JSON.parse(stdout) as Told }
}

/** The row of the sandbox's own books that a break of rows is about. */
function brokenRow(day: Day): LedgerRow {
  const query = {
    seed: 'demo',
    merchant: 'demo',
    rowsPerDay: 2_000,
    fromSecond: startOfDay(day).getTime() / 1000,
    toSecond: startOfDay(addDays(day, 1)).getTime() / 1000,
    wallet: undefined,
    descending: false,
  }
  const knobs = { ...defaultKnobs, breakKind: 'missing-row', breakDay: day } as const
  const left = [...brokenRows(query, knobs)].flat()
  const whole = [...ledgerRows(query)].flat()
  expect(whole.length - left.length).toBe(1)
  const at = whole.findIndex((row, index) => JSON.stringify(key(row)) !== JSON.stringify(key(left[index])))
  return whole[at]!
}

const key = (row: LedgerRow | undefined) =>
  row && [row.second, row.wallet, row.operation, row.coin, row.units.toString(), row.remark]

/** Onerway's movement of the sandbox's own books. */
function brokenMovement(day: Day) {
  const book = { seed: 'demo', name: 'onerway demo', currency: 'USD', openedOn: addDays(day, -90) }
  const start = startOfDay(day).getTime()
  const of = (hours: number) => movementsOf(book, start + hours * 3_600_000, start + 86_400_000)[0]
  return of(6) ?? of(0)!
}

function decimal(units: bigint, places: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`
}

/** What was found on the broken day, as one line each. */
const linesOf = ({ breaks, broken }: Told, provider: string) =>
  breaks
    .filter(each => each.provider === provider && each.finding.firstBad.days.includes(broken!.day))
    .map(({ finding }) => {
      const { check, place, asset, zone, class: likely, difference } = finding
      return [check, place, asset, zone, likely, difference]
        .filter(part => part !== null && part !== '')
        .join(' ')
    })

/** The days that are told of, of what is broken. */
const daysOf = ({ breaks }: Told) => new Set(breaks.flatMap(({ finding }) => finding.firstBad.days))

const ZONES = ['UTC', 'UTC+08:00']

describe('the demo', () => {
  it('ends with balances of three providers and a book that adds up on every day', async () => {
    const { code, told } = await demo('none')
    expect(code).toBe(0)
    expect(told.breaks).toEqual([])
    expect(told.broken).toBeNull()
    expect(new Set(told.reconciled.map(({ provider }) => provider))).toEqual(
      new Set(['binance-pay', 'payermax', 'onerway']),
    )
    expect(told.reconciled).toHaveLength(9)
    expect(new Set(told.reconciled.map(({ verdict }) => verdict))).toEqual(new Set(['matched']))
  }, 90_000)

  it.concurrent.each(['missing-row', 'doubled-row', 'late-row'] as const)(
    'finds a %s by its amount, in its wallet, on its day and on no day before',
    async what => {
      const { code, told } = await demo(what)
      expect([code, told.broken]).toEqual([0, { what, day: told.broken!.day, found: true }])
      const { day } = told.broken!
      const sign = what === 'doubled-row' ? -1n : 1n
      const likely = what === 'doubled-row' ? 'duplicate' : what
      const row = brokenRow(day)
      expect(linesOf(told, 'binance-pay')).toEqual([
        `R6 ${row.wallet} ${row.coin} ${likely} ${decimal(sign * row.units, 8)}`,
      ])
      const { units } = brokenMovement(day)
      expect(linesOf(told, 'onerway')).toEqual([`R6 USD ${likely} ${decimal(sign * units, 2)}`])
      const dayEnds = {
        'missing-row': 'R3 123456 USD',
        'doubled-row': 'R7 123456 USD',
        'late-row': undefined,
      }
      const payermax = { 'missing-row': 'vanished-currency', 'doubled-row': 'duplicate', 'late-row': '' }[
        what
      ]
      expect(linesOf(told, 'payermax')).toEqual(
        dayEnds[what] === undefined ? [] : ZONES.map(zone => `${dayEnds[what]} ${zone} ${payermax}`),
      )
      expect(daysOf(told)).toEqual(new Set(what === 'late-row' ? [day, addDays(day, 1)] : [day]))
    },
    90_000,
  )

  it.concurrent('finds flows that are swapped', async () => {
    const { code, told } = await demo('swapped-flow')
    expect(code).toBe(0)
    const found = linesOf(told, 'payermax')
    expect(found.map(line => line.replace(/ -?[\d.]+$/, ''))).toEqual(
      ZONES.map(zone => `R1 123456 USD ${zone} flows-swapped`),
    )
    expect(told.breaks).toHaveLength(2)
    expect(daysOf(told)).toEqual(new Set([told.broken!.day]))
  }, 90_000)

  it.concurrent('finds totals that are wrong, as readings of one day', async () => {
    const { code, told } = await demo('wrong-total')
    expect(code).toBe(0)
    expect(linesOf(told, 'binance-pay')).toEqual([
      'R6 Funding USDT wrong-balance 0.00000001',
      'R6 Spot USDT wrong-balance 0.00000001',
    ])
    expect(linesOf(told, 'onerway')).toEqual(['R2 USD component-mismatch 0.01', 'R6 USD wrong-balance 0.01'])
    expect(linesOf(told, 'payermax').slice(0, 2)).toEqual(
      ZONES.map(zone => `R1 123456 USD ${zone} component-mismatch 1`),
    )
  }, 90_000)

  it.concurrent('finds a currency that is told of no more', async () => {
    const { code, told } = await demo('vanished-currency')
    expect(code).toBe(0)
    for (const { finding } of told.breaks) expect(finding.class).toBe('vanished-currency')
    expect(linesOf(told, 'binance-pay').map(line => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'R6 Funding USDT',
      'R6 Spot USDT',
    ])
    expect(linesOf(told, 'onerway')).toHaveLength(1)
    expect(linesOf(told, 'payermax')).toEqual(ZONES.map(zone => `R3 123456 USD ${zone} vanished-currency`))
    expect(daysOf(told)).toEqual(new Set([told.broken!.day]))
  }, 90_000)

  it('says which things can be broken, and keeps a folder to one of them', async () => {
    const { stdout } = await runDaybook(['demo', '--help'])
    for (const name of BREAK_NAMES) expect(stdout).toContain(`  ${name}`)
    expect((await runDaybook(['demo', '--break', 'everything'])).code).toBe(2)
    const other = await runDaybook(['demo', '--folder', join(folder, 'none'), '--break', 'late-row'])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('name another --folder')])
  }, 60_000)
})
