import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ActivityRow, identifyRows, identityOf } from '../../src/domain/activity.ts'
import { isFault } from '../../src/domain/errors.ts'
import { diffDays } from '../../src/formats/day-diff.ts'
import { encodeActivity } from '../../src/formats/parquet.ts'
import { addAmount, listSums, type WalletSums } from '../../src/formats/wallet-sums.ts'
import { dayBytes, fewKindsOfRow } from '../support/day-maker.ts'
import { sourceOf } from '../support/statement-source.ts'

/** The difference of two multisets, counted in the most obvious way. */
function naiveDiff(standing: readonly ActivityRow[], next: readonly ActivityRow[]) {
  const only = (rows: readonly ActivityRow[], others: readonly ActivityRow[]) => {
    const left = others.map(identityOf)
    return rows.filter(row => {
      const found = left.indexOf(identityOf(row))
      if (found === -1) return true
      left.splice(found, 1)
      return false
    })
  }
  const sumsOf = (rows: readonly ActivityRow[]) => {
    const sums: WalletSums = new Map()
    for (const { wallet, asset, amount } of rows) addAmount(sums, wallet, asset, amount)
    return listSums(sums)
  }
  const [added, removed] = [only(next, standing), only(standing, next)]
  const extras = (rows: readonly ActivityRow[]) =>
    new Map(identifyRows([...rows]).map(({ rowId, extra }) => [rowId, extra]))
  const before = extras(standing)
  const altered = [...extras(next)].filter(([id, extra]) => before.has(id) && before.get(id) !== extra).length
  return {
    added: added.length,
    removed: removed.length,
    altered,
    addedSums: sumsOf(added),
    removedSums: sumsOf(removed),
  }
}

const days = fc.array(fewKindsOfRow, { maxLength: 30 })

describe('the difference of two days', () => {
  it('is that of two multisets of rows, however they are grouped', async () => {
    await fc.assert(
      fc.asyncProperty(
        days,
        days,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        async (standing, next, few, more) => {
          const diff = await diffDays(
            sourceOf(dayBytes(standing, undefined, few), 'standing', 61),
            sourceOf(dayBytes(next, undefined, more), 'next', 97),
          )
          expect(diff).toEqual(naiveDiff(standing, next))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is nothing for the same rows from another report or another parse, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(days, fc.integer({ min: 1, max: 9 }), async (rows, groupRows) => {
        const origin = { reportId: '2', generatedAt: '2026-11-01T00:00:00.000Z', parserVersion: '3' }
        const diff = await diffDays(
          sourceOf(dayBytes(rows)),
          sourceOf(dayBytes(rows.toReversed(), origin, groupRows)),
        )
        expect(diff).toEqual({ added: 0, removed: 0, altered: 0, addedSums: [], removedSums: [] })
      }),
      { numRuns: 60 },
    )
  })

  it('sees another category of the same row', async () => {
    const row = { ...fc.sample(fewKindsOfRow, { numRuns: 1, seed: 1 })[0]!, operation: 'Deposit' }
    const bytes = Buffer.from(dayBytes([row]))
    const identified = identifyRows([row])
    const other = Buffer.from(encodeActivity(identified, {}))
    // The same width of text, so that only the name of the category differs. Compressed pages hold it
    // somewhere; where they do not hold it as plain text, there is nothing to swap and the test says so.
    const at = other.indexOf('deposit')
    expect(at).toBeGreaterThan(0)
    other.write('fortune', at)
    expect((await diffDays(sourceOf(bytes), sourceOf(other))).altered).toBe(1)
  })

  it('reads no file whole', async () => {
    const rows = Array.from({ length: 4000 }, (_, number) => ({
      ...fc.sample(fewKindsOfRow, { numRuns: 1, seed: 1 })[0]!,
      // What no compression makes smaller.
      remark: hash('sha512', `${number}`),
    }))
    const watched = (from: readonly ActivityRow[]) => {
      const source = sourceOf(dayBytes(from, undefined, 100), 'watched', 512)
      const spans: number[] = []
      return {
        source: {
          ...source,
          async *read(span?: { start: number; end?: number }) {
            let bytes = 0
            for await (const chunk of source.read(span)) {
              bytes += chunk.length
              yield chunk
            }
            spans.push(bytes)
          },
        },
        spans,
      }
    }
    const standing = watched(rows)
    const next = watched(rows.slice(1))
    expect(await diffDays(standing.source, next.source)).toMatchObject({ added: 0, removed: 1 })
    expect(Math.max(...standing.spans)).toBeLessThan(standing.source.size / 4)
  })

  it('refuses a file whose rows are out of order', async () => {
    const [one, two] = identifyRows(
      fc.sample(fewKindsOfRow, { numRuns: 1, seed: 1 }).flatMap(row => [
        { ...row, remark: 'a' },
        { ...row, remark: 'b' },
      ]),
    )
    const wrong = encodeActivity([two!, one!], {})
    await expect(diffDays(sourceOf(wrong), sourceOf(dayBytes([])))).rejects.toSatisfy(error =>
      isFault(error, 'file-damaged'),
    )
  })
})
