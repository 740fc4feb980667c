/** The zstd frame of row ids is what any zstd reads. */
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { idFrame } from '../../src/formats/id-frame.ts'

const digitsOf = (ids: Uint8Array) => Buffer.from(Buffer.from(ids).toString('hex'))

it('holds the head, the zeros and the digits, whatever they are', () => {
  const input = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.nat(3000),
    fc
      .integer({ min: 1, max: 40 })
      .chain(rows => fc.uint8Array({ minLength: rows * 16, maxLength: rows * 16 })),
  )
  fc.assert(
    fc.property(input, ([head, zeros, ids]) => {
      const expected = Buffer.concat([head, Buffer.alloc(zeros), digitsOf(ids)])
      expect(zstdDecompressSync(idFrame(head, zeros, Uint8Array.from(ids)))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

it.each([4095, 4096, 4097, 8192, 65_536])('holds %i rows in blocks, in half their size', rows => {
  const ids = Uint8Array.from({ length: rows * 16 }, (_, at) => (at * 2_654_435_761) >>> 13)
  const frame = idFrame(Uint8Array.of(1), 0, Uint8Array.from(ids))
  expect(zstdDecompressSync(frame).subarray(1)).toEqual(digitsOf(ids))
  expect(frame.length / (rows * 32)).toBeLessThan(0.502)
})
