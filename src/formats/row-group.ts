/** A row group of the table in columns, complete in itself: what is identified, encoded and compressed. */
import { categoryOf, TELLING_CHARACTERS } from '../domain/operations.ts'
import { type AmountCells, WIDE } from './amount-cells.ts'
import {
  addText,
  type CodedTexts,
  clearTexts,
  endOf,
  newCodedTexts,
  plainTexts,
  textAt,
} from './coded-texts.ts'
import { perTextColumn, type RowBatch, TEXT_COLUMNS, type TextColumn } from './row-batch.ts'
import { hashOf, type TextTable, textTable } from './text-table.ts'

/** Rows of a group: enough for compression and skipping, few enough for memory. */
export const GROUP_ROWS = 65_536

/** Bytes of different texts after which a group ends before it has all its rows. */
const GROUP_TEXT_BYTES = 32 * 1024 ** 2

export interface RowGroup {
  rows: number
  readonly time: Float64Array
  readonly amount: AmountCells
  /** The number of each row among the identical rows of its second. */
  readonly occurrence: Uint32Array
  readonly texts: Readonly<Record<TextColumn | 'category', CodedTexts>>
}

/** A group; with `shared` its columns of numbers can be seen by other threads. */
export function newGroup(capacity = GROUP_ROWS, shared = false): RowGroup {
  const room = (bytes: number) => (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))
  const column = () => newCodedTexts(new Uint32Array(room(capacity * 4)))
  return {
    rows: 0,
    time: new Float64Array(room(capacity * 8)),
    amount: { units: new Float64Array(room(capacity * 8)), wide: [] },
    occurrence: new Uint32Array(room(capacity * 4)),
    texts: { ...perTextColumn(column), category: column() },
  }
}

/** Rows of a batch in the table's order, with their numbers among identical rows. */
export interface OrderedRows {
  readonly batch: RowBatch
  readonly order: Uint32Array
  readonly occurrence: Uint32Array
}

export interface GroupBuilder {
  readonly group: RowGroup
  isFull(): boolean
  /** Adds rows `from` up to `to` of the order, as many as there is room for; answers where it stopped. */
  add(rows: OrderedRows, from: number, to: number): number
}

/** Fills `group` from the beginning. */
export function groupBuilder(group: RowGroup): GroupBuilder {
  const capacity = group.time.length
  let boundTo: RowBatch['tables'] | undefined
  const local = perTextColumn(localCodes)
  const categories = categoryColumn()

  group.rows = 0
  group.amount.wide = []
  for (const texts of Object.values(group.texts)) clearTexts(texts)

  function add(rows: OrderedRows, from: number, to: number): number {
    const { tables } = rows.batch
    if (boundTo !== tables) bind(tables)
    const end = Math.min(to, from + capacity - group.rows)
    const most = TEXT_COLUMNS.reduce((sum, column) => sum + tables[column].startOf(tables[column].count()), 0)
    if (dictionaryBytes() + most <= GROUP_TEXT_BYTES) return addAll(rows, from, end)
    // So much text that the group may have to end early: row by row, so that only the rows decide where.
    let at = from
    while (at < end && !isFull()) at = addAll(rows, at, at + 1)
    return at
  }

  const isFull = () => group.rows >= capacity || dictionaryBytes() > GROUP_TEXT_BYTES

  function dictionaryBytes(): number {
    return TEXT_COLUMNS.reduce((sum, column) => sum + plainTexts(group.texts[column]).length, 0)
  }

  function addAll({ batch, order, occurrence }: OrderedRows, from: number, end: number): number {
    const first = group.rows
    const { time, amount } = group
    for (let index = from, row = first; index < end; index++, row++) {
      const source = order[index]!
      time[row] = batch.time[source]!
      group.occurrence[row] = occurrence[index]!
      copyAmount(batch.amount, source, amount, row)
    }
    for (const column of TEXT_COLUMNS) {
      local[column].add(
        batch.tables[column],
        batch.codes[column],
        order,
        from,
        end,
        group.texts[column],
        first,
      )
    }
    group.rows = first + end - from
    categories.add(group, first)
    return end
  }

  /** Codes of other tables mean other texts; the group's own stay what they are. */
  function bind(tables: RowBatch['tables']): void {
    boundTo = tables
    for (const column of TEXT_COLUMNS) local[column].bind(tables[column], group.texts[column])
  }

  return {
    group,
    isFull,
    add,
  }
}

