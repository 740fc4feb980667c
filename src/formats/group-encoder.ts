/** Where row groups are worked on: in this thread, or in others. The bytes are the same. */
import { Worker } from 'node:worker_threads'
import { plainTexts } from './coded-texts.ts'
import type { DigestRoom } from './digest-room.ts'
import type { GroupOrder, GroupThreadData } from './group-thread.ts'
import { groupWorker, type WorkedGroup } from './group-work.ts'
import { newGroup, type RowGroup } from './row-group.ts'

export interface GroupEncoder {
  /** A group to fill; waits until one is free. */
  take(): Promise<RowGroup>
  /** Works on a group that was taken, and frees it. */
  encode(group: RowGroup): Promise<WorkedGroup>
  close(): Promise<void>
}

/** Works in the group that it is given. */
export function inlineEncoder({ group, numbersOf }: Pick<DigestRoom, 'group' | 'numbersOf'>): GroupEncoder {
  const work = groupWorker(numbersOf)
  return { take: async () => group, encode: async full => work(full), close: async () => {} }
}

/** Groups for each thread beside the one it works on: it stays busy while this thread works on one itself. */
const WAITING = 3

/**
 * Groups go in turn to `count` threads, which see their columns in shared memory. When all groups are taken,
 * this thread works on one itself instead of waiting.
 */
export function threadedEncoder(count: number): GroupEncoder {
  const groups = Array.from({ length: count * (1 + WAITING) + 1 }, () => newGroup(undefined, true))
  const free = [...groups]
  const waiting: Array<(group: RowGroup) => void> = []
  const threads = Array.from({ length: count }, () => groupThread(groups))
  const workHere = groupWorker()
  let turn = 0

  function release(group: RowGroup): void {
    const next = waiting.shift()
    if (next === undefined) free.push(group)
    else next(group)
  }

  return {
    async take() {
      return free.pop() ?? new Promise(resolve => waiting.push(resolve))
    },
    async encode(group) {
      try {
        if (free.length === 0) return workHere(group)
        return await threads[turn++ % count]!.work(orderFor(groups, group))
      } finally {
        release(group)
      }
    },
    async close() {
      await Promise.all(threads.map(thread => thread.close()))
    },
  }
}

function orderFor(groups: readonly RowGroup[], group: RowGroup): GroupOrder {
  const { rows, amount, texts } = group
  const dictionaries = Object.entries(texts).map(([column, { count, starts, ...text }]) => {
    const bytes = plainTexts({ count, starts, ...text }).slice()
    return { column: column as keyof RowGroup['texts'], count, bytes, starts: starts.slice(0, count + 1) }
  })
  return { index: groups.indexOf(group), rows, wide: amount.wide, dictionaries }
}

/** Beside this file, with its ending: `.ts` as a source, another one in a bundle. */
const THREAD = new URL(`./group-thread${/\.\w+$/.exec(import.meta.url)?.[0]}`, import.meta.url)

/** One thread, which answers in the order it was asked. */
function groupThread(groups: readonly RowGroup[]) {
  const workerData: GroupThreadData = { groups }
  const worker = new Worker(THREAD, { workerData })
  const asked: Array<{ resolve: (group: WorkedGroup) => void; reject: (error: unknown) => void }> = []
  let fault: unknown
  worker.on('message', (group: WorkedGroup) => asked.shift()!.resolve(group))
  worker.on('error', error => {
    fault = error
    for (const { reject } of asked.splice(0)) reject(error)
  })
  return {
    work(order: GroupOrder): Promise<WorkedGroup> {
      return new Promise((resolve, reject) => {
        if (fault !== undefined) return reject(fault)
        asked.push({ resolve, reject })
        worker.postMessage(order)
      })
    },
    async close() {
      await worker.terminate()
    },
  }
}
