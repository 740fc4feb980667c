import { describe, expect, it } from 'vitest'
import { blocksOf, type Line, lineSplitter } from '../../src/formats/lines.ts'

const MAX = 64 * 1024

async function linesOf(bytes: Buffer, blockBytes: number, maxBytes = MAX): Promise<Line[]> {
  const splitter = lineSplitter(maxBytes)
  const lines: Line[] = []
  async function* chunks() {
    yield bytes
  }
  for await (const block of blocksOf(chunks(), blockBytes)) lines.push(...splitter.push(block))
  return [...lines, ...splitter.end()]
}

describe('lines', () => {
  it('says of each line whether it was ended', async () => {
    const lines = await linesOf(Buffer.from('a\n\nb'), 1)
    expect(lines.map(({ number, text, ended }) => [number, text, ended])).toEqual([
      [1, 'a', true],
      [2, '', true],
      [3, 'b', false],
    ])
  })

  it('is the same however the bytes are cut', async () => {
    const text = '\ufeffä,€,𝄞\r\nNUL \0 here\nbad \xff\n'
    const bytes = Buffer.concat([
      Buffer.from(text),
      Buffer.from([0xff, 0x0a, 0xe2, 0x82]),
      Buffer.alloc(300, 'x'),
    ])
    const whole = await linesOf(bytes, bytes.length, 200)
    for (let size = 1; size < 40; size++) expect(await linesOf(bytes, size, 200)).toEqual(whole)
    expect(whole.map(({ fault }) => fault)).toEqual([
      undefined,
      'nul-in-line',
      undefined,
      'not-utf8',
      'line-too-long',
    ])
    expect(whole[0]?.text).toBe('ä,€,𝄞\r')
  })

  it('keeps the beginning of a line that is too long, and goes on after it', async () => {
    const bytes = Buffer.from(`${'x'.repeat(5000)}\nnext\n`)
    const lines = await linesOf(bytes, 100, 4000)
    expect(lines[0]).toMatchObject({ fault: 'line-too-long', ended: true, text: 'x'.repeat(1024) })
    expect(lines[1]).toMatchObject({ number: 2, text: 'next', fault: undefined })
  })

  it('does not hold a line of 4 GiB', async () => {
    const chunk = Buffer.alloc(1024 ** 2, 'x')
    async function* endless() {
      for (let count = 0; count < 4096; count++) yield chunk
    }
    const splitter = lineSplitter(1024 ** 2)
    const before = process.memoryUsage().arrayBuffers
    for await (const block of blocksOf(endless(), 128 * 1024)) splitter.push(block)
    expect(splitter.end()[0]?.fault).toBe('line-too-long')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 ** 2)
  })
})
