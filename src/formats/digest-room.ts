/**
 * The columns a digest works in. They are made for many rows, and making them takes longer than reading a
 * small file, so they are used again. What is in use belongs to one digest alone.
 */
import { kernelNumbers } from './group-kernel.ts'
import { type NumberWriter, plainNumbers } from './group-numbers.ts'
import { newBatch, perTextColumn, type RowBatch } from './row-batch.ts'
import { newGroup, type RowGroup } from './row-group.ts'
import { textTable } from './text-table.ts'

export interface DigestRoom {
  readonly batch: RowBatch
  readonly group: RowGroup
  readonly numbersOf: NumberWriter
}

/** Rows that wait for others of their second, and rows of the block that is read. */
export const BATCH_ROWS = 64 * 1024

/** Each holds some megabytes for as long as the process lives. */
const MOST_SPARE = 2

const spare: DigestRoom[] = []

export function takeRoom(): DigestRoom {
  const used = spare.pop()
  if (used !== undefined) return used
  return {
    batch: newBatch(BATCH_ROWS),
    group: newGroup(),
    numbersOf: kernelNumbers(plainNumbers()),
  }
}

/** For a room that nobody works in any more. What long texts have made large is better let go of instead. */
export function giveRoomBack(room: DigestRoom): void {
  if (spare.length >= MOST_SPARE) return
  room.batch.rows = 0
  room.batch.amount.wide = []
  room.batch.tables = perTextColumn(textTable)
  spare.push(room)
}
