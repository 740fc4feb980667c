/** Small days of activity, and their data files. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { type ActivityRow, identifyRows } from '../../src/domain/activity.ts'
import { startOfDayMicros } from '../../src/domain/calendar.ts'
import type { DayOrigin } from '../../src/domain/report.ts'
import { encodeActivity } from '../../src/formats/parquet.ts'
import { type DayFile, dayMetadata } from '../../src/stores/activity-table.ts'

export const DAY = '2026-10-01'
export const REF = { provider: 'binance-pay', account: 'main' }

/** Rows of so few kinds that identical ones are common. */
export const fewKindsOfRow: fc.Arbitrary<ActivityRow> = fc.record({
  micros: fc.integer({ min: 0, max: 2 }).map(second => startOfDayMicros(DAY) + BigInt(second) * 1_000_000n),
  userId: fc.constant('7'),
  wallet: fc.constantFrom('Spot', 'Funding'),
  operation: fc.constantFrom('Deposit', 'Fee'),
  asset: fc.constantFrom('BTC', 'USDT'),
  amount: fc.constantFrom(1n, -1n, 10n ** 30n),
  remark: fc.constantFrom('', 'é😀', '\uffff'),
  extra: fc.constantFrom(null, '{"a":"1"}'),
})

export const SOME_SHA256 = 'a'.repeat(64)

export function dayBytes(
  rows: readonly ActivityRow[],
  origin: DayOrigin = { reportId: '1', generatedAt: '2026-10-05T00:00:00.000Z', parserVersion: '1' },
  groupRows?: number,
): Uint8Array {
  return encodeActivity(identifyRows([...rows]), dayMetadata(origin, SOME_SHA256), groupRows)
}

/** Writes a day's file into `folder`. */
export async function dayFile(
  folder: string,
  rows: readonly ActivityRow[],
  origin: DayOrigin,
): Promise<DayFile> {
  const path = join(folder, `${origin.reportId}-${origin.parserVersion}.parquet`)
  await writeFile(path, dayBytes(rows, origin))
  return { ref: REF, day: DAY, path, origin }
}
