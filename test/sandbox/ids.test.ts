import { expect, test } from 'vitest'
import { createIdMint } from '../../src/sandbox/ids.ts'

const INSTANT = Date.UTC(2022, 11, 1, 2, 15, 50, 700)

test('ids carry their second, are above 2^53, odd and unique', () => {
  const mint = createIdMint(77, () => false)
  const ids = Array.from({ length: 10_000 }, () => mint(INSTANT))
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) {
    expect(Number(BigInt(id) >> 31n) + 1_577_836_800).toBe(Math.floor(INSTANT / 1000))
    expect(BigInt(id) & 1n).toBe(1n)
    expect(BigInt(id) > 2n ** 53n).toBe(true)
    expect(JSON.stringify(JSON.parse(id))).not.toBe(id)
  }
})

test('an id that was given away before is passed over', () => {
  const first = createIdMint(77, () => false)(INSTANT)
  expect(createIdMint(77, id => id === first)(INSTANT)).not.toBe(first)
})