function copyAmount(from: AmountCells, at: number, to: AmountCells, row: number): void {
  const units = from.units[at]!
  if (units < WIDE) {
    to.units[row] = units
    return
  }
  to.units[row] = WIDE + 2 * to.wide.length
  to.wide.push(from.wide[(units - WIDE) / 2]!)
}

const UNKNOWN = -1

/** Codes of a table to codes of the group's dictionary. */
function localCodes() {
  let codes = new Int32Array(1024).fill(UNKNOWN)

  function reserve(count: number): void {
    if (count <= codes.length) return
    const larger = new Int32Array(Math.max(count, codes.length * 2)).fill(UNKNOWN)
    larger.set(codes)
    codes = larger
  }

  function add(
    table: TextTable,
    source: Uint32Array,
    order: Uint32Array,
    from: number,
    end: number,
    texts: CodedTexts,
    first: number,
  ): void {
    reserve(table.count())
    const known = codes
    const { codes: target } = texts
    for (let index = from, row = first; index < end; index++, row++) {
      const code = source[order[index]!]!
      let local = known[code]!
      if (local === UNKNOWN) {
        local = addText(texts, table.bytes(), table.startOf(code), table.startOf(code + 1))
        known[code] = local
      }
      target[row] = local
    }
  }

  function bind(table: TextTable, texts: CodedTexts): void {
    codes.fill(UNKNOWN)
    for (let code = 0; code < texts.count; code++) {
      const known = table.codeOfText(textAt(texts, code))
      reserve(table.count())
      codes[known] = code
    }
  }

  return { add, bind }
}

/** A remark that moves some operations into another category. */
const PAY_REMARK = 'Binance Pay'

/** More than a group can have. */
const MOST_BEGINNINGS = 2 * GROUP_ROWS

/** The category follows from the operation, and for some operations also from the remark. */
function categoryColumn() {
  const known = new Map<string, number>()
  /** By operation: its category's code, or -1 when the remark decides. */
  const byOperation: number[] = []

  /** Beginnings of remarks, and the category that each gives an operation. */
  const beginnings = textTable()
  const byBeginning = new Map<number, number>()

  function ofRemark({ operation, remark, category }: RowGroup['texts'], row: number): number {
    const name = operation.codes[row]!
    const code = remark.codes[row]!
    const start = remark.starts[code]!
    const end = Math.min(endOf(remark, code), start + TELLING_CHARACTERS)
    const beginning = beginnings.codeOf(remark.bytes, start, end, hashOf(remark.bytes, start, end))
    const key = name * MOST_BEGINNINGS + beginning
    const known = byBeginning.get(key)
    if (known !== undefined) return known
    const found = codeOf(category, categoryOf(textAt(operation, name), beginnings.textOf(beginning)))
    byBeginning.set(key, found)
    return found
  }

  function codeOf(texts: CodedTexts, category: string): number {
    const code = known.get(category)
    if (code !== undefined) return code
    const bytes = Buffer.from(category)
    const added = addText(texts, bytes, 0, bytes.length)
    known.set(category, added)
    return added
  }

  function ofOperation(operation: string, texts: CodedTexts): number {
    const category = categoryOf(operation, '')
    return category === categoryOf(operation, PAY_REMARK) ? codeOf(texts, category) : -1
  }

  function add({ texts, rows }: RowGroup, first: number): void {
    const { operation, category } = texts
    for (let row = first; row < rows; row++) {
      const name = operation.codes[row]!
      byOperation[name] ??= ofOperation(textAt(operation, name), category)
      const code = byOperation[name]
      category.codes[row] = code === -1 ? ofRemark(texts, row) : code
    }
  }

  return { add }
}
