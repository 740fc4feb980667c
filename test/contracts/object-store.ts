/** What every object store has to hold, whatever it is made of. Run for each sibling. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ByteRange, ObjectStore } from '../../src/stores/object-store.ts'
import {
  asText,
  bigStream,
  collect,
  create,
  increment,
  keysOf,
  streamOf,
  text,
  textOf,
} from '../support/objects.ts'

export interface StoreFixture {
  readonly store: ObjectStore
  /** The same objects through another store, as another process sees them. */
  readonly other: ObjectStore
  /** The next write happens, but its writer is told otherwise or nothing. */
  loseNextAnswer(): void
  /** The next writes are told that another is under way. */
  conflictNextWrites(times: number): void
  stop(): Promise<void>
}

const MIB = 1024 * 1024

/** What some stores have and others do not. */
export interface StoreAbilities {
  /** It says when another write is under way, and is asked again then. */
  readonly conflicts: boolean
  /** It makes links. */
  readonly presigns: boolean
}

export function describeObjectStore(
  name: string,
  { conflicts, presigns }: StoreAbilities,
  open: () => Promise<StoreFixture>,
): void {
  describe(`${name}, an object store`, () => {
    let fixture: StoreFixture
    let store: ObjectStore
    let other: ObjectStore
    let folders = 0
    /** A folder of its own for every test, so that they can share one store. */
    const newFolder = () => `contract/${++folders}`

    beforeAll(async () => {
      fixture = await open()
      store = fixture.store
      other = fixture.other
    })
    afterAll(() => fixture?.stop())

    describe('create', () => {
      it('keeps the bytes exactly', async () => {
        const key = `${newFolder()}/all.bin`
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
        const created = await store.create(key, bytes)
        const object = await other.get(key)
        expect(created).toEqual({ outcome: 'created', etag: object?.etag })
        expect(Buffer.from(object!.bytes)).toEqual(Buffer.from(bytes))
        expect(await other.head(key)).toEqual({ key, size: 256, etag: object?.etag })
      })

      it('keeps an empty object', async () => {
        const folder = newFolder()
        expect(await store.create(`${folder}/bytes`, new Uint8Array())).toMatchObject({ outcome: 'created' })
        expect(await store.create(`${folder}/stream`, streamOf())).toMatchObject({ outcome: 'created' })
        for (const key of [`${folder}/bytes`, `${folder}/stream`]) {
          expect(await other.get(key)).toMatchObject({ size: 0 })
          expect(await collect(other.read(key))).toEqual(Buffer.alloc(0))
        }
      })

      it('answers exists the second time, and the first bytes stay', async () => {
        const key = `${newFolder()}/once`
        await store.create(key, text('first'))
        expect(await other.create(key, text('second'))).toEqual({ outcome: 'exists' })
        expect(await other.create(key, streamOf('third'))).toEqual({ outcome: 'exists' })
        expect(await textOf(store, key)).toBe('first')
      })

      it.each([
        ['bytes', text],
        ['streams', (content: string) => streamOf(content)],
      ])('has exactly one winner of 60 at once, with %s', async (_, bodyOf) => {
        const key = `${newFolder()}/raced`
        const outcomes = await Promise.all(
          times(60, racer => (racer % 2 === 0 ? store : other).create(key, bodyOf(`racer ${racer}`))),
        )
        const winners = outcomes.flatMap(({ outcome }, racer) => (outcome === 'created' ? [racer] : []))
        expect(winners).toHaveLength(1)
        expect(await textOf(store, key)).toBe(`racer ${winners[0]}`)
      })

      it('recognises its own object when the answer was lost', async () => {
        const folder = newFolder()
        fixture.loseNextAnswer()
        const created = await store.create(`${folder}/bytes`, text('mine'))
        expect(created).toEqual({ outcome: 'created', etag: (await other.head(`${folder}/bytes`))?.etag })
        fixture.loseNextAnswer()
        const streamed = await store.create(`${folder}/stream`, bigStream(6 * MIB))
        expect(streamed).toEqual({ outcome: 'created', etag: (await other.head(`${folder}/stream`))?.etag })
      })

      it('does not take the object of another for its own', async () => {
        const key = `${newFolder()}/theirs`
        await other.create(key, text('theirs'))
        fixture.loseNextAnswer()
        expect(await store.create(key, text('mine'))).toEqual({ outcome: 'exists' })
        fixture.loseNextAnswer()
        await store.create(`${key}-after`, text('uses up the lost answer where the store has not'))
      })
    })

    describe('replace', () => {
      it('replaces what it was asked to', async () => {
        const key = `${newFolder()}/current`
        const etag = await create(store, key, 'one')
        const replaced = await other.replace(key, streamOf('t', 'w', 'o'), etag)
        expect(replaced).toEqual({ outcome: 'replaced', etag: (await store.head(key))?.etag })
        expect(await textOf(store, key)).toBe('two')
        expect(await store.create(key, text('three'))).toEqual({ outcome: 'exists' })
      })

      it('refuses a stale etag, and nothing changes', async () => {
        const key = `${newFolder()}/current`
        const first = await create(store, key, 'one')
        await store.replace(key, text('two'), first)
        expect(await other.replace(key, text('three'), first)).toEqual({ outcome: 'stale' })
        expect(await textOf(other, key)).toBe('two')
      })

      it('finds a missing object stale, and makes none', async () => {
        const folder = newFolder()
        const etag = await create(store, `${folder}/there`, 'one')
        expect(await store.replace(`${folder}/missing`, text('two'), etag)).toEqual({ outcome: 'stale' })
        expect(await store.get(`${folder}/missing`)).toBeUndefined()
      })

      it('has exactly one winner of 40 with the same etag', async () => {
        const key = `${newFolder()}/raced`
        const etag = await create(store, key, 'start')
        const outcomes = await Promise.all(
          times(40, racer => (racer % 2 === 0 ? store : other).replace(key, text(`racer ${racer}`), etag)),
        )
        const winners = outcomes.flatMap(({ outcome }, racer) => (outcome === 'replaced' ? [racer] : []))
        expect(winners).toHaveLength(1)
        expect(await textOf(store, key)).toBe(`racer ${winners[0]}`)
      })

      it('loses none of 80 increments by 8 at once', async () => {
        const key = `${newFolder()}/count`
        await create(store, key, '0')
        await Promise.all(
          times(8, async worker => {
            for (const _ of times(10, step => step)) await increment(worker % 2 === 0 ? store : other, key)
          }),
        )
        expect(await textOf(store, key)).toBe('80')
      })

      it('never gives the bytes of one with the etag of another', async () => {
        const folder = newFolder()
        for (const round of times(30, index => index)) {
          const key = `${folder}/${round}`
          const first = await create(store, key, 'one')
          const replacing = store.replace(key, text('two'), first)
          const seen = await Promise.all(times(12, () => other.get(key)))
          const replaced = await replacing
          const second = replaced.outcome === 'replaced' && replaced.etag
          for (const object of seen) expect(object?.etag).toBe(asText(object) === 'one' ? first : second)
        }
      })

      it('recognises its own object when the answer was lost', async () => {
        const key = `${newFolder()}/current`
        const first = await create(store, key, 'one')
        fixture.loseNextAnswer()
        const second = await store.replace(key, text('two'), first)
        expect(second).toEqual({ outcome: 'replaced', etag: (await other.head(key))?.etag })
        expect(await textOf(other, key)).toBe('two')
      })
    })

    if (conflicts) {
      it('tries again when another write is under way', async () => {
        const folder = newFolder()
        fixture.conflictNextWrites(3)
        const created = await store.create(`${folder}/bytes`, text('one'))
        expect(created).toMatchObject({ outcome: 'created' })
        fixture.conflictNextWrites(3)
        expect(await store.create(`${folder}/stream`, bigStream(6 * MIB))).toMatchObject({
          outcome: 'created',
        })
        fixture.conflictNextWrites(3)
        const etag = (await store.head(`${folder}/bytes`))!.etag
        expect(await store.replace(`${folder}/bytes`, text('two'), etag)).toMatchObject({
          outcome: 'replaced',
        })
        expect(await textOf(store, `${folder}/bytes`)).toBe('two')
      })
    }

    describe('list', () => {
      it('gives every object of any number, in key order, with sizes and etags', async () => {
        const folder = newFolder()
        const names = times(25, index => `${folder}/${index % 3}/${index}.json`)
        for (const name of names) await create(store, name, name)
        const heads = await collectHeads(store.list(`${folder}/`))
        expect(heads.map(head => head.key)).toEqual([...names].sort())
        for (const head of heads) expect(head).toEqual(await other.head(head.key))
      })

      it('does not confuse foo/ with foobar/, and takes a prefix that ends within a name', async () => {
        const folder = newFolder()
        for (const name of ['foo/1', 'foo/2', 'foobar/1', 'fob'])
          await create(store, `${folder}/${name}`, name)
        expect(await keysOf(store, `${folder}/foo/`)).toEqual([`${folder}/foo/1`, `${folder}/foo/2`])
        expect(await keysOf(store, `${folder}/foo`)).toEqual(
          ['foo/1', 'foo/2', 'foobar/1'].map(name => `${folder}/${name}`),
        )
        expect(await keysOf(store, `${folder}/foo/1`)).toEqual([`${folder}/foo/1`])
        expect(await keysOf(store, `${folder}/nothing/`)).toEqual([])
        expect(await keysOf(store, `${folder}/fob/`)).toEqual([])
      })

      it('shows the current object once it was replaced', async () => {
        const folder = newFolder()
        const etag = await create(store, `${folder}/day`, 'one')
        await store.replace(`${folder}/day`, text('longer'), etag)
        expect(await collectHeads(other.list(`${folder}/`))).toEqual([await store.head(`${folder}/day`)])
      })

      it('agrees with a sorted array, whatever the keys and the prefix', async () => {
        // Around '/' in the order of characters, where the order of folders and of keys part.
        const segment = fc.string({
          unit: fc.constantFrom('a', 'b', '-', '.', '0', '='),
          minLength: 1,
          maxLength: 3,
        })
        const key = fc
          .array(segment, { minLength: 1, maxLength: 3 })
          .map(segments => segments.map(part => part.replace(/^\./, '_')).join('/'))
        await fc.assert(
          fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), fc.nat(), async (candidates, choice) => {
            const folder = newFolder()
            // On a disk an object cannot also be a folder.
            const keys = candidates.filter(one => !candidates.some(two => two.startsWith(`${one}/`)))
            await Promise.all(keys.map(one => create(store, `${folder}/${one}`, one)))
            const sample = keys[choice % Math.max(1, keys.length)] ?? ''
            for (const length of [0, 1, 2, sample.length]) {
              const prefix = `${folder}/${sample.slice(0, length)}`
              const expected = keys.map(one => `${folder}/${one}`).filter(one => one.startsWith(prefix))
              expect(await keysOf(store, prefix)).toEqual(expected.sort())
            }
          }),
          { numRuns: 25 },
        )
      })
    })

    it('refuses keys that try to leave, in every method', async () => {
      const bad = ['../x', 'a/../b', '/a', 'a//b', '.hidden', 'a/.hidden', 'a\\b', 'a\0b', 'a b', 'a/']
      const body = text('x')
      for (const key of ['', ...bad]) {
        await expectRefused(store.get(key))
        await expectRefused(store.head(key))
        await expectRefused(store.create(key, body))
        await expectRefused(store.create(key, streamOf('x')))
        await expectRefused(store.replace(key, body, '"1"'))
        await expectRefused(collect(store.read(key)))
        await expectRefused(store.presign?.(key, { expiresInSeconds: 60, fileName: 'x' }))
      }
      for (const prefix of bad.filter(key => key !== 'a/')) await expectRefused(keysOf(store, prefix))
    })

    describe('streams', () => {
      it('keeps a large one exactly', async () => {
        const key = `${newFolder()}/large`
        const size = 12 * MIB + 12_345
        expect(await store.create(key, bigStream(size))).toMatchObject({ outcome: 'created' })
        expect(await other.head(key)).toMatchObject({ size })
        expect(await digest(other.read(key))).toBe(await digest(bigStream(size)))
        const etag = (await other.head(key))!.etag
        expect(await store.replace(key, bigStream(size + 1), etag)).toMatchObject({ outcome: 'replaced' })
        expect(await digest(other.read(key))).toBe(await digest(bigStream(size + 1)))
      })

      it('keeps any bytes exactly, however they are cut', async () => {
        const chunks = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 })
        const property = fc.asyncProperty(chunks, async pieces => {
          const key = `${newFolder()}/pieces`
          await store.create(key, fromChunks(pieces))
          expect(await collect(other.read(key))).toEqual(Buffer.concat(pieces))
        })
        await fc.assert(property, { numRuns: 20 })
      })

      it.each([
        ['short', 100],
        ['long', 6 * MIB],
      ])('shows nothing of a %s one before its end', async (_, size) => {
        const folder = newFolder()
        const key = `${folder}/slow`
        const middle = Promise.withResolvers<void>()
        const rest = Promise.withResolvers<void>()
        const writing = store.create(key, gated(size, middle, rest))
        await middle.promise
        await expectNothing(other, folder, key)
        rest.resolve()
        expect(await writing).toMatchObject({ outcome: 'created' })
        expect(await other.head(key)).toMatchObject({ size: 2 * size })
      })

      it.each([
        ['at once', 0],
        ['in the first part', 100],
        ['in a later part', 11 * MIB],
      ])('leaves nothing when the body fails %s, and passes its error on', async (_, size) => {
        const folder = newFolder()
        const key = `${folder}/broken`
        // An error that looks like one of the disk's or the network's is still the body's.
        const mishap = Object.assign(new Error('the source broke'), { code: 'ENOENT', syscall: 'read' })
        await expect(store.create(key, failing(size, mishap))).rejects.toBe(mishap)
        await expectNothing(other, folder, key)
        const etag = await create(store, key, 'whole')
        await expect(store.replace(key, failing(size, mishap), etag)).rejects.toBe(mishap)
        expect(await textOf(other, key)).toBe('whole')
      })
    })

    describe('read', () => {
      it('gives ranges of bytes', async () => {
        const key = `${newFolder()}/digits`
        await create(store, key, '0123456789')
        const slice = async (range: ByteRange) => (await collect(other.read(key, range))).toString()
        expect(await slice({ start: 0 })).toBe('0123456789')
        expect(await slice({ start: 4 })).toBe('456789')
        expect(await slice({ start: 2, end: 5 })).toBe('234')
        expect(await slice({ start: 0, end: 1 })).toBe('0')
        expect(await slice({ start: 8, end: 100 })).toBe('89')
        expect(await slice({ start: 3, end: 3 })).toBe('')
        expect(await slice({ start: 10 })).toBe('')
        expect(await slice({ start: 50, end: 60 })).toBe('')
      })

      it('says not-found when there is nothing', async () => {
        const key = `${newFolder()}/missing`
        await expect(collect(store.read(key))).rejects.toMatchObject({ code: 'not-found' })
        const empty = collect(store.read(key, { start: 3, end: 3 }))
        await expect(empty).rejects.toMatchObject({ code: 'not-found' })
        expect(await store.get(key)).toBeUndefined()
        expect(await store.head(key)).toBeUndefined()
      })

      it('can be left before the end', async () => {
        const key = `${newFolder()}/long`
        await store.create(key, bigStream(2 * MIB))
        for await (const chunk of store.read(key)) {
          expect(chunk.length).toBeGreaterThan(0)
          break
        }
        expect(await store.head(key)).toMatchObject({ size: 2 * MIB })
      })
    })

    if (!presigns) {
      it('makes no links', () => {
        expect(store.presign).toBeUndefined()
      })
      return
    }

    describe('presign', () => {
      it('gives a link that downloads the object under a name', async () => {
        const key = `${newFolder()}/report.csv`
        await create(store, key, 'a,b\n1,2\n')
        const answer = await fetch(
          await store.presign!(key, { expiresInSeconds: 60, fileName: 'Report (1).csv' }),
        )
        expect(await answer.text()).toBe('a,b\n1,2\n')
        expect(answer.headers.get('content-disposition')).toBe(
          `attachment; filename="Report (1).csv"; filename*=UTF-8''Report%20%281%29.csv`,
        )
      })

      it('lets no file name into the headers', async () => {
        const key = `${newFolder()}/report.csv`
        await create(store, key, 'whole')
        const fileName = 'a"; filename=b\r\nSet-Cookie: stolen=1\r\n\r\n<b>\\\u00fc\u{1F4D2}\ud800.csv'
        const answer = await fetch(await store.presign!(key, { expiresInSeconds: 60, fileName }))
        expect(await answer.text()).toBe('whole')
        expect(answer.headers.get('set-cookie')).toBeNull()
        expect(answer.headers.get('content-disposition')).toMatch(
          /^attachment; filename="[\w .()-]+"; filename\*=UTF-8''[\w.%~!-]+$/,
        )
      })
    })
  })
}

async function* fromChunks(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function* failing(size: number, error: Error): AsyncGenerator<Uint8Array> {
  yield* bigStream(size)
  throw error
}

/** Twice `size` bytes; between the halves it says that it is there, and waits. */
async function* gated(
  size: number,
  middle: PromiseWithResolvers<void>,
  rest: PromiseWithResolvers<void>,
): AsyncGenerator<Uint8Array> {
  yield* bigStream(size)
  middle.resolve()
  await rest.promise
  yield* bigStream(size)
}

async function digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}

async function collectHeads<T>(heads: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(heads)
}

async function expectNothing(store: ObjectStore, folder: string, key: string): Promise<void> {
  expect(await store.head(key)).toBeUndefined()
  expect(await store.get(key)).toBeUndefined()
  expect(await keysOf(store, `${folder}/`)).toEqual([])
}

async function expectRefused(result: Promise<unknown> | undefined): Promise<void> {
  if (result !== undefined) await expect(result).rejects.toMatchObject({ code: 'key-refused' })
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
