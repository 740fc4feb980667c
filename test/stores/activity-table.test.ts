import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ActivityRow } from '../../src/domain/activity.ts'
import { compareOrigins } from '../../src/domain/day-origin.ts'
import { activityKey, replacementsPrefix } from '../../src/domain/keys.ts'
import type { DayOrigin } from '../../src/domain/report.ts'
import { readActivity, readActivityMetadata } from '../../src/formats/parquet.ts'
import { systemClock, systemRandom } from '../../src/host.ts'
import { compareDay, type DayFile, publishDay, storedSource } from '../../src/stores/activity-table.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { s3Client } from '../../src/stores/s3-client.ts'
import { s3Store } from '../../src/stores/s3-store.ts'
import { DAY, dayFile, fewKindsOfRow, REF } from '../support/day-maker.ts'
import { memoryObjects, memoryStore } from '../support/memory-store.ts'
import { keysOf } from '../support/objects.ts'
import { startS3StandIn } from '../support/s3-stand-in.ts'
import { scheduledStore } from '../support/scheduled-store.ts'

const KEY = activityKey(REF, DAY)
const SAMPLE = fc.sample(fewKindsOfRow, { numRuns: 1, seed: 1 })[0]!
const rowsNamed = (...remarks: string[]): ActivityRow[] => remarks.map(remark => ({ ...SAMPLE, remark }))

