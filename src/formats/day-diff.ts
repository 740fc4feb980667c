/** What distinguishes two data files of one day, in bounded memory: both are in the table's order. */
import { compareIdentities } from '../domain/activity.ts'
import { type ByteSource, readBytes } from './byte-source.ts'
import { damaged } from './file-fault.ts'
import { type CategorizedRow, readStoredGroups } from './parquet.ts'
import { addAmount, listSums, type WalletSum, type WalletSums } from './wallet-sums.ts'

export interface DayDiff {
  readonly added: number
  readonly removed: number
  /** Rows that are the same row, but for their user id, category, further cells or row id. */
  readonly altered: number
  readonly addedSums: WalletSum[]
  readonly removedSums: WalletSum[]
}

/**
 * The rows that `next` has and `standing` has not, and the other way round. Identical rows are told apart
 * by their number alone, so the diff is that of two multisets. Throws `file-damaged`.
 */
export async function diffDays(standing: ByteSource, next: ByteSource): Promise<DayDiff> {
  const counts = { added: 0, removed: 0, altered: 0 }
  const addedSums: WalletSums = new Map()
  const removedSums: WalletSums = new Map()
  const answer = () => ({ ...counts, addedSums: listSums(addedSums), removedSums: listSums(removedSums) })
  if (await hasSameData(standing, next)) return answer()

  const old = rowCursor(standing)
  const fresh = rowCursor(next)
  let left = await old.next()
  let right = await fresh.next()
  while (left !== undefined || right !== undefined) {
    const order = left === undefined ? 1 : right === undefined ? -1 : compareIdentities(left, right)
    if (order < 0 && left !== undefined) {
      counts.removed++
      addAmount(removedSums, left.wallet, left.asset, left.amount)
    }
    if (order > 0 && right !== undefined) {
      counts.added++
      addAmount(addedSums, right.wallet, right.asset, right.amount)
    }
    if (order === 0 && left !== undefined && right !== undefined && !isSameRow(left, right)) counts.altered++
    // Only what is used up is fetched anew: most steps need no waiting.
    if (order <= 0) left = old.step() ?? (await old.next())
    if (order >= 0) right = fresh.step() ?? (await fresh.next())
  }
  return answer()
}

function isSameRow(a: CategorizedRow, b: CategorizedRow): boolean {
  return a.rowId === b.rowId && a.userId === b.userId && a.category === b.category && a.extra === b.extra
}

interface RowCursor {
  /** The next row of the group at hand; `undefined` at its end. */
  step(): CategorizedRow | undefined
  /** The next row of the file; `undefined` at its end. */
  next(): Promise<CategorizedRow | undefined>
}

/** Refuses rows out of order, because a merge would count them wrong. */
function rowCursor(source: ByteSource): RowCursor {
  const groups = readStoredGroups(source)
  let rows: CategorizedRow[] = []
  let at = 0
  let last: CategorizedRow | undefined

  function step(): CategorizedRow | undefined {
    const row = rows[at]
    if (row === undefined) return undefined
    if (last !== undefined && compareIdentities(last, row) > 0) {
      throw damaged('parquet', `The rows of ${source.name} are not in the table's order.`)
    }
    at++
    last = row
    return row
  }

  return {
    step,
    async next() {
      for (;;) {
        const row = step()
        if (row !== undefined) return row
        const group = await groups.next()
        if (group.done === true) return undefined
        rows = group.value
        at = 0
      }
    },
  }
}

/** Before the footer there is nothing but the rows, and the same rows are written as the same bytes. */
async function hasSameData(a: ByteSource, b: ByteSource): Promise<boolean> {
  const [endOfA, endOfB] = await Promise.all([endOfData(a), endOfData(b)])
  if (endOfA === undefined || endOfA !== endOfB) return false
  const [left, right] = [a, b].map(source => source.read({ start: 0, end: endOfA })[Symbol.asyncIterator]())
  let one: Uint8Array | undefined
  let other: Uint8Array | undefined
  try {
    for (;;) {
      one = one?.length ? one : (await left!.next()).value
      other = other?.length ? other : (await right!.next()).value
      if (one === undefined || other === undefined) return one === other
      const length = Math.min(one.length, other.length)
      if (Buffer.compare(one.subarray(0, length), other.subarray(0, length)) !== 0) return false
      one = one.subarray(length)
      other = other.subarray(length)
    }
  } finally {
    await Promise.all([left?.return?.(), right?.return?.()])
  }
}

/** The last eight bytes are the footer's length and the mark. */
const TAIL_BYTES = 8

async function endOfData(source: ByteSource): Promise<number | undefined> {
  if (source.size < TAIL_BYTES) return undefined
  const tail = await readBytes(source, source.size - TAIL_BYTES, source.size)
  if (tail.length < TAIL_BYTES) return undefined
  const end = source.size - TAIL_BYTES - tail.readUInt32LE()
  return end > 0 ? end : undefined
}
