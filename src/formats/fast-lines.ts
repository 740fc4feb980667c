/**
 * The fast path: lines of the common shape are recognised in the input bytes and become numbers in a
 * batch, without a string for any cell. A line that is odd in any way is left to the reader of rows,
 * whose word is the only truth: a scanner may refuse whatever it likes, but must never differ.
 */
import { kernelLines } from './kernel-lines.ts'
import type { Layout } from './layout.ts'
import { rolesOf } from './line-roles.ts'
import { plainLines } from './plain-lines.ts'
import type { RowBatch } from './row-batch.ts'
import type { OffsetMinutes } from './zone.ts'

/** `kernel`: in WebAssembly; `plain`: in TypeScript, several times slower; `none`: every line goes the slow way. */
export type LineScanner = 'kernel' | 'plain' | 'none'

export interface FastLines {
  /** The bytes that `take` reads next, until others are opened; they must not change meanwhile. */
  open(bytes: Uint8Array): void
  /**
   * Adds lines from `start` on to the batch until one is not recognised or begins at `end`, or the batch is
   * full; answers where that one begins. The byte before `end` is a line feed. `taken` then tells of those taken.
   */
  take(start: number, end: number): number
  readonly taken: TakenLines
}

export interface TakenLines {
  lines: number
  /** Whether the last cell of a line stood without quotes, or was empty inside quotes. */
  anyBare: boolean
  anyEmptyQuoted: boolean
}

export interface LineShape {
  /** The role of each column. */
  readonly roles: Int8Array
  readonly offset: OffsetMinutes
  /** The longest line that is read. */
  readonly lineBytes: number
}

/** A scanner for lines of a layout, or `undefined` when all of them are odd. */
export function fastLines(
  layout: Layout,
  offset: OffsetMinutes,
  lineBytes: number,
  batch: RowBatch,
  scanner: LineScanner = 'kernel',
): FastLines | undefined {
  const roles = rolesOf(layout)
  if (roles === undefined || scanner === 'none') return undefined
  const shape = { roles, offset, lineBytes }
  return scanner === 'kernel' ? kernelLines(shape, batch) : plainLines(shape, batch)
}
