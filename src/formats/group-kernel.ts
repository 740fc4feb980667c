/** The WebAssembly kernel for row groups: lays its memory out and calls it. Its source: kernel/. */
import { formatAmount } from '../domain/amount.ts'
import { addText, type CodedTexts, endOf, newCodedTexts } from './coded-texts.ts'
import { AMOUNT_BYTES, ID_BYTES, type NumberWriter, putWideAmounts, TIME_BYTES } from './group-numbers.ts'
import { LONGEST_FIXED } from './identity-bytes.ts'
import { KERNEL_BASE64 } from './kernel/group-wasm.ts'
import { type KernelMemory, PAGE_BYTES, startKernel } from './kernel/instance.ts'
import type { RowGroup } from './row-group.ts'

interface Kernel {
  freeMemory(): number
  setColumn(which: number, codes: number, bytes: number, starts: number): void
  identify(rows: number, time: number, units: number, occurrence: number, ids: number): void
  writeNumbers(rows: number, time: number, units: number, times: number, amounts: number): void
}

/** The kernel hashes messages of at most 16 blocks of 64 bytes; the last has 9 bytes of padding. */
const LONGEST_MESSAGE = 16 * 64 - 9

/** The kernel reads texts sixteen bytes at a time, so it may look this far past the last. */
const MARGIN = 64

/** Writes with the kernel; groups with texts too long for it go to `fallback`. */
export function kernelNumbers(fallback: NumberWriter): NumberWriter {
  const { kernel, memory } = startKernel<Kernel>(KERNEL_BASE64)
  const start = kernel.freeMemory()

  return group => {
    if (longestMessage(group) > LONGEST_MESSAGE) return fallback(group)
    const { rows, time, amount, occurrence, texts } = group
    const wide = wideTexts(amount.wide.map(formatAmount))
    const layout = memoryLayout(start)
    const timeAt = layout.place(time, rows)
    const unitsAt = layout.place(amount.units, rows)
    const occurrenceAt = layout.place(occurrence, rows)
    const columns = [texts.wallet, texts.operation, texts.asset, texts.remark, wide]
    const places = columns.map((column): [codes: number, bytes: number, starts: number] => [
      layout.place(column.codes, column === wide ? 0 : rows),
      layout.place(column.bytes, endOf(column, column.count - 1)),
      layout.place(column.starts, column.count + 1),
    ])
    const idsAt = layout.room(rows * ID_BYTES)
    const timesAt = layout.room(rows * TIME_BYTES)
    const amountsAt = layout.room(rows * AMOUNT_BYTES)
    layout.write(memory)
    for (const [which, [codes, bytes, starts]] of places.entries()) {
      kernel.setColumn(which, codes, bytes, starts)
    }
    kernel.identify(rows, timeAt, unitsAt, occurrenceAt, idsAt)
    kernel.writeNumbers(rows, timeAt, unitsAt, timesAt, amountsAt)
    const amounts = new Uint8Array(memory.buffer, amountsAt, rows * AMOUNT_BYTES)
    putWideAmounts(group, amounts)
    return {
      ids: new Uint8Array(memory.buffer, idsAt, rows * ID_BYTES),
      times: new Uint8Array(memory.buffer, timesAt, rows * TIME_BYTES),
      amounts,
    }
  }
}

type Column = Float64Array | Uint32Array | Uint8Array

/** Places columns one after the other, and writes them once it is known how much memory they need. */
function memoryLayout(start: number) {
  let at = start
  const parts: Array<{ at: number; bytes: Uint8Array }> = []

  function room(size: number): number {
    const placed = at
    at = (at + size + MARGIN + 15) & ~15
    return placed
  }

  return {
    room,
    place(column: Column, count: number): number {
      const bytes = new Uint8Array(column.buffer, column.byteOffset, count * column.BYTES_PER_ELEMENT)
      const placed = room(bytes.length)
      parts.push({ at: placed, bytes })
      return placed
    },
    write(memory: KernelMemory): void {
      const missing = at + MARGIN - memory.buffer.byteLength
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
      const target = new Uint8Array(memory.buffer)
      for (const part of parts) target.set(part.bytes, part.at)
    },
  }
}

function longestMessage({ texts }: RowGroup): number {
  const { wallet, operation, asset, remark } = texts
  return [wallet, operation, asset, remark].reduce((sum, column) => sum + longestText(column), LONGEST_FIXED)
}

function longestText(texts: CodedTexts): number {
  let longest = 0
  for (let code = 0; code < texts.count; code++) {
    longest = Math.max(longest, endOf(texts, code) - texts.starts[code]!)
  }
  return longest
}

function wideTexts(amounts: readonly string[]): CodedTexts {
  const texts = newCodedTexts(new Uint32Array(0))
  for (const amount of amounts.length === 0 ? [''] : amounts) {
    const bytes = Buffer.from(amount)
    addText(texts, bytes, 0, bytes.length)
  }
  return texts
}
