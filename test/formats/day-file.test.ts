import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { identifyRows } from '../../src/domain/activity.ts'
import { openDayFile } from '../../src/formats/day-file.ts'
import { takeRoom } from '../../src/formats/digest-room.ts'
import { inlineEncoder } from '../../src/formats/group-encoder.ts'
import { readActivity } from '../../src/formats/parquet.ts'
import { addRow, newBatch } from '../../src/formats/row-batch.ts'
import { fileSource } from '../support/statement-source.ts'

const ROOT = mkdtempSync(join(tmpdir(), 'daybook-day-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

const row = {
  micros: 1_790_812_800_000_000n,
  userId: null,
  wallet: 'Spot',
  operation: 'Deposit',
  asset: 'USDT',
  amount: 5n,
  remark: '',
  extra: null,
}

it('counts what is in the columns it writes', async () => {
  const path = join(ROOT, 'day.parquet')
  const file = await openDayFile({ day: '2026-10-01', path, metadata: {} }, inlineEncoder(takeRoom()))
  const batch = newBatch(2)
  addRow(batch, row)
  addRow(batch, row)
  await file.add({ batch, order: Uint32Array.of(0, 1), occurrence: Uint32Array.of(0, 1) }, 0, 2)
  const { digest, operations } = await file.close()
  expect(digest).toMatchObject({
    rows: 2,
    sums: [{ wallet: 'Spot', asset: 'USDT', amount: '0.00000000000000001' }],
  })
  expect([...operations.values()]).toEqual([2])
  expect(await readActivity(fileSource(path))).toEqual(identifyRows([{ ...row }, { ...row }]))
})
