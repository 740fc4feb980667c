import { describeObjectStore } from '../contracts/object-store.ts'
import { memoryObjects, memoryStore } from './memory-store.ts'

describeObjectStore('The memory store', { conflicts: false, presigns: false }, async () => {
  const objects = memoryObjects()
  return {
    store: memoryStore(objects),
    other: memoryStore(objects),
    // Nothing lies between this store and its caller, so no answer can be lost.
    loseNextAnswer: () => {},
    conflictNextWrites: () => {},
    stop: async () => {},
  }
})
