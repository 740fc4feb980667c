import { describe, expect, it } from 'vitest'
import { createdAt } from '../../../src/providers/binance-pay/id.ts'

describe('the second an id was made in', () => {
  it.each([
    ['203740009645850624', '2023-01-03T01:50:35.000Z'],
    ['197620356272996352', '2022-12-01T02:15:49.000Z'],
  ])('of the documented %s is %s', (id, instant) => {
    expect(createdAt(id)?.toISOString()).toBe(instant)
  })

  it('does not depend on the low bits, which a double would lose', () => {
    const seconds = (BigInt(Date.UTC(2026, 2, 10)) / 1000n - 1_577_836_800n) << 31n
    for (const low of [0n, 1n, 0x7fff_ffffn]) {
      expect(createdAt((seconds | low).toString())?.toISOString()).toBe('2026-03-10T00:00:00.000Z')
    }
    expect(createdAt((seconds + 0x8000_0000n).toString())?.toISOString()).toBe('2026-03-10T00:00:01.000Z')
  })

  it.each([
    ['is empty', ''],
    ['is too short', '1232213'],
    ['has the 20 digits of a payment', '29383937493038367292'],
    ['is no number', '19762035627299635x'],
    ['has a sign', '-197620356272996352'],
    ['has spaces', ' 197620356272996352'],
    ['has digits of another script', '١٩٧٦٢٠٣٥٦٢٧٢٩٩٦٣٥٢'],
  ])('is unknown when the text %s', (_, id) => {
    expect(createdAt(id)).toBeUndefined()
  })
})
