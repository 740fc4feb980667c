/** Writes one day's data file from rows in the table's order. */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { UNIT_SEPARATOR } from '../domain/activity.ts'
import type { Day } from '../domain/calendar.ts'
import { dataFile } from './data-file.ts'
import type { GroupEncoder } from './group-encoder.ts'
import type { OperationCounts, WorkedGroup } from './group-work.ts'
import { letGo } from './own-bytes.ts'
import { addSums } from './pair-sums.ts'
import { type GroupBuilder, groupBuilder, type OrderedRows } from './row-group.ts'
import { listSums, type WalletSum, type WalletSums } from './wallet-sums.ts'

export interface DayDigest {
  readonly day: Day
  readonly rows: number
  /** Bytes of the data file. */
  readonly size: number
  readonly sha256: string
  readonly path: string
  readonly sums: readonly WalletSum[]
}

/** A day's file with what was counted from the columns it holds. */
export interface WrittenDay {
  readonly digest: DayDigest
  readonly sums: WalletSums
  readonly operations: OperationCounts
}

export interface DayFile {
  /** Adds rows `from` up to `to`, which follow those before in the table's order. */
  add(rows: OrderedRows, from: number, to: number): Promise<void>
  close(): Promise<WrittenDay>
  /** Lets go of the file after a fault elsewhere; what it holds counts for nothing. */
  abandon(): Promise<void>
}

export interface DayFileOptions {
  readonly day: Day
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
}

export async function openDayFile(
  { day, path, metadata }: DayFileOptions,
  encoder: GroupEncoder,
): Promise<DayFile> {
  const sums: WalletSums = new Map()
  const operations: OperationCounts = new Map()
  const format = dataFile(metadata)
  const output = hashedFile(await open(path, 'w'))
  let builder: GroupBuilder | undefined
  let rows = 0
  /** Groups are encoded side by side and written in their order. */
  let written = output.write(format.begin())

  async function add(ordered: OrderedRows, from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      builder ??= groupBuilder(await encoder.take())
      at = builder.add(ordered, at, to)
      if (builder.isFull()) flush()
    }
  }

  function flush(): void {
    if (builder === undefined) return
    const worked = encoder.encode(builder.group)
    builder = undefined
    written = Promise.all([worked, written]).then(([group]) => keep(group))
    // A fault is thrown where the file is closed; until then it must not count as unhandled.
    written.catch(() => {})
  }

  async function keep(group: WorkedGroup): Promise<void> {
    rows += group.rows
    addSums(sums, group.sums)
    for (const [key, count] of group.operations) operations.set(key, (operations.get(key) ?? 0) + count)
    await output.write(format.add(group))
    letGo(group.bytes)
  }

  async function close(): Promise<WrittenDay> {
    try {
      flush()
      await written
      await output.write(format.end())
    } finally {
      await output.close()
    }
    const digest = { day, rows, size: output.size(), sha256: output.sha256(), path, sums: listSums(sums) }
    return { digest, sums, operations }
  }

  async function abandon(): Promise<void> {
    await written.catch(() => {})
    await output.close()
  }

  return { add, close, abandon }
}

function hashedFile(file: FileHandle) {
  const hash = createHash('sha256')
  let size = 0
  return {
    async write(bytes: Uint8Array): Promise<void> {
      hash.update(bytes)
      size += bytes.length
      await file.writeFile(bytes)
    },
    close: () => file.close(),
    size: () => size,
    sha256: () => hash.digest('hex'),
  }
}

/** Sorted by operation, then category. */
export function listOperations(
  counts: OperationCounts,
): Array<{ operation: string; category: string; rows: number }> {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, rows]) => {
      const [operation, category] = key.split(UNIT_SEPARATOR) as [string, string]
      return { operation, category, rows }
    })
}
