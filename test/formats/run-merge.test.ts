/** Rows that go to disk in runs come back exactly, in the table's order. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type ActivityRow, compareRows } from '../../src/domain/activity.ts'
import { addRow, newBatch, rowAt } from '../../src/formats/row-batch.ts'
import { addRecord, type RecordPlace } from '../../src/formats/row-record.ts'
import { type RunFile, runFile } from '../../src/formats/run-file.ts'
import { mergeRuns } from '../../src/formats/run-merge.ts'

const ROOT = mkdtempSync(join(tmpdir(), 'daybook-runs-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

const START = 1_790_812_800_000_000n

/** Characters whose order in UTF-8 is not that of strings are among them. */
const text = fc.string({
  unit: fc.constantFrom('a', 'B', '\x00', '\n', 'é', '\ud7ff', '\ue000', '\uffff', '𝄞', '😀'),
  maxLength: 4,
})
const amount = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }).map(units => units * 10n ** 10n),
  fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
  fc.constantFrom(2n ** 53n * 10n ** 10n, -(2n ** 53n) * 10n ** 10n, (2n ** 53n - 1n) * 10n ** 10n, 1n, -1n),
)
const row: fc.Arbitrary<ActivityRow> = fc.record({
  micros: fc.bigInt({ min: 0n, max: 2n }).map(micros => START + micros * 500_000n),
  userId: fc.option(text.map(one => `u${one}`)),
  wallet: fc.constantFrom('Spot', 'Funding', '\ue000', '😀'),
  operation: text,
  asset: text,
  amount,
  remark: text,
  extra: fc.option(fc.constantFrom('{"a":"1"}', '{"a":"2"}')),
})

async function inRuns<T>(use: (spill: RunFile, scratch: RunFile) => Promise<T>): Promise<T> {
  const [spill, scratch] = [runFile(join(ROOT, 'a.runs')), runFile(join(ROOT, 'b.runs'))]
  try {
    return await use(spill, scratch)
  } finally {
    await spill.close()
    await scratch.close()
    expect(readdirSync(ROOT)).toEqual([])
  }
}

function write(file: RunFile, rows: readonly ActivityRow[]) {
  return file.write(async run => {
    const batch = newBatch(rows.length)
    for (const [index, one] of rows.entries()) {
      addRow(batch, one)
      run.addRow(batch, index)
      if (run.isFull()) await run.relieve()
    }
  })
}

function collector() {
  const rows: ActivityRow[] = []
  return {
    rows,
    sink: {
      add(record: RecordPlace) {
        const batch = newBatch(1)
        addRecord(batch, record)
        rows.push(rowAt(batch, 0))
      },
      isFull: () => false,
      relieve: async () => {},
    },
  }
}

describe('runs', () => {
  it('give back any rows, merged in the order of the table', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(row, { minLength: 1, maxLength: 8 }), { minLength: 1 }),
        async parts => {
          const { rows, sink } = collector()
          await inRuns(async (spill, scratch) => {
            const runs = []
            for (const part of parts) runs.push(await write(spill, part.toSorted(compareRows)))
            await mergeRuns(runs, sink, scratch)
          })
          expect(rows).toEqual(parts.flat().sort(compareRows))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('may be longer than what is read at a time, and more than are merged at once', async () => {
    const long = (index: number, length: number): ActivityRow => ({
      micros: START + BigInt(Math.imul(index, 7919) & 0xff) * 1_000_000n,
      userId: null,
      wallet: 'Spot',
      operation: 'Deposit',
      asset: 'USDT',
      amount: BigInt(index),
      remark: `${index} `.repeat(length),
      extra: null,
    })
    const parts = Array.from({ length: 40 }, (_, part) =>
      Array.from({ length: 60 }, (_, index) => long(part * 60 + index, 500 + index)),
    )
    // So long that only a few runs fit into memory.
    parts[7]!.push(long(5000, 900_000))
    const { rows, sink } = collector()
    const sizes = await inRuns(async (spill, scratch) => {
      const runs = []
      for (const part of parts) runs.push(await write(spill, part.sort(compareRows)))
      await mergeRuns(runs, sink, scratch)
      const size = statSync(join(ROOT, 'b.runs')).size
      await scratch.clear()
      return [size, statSync(join(ROOT, 'b.runs')).size]
    })
    expect(rows).toEqual(parts.flat().sort(compareRows))
    expect(sizes[0]).toBeGreaterThan(0)
    expect(sizes[1]).toBe(0)
  })
})
