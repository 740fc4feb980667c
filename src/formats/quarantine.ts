/** Rows that could not be read, as JSON lines: where they stood, why, and their verbatim text. */
import { stat, writeFile } from 'node:fs/promises'
import { writeJson } from '../domain/json.ts'
import { unreadable } from './file-fault.ts'

export interface QuarantinedRow {
  /** The name of the part, where a file has several. */
  readonly part?: string
  readonly line: number
  readonly reason: string
  readonly text: string
}

const WAITING_LIMIT = 1024 ** 2

/** A writer that creates the file with the first row. Throws `file-unreadable` beyond `mostBytes`. */
export function quarantineFile(path: string, mostBytes: number) {
  let waiting = ''
  let size = 0
  let created = false
  const reasons = new Map<string, number>()

  async function flush(): Promise<void> {
    if (waiting === '') return
    // The first write replaces what an earlier run may have left.
    await writeFile(path, waiting, { flag: created ? 'a' : 'w' })
    waiting = ''
    created = true
  }

  return {
    add(row: QuarantinedRow): void {
      const line = `${writeJson(row)}\n`
      size += line.length
      if (size > mostBytes) {
        throw unreadable(
          'too-many-unreadable',
          `More of the file cannot be read than is set aside, ${mostBytes} bytes.`,
          {
            limit: mostBytes,
          },
        )
      }
      waiting += line
      reasons.set(row.reason, (reasons.get(row.reason) ?? 0) + 1)
    },
    /** Writes to disk when enough is waiting. */
    async relieve(): Promise<void> {
      if (waiting.length > WAITING_LIMIT) await flush()
    },
    /** Answers where the file is, or `undefined` when there was nothing to write. */
    async close(): Promise<{ path: string; size: number } | undefined> {
      await flush()
      return created ? { path, size: (await stat(path)).size } : undefined
    },
    /** How many rows each reason has, the reasons in alphabetical order. */
    reasons: () => Object.fromEntries([...reasons].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
