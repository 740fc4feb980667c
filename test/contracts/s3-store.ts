/** What the S3 store has to hold beyond any object store, before any S3. Run for the stand-in and for Ceph. */
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { s3Client } from '../../src/stores/s3-client.ts'
import { type S3StoreOptions, s3Store } from '../../src/stores/s3-store.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { bigStream, collect, create, keysOf, streamOf, text, textOf } from '../support/objects.ts'
import type { S3Place } from '../support/s3-stand-in.ts'
import { describeObjectStore } from './object-store.ts'

export interface StartedS3 extends S3Place {
  stop(): Promise<void>
}

/** A request that makes an object visible: one that puts it whole, or that puts its parts together. */
const WRITE = /^(PUT [^?]+(\?x-id=PutObject)?|POST [^?]+\?uploadId=.*)$/
const MIB = 1024 * 1024

export function describeS3Store(name: string, start: () => Promise<StartedS3>): void {
  describeObjectStore(name, { conflicts: true, presigns: true }, async () => {
    const s3 = await start()
    const proxy = await startFaultProxy(s3.endpoint)
    return {
      store: storeAt({ ...s3, endpoint: proxy.endpoint }, { pageSize: 7 }),
      other: storeAt(s3),
      loseNextAnswer: () => proxy.plan({ on: WRITE, trouble: { kind: 'lose-answer' }, times: 1 }),
      conflictNextWrites: times =>
        proxy.plan({
          on: WRITE,
          trouble: { kind: 'answer', status: 409, code: 'ConditionalRequestConflict' },
          times,
        }),
      stop: async () => {
        await proxy.stop()
        await s3.stop()
      },
    }
  })

  describe(`${name}, as S3`, () => {
    let s3: StartedS3
    let proxy: FaultProxy
    let store: ObjectStore

    beforeAll(async () => {
      s3 = await start()
      proxy = await startFaultProxy(s3.endpoint)
      store = storeAt({ ...s3, endpoint: proxy.endpoint })
    })
    afterAll(async () => {
      await proxy?.stop()
      await s3?.stop()
    })

    it('hides its prefix from callers, and sees nothing outside of it', async () => {
      const inner = storeAt(s3, { prefix: 'inner/books' })
      await create(inner, 'quota/1.json', 'in')
      await create(store, 'inner/bookshelf/2.json', 'out')
      expect(inner.address).toBe(`s3://${s3.bucket}/inner/books`)
      expect(await keysOf(inner, '')).toEqual(['quota/1.json'])
      expect(await inner.get('quota/1.json')).toMatchObject({ key: 'quota/1.json' })
      expect(await textOf(store, 'inner/books/quota/1.json')).toBe('in')
      expect(() => storeAt(s3, { prefix: '../out' })).toThrow(
        expect.objectContaining({ code: 'key-refused' }),
      )
    })

    it('sends a long stream in parts, and a short one whole', async () => {
      const before = proxy.requests.length
      await store.create('parts/short', streamOf('short'))
      await store.create('parts/long', bigStream(12 * MIB + 1))
      const sent = proxy.requests.slice(before).map(line => line.replace(/uploadId=[^&]+/, 'uploadId=U'))
      expect(sent.filter(line => line.includes('parts/short'))).toHaveLength(1)
      expect(sent.filter(line => line.includes('partNumber='))).toHaveLength(3)
    })

    it('writes with checksums, whole and in parts, where a lock asks for them', async () => {
      const client = s3Client({ endpoint: s3.endpoint, credentials: s3.credentials, checksums: true })
      const checked = storeAt(s3, { client })
      expect(await checked.create('checked/whole', text('whole'))).toMatchObject({ outcome: 'created' })
      expect(await checked.create('checked/parts', bigStream(11 * MIB))).toMatchObject({ outcome: 'created' })
      expect((await store.head('checked/parts'))?.size).toBe(11 * MIB)
      const { etag } = (await store.head('checked/whole'))!
      expect(await checked.replace('checked/whole', bigStream(6 * MIB), etag)).toMatchObject({
        outcome: 'replaced',
      })
    })

    it('throws the parts away when the body fails or another was faster', async () => {
      const mishap = new Error('the source broke')
      async function* failing() {
        yield* bigStream(11 * MIB)
        throw mishap
      }
      await expect(store.create('given-up/body', failing())).rejects.toBe(mishap)
      await create(store, 'given-up/raced', 'first')
      expect(await store.create('given-up/raced', bigStream(11 * MIB))).toEqual({ outcome: 'exists' })
      const uploads = await s3Client({ ...s3 }).send(new ListMultipartUploadsCommand({ Bucket: s3.bucket }))
      expect(uploads.Uploads ?? []).toEqual([])
    })

    it('passes the body error on even when the store is gone by then', async () => {
      const mishap = new Error('the source broke')
      async function* failing() {
        yield* bigStream(6 * MIB)
        proxy.plan({
          on: /^DELETE/,
          trouble: { kind: 'answer', status: 500, code: 'InternalError' },
          times: 3,
        })
        throw mishap
      }
      await expect(store.create('given-up/gone', failing())).rejects.toBe(mishap)
    })

    it('sends again what was refused for a moment', async () => {
      proxy.plan({
        on: WRITE,
        trouble: { kind: 'answer', status: 503, code: 'ServiceUnavailable' },
        times: 2,
      })
      expect(await store.create('moment/write', text('x'))).toMatchObject({ outcome: 'created' })
      proxy.plan({ on: /^GET/, trouble: { kind: 'answer', status: 500, code: 'InternalError' }, times: 2 })
      expect(await textOf(store, 'moment/write')).toBe('x')
    })

    it('says unavailable when the refusals do not end', async () => {
      proxy.plan({
        on: /down\/write/,
        trouble: { kind: 'answer', status: 500, code: 'InternalError' },
        times: 3,
      })
      const writing = store.create('down/write', text('x'))
      await expect(writing).rejects.toMatchObject({ code: 'store-unavailable', retry: true })
      expect(await store.head('down/write')).toBeUndefined()
    })

    it('says unavailable when another write is always under way', async () => {
      const trouble = { kind: 'answer', status: 409, code: 'OperationAborted' } as const
      proxy.plan({ on: /^PUT .*conflict\/write/, trouble, times: 100 })
      const impatient = storeAt(
        { ...s3, endpoint: proxy.endpoint },
        { clock: { ...systemClock, sleep: async () => {} } },
      )
      const writing = impatient.create('conflict/write', text('x'))
      await expect(writing).rejects.toMatchObject({ code: 'store-unavailable' })
      expect(proxy.requests.filter(line => /^PUT .*conflict\/write/.test(line))).toHaveLength(11)
    })

    it('finds its object even when every answer was lost', async () => {
      const trouble = { kind: 'lose-answer' } as const
      proxy.plan({ on: /^PUT .*silent\/write/, trouble, times: 3 })
      expect(await store.create('silent/write', text('x'))).toMatchObject({ outcome: 'created' })
      const etag = (await store.head('silent/write'))!.etag
      proxy.plan({ on: /^PUT .*silent\/write/, trouble, times: 3 })
      expect(await store.replace('silent/write', text('y'), etag)).toMatchObject({ outcome: 'replaced' })
      expect(await textOf(store, 'silent/write')).toBe('y')
    })

    it('tells the truth when it cannot look', async () => {
      await create(store, 'blind/write', 'theirs')
      proxy.plan({ on: /^HEAD .*blind/, trouble: { kind: 'answer', status: 500, code: '' }, times: 3 })
      const writing = store.create('blind/write', text('mine'))
      await expect(writing).rejects.toMatchObject({ code: 'store-unavailable' })
    })

    it('does not take an upload that is gone for an object that exists', async () => {
      const trouble = { kind: 'answer', status: 404, code: 'NoSuchUpload' } as const
      proxy.plan({ on: /^POST .*swept.*uploadId/, trouble, times: 1 })
      const writing = store.create('swept/write', bigStream(6 * MIB))
      await expect(writing).rejects.toMatchObject({ code: 'store-unavailable' })
    })

    it('notices an answer that was cut short', async () => {
      await store.create('cut/object', bigStream(2 * MIB))
      proxy.plan({ on: /^GET .*cut/, trouble: { kind: 'cut-answer', afterBytes: 100_000 }, times: 2 })
      await expect(store.get('cut/object')).rejects.toMatchObject({ code: 'store-unavailable' })
      await expect(collect(store.read('cut/object'))).rejects.toMatchObject({ code: 'store-unavailable' })
      expect(await store.get('cut/object')).toMatchObject({ size: 2 * MIB })
    })

    it('waits for a slow answer', async () => {
      proxy.plan({ on: /^PUT .*late/, trouble: { kind: 'delay', ms: 100 }, times: 1 })
      expect(await store.create('late/write', text('x'))).toMatchObject({ outcome: 'created' })
    })

    it('says refused, and why, for a wrong bucket or key', async () => {
      const wrongBucket = storeAt({ ...s3, bucket: 'no-such-bucket' })
      const wrongKey = storeAt({ ...s3, credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' } })
      const body = text('x')
      const noBucket = { code: 'store-refused', message: expect.stringContaining('no such bucket') }
      await expect(wrongBucket.create('a', body)).rejects.toMatchObject(noBucket)
      await expect(wrongBucket.get('a')).rejects.toMatchObject(noBucket)
      await expect(keysOf(wrongBucket, '')).rejects.toMatchObject(noBucket)
      const noKey = { code: 'store-refused', message: expect.stringContaining('access key is not known') }
      await expect(wrongKey.create('a', body)).rejects.toMatchObject(noKey)
      await expect(wrongKey.create('a', bigStream(6 * MIB))).rejects.toMatchObject(noKey)
      await expect(wrongKey.replace('a', body, '"1"')).rejects.toMatchObject(noKey)
      await expect(wrongKey.get('a')).rejects.toMatchObject(noKey)
      await expect(wrongKey.head('a')).rejects.toMatchObject({ code: 'store-refused' })
      await expect(collect(wrongKey.read('a'))).rejects.toMatchObject(noKey)
    })

    it('says unavailable when nobody is there', async () => {
      const gone = await startFaultProxy(s3.endpoint)
      await gone.stop()
      const nobody = storeAt({ ...s3, endpoint: gone.endpoint })
      await expect(nobody.get('a')).rejects.toMatchObject({ code: 'store-unavailable' })
      await expect(nobody.create('a', text('x'))).rejects.toMatchObject({ code: 'store-unavailable' })
    })
  })
}

function storeAt({ bucket, ...place }: S3Place, options: Partial<S3StoreOptions> = {}): ObjectStore {
  const client = s3Client({ endpoint: place.endpoint, credentials: place.credentials })
  const parts = { partSizeBytes: 5 * MIB, random: systemRandom, clock: systemClock }
  return s3Store({ bucket, client, ...parts, ...options })
}
