/** The scanner of lines in WebAssembly: lays the kernel's memory out, feeds it, and gives texts their codes. */
import type { FastLines, LineShape } from './fast-lines.ts'
import { readMidnight } from './fast-time.ts'
import { startKernel } from './kernel/instance.ts'
import { KERNEL_BASE64 } from './kernel/scan-wasm.ts'
import { roleTexts } from './role-texts.ts'
import { type RowBatch, TEXT_COLUMNS } from './row-batch.ts'
import { EMPTY_TEXT, hashOf } from './text-table.ts'

interface Kernel {
  freeMemory(): number
  setColumn(which: number, role: number, columns: number, lineBytes: number): void
  setOutput(
    time: number,
    units: number,
    codes: number,
    rows: number,
    missing: number,
    mostMissing: number,
  ): void
  setDate(at: number, length: number, midnight: number): void
  forget(): void
  scan(start: number, end: number, most: number): number
  getStoppedAt(): number
  getNewDate(): number
  getMissingCount(): number
  getLastCells(): number
  learn(codes: number): void
}

/** Bytes that are scanned at a time, and rows; whatever is more is scanned next. */
const INPUT_BYTES = 256 * 1024
const ROWS = 8192
const MISSING = 16_384
const MISSING_WORDS = 4
/** The kernel reads vectors, so it may look this far past the input. */
const MARGIN = 64
const MEMORY_PAGES = 48

const LINE_FEED = 10
const DASH = 45

export function kernelLines({ roles, offset, lineBytes }: LineShape, batch: RowBatch): FastLines {
  const { kernel, memory } = startKernel<Kernel>(KERNEL_BASE64, MEMORY_PAGES)
  const room = placesIn(memory.buffer, kernel.freeMemory())
  const input = room.bytes(INPUT_BYTES + MARGIN)
  const time = room.floats(ROWS)
  const units = room.floats(ROWS)
  const codes = room.words(ROWS * TEXT_COLUMNS.length)
  const missing = room.words(MISSING * MISSING_WORDS)
  const found = room.words(MISSING)
  const taken = { lines: 0, anyBare: false, anyEmptyQuoted: false }
  const present = TEXT_COLUMNS.map((column, role) => ({ column, role })).filter(({ role }) =>
    roles.includes(role),
  )
  // What the file has no column for is empty in every row.
  const absent = TEXT_COLUMNS.filter((_, role) => !roles.includes(role))
  let texts = roleTexts(batch)
  let bytes: Uint8Array = new Uint8Array(0)
  /** Which part of `bytes` stands in the kernel's memory. */
  let loadedFrom = 0
  let loadedTo = 0

  for (const [column, role] of roles.entries()) kernel.setColumn(column, role, roles.length, lineBytes)
  kernel.setOutput(time.byteOffset, units.byteOffset, codes.byteOffset, ROWS, missing.byteOffset, MISSING)

  function open(opened: Uint8Array): void {
    bytes = opened
    loadedFrom = 0
    loadedTo = 0
  }

  function take(start: number, end: number): number {
    taken.lines = 0
    taken.anyBare = false
    taken.anyEmptyQuoted = false
    if (!texts.areGoodFor(batch)) rebind()
    let at = start
    while (at < end && batch.rows < batch.time.length) {
      const loaded = load(at, end)
      if (loaded <= at) break
      const next = takeLoaded(at, loaded)
      if (next === at) break
      at = next
    }
    return at
  }

  /** Codes of other tables mean other texts; those in the batch are of its own tables and stay. */
  function rebind(): void {
    texts = roleTexts(batch)
    kernel.forget()
  }

  /** Brings whole lines from `start` on into the kernel's memory; answers where they end. */
  function load(start: number, end: number): number {
    if (start >= loadedFrom && start < loadedTo) return Math.min(loadedTo, end)
    const most = Math.min(end, start + INPUT_BYTES)
    loadedFrom = start
    loadedTo = most === end ? end : bytes.lastIndexOf(LINE_FEED, most - 1) + 1
    if (loadedTo > start) input.set(bytes.subarray(start, loadedTo))
    return loadedTo
  }

  function takeLoaded(start: number, end: number): number {
    const base = input.byteOffset - loadedFrom
    const most = Math.min(ROWS, batch.time.length - batch.rows)
    let rows = kernel.scan(base + start, base + end, most)
    if (rows === 0 && kernel.getNewDate() !== 0 && explainDate()) {
      rows = kernel.scan(base + start, base + end, most)
    }
    if (rows > 0) keep(rows)
    return kernel.getStoppedAt() - base
  }

  /** Tells the kernel what a date means, if it means anything. */
  function explainDate(): boolean {
    const at = kernel.getNewDate()
    const start = at - input.byteOffset
    const length = input[start + 4] === DASH ? 10 : 8
    const midnight = readMidnight(input, start, length, offset)
    if (midnight === undefined) return false
    kernel.setDate(at, length, midnight)
    return true
  }

  function keep(rows: number): void {
    const missingCount = kernel.getMissingCount()
    if (missingCount > 0) findCodes(missingCount)
    const row = batch.rows
    batch.time.set(time.subarray(0, rows), row)
    batch.amount.units.set(units.subarray(0, rows), row)
    for (const { column, role } of present) {
      batch.codes[column].set(codes.subarray(role * ROWS, role * ROWS + rows), row)
    }
    for (const column of absent) batch.codes[column].fill(EMPTY_TEXT, row, row + rows)
    batch.rows = row + rows
    taken.lines += rows
    const lastCells = kernel.getLastCells()
    taken.anyBare ||= (lastCells & 1) !== 0
    taken.anyEmptyQuoted ||= (lastCells & 2) !== 0
  }

  function findCodes(count: number): void {
    for (let index = 0; index < count; index++) {
      const entry = index * MISSING_WORDS
      const role = missing[entry + 1]!
      const from = missing[entry + 2]! - input.byteOffset
      const to = from + missing[entry + 3]!
      const code = texts.tables[role]!.codeOf(input, from, to, hashOf(input, from, to))
      found[index] = texts.finalCode(role, code)
    }
    kernel.learn(found.byteOffset)
  }

  return { open, take, taken }
}

/** Gives out a kernel's free memory from `start` on. */
function placesIn(buffer: ArrayBuffer, start: number) {
  let at = start
  const place = (size: number) => {
    const placed = at
    at = (at + size + 15) & ~15
    return placed
  }
  return {
    bytes: (count: number) => new Uint8Array(buffer, place(count), count),
    words: (count: number) => new Uint32Array(buffer, place(count * 4), count),
    floats: (count: number) => new Float64Array(buffer, place(count * 8), count),
  }
}
