import { describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { probeStore } from '../../src/stores/probe.ts'
import { memoryObjects, memoryStore } from '../support/memory-store.ts'

const host = { clock: systemClock, random: systemRandom }

async function failuresOf(change: (store: ObjectStore) => Partial<ObjectStore>): Promise<string[]> {
  const store = memoryStore()
  const findings = await probeStore({ ...store, ...change(store) }, host)
  return findings.filter(({ passed }) => !passed).map(({ check }) => check)
}

describe('the probe of a store', () => {
  it('passes a store that keeps its promises, any number of times', async () => {
    const store = memoryStore(memoryObjects())
    for (let times = 0; times < 3; times++) {
      expect((await probeStore(store, host)).map(({ check, passed }) => [check, passed])).toEqual([
        ['creates once', true],
        ['one winner of a race', true],
        ['refuses a stale replace', true],
        ['one winner of a raced replace', true],
        ['creates a long object once', true],
        ['lists what was written', true],
      ])
    }
  })

  it('fails a store that ignores conditions and overwrites', async () => {
    const etags = new Map<string, string>()
    const failures = await failuresOf(store => ({
      async create(key, body) {
        const first = await store.create(key, body)
        if (first.outcome === 'created') {
          etags.set(key, first.etag)
          return first
        }
        const replaced = await store.replace(key, body, etags.get(key)!)
        const etag = replaced.outcome === 'replaced' ? replaced.etag : ''
        etags.set(key, etag)
        return { outcome: 'created', etag }
      },
      async replace(key, body) {
        const { etag } = (await store.head(key))!
        return store.replace(key, body, etag)
      },
    }))
    expect(failures).toEqual([
      'creates once',
      'one winner of a race',
      'refuses a stale replace',
      'creates a long object once',
    ])
  })

  it('fails a store that says created to everyone but keeps the first', async () => {
    const failures = await failuresOf(store => ({
      create: async (key, body) => ({
        outcome: 'created',
        etag: ((await store.create(key, body)) as { etag?: string }).etag ?? '',
      }),
    }))
    expect(failures).toEqual(['creates once', 'one winner of a race', 'creates a long object once'])
  })

  it('fails a store that looks before it writes, and lets others in between', async () => {
    const pause = () => new Promise(resolve => setTimeout(resolve, 5))
    const failures = await failuresOf(store => ({
      async create(key, body) {
        const standing = await store.head(key)
        await pause()
        if (standing !== undefined) return { outcome: 'exists' }
        const created = await store.create(key, body)
        if (created.outcome === 'created') return created
        return { outcome: 'created', etag: (await store.head(key))!.etag }
      },
      async replace(key, body, etag) {
        const standing = await store.head(key)
        await pause()
        if (standing?.etag !== etag) return { outcome: 'stale' }
        return store.replace(key, body, (await store.head(key))!.etag)
      },
    }))
    expect(failures).toEqual(['one winner of a race', 'one winner of a raced replace'])
  })

  it('fails a store that knows conditions only of objects in one piece', async () => {
    const failures = await failuresOf(store => ({
      async create(key, body) {
        if (body instanceof Uint8Array) return store.create(key, body)
        const first = await store.create(key, body)
        return first.outcome === 'created'
          ? first
          : { outcome: 'created', etag: (await store.head(key))!.etag }
      },
    }))
    expect(failures).toEqual(['creates a long object once'])
  })

  it('fails a store whose listing lags behind', async () => {
    const failures = await failuresOf(() => ({
      async *list() {},
    }))
    expect(failures).toEqual(['lists what was written'])
  })
})
