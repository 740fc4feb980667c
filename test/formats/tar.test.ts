import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { openContainer } from '../../src/formats/container.ts'
import { limitsOf } from '../../src/formats/limits.ts'
import { outcomeOf, readContainer } from '../support/file-outcome.ts'
import { chanceFrom } from '../support/statement-generator.ts'
import { gzipOf, sourceOf } from '../support/statement-source.ts'
import { headerOf, longNameOf, type MadeEntry, paxOf, tarOf } from '../support/tar-maker.ts'

const TEXT = 'UTC_Time,Account,Operation,Coin,Change\n'.repeat(200)
const LONG = `${'folder/'.repeat(20)}statement.csv`

const forms = [
  ['tar', (tar: Buffer) => tar, 'x.tar'],
  ['tar.gz', gzipOf, 'x.tar.gz'],
] as const

describe.each(forms)('%s', (kind, pack, name) => {
  const source = (entries: readonly MadeEntry[], chunkBytes = 65_536) =>
    sourceOf(pack(tarOf(entries)), name, chunkBytes)
  const outcome = (tar: Buffer, limits = {}) => outcomeOf(sourceOf(pack(tar), name), limits)

  it('holds one part or several, whatever the chunks are', async () => {
    const entries = [1, 2, 3].map(part => ({ name: `./x-part${part}-of3.csv`, content: `${TEXT}${part}` }))
    for (const chunkBytes of [1000, 65_536]) {
      expect(await readContainer(source(entries, chunkBytes))).toEqual({
        kind,
        names: ['x-part1-of3.csv', 'x-part2-of3.csv', 'x-part3-of3.csv'],
        texts: entries.map(({ content }) => content),
        notes: [],
      })
    }
  })

  it('is read part by part in its own order, again and again, also when a part is given up', async () => {
    const entries = ['b', 'a', 'c'].map(letter => ({ name: `${letter}.csv`, content: `${TEXT}${letter}` }))
    const { parts } = await openContainer(source(entries), limitsOf())
    const read = async (index: number) =>
      Buffer.concat(await Array.fromAsync(parts[index]!.read())).toString()
    for await (const _ of parts[1]!.read()) break
    for (const index of [0, 1, 2, 2, 0]) expect(await read(index)).toBe(entries[index]!.content)
  })

  it('passes over folders, links and what macOS adds, and notes other files', async () => {
    const entries = [
      { name: 'folder/', type: '5', content: '' },
      { name: '._a.csv', content: 'binary' },
      { name: 'link.csv', type: '2', content: '' },
      { name: 'folder/read me.txt', content: 'hello' },
      { name: 'folder/a.csv', content: TEXT },
    ]
    expect(await readContainer(source(entries))).toMatchObject({
      names: ['folder/a.csv'],
      notes: ['entries-ignored'],
    })
  })

  it('reads long names and sizes from what stands before a file', async () => {
    const file = { name: 'short.csv', content: TEXT }
    const global = { name: 'pax', type: 'g', content: '30 mtime=1234567890.123456789\n' }
    const cases = [
      [paxOf({ path: LONG }), global, file],
      [longNameOf(LONG), file],
    ]
    for (const entries of cases) expect((await readContainer(source(entries))).names).toEqual([LONG])
    const sized = [paxOf({ size: String(TEXT.length) }), { ...file, size: 0 }]
    expect((await readContainer(source(sized))).texts).toEqual([TEXT])
  })

  it('is known without the magic word, by its checksum', async () => {
    expect(await outcome(tarOf([{ name: 'a.csv', content: TEXT }], { magic: '' }))).toBe(
      `read ${TEXT.length}`,
    )
  })

  it('is damaged when a checksum, a size or attributes lie', async () => {
    const tar = tarOf([{ name: 'a.csv', content: TEXT }])
    const wrong = Buffer.concat([
      tar.subarray(0, -1024),
      headerOf({ name: 'b.csv', size: 0 }),
      tar.subarray(-1024),
    ])
    wrong.write('c', tar.length - 1024)
    expect(await outcome(wrong)).toBe('file-damaged/tar-header')
    for (const size of [TEXT.length + 5000, 8 ** 11 - 1, 2 ** 50]) {
      expect(await outcome(tarOf([{ name: 'a.csv', content: TEXT, size }]))).toBe('file-damaged/truncated')
    }
    expect(await outcome(tarOf([{ name: 'a.csv', content: TEXT, size: 600 }]))).toBe(
      'file-damaged/tar-header',
    )
    const lying = { name: 'x', type: 'x', content: '99 path=a\n' }
    expect(await outcome(tarOf([lying]))).toBe('file-damaged/tar-header')
    expect(await outcome(tarOf([paxOf({ size: '-1' })]))).toBe('file-damaged/tar-header')
  })

  it('is damaged when it is cut off anywhere, even between two entries, or goes on after its end', async () => {
    const tar = tarOf([
      { name: 'a.csv', content: TEXT },
      { name: 'b.csv', content: TEXT },
    ])
    for (let length = 512; length < tar.length - 1023; length += 256) {
      expect(await outcome(tar.subarray(0, length))).toBe('file-damaged/truncated')
    }
    expect(await outcome(Buffer.concat([tar, Buffer.from('more')]))).toBe('file-damaged/trailing-bytes')
  })

  it('is damaged when a part is missing', async () => {
    const entries = [1, 3].map(part => ({ name: `x-part${part}-of3.csv`, content: TEXT }))
    expect(await outcome(tarOf(entries))).toBe('file-damaged/part-missing')
  })

  it.each([
    ['no-csv', []],
    [
      'no-csv',
      [
        { name: 'a.txt', content: 'a' },
        { name: 'b.txt', content: 'b' },
      ],
    ],
    [
      'duplicate-entry',
      [
        { name: 'a.csv', content: TEXT },
        { name: './a.csv', content: TEXT },
      ],
    ],
    ['empty', [{ name: 'a.csv', content: '' }]],
    ['nested', [{ name: 'a.csv', content: gzipOf(TEXT) }]],
    ['nested', [{ name: 'a.csv', content: tarOf([{ name: 'b.csv', content: TEXT }]) }]],
    ['nested', [{ name: 'a.csv', content: 'PK\x03\x04' }]],
    ['html', [{ name: 'a.csv', content: '<html>' }]],
    ['tar-attributes', [{ name: 'x', type: 'x', content: '', size: 100_000 }]],
    ['tar-attributes', [{ name: 'x', type: 'L', content: '', size: 2 ** 40 }]],
  ] as const)('refuses as %s', async (reason, entries) => {
    const whole = entries.length === 0 ? [{ name: 'folder/', type: '5', content: '' }] : entries
    expect(await outcome(tarOf(whole))).toBe(`file-unreadable/${reason}`)
  })

  it('refuses more entries than the limit', async () => {
    const entries = ['a', 'b', 'c'].map(letter => ({ name: `${letter}.csv`, content: TEXT }))
    expect(await outcome(tarOf(entries), { entries: 2 })).toBe('file-unreadable/too-many-entries')
  })
})

