/** Published days to export, made once. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { identifyRows } from '../../src/domain/activity.ts'
import { addDays, startOfDayMicros } from '../../src/domain/calendar.ts'
import { activityKey } from '../../src/domain/keys.ts'
import { encodeActivity } from '../../src/formats/parquet.ts'
import { systemRandom } from '../../src/host.ts'
import { fileStore } from '../../src/stores/file-store.ts'

export const REF = { provider: 'binance-pay', account: 'main' }
export const FIRST_DAY = '2026-10-01'
export const ROWS_A_DAY = 100_000

/** Makes days with rows of three operations, assets and shapes of remarks, unless they are there. */
export async function ensureDays(folder: string, days: number): Promise<void> {
  if (existsSync(folder)) return
  const partial = `${folder}.part`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const store = fileStore(partial, { random: systemRandom })
  for (let index = 0; index < days; index++) {
    const day = addDays(FIRST_DAY, index)
    await store.create(activityKey(REF, day), encodeActivity(identifyRows(rowsOf(day)), {}))
  }
  renameSync(partial, folder)
}

function rowsOf(day: string) {
  const midnight = startOfDayMicros(day)
  return Array.from({ length: ROWS_A_DAY }, (_, row) => ({
    micros: midnight + BigInt(row % 86_400) * 1_000_000n,
    userId: '35460001',
    wallet: row % 3 === 0 ? 'Funding' : 'Spot',
    operation: ['Merchant Acquiring', 'Fee', 'Deposit'][row % 3]!,
    asset: ['USDT', 'BTC', 'BNB'][row % 3]!,
    amount: BigInt(row) * 123_456_789_012n * (row % 2 === 0 ? -1n : 1n),
    remark: row % 5 === 0 ? `order ${row}` : '',
    extra: null,
  }))
}
