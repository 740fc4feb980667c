import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { ActivityRow } from '../../src/domain/activity.ts'
import { startOfDayMicros } from '../../src/domain/calendar.ts'
import { daySpill } from '../../src/formats/day-spill.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'daybook-spill-'))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

const DAY = '2026-10-01'

function rowAt(index: number, micros: bigint): ActivityRow {
  return {
    micros,
    userId: index % 2 === 0 ? '35460001' : null,
    wallet: 'Spot',
    operation: 'Deposit',
    asset: `分${index % 3}`,
    amount: BigInt(index - 5000) * 10n ** 20n + 1n,
    remark: `line\n"${index}", 𝄞\x1e`,
    extra: index % 5 === 0 ? '{"a":"\\u001f"}' : null,
  }
}

it('gives back every row exactly, hour by hour, over many blocks', async () => {
  const spill = daySpill(FOLDER)
  const start = startOfDayMicros(DAY)
  const late = Array.from({ length: 10_000 }, (_, index) => rowAt(index, start + 86_399_999_999n))
  const early = [rowAt(1, start), rowAt(2, start + 3_599_999_999n)]
  for (const row of [...late, ...early]) spill.add(DAY, row)
  spill.add('2026-10-02', rowAt(3, start + 86_400_000_000n))
  const hours = []
  for await (const rows of spill.take(DAY)) hours.push(rows)
  expect(hours).toEqual([early, late])
  expect(readdirSync(FOLDER)).toEqual(['2026-10-02T00.spill'])
})
