import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { identifyRows } from '../../src/domain/activity.ts'
import { writeDayFile } from '../../src/formats/day-file.ts'
import { addAmount, type WalletSums } from '../../src/formats/wallet-sums.ts'

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

function write(rows: number, amount: bigint) {
  const sums: WalletSums = new Map()
  addAmount(sums, 'Spot', 'USDT', amount)
  const file = { day: '2026-10-01', path: join(ROOT, 'day.parquet'), metadata: {} }
  async function* batches() {
    yield identifyRows([{ ...row }, { ...row }])
  }
  return writeDayFile(file, batches(), { rows, sums }, new Map())
}

it('refuses to write rows or sums other than those that were read', async () => {
  await expect(write(3, 10n)).rejects.toMatchObject({ code: 'count-mismatch' })
  await expect(write(2, 9n)).rejects.toMatchObject({ code: 'count-mismatch' })
  await expect(write(2, 10n)).resolves.toMatchObject({ rows: 2 })
})
