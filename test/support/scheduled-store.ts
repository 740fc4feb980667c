/** A store whose calls come in the order that fast-check's scheduler names. */
import type fc from 'fast-check'
import type { ObjectStore } from '../../src/stores/object-store.ts'

export interface Death {
  /** From this call on, counted from 1, nothing is ever answered; 0 for never. */
  readonly diesAt: number
  readonly died: () => void
}

/** Every call waits for its turn, but for reading an object's bytes; its process lives for ever unless told otherwise. */
export function scheduledStore(
  store: ObjectStore,
  scheduler: fc.Scheduler,
  { diesAt, died }: Death = { diesAt: 0, died: () => {} },
): ObjectStore {
  let calls = 0
  const turn = async (name: string): Promise<void> => {
    if (++calls === diesAt) {
      died()
      await new Promise(() => {})
    }
    await scheduler.schedule(Promise.resolve(), name)
  }
  return {
    ...store,
    get: async key => {
      await turn('get')
      return store.get(key)
    },
    head: async key => {
      await turn('head')
      return store.head(key)
    },
    create: async (key, body) => {
      await turn('create')
      return store.create(key, body)
    },
    replace: async (key, body, etag) => {
      await turn('replace')
      return store.replace(key, body, etag)
    },
    async *list(prefix) {
      await turn('list')
      yield* store.list(prefix)
    },
  }
}