const origin = (minute: number, parserVersion = '1'): DayOrigin => ({
  reportId: `46678056312443${minute}`,
  generatedAt: `2026-10-05T00:${minute}:00.000Z`,
  parserVersion,
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybook-table-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function standing(store: ObjectStore) {
  const head = (await store.head(KEY))!
  const source = storedSource(store, head)
  const metadata = await readActivityMetadata(source)
  return {
    etag: head.etag,
    reportId: metadata['daybook.report_id'],
    parserVersion: metadata['daybook.parser_version'],
    remarks: (await readActivity(source)).map(({ remark }) => remark),
  }
}

describe('publishing a day', () => {
  it('replaces what an earlier report had published, and says what changed', async () => {
    const store = memoryStore()
    const early = await dayFile(folder, rowsNamed('a', 'b'), origin(10))
    const late = await dayFile(folder, rowsNamed('b', 'c', 'c'), origin(20))
    expect(await publishDay(store, early)).toEqual({ publication: 'published' })
    const { etag } = await standing(store)
    const amount = SAMPLE.amount
    expect(await publishDay(store, late)).toEqual({
      publication: 'published',
      change: {
        replaced: { ...origin(10), etag },
        added: 2,
        removed: 1,
        altered: 0,
        addedSums: [{ wallet: SAMPLE.wallet, asset: SAMPLE.asset, amount: expect.any(String) }],
        removedSums: [{ wallet: SAMPLE.wallet, asset: SAMPLE.asset, amount: expect.any(String) }],
      },
    })
    expect(amount).not.toBe(0n)
    expect((await standing(store)).remarks).toEqual(['b', 'c', 'c'])
  })

  it('leaves a day alone whose rows are the same, and never lets an older report in behind it', async () => {
    const store = memoryStore()
    await publishDay(store, await dayFile(folder, rowsNamed('a'), origin(10)))
    const { etag } = await standing(store)
    const again = await publishDay(store, await dayFile(folder, rowsNamed('a'), origin(30)))
    expect(again).toMatchObject({ publication: 'published', change: { added: 0, removed: 0, altered: 0 } })
    expect((await standing(store)).etag).toBe(etag)
    const between = await dayFile(folder, rowsNamed('b'), origin(20))
    expect(await compareDay(store, between)).toEqual({ finding: 'later-stands' })
    expect(await publishDay(store, between)).toEqual({ publication: 'newer-kept' })
    expect(await standing(store)).toMatchObject({ etag, remarks: ['a'] })
  })

  it('never lets an older report replace a newer one', async () => {
    const store = memoryStore()
    await publishDay(store, await dayFile(folder, rowsNamed('new'), origin(30)))
    const older = await dayFile(folder, rowsNamed('old'), origin(20))
    expect(await publishDay(store, older)).toEqual({ publication: 'newer-kept' })
    expect((await standing(store)).remarks).toEqual(['new'])
  })

  it('prefers the later parse of one report, also to a parser that was not updated', async () => {
    const store = memoryStore()
    const ninth = await dayFile(folder, rowsNamed('ninth'), origin(10, '9'))
    await publishDay(store, ninth)
    const tenth = await dayFile(folder, rowsNamed('tenth'), origin(10, '10'))
    expect(await publishDay(store, tenth)).toMatchObject({ publication: 'published' })
    expect(await publishDay(store, ninth)).toEqual({ publication: 'newer-kept' })
    expect((await standing(store)).remarks).toEqual(['tenth'])
  })

  it('still knows what it changed when the run that did it died', async () => {
    const store = memoryStore()
    await publishDay(store, await dayFile(folder, rowsNamed('a'), origin(10)))
    const late = await dayFile(folder, rowsNamed('b'), origin(20))
    const first = await publishDay(store, late)
    expect(first).toMatchObject({ change: { added: 1, removed: 1 } })
    expect(await publishDay(store, late)).toEqual(first)
  })
})

describe('a publisher that is overtaken just before it replaces', () => {
  const overtaken = (store: ObjectStore, overtake: () => Promise<unknown>): ObjectStore => ({
    ...store,
    async replace(key, body, etag) {
      await overtake()
      return store.replace(key, body, etag)
    },
  })

  it('is too late when the newest report finds its rows standing', async () => {
    const store = memoryStore()
    await publishDay(store, await dayFile(folder, rowsNamed('a'), origin(10)))
    const newest = await dayFile(folder, rowsNamed('a'), origin(30))
    const between = await dayFile(folder, rowsNamed('b'), origin(20))
    const outcome = await publishDay(
      overtaken(store, () => publishDay(store, newest)),
      between,
    )
    expect(outcome).toEqual({ publication: 'newer-kept' })
    expect((await standing(store)).remarks).toEqual(['a'])
  })

  it('records no difference to a day that was replaced while it was read', async () => {
    const store = memoryStore()
    const first = await dayFile(folder, rowsNamed('a'), origin(10))
    const second = await dayFile(folder, rowsNamed('b'), origin(20))
    await publishDay(store, first)
    expect((await readFile(first.path)).length).toBe((await readFile(second.path)).length)
    let times = 0
    const slow: ObjectStore = {
      ...store,
      async *list(prefix) {
        // After what stands was looked at, before its rows are read.
        if (times++ === 0) await publishDay(store, second)
        yield* store.list(prefix)
      },
    }
    const third = await dayFile(folder, rowsNamed('b', 'c'), origin(30))
    expect(await publishDay(slow, third)).toMatchObject({ change: { replaced: origin(20), added: 1 } })
    const recorded = await keysOf(store, replacementsPrefix(REF, DAY))
    expect(
      recorded.map(key => key.includes(origin(30).reportId) && key.includes(origin(10).reportId)),
    ).toEqual([false, false])
  })

  it('tells what it replaced in the end, also when it is asked again', async () => {
    const store = memoryStore()
    await publishDay(store, await dayFile(folder, rowsNamed('a'), origin(10)))
    const second = await dayFile(folder, rowsNamed('b', 'b'), origin(20))
    const third = await dayFile(folder, rowsNamed('c'), origin(30))
    let times = 0
    const slow = overtaken(store, async () => {
      // The second one must have looked before the third one wrote down what it is about to do.
      if (times++ === 0) await store.replace(KEY, await readFile(second.path), (await standing(store)).etag)
    })
    const change = { replaced: { ...origin(20), etag: expect.any(String) }, added: 1, removed: 2 }
    expect(await publishDay(slow, third)).toMatchObject({ publication: 'published', change })
    expect(await publishDay(store, third)).toMatchObject({ publication: 'published', change })
  })
})

interface Publisher {
  readonly minute: number
  readonly rows: number
  /** Dies at this store call, and is run again at the end, as the sweep does; 0: never. */
  readonly diesAt: number
  readonly copies: number
}

const publishers: fc.Arbitrary<Publisher[]> = fc.uniqueArray(
  fc.record({
    minute: fc.integer({ min: 10, max: 59 }),
    rows: fc.integer({ min: 0, max: 1 }),
    diesAt: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 })),
    copies: fc.integer({ min: 1, max: 2 }),
  }),
  { minLength: 2, maxLength: 4, selector: ({ minute }) => minute },
)

/** Days that differ, by the number that a publisher carries. */
const VARIANTS = [rowsNamed('a', 'b'), rowsNamed('a', 'c')]

