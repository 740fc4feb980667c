import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountText, daysText, padded, signedText } from '../../src/console/format.ts'
import { fresh } from '../../src/console/fresh.ts'
import { html, type Piece, path, withQuery } from '../../src/console/html.ts'
import { fixedClock } from '../support/fixed-clock.ts'

describe('html', () => {
  it('lets no text become markup, in an element or in an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const { markup } = html`<p title="${text}">${text}</p>`
        const inner = markup.slice('<p title="'.length, -'</p>'.length)
        expect(inner.replace('">', '')).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/)
      }),
    )
  })

  it('trusts what it has made, and nothing of the same shape', () => {
    expect(html`<p>${[html`<b>${'<'}</b>`, ' ', 7, false, undefined, null]}</p>`.markup).toBe(
      '<p><b>&lt;</b> 7</p>',
    )
    const forged = JSON.parse('{"markup":"<script>"}') as Piece
    expect(() => html`${forged}`).toThrow(TypeError)
  })

  it('keeps every part of a path in its place', () => {
    expect(path('/reports', 'a/b', '?x')).toBe('/reports/a%2Fb/%3Fx')
    expect(withQuery('/x', { a: 'b&c=d', e: undefined, f: '' })).toBe('/x?a=b%26c%3Dd')
  })
})

describe('amounts', () => {
  it('keep every digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), fc.nat(18), (units, places) => {
        const digits = units
          .toString()
          .replace('-', '')
          .padStart(places + 1, '0')
        const point = digits.length - places
        const text = `${units < 0n ? '-' : ''}${digits.slice(0, point)}${places === 0 ? '' : `.${digits.slice(point)}`}`
        expect(amountText(text).replaceAll(',', '').replace('−', '-')).toBe(text)
        expect(padded(amountText(text), 20).trimEnd()).toBe(amountText(text))
      }),
    )
    expect(amountText('-1234567.8900')).toBe('−1,234,567.8900')
    expect([signedText('0'), signedText('5'), signedText('-5'), signedText('0.00')]).toEqual([
      '0',
      '+5',
      '−5',
      '0.00',
    ])
  })

  it('are days as ranges', () => {
    expect(daysText(['2026-10-01', '2026-10-02', '2026-10-05'])).toBe('2026-10-01 to 2026-10-02, 2026-10-05')
  })
})

describe('an answer that may be a moment old', () => {
  it('is loaded once for all who ask together, and anew when it is too old, forgotten, or failed', async () => {
    const clock = fixedClock('2026-10-15T12:00:00Z')
    let loads = 0
    let broken = false
    const answer = fresh(clock, 1_000, async () => {
      if (broken) throw new Error('no')
      return ++loads
    })
    expect(await Promise.all([answer(), answer()])).toEqual([1, 1])
    expect(await answer()).toBe(1)
    await clock.advance(1_001)
    expect(await answer()).toBe(2)
    answer.forget()
    expect(await answer()).toBe(3)
    answer.forget()
    broken = true
    await expect(answer()).rejects.toThrow('no')
    broken = false
    expect(await answer()).toBe(4)
  })
})
