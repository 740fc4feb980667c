import { afterEach, describe, expect, it } from 'vitest'
import { type ZipEntry, zipBytes } from '../../src/formats/zip-writer.ts'
import { bigStream, collect } from '../support/objects.ts'
import { unzip } from '../support/unzip.ts'

const zone = process.env.TZ
afterEach(() => {
  process.env.TZ = zone
})

async function* entriesOf(...texts: string[]): AsyncGenerator<ZipEntry> {
  for (const [index, text] of texts.entries()) yield { name: `f${index}`, read: () => [Buffer.from(text)] }
}

describe('a zip as a stream', () => {
  it('holds what it was given, and is the same bytes in every zone', async () => {
    process.env.TZ = 'Asia/Tokyo'
    const tokyo = await collect(zipBytes(entriesOf('one', '', 'three')))
    process.env.TZ = 'America/Sao_Paulo'
    const saoPaulo = await collect(zipBytes(entriesOf('one', '', 'three')))
    expect(tokyo.equals(saoPaulo)).toBe(true)
    const files = await unzip(zipBytes(entriesOf('one', '', 'three')))
    expect([...files].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
      ['f0', 'one'],
      ['f1', ''],
      ['f2', 'three'],
    ])
  })

  it('asks for an entry when the ones before it were read', async () => {
    const events: string[] = []
    async function* entries(): AsyncGenerator<ZipEntry> {
      for (const name of ['a', 'b']) {
        events.push(`next ${name}`)
        yield {
          name,
          async *read() {
            yield Buffer.from(name)
            events.push(`read ${name}`)
          },
        }
      }
    }
    await collect(zipBytes(entries()))
    expect(events).toEqual(['next a', 'read a', 'next b', 'read b'])
  })

  it('passes on what its sources throw', async () => {
    const mishap = new Error('the source broke')
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw mishap
    }
    async function* inEntry(): AsyncGenerator<ZipEntry> {
      yield { name: 'a', read: broken }
    }
    async function* between(): AsyncGenerator<ZipEntry> {
      yield* entriesOf('x')
      throw mishap
    }
    await expect(collect(zipBytes(inEntry()))).rejects.toBe(mishap)
    await expect(collect(zipBytes(between()))).rejects.toBe(mishap)
  })

  it('can be left before its end, and lets go of its source', async () => {
    let closed = false
    async function* entries(): AsyncGenerator<ZipEntry> {
      try {
        for (;;) yield { name: 'big', read: () => bigStream(4 * 2 ** 20) }
      } finally {
        closed = true
      }
    }
    for await (const chunk of zipBytes(entries(), { level: 1 })) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect(closed).toBe(true)
  })
})