it('is refused when it inflates too far', async () => {
  const bomb = tarOf([{ name: 'a.csv', content: Buffer.alloc(80 * 1024 ** 2, 'x') }])
  expect(await outcomeOf(sourceOf(gzipOf(bomb)))).toBe('file-unreadable/too-dense')
})

it('lets go of its source when a part is given up or the last one is read', async () => {
  const chance = chanceFrom(3)
  // So large that reading one file does not reach the end of the source.
  const noise = Array.from({ length: 400_000 }, () => chance(1e9).toString(36)).join(',')
  const entries = ['a.csv', 'b.csv', 'read me.txt'].map(name => ({ name, content: noise }))
  const packed = gzipOf(tarOf(entries))
  let open = 0
  const counting: ByteSource = {
    name: 'x.tar.gz',
    size: packed.length,
    async *read(span) {
      open += 1
      try {
        yield* sourceOf(packed, 'x').read(span)
      } finally {
        open -= 1
      }
    },
  }
  const { parts } = await openContainer(counting, limitsOf())
  for (const part of parts) await Array.fromAsync(part.read())
  await vi.waitFor(() => expect(open).toBe(0))
  for await (const _ of parts[0]!.read()) break
  await vi.waitFor(() => expect(open).toBe(0))
})

it('ends in a named outcome whatever bytes are changed', async () => {
  const tar = tarOf([
    paxOf({ path: 'a.csv' }),
    { name: 'x', content: 'hello,world\n' },
    { name: 'b.csv', content: 'b' },
  ])
  const change = fc.tuple(fc.integer({ min: 0, max: tar.length - 1 }), fc.integer({ min: 1, max: 255 }))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async changes => {
      const bytes = Buffer.from(tar)
      for (const [at, by] of changes) bytes[at] = bytes[at]! ^ by
      expect(await outcomeOf(sourceOf(bytes))).toMatch(/^(read|file-)/)
    }),
    { numRuns: 300 },
  )
})