describe('publishers that race', () => {
  it('end in the newest, which no older one ever replaces, whatever the interleaving and whoever dies', async () => {
    const files = new Map<string, DayFile>()
    for (let minute = 10; minute < 60; minute++) {
      for (const [variant, rows] of VARIANTS.entries()) {
        const sub = await mkdtemp(join(folder, 'race-'))
        files.set(`${minute} ${variant}`, await dayFile(sub, rows, origin(minute)))
      }
    }
    await fc.assert(
      fc.asyncProperty(publishers, fc.scheduler(), async (all, scheduler) => {
        const objects = memoryObjects()
        const plain = memoryStore(objects)
        const runs: Runs = { alive: 0 }
        const finished = new Set<number>()
        let failure: unknown
        const newest = all.toSorted((a, b) => b.minute - a.minute)[0]!
        const right = VARIANTS[newest.rows]!.map(({ remark }) => remark)

        async function work({ minute, rows }: Publisher, diesAt: number): Promise<void> {
          const store = scheduledStore(plain, scheduler, { diesAt, died: () => runs.alive-- })
          await publishDay(store, files.get(`${minute} ${rows}`)!)
          finished.add(minute)
          if (finished.has(newest.minute)) expect((await standing(plain)).remarks).toEqual(right)
        }

        function start(publisher: Publisher, diesAt: number): void {
          runs.alive++
          const ended = () => runs.alive--
          work(publisher, diesAt).then(ended, error => {
            ended()
            failure = error
          })
        }

        for (const publisher of all) {
          start(publisher, publisher.diesAt)
          if (publisher.copies > 1) start(publisher, 0)
        }
        await drain(scheduler, runs)
        // Whoever died is run again, as the sweep does; running the others again changes nothing.
        for (const publisher of all) {
          start(publisher, 0)
          await drain(scheduler, runs)
        }
        if (failure !== undefined) throw failure
        expect((await standing(plain)).remarks).toEqual(right)
      }),
      { numRuns: 250 },
    )
  }, 120_000)

  it.each([
    [
      'a folder',
      async () => ({
        store: fileStore(join(folder, 'store'), { random: systemRandom }),
        stop: async () => {},
      }),
    ],
    ['S3 over HTTP', openStandIn],
  ])(
    'end in the newest on %s',
    async (_name, open) => {
      const { store, stop } = await open()
      try {
        const files = await Promise.all(
          Array.from({ length: 8 }, async (_, number) =>
            dayFile(await mkdtemp(join(folder, 'files-')), rowsNamed('x', `${number}`), origin(10 + number)),
          ),
        )
        const outcomes = await Promise.all(
          [...files, ...files.toReversed()].map(file => publishDay(store, file)),
        )
        expect(await standing(store)).toMatchObject({ reportId: origin(17).reportId, remarks: ['7', 'x'] })
        // Run again, as a sweep does, every one says the same as what stands.
        for (const file of files) {
          const { publication } = await publishDay(store, file)
          expect(publication).toBe(file === files[7] ? 'published' : 'newer-kept')
        }
        expect(outcomes.filter(({ publication }) => publication === 'published').length).toBeGreaterThan(1)
      } finally {
        await stop()
      }
    },
    60_000,
  )
})

describe('origins', () => {
  it('are ordered by time, then report, then parser as a number', () => {
    const ordered = [origin(10, '2'), origin(10, '10'), { ...origin(10), reportId: '5' }, origin(20)]
    for (const [index, one] of ordered.entries()) {
      for (const [other, two] of ordered.entries()) {
        expect(Math.sign(compareOrigins(one, two))).toBe(Math.sign(index - other))
      }
    }
  })
})

/** Lets the runs go on, one call of the store at a time, until all have ended or died. */
async function drain(scheduler: fc.Scheduler, runs: Runs): Promise<void> {
  while (runs.alive > 0) {
    if (scheduler.count() > 0) await scheduler.waitNext(1)
    else await new Promise(turn => setImmediate(turn))
  }
}

interface Runs {
  alive: number
}

async function openStandIn() {
  const s3 = await startS3StandIn()
  const client = s3Client({ region: 'us-east-1', endpoint: s3.endpoint, credentials: s3.credentials })
  const store = s3Store({ bucket: s3.bucket, prefix: 'p', client, clock: systemClock, random: systemRandom })
  return { store, stop: () => s3.stop() }
}
