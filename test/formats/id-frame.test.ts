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

/** Of each compressed block: its size, and the size of what it holds, which is literals only. */
function compressedBlocks(frame: Uint8Array): Array<{ size: number; holds: number }> {
  const view = new DataView(frame.buffer, frame.byteOffset)
  const blocks: Array<{ size: number; holds: number }> = []
  for (let at = 10, isLast = false; !isLast; ) {
    const header = view.getUint16(at, true) | (frame[at + 2]! << 16)
    const [type, size] = [(header >> 1) & 3, header >> 3]
    if (type === 2) blocks.push({ size, holds: (view.getUint32(at + 3, true) >>> 4) & 0x3ffff })
    at += 3 + (type === 1 ? 1 : size)
    isLast = (header & 1) === 1
  }
  return blocks
}

it.each([1, 4, 5, 4096, 4097, 4100, 4101])('compresses only what becomes smaller, of %i rows', rows => {
  const ids = Uint8Array.from({ length: rows * 16 }, (_, at) => (at * 2_654_435_761) >>> 13)
  const frame = idFrame(Uint8Array.of(1), 3, Uint8Array.from(ids))
  expect(zstdDecompressSync(frame).subarray(4)).toEqual(digitsOf(ids))
  for (const { size, holds } of compressedBlocks(frame)) expect(size).toBeLessThan(holds)
})
