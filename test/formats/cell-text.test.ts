import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { originalText, safeText } from '../../src/formats/cell-text.ts'
import { FORMULAS, hostileText } from '../support/hostile-text.ts'

describe('text in a spreadsheet', () => {
  it.each(FORMULAS)('never begins as a formula does: %j', text => {
    expect(safeText(text)).toBe(`'${text}`)
  })

  it('is left alone where it is harmless', () => {
    for (const text of ['', 'Binance Pay - P_1', 'a=b', '1-2', "it's", "'quoted'", '分发', '100@x'])
      expect(safeText(text)).toBe(text)
  })

  it('can always be had back', () => {
    fc.assert(
      fc.property(hostileText, text => {
        expect(originalText(safeText(text))).toBe(text)
        expect(safeText(text)).not.toMatch(/^\s*[=+\-@＝＋－＠]/)
      }),
      { numRuns: 2000 },
    )
  })
})
