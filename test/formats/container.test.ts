import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { openContainer } from '../../src/formats/container.ts'
import { limitsOf } from '../../src/formats/limits.ts'
import { outcomeOf, readContainer } from '../support/file-outcome.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'
import { tarOf } from '../support/tar-maker.ts'
import { workbookOf } from '../support/workbook-maker.ts'
import { handmadeZip } from '../support/zip-maker.ts'

const TEXT = 'UTC_Time,Account,Operation,Coin,Change\n'.repeat(200)

function changed(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const index = at < 0 ? copy.length + at : at
  copy[index] = copy[index]! ^ 0x01
  return copy
}

describe('plain text', () => {
  it('is handed on as it is', async () => {
    for (const size of [1, 7, 600, 100_000]) {
      expect(await readContainer(sourceOf(TEXT, 'x.csv', size))).toEqual({
        kind: 'csv',
        texts: [TEXT],
        names: ['x.csv'],
        notes: [],
      })
    }
  })

  it('notes when it is one part of several', async () => {
    const files = {
      'x-part1-of2.csv': TEXT,
      'x-part1-of2.csv.gz': gzipOf(TEXT),
      'x-part1-of2.zip': await zipOf({ 'a.csv': TEXT }),
      'x-part1-of2.tar': tarOf([{ name: 'a.csv', content: TEXT }]),
      'x-part1-of2.tar.gz': gzipOf(tarOf([{ name: 'a.csv', content: TEXT }])),
      'x-part1-of2.xlsx': await workbookOf([]),
    }
    for (const [name, content] of Object.entries(files)) {
      const { notes } = await openContainer(sourceOf(content, name), limitsOf())
      expect(notes, name).toEqual(['one-part-of-several'])
    }
  })

  it.each(['', '%PDF-1.4', '<html>', '<?xml?>', '{"a":1}', '\xff\xfea'])('refuses %j', async content => {
    expect(await outcomeOf(sourceOf(Buffer.from(content, 'latin1')))).toMatch(/^file-unreadable\//)
  })
})

describe('gzip', () => {
  const packed = gzipOf(TEXT)

  it('is inflated whatever the chunks are', async () => {
    for (const size of [1, 7, 100_000]) {
      const source = sourceOf(packed, 'x(UTC+7).csv.gz', size)
      expect(await readContainer(source)).toMatchObject({
        kind: 'gzip',
        texts: [TEXT],
        names: ['x(UTC+7).csv'],
      })
    }
  })

  it('reads all members', async () => {
    expect((await readContainer(sourceOf(Buffer.concat([packed, packed])))).texts).toEqual([TEXT + TEXT])
  })

  it('passes over zeros at the end, and nothing else', async () => {
    expect(await outcomeOf(sourceOf(Buffer.concat([packed, Buffer.alloc(50)])))).toBe(`read ${TEXT.length}`)
    for (const tail of ['tail', '\0\0tail', `${'\0'.repeat(100)}tail`]) {
      for (const size of [7, 100_000]) {
        const source = sourceOf(Buffer.concat([packed, Buffer.from(tail)]), 'x.gz', size)
        expect(await outcomeOf(source)).toMatch(/^file-damaged\//)
      }
    }
  })

  it('is damaged when its checksum, size or data is wrong', async () => {
    expect(await outcomeOf(sourceOf(changed(packed, -8)))).toBe('file-damaged/crc')
    expect(await outcomeOf(sourceOf(changed(packed, -4)))).toBe('file-damaged/size')
    expect(await outcomeOf(sourceOf(changed(packed, 30)))).toMatch(/^file-damaged\//)
  })

  it('is damaged when it is cut off anywhere', async () => {
    for (let length = 3; length < packed.length; length++) {
      expect(await outcomeOf(sourceOf(packed.subarray(0, length)))).toBe('file-damaged/truncated')
    }
  })

  it('refuses what inflates too far', async () => {
    const bomb = gzipOf(Buffer.alloc(80 * 1024 ** 2, 'x'))
    expect(await outcomeOf(sourceOf(bomb))).toBe('file-unreadable/too-dense')
    expect(await outcomeOf(sourceOf(packed), { inflatedBytes: 1000 })).toBe('file-unreadable/too-large')
  })

  it('refuses what is not text inside', async () => {
    expect(await outcomeOf(sourceOf(gzipOf('%PDF-1.7')))).toBe('file-unreadable/pdf')
    expect(await outcomeOf(sourceOf(gzipOf(await zipOf({ 'a.csv': TEXT }))))).toBe('file-unreadable/nested')
    expect(await outcomeOf(sourceOf(gzipOf('')))).toBe('file-unreadable/empty')
    expect(await outcomeOf(sourceOf(gzipOf(packed)))).toBe('file-unreadable/nested')
  })

  it('lets a fault of the source through as it is', async () => {
    const source: ByteSource = {
      name: 'x.csv.gz',
      size: packed.length,
      async *read() {
        yield packed.subarray(0, 20)
        throw new Error('the store is gone')
      },
    }
    await expect(readContainer(source)).rejects.toMatchObject({ message: 'the store is gone' })
  })
})

describe('zip', () => {
  it('reads stored and deflated parts in the order of their numbers', async () => {
    const files = { 'x-part10-of10.csv': `${TEXT}10`, 'x-part2-of10.csv': `${TEXT}2` } as Record<
      string,
      string
    >
    for (const number of [1, 3, 4, 5, 6, 7, 8, 9]) files[`x-part${number}-of10.csv`] = `${TEXT}${number}`
    for (const compress of [true, false]) {
      const { texts } = await readContainer(sourceOf(await zipOf(files, { compress }), 'x.zip', 100))
      expect(texts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(number => `${TEXT}${number}`))
    }
  })

  it('passes over directories and what macOS adds, and notes other files', async () => {
    const files = {
      'folder/': '',
      'folder/a.csv': TEXT,
      '__MACOSX/folder/._a.csv': 'binary',
      'folder/.DS_Store': 'x',
      'folder/read me.txt': 'hello',
    }
    const source = sourceOf(await zipOf(files))
    expect((await readContainer(source)).names).toEqual(['folder/a.csv'])
    expect((await openContainer(source, limitsOf())).notes).toEqual(['entries-ignored'])
  })

  it('tries a single file of another name', async () => {
    expect((await readContainer(sourceOf(await zipOf({ report: TEXT })))).texts).toEqual([TEXT])
  })

  it('is damaged when a part is missing', async () => {
    const files = { 'x-part1-of3.csv': TEXT, 'x-part3-of3.csv': TEXT }
    expect(await outcomeOf(sourceOf(await zipOf(files)))).toBe('file-damaged/part-missing')
  })

  it.each([
    ['xlsb', { 'xl/workbook.bin': 'binary', '[Content_Types].xml': '<x/>' }],
    ['xlsx-sheet', { 'xl/workbook.xml': '<x/>', '[Content_Types].xml': '<x/>' }],
    ['no-csv', { 'a.txt': 'a', 'b.txt': 'b' }],
    ['no-csv', {}],
    ['empty', { 'a.csv': '' }],
    ['nested', { 'a.csv': gzipOf(TEXT) }],
    ['html', { 'a.csv': '<html>' }],
  ] as const)('refuses as %s', async (reason, files) => {
    expect(await outcomeOf(sourceOf(await zipOf(files)))).toBe(`file-unreadable/${reason}`)
  })

  it('is damaged when a checksum or a size is wrong, stored or deflated', async () => {
    for (const compress of [true, false]) {
      const zip = await zipOf({ 'a.csv': TEXT }, { compress })
      const directory = zip.lastIndexOf(Buffer.from('PK\x01\x02'))
      expect(await outcomeOf(sourceOf(changed(zip, directory + 16)))).toBe('file-damaged/crc')
      expect(await outcomeOf(sourceOf(changed(zip, directory + 24)))).toMatch(/^file-damaged\//)
      expect(await outcomeOf(sourceOf(changed(zip, directory + 20)))).toMatch(/^file-damaged\//)
    }
    const stored = await zipOf({ 'a.csv': TEXT }, { compress: false })
    expect(await outcomeOf(sourceOf(changed(stored, 500)))).toBe('file-damaged/crc')
  })

  it('is damaged when it is cut off', async () => {
    const zip = await zipOf({ 'a.csv': TEXT })
    for (let length = 4; length < zip.length; length++) {
      expect(await outcomeOf(sourceOf(zip.subarray(0, length)))).toMatch(/^file-damaged\//)
    }
  })

  it('refuses encryption, unknown compression and two files of one name', async () => {
    const zip = await zipOf({ 'a.csv': TEXT, 'b.csv': TEXT })
    const directory = zip.indexOf(Buffer.from('PK\x01\x02'))
    expect(await outcomeOf(sourceOf(changed(zip, directory + 8)))).toBe('file-unreadable/encrypted')
    const method = Buffer.from(zip)
    method.writeUInt16LE(12, directory + 10)
    expect(await outcomeOf(sourceOf(method))).toBe('file-unreadable/compression-method')
    const twice = Buffer.from(zip)
    twice.write('a.csv', zip.lastIndexOf('b.csv'))
    expect(await outcomeOf(sourceOf(twice))).toBe('file-unreadable/duplicate-entry')
  })

  it('refuses more than the limits', async () => {
    const zip = await zipOf({ 'a.csv': TEXT, 'b.csv': TEXT, 'c.csv': TEXT })
    expect(await outcomeOf(sourceOf(zip), { entries: 2 })).toBe('file-unreadable/too-many-entries')
    expect(await outcomeOf(sourceOf(zip), { inflatedBytes: TEXT.length * 2 })).toBe(
      'file-unreadable/too-large',
    )
    const bomb = await zipOf({ 'a.csv': Buffer.alloc(80 * 1024 ** 2, 'x') })
    expect(await outcomeOf(sourceOf(bomb))).toBe('file-unreadable/too-dense')
  })

  it.each([
    ['zip64', { zip64: true }],
    ['zip64, stored', { zip64: true, compress: false }],
    ['data descriptors', { descriptor: true }],
    ['data descriptors, stored', { descriptor: true, compress: false }],
    ['zip64 and data descriptors', { zip64: true, descriptor: true }],
  ])('reads and checks several parts with %s', async (_, form) => {
    const zip = handmadeZip({ 'a-part2-of2.csv': `${TEXT}2`, 'a-part1-of2.csv': `${TEXT}1` }, form)
    for (const chunkBytes of [13, 65_536]) {
      const { texts } = await readContainer(sourceOf(zip, 'x.zip', chunkBytes))
      expect(texts).toEqual([`${TEXT}1`, `${TEXT}2`])
    }
    const crc = zip.indexOf(Buffer.from('PK\x01\x02')) + 16
    expect(await outcomeOf(sourceOf(changed(zip, crc)))).toBe('file-damaged/crc')
    for (let length = 4; length < zip.length; length += 7) {
      expect(await outcomeOf(sourceOf(zip.subarray(0, length)))).toMatch(/^file-damaged/)
    }
  })

  it('is damaged when two entries lie in the same place', async () => {
    const zip = await zipOf({ 'a.csv': TEXT, 'b.csv': TEXT })
    const second = zip.lastIndexOf(Buffer.from('PK\x01\x02'))
    zip.writeUInt32LE(0, second + 42)
    expect(await outcomeOf(sourceOf(zip))).toBe('file-damaged/overlapping-entries')
  })

  it('refuses a zip, a gzip and a tar inside', async () => {
    const inner = [await zipOf({ 'a.csv': TEXT }), gzipOf(TEXT), tarOf([{ name: 'a.csv', content: TEXT }])]
    for (const content of inner) {
      for (const name of ['a.csv', 'a.zip']) {
        expect(await outcomeOf(sourceOf(await zipOf({ [name]: content })))).toBe('file-unreadable/nested')
      }
    }
  })

  it('lets a fault of the source through as it is', async () => {
    const noise = Array.from({ length: 40_000 }, (_, index) => `${index * 7919},`).join('')
    const zip = await zipOf({ 'a.csv': noise }, { compress: false })
    const source = sourceOf(zip)
    const failing: ByteSource = {
      ...source,
      read(span) {
        if (span?.end === 512 || (span?.start ?? 0) > 512) return source.read(span)
        throw new Error('the store is gone')
      },
    }
    await expect(readContainer(failing)).rejects.toMatchObject({ message: 'the store is gone' })
  })

  it('ends in a named outcome whatever bytes are changed', async () => {
    const zip = await zipOf({ 'a.csv': TEXT, 'b.csv': TEXT })
    const change = fc.tuple(fc.integer({ min: 4, max: zip.length - 1 }), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async changes => {
        const bytes = Buffer.from(zip)
        for (const [at, by] of changes) bytes[at] = bytes[at]! ^ by
        const outcome = await outcomeOf(sourceOf(bytes))
        // A changed name or time stamp may go unnoticed; a changed text may not.
        if (outcome.startsWith('read')) {
          const { texts } = await readContainer(sourceOf(bytes))
          expect(texts.every(text => text === TEXT)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
