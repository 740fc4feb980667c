/** The thread that works on row groups; started by group-encoder.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { groupWorker } from './group-work.ts'
import type { RowGroup } from './row-group.ts'

export interface GroupThreadData {
  /** Their columns of numbers are in shared memory. */
  readonly groups: readonly RowGroup[]
}

/** What is not in shared memory of a group that is full. */
export interface GroupOrder {
  readonly index: number
  readonly rows: number
  readonly wide: bigint[]
  readonly dictionaries: ReadonlyArray<{
    readonly column: keyof RowGroup['texts']
    readonly count: number
    readonly bytes: Uint8Array
    readonly starts: Uint32Array
  }>
}

const work = groupWorker()
const { groups } = workerData as GroupThreadData

parentPort?.on('message', ({ index, rows, wide, dictionaries }: GroupOrder) => {
  const group = groups[index]!
  group.rows = rows
  group.amount.wide = wide
  for (const { column, count, bytes, starts } of dictionaries) {
    Object.assign(group.texts[column], { count, bytes, starts })
  }
  const worked = work(group)
  const bytes = wholeBuffer(worked.bytes)
  parentPort?.postMessage({ ...worked, bytes }, [bytes.buffer])
})

/** Small bytes stand in a pool of node's, which cannot be handed over: they get a buffer of their own. */
function wholeBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength
  return isWhole ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes)
}
