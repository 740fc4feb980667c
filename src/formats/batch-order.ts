/** The table's order over a batch: the same as `compareRows`, on codes instead of texts. */
import { compareAmounts } from './amount-cells.ts'
import type { RowBatch } from './row-batch.ts'

/** Runs up to this length are sorted by insertion: most seconds have a handful of rows. */
const SHORT_RUN = 24

/** Sorts batches of up to `capacity` rows; each answer is good until the next. */
export function batchOrder(capacity: number): (batch: RowBatch) => Uint32Array {
  const room = new Uint32Array(capacity)

  /** The numbers of the rows in the table's order. */
  return batch => {
    const { rows, time } = batch
    const order = room.subarray(0, rows)
    sortByTime(order, time)
    const compare = rowComparer(batch)
    for (let start = 0; start < rows; ) {
      let end = start + 1
      const instant = time[order[start]!]!
      while (end < rows && time[order[end]!] === instant) end++
      if (end - start > SHORT_RUN) order.subarray(start, end).sort(compare)
      else if (end - start > 1) sortShort(order, start, end, compare)
      start = end
    }
    return order
  }
}

/** Rows that stand early are few and near their place: up to so many steps a row, they are moved one by one. */
const STEPS_PER_ROW = 4

function sortByTime(order: Uint32Array, time: Float64Array): void {
  let steps = order.length * STEPS_PER_ROW
  for (let row = 0; row < order.length; row++) {
    const instant = time[row]!
    let at = row
    for (; at > 0 && time[order[at - 1]!]! > instant && steps > 0; at--, steps--) order[at] = order[at - 1]!
    order[at] = row
    if (steps === 0) break
  }
  if (steps > 0) return
  for (let row = 0; row < order.length; row++) order[row] = row
  order.sort((a, b) => time[a]! - time[b]! || a - b)
}

function sortShort(
  order: Uint32Array,
  start: number,
  end: number,
  compare: (a: number, b: number) => number,
): void {
  for (let next = start + 1; next < end; next++) {
    const row = order[next]!
    let at = next
    while (at > start && compare(order[at - 1]!, row) > 0) {
      order[at] = order[at - 1]!
      at--
    }
    order[at] = row
  }
}

/** Compares two rows of the same time by everything else. */
function rowComparer({ amount, codes, tables }: RowBatch): (a: number, b: number) => number {
  const { wallet, operation, asset, remark, userId, extra } = codes
  const wallets = tables.wallet.ranks()
  const operations = tables.operation.ranks()
  const assets = tables.asset.ranks()
  return (a, b) =>
    wallets[wallet[a]!]! - wallets[wallet[b]!]! ||
    operations[operation[a]!]! - operations[operation[b]!]! ||
    assets[asset[a]!]! - assets[asset[b]!]! ||
    compareAmounts(amount, a, b) ||
    compareTexts(tables.remark.textOf, remark[a]!, remark[b]!) ||
    compareTexts(tables.userId.textOf, userId[a]!, userId[b]!) ||
    compareTexts(tables.extra.textOf, extra[a]!, extra[b]!)
}

function compareTexts(textOf: (code: number) => string, a: number, b: number): number {
  if (a === b) return 0
  return textOf(a) < textOf(b) ? -1 : 1
}

/** Whether two rows are identical in the sense of `identityOf`. */
export function isIdentical({ time, amount, codes }: RowBatch, a: number, b: number): boolean {
  return (
    time[a] === time[b] &&
    codes.wallet[a] === codes.wallet[b] &&
    codes.operation[a] === codes.operation[b] &&
    codes.asset[a] === codes.asset[b] &&
    codes.remark[a] === codes.remark[b] &&
    compareAmounts(amount, a, b) === 0
  )
}
