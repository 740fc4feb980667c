import { readActivity } from '../../src/formats/parquet.ts'
import { storedSource } from '../../src/stores/activity-table.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'

/** How many rows a published day holds; throws when any of it cannot be read. */
export async function wholeDay(store: ObjectStore, key: string): Promise<number> {
  const head = await store.head(key)
  if (head === undefined) throw new Error(`${key} is not there`)
  return (await readActivity(storedSource(store, head))).length
}
