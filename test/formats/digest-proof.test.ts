/** What is lost or changed between reading and encoding never becomes a report. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { isFault } from '../../src/domain/errors.ts'
import { digestStatement } from '../../src/formats/digest.ts'
import type * as groups from '../../src/formats/group-work.ts'
import type { RowGroup } from '../../src/formats/row-group.ts'
import { sourceOf } from '../support/statement-source.ts'

const seam = vi.hoisted(() => ({ damage: (_: RowGroup) => {} }))
vi.mock('../../src/formats/group-work.ts', async original => {
  const real = await original<typeof groups>()
  const groupWorker: typeof real.groupWorker = identify => {
    const work = real.groupWorker(identify)
    return group => {
      seam.damage(group)
      return work(group)
    }
  }
  return { ...real, groupWorker }
})
afterEach(() => {
  seam.damage = () => {}
})

const ROOT = mkdtempSync(join(tmpdir(), 'daybook-proof-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

const TEXT = `User_ID,UTC_Time,Account,Operation,Coin,Change,Remark
1,2026-10-01 00:00:00,Spot,Deposit,USDT,1.5,
1,2026-10-01 00:00:01,Funding,Deposit,BTC,0.123456789,
1,2026-10-01 00:00:02,Spot,Deposit,USDT,-1.5,
1,2026-10-02 00:00:00,Spot,Deposit,USDT,0,
`

async function digest() {
  const folder = mkdtempSync(join(ROOT, 'work-'))
  const range = { start: '2026-10-01', end: '2026-10-03' }
  return digestStatement(sourceOf(TEXT), { range, folder, metadata: {}, threads: 1 })
}

it('is complete when nothing is lost', async () => {
  const { rows, days } = await digest()
  expect(rows).toEqual({ read: 4, written: 4, quarantined: 0, outside: 0 })
  expect(days.map(day => day.rows)).toEqual([3, 1])
})

it.each<[string, (group: RowGroup) => void]>([
  [
    'a unit too much',
    ({ amount, rows }) => {
      if (rows > 1) amount.units[0] = amount.units[0]! + 1
    },
  ],
  [
    'an amount of many decimals changed',
    ({ amount }) => {
      if (amount.wide.length > 0) amount.wide[0] = amount.wide[0]! + 1n
    },
  ],
  [
    'an amount booked to another wallet and asset',
    ({ texts, rows }) => {
      if (rows === 1) return
      texts.wallet.codes[0] = texts.wallet.codes[1]!
      texts.asset.codes[0] = texts.asset.codes[1]!
    },
  ],
  [
    'a row lost that changes no sum',
    group => {
      if (group.rows === 1) group.rows = 0
    },
  ],
])('refuses %s', async (_, damage) => {
  seam.damage = damage
  await expect(digest()).rejects.toSatisfy(error => isFault(error, 'count-mismatch'))
})
