/** Sorted runs merged in the table's order, in memory that does not grow with them. */
import { compareRecords } from './row-record.ts'
import { READ_BYTES, type RecordSink, type Run, type RunFile, type RunReader, runReader } from './run-file.ts'

/** What the readers of one merge may take together. */
const MERGE_BYTES = 16 * 1024 ** 2

/** Hands the rows of all runs to `sink` in the table's order; `scratch` takes what is merged on the way. */
export async function mergeRuns(runs: readonly Run[], sink: RecordSink, scratch: RunFile): Promise<void> {
  const most = mostAtOnce(runs)
  const left = [...runs]
  while (left.length > most) {
    // As few as will do, so that the last merge, whose rows are not written here again, takes the most.
    const some = left.splice(0, Math.min(most, left.length - most + 1))
    left.push(await scratch.write(run => mergeAtOnce(some, run)))
  }
  await mergeAtOnce(left, sink)
}

function mostAtOnce(runs: readonly Run[]): number {
  const each = runs.reduce((most, { longest }) => Math.max(most, longest), READ_BYTES)
  return Math.max(2, Math.floor(MERGE_BYTES / each))
}

async function mergeAtOnce(runs: readonly Run[], sink: RecordSink): Promise<void> {
  const heap = runs.map(runReader)
  for (const reader of heap) await reader.load()
  // In ascending order a list is a heap.
  heap.sort(compareRecords)
  while (heap.length > 0) {
    const first = heap[0]!
    sink.add(first)
    if (sink.isFull()) await sink.relieve()
    if (first.advance() || (await first.load())) siftDown(heap, first)
    else siftDown(heap, heap.pop()!)
  }
}

/** Puts a reader in the place of the first one, and then as far down as others come before it. */
function siftDown(heap: RunReader[], reader: RunReader): void {
  let at = 0
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && compareRecords(heap[child + 1]!, heap[child]!) < 0) child++
    if (compareRecords(reader, heap[child]!) <= 0) break
    heap[at] = heap[child]!
    at = child
  }
  if (heap.length > 0) heap[at] = reader
}
