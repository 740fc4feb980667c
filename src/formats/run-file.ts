/** Rows in the table's order on disk: runs, written one after the other and read side by side. */
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { RowBatch } from './row-batch.ts'
import { type RecordPlace, recordSize, recordSizeAt, writeRecord } from './row-record.ts'

/** Some rows in the table's order, and where they stand. */
export interface Run {
  readonly file: FileHandle
  readonly start: number
  readonly end: number
  /** Bytes of the longest record. */
  readonly longest: number
}

export interface RunFile {
  /** A new run of what `fill` adds. */
  write(fill: (run: RunWriter) => Promise<void>): Promise<Run>
  /** Forgets all runs and gives their room back. */
  clear(): Promise<void>
  /** Closes and removes the file. */
  close(): Promise<void>
}

/** Takes rows one by one; whoever adds them makes room as soon as it is full. */
export interface RecordSink {
  add(record: RecordPlace): void
  isFull(): boolean
  relieve(): Promise<void>
}

export interface RunWriter extends RecordSink {
  addRow(batch: RowBatch, row: number): void
}

const WRITE_BYTES = 256 * 1024

/** A file at `path`, which is made with its first run. */
export function runFile(path: string): RunFile {
  let file: FileHandle | undefined
  let size = 0
  let bytes = Buffer.alloc(0)
  let view = viewOf(bytes)
  let filled = 0
  let longest = 0

  /** Room for a record, which may be larger than all that came before it. */
  function place(length: number): RecordPlace {
    longest = Math.max(longest, length)
    if (filled + length > bytes.length) {
      bytes = enlarged(bytes, filled, filled + length)
      view = viewOf(bytes)
    }
    const at = filled
    filled += length
    return { bytes, view, at }
  }

  const writer: RunWriter = {
    addRow(batch, row) {
      const length = recordSize(batch, row)
      writeRecord(place(length), batch, row, length)
    },
    add(record) {
      const length = recordSizeAt(record)
      const to = place(length)
      to.bytes.set(record.bytes.subarray(record.at, record.at + length), to.at)
    },
    isFull: () => filled >= WRITE_BYTES,
    async relieve() {
      for (let at = 0; at < filled; ) {
        const { bytesWritten } = await file!.write(bytes, at, filled - at, size)
        at += bytesWritten
        size += bytesWritten
      }
      filled = 0
    },
  }

  return {
    async write(fill) {
      file ??= await open(path, 'w+')
      const start = size
      longest = 0
      await fill(writer)
      await writer.relieve()
      return { file, start, end: size, longest }
    },
    async clear() {
      await file?.truncate(0)
      size = 0
    },
    async close() {
      if (file === undefined) return
      await file.close()
      file = undefined
      await rm(path, { force: true })
    },
  }
}

/** Bytes of a run that are in memory at a time, unless one record is longer. */
export const READ_BYTES = 64 * 1024

/** The rows of a run, of which one is in place at a time. */
export interface RunReader extends RecordPlace {
  /** Goes on to the next row, if that is in memory. */
  advance(): boolean
  /** Goes on to the next row from disk; `false` at the end. */
  load(): Promise<boolean>
}

/** A reader before its first row: it must `load`. */
export function runReader({ file, start, end }: Run): RunReader {
  let filled = 0
  let next = start
  const reader = { bytes: Buffer.allocUnsafe(READ_BYTES), view: new DataView(new ArrayBuffer(0)), at: 0 }
  reader.view = viewOf(reader.bytes)

  function isInMemory(): boolean {
    const left = filled - reader.at
    return left >= 4 && left >= recordSizeAt(reader)
  }

  function advance(): boolean {
    reader.at += recordSizeAt(reader)
    return isInMemory()
  }

  async function load(): Promise<boolean> {
    reader.bytes.copyWithin(0, reader.at, filled)
    filled -= reader.at
    reader.at = 0
    while (next < end && !isInMemory()) {
      if (filled === reader.bytes.length) {
        reader.bytes = enlarged(reader.bytes, filled, recordSizeAt(reader))
        reader.view = viewOf(reader.bytes)
      }
      const most = Math.min(reader.bytes.length - filled, end - next)
      const { bytesRead } = await file.read(reader.bytes, filled, most, next)
      if (bytesRead === 0) throw new Error('A file of rows that were set aside is shorter than it was.')
      filled += bytesRead
      next += bytesRead
    }
    return isInMemory()
  }

  return Object.assign(reader, { advance, load })
}

function viewOf({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(buffer, byteOffset, length)
}

function enlarged(bytes: Buffer<ArrayBuffer>, filled: number, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafe(Math.max(needed, bytes.length * 2))
  bytes.copy(larger, 0, 0, filled)
  return larger
}
