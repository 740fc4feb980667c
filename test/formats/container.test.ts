import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFault } from '../../src/domain/errors.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { openContainer } from '../../src/formats/container.ts'
import { limitsOf } from '../../src/formats/limits.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'

const TEXT = 'UTC_Time,Account,Operation,Coin,Change\n'.repeat(200)

async function readAll(
  source: ByteSource,
  limits = {},
): Promise<{ kind: string; texts: string[]; names: string[] }> {
  const container = await openContainer(source, limitsOf(limits))
  const texts: string[] = []
  for (const part of container.parts) {
    const chunks: Uint8Array[] = []
    for await (const chunk of part.read()) chunks.push(chunk)
    texts.push(Buffer.concat(chunks).toString())
  }
  return { kind: container.kind, texts, names: container.parts.map(({ name }) => name) }
}

/** `code/reason` of the fault, or what was read. */
async function outcomeOf(source: ByteSource, limits = {}): Promise<string> {
  try {
    return `read ${(await readAll(source, limits)).texts.join('').length}`
  } catch (error) {
    if (isFault(error, 'file-unreadable') || isFault(error, 'file-damaged')) {
      return `${error.code}/${error.details.reason}`
    }
    throw error
  }
}

function changed(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const index = at < 0 ? copy.length + at : at
  copy[index] = copy[index]! ^ 0x01
  return copy
}

describe('plain text', () => {
  it('is handed on as it is', async () => {
    for (const size of [1, 7, 600, 100_000]) {
      expect(await readAll(sourceOf(TEXT, 'x.csv', size))).toEqual({
        kind: 'csv',
        texts: [TEXT],
        names: ['x.csv'],
      })
    }
  })

  it('notes when it is one part of several', async () => {
    const container = await openContainer(sourceOf(TEXT, 'x-part1-of2.csv'), limitsOf())
    expect(container.notes).toEqual(['one-part-of-several'])
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
      expect(await readAll(source)).toEqual({ kind: 'gzip', texts: [TEXT], names: ['x(UTC+7).csv'] })
    }
  })

  it('reads all members', async () => {
    expect((await readAll(sourceOf(Buffer.concat([packed, packed])))).texts).toEqual([TEXT + TEXT])
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
    const tar = Buffer.alloc(1024)
    tar.write('ustar', 257)
    expect(await outcomeOf(sourceOf(gzipOf(tar)))).toBe('file-unreadable/tar')
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
    await expect(readAll(source)).rejects.toMatchObject({ message: 'the store is gone' })
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
      const { texts } = await readAll(sourceOf(await zipOf(files, { compress }), 'x.zip', 100))
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
    expect((await readAll(source)).names).toEqual(['folder/a.csv'])
    expect((await openContainer(source, limitsOf())).notes).toEqual(['entries-ignored'])
  })

  it('tries a single file of another name', async () => {
    expect((await readAll(sourceOf(await zipOf({ report: TEXT })))).texts).toEqual([TEXT])
  })

  it('is damaged when a part is missing', async () => {
    const files = { 'x-part1-of3.csv': TEXT, 'x-part3-of3.csv': TEXT }
    expect(await outcomeOf(sourceOf(await zipOf(files)))).toBe('file-damaged/part-missing')
  })

  it.each([
    ['xlsx', { 'xl/workbook.xml': '<x/>', '[Content_Types].xml': '<x/>' }],
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
    await expect(readAll(failing)).rejects.toMatchObject({ message: 'the store is gone' })
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
          const { texts } = await readAll(sourceOf(bytes))
          expect(texts.every(text => text === TEXT)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
