/** The cells of a record as a row of activity, or the reason why they are none. */
import { type ActivityRow, UNIT_SEPARATOR } from '../domain/activity.ts'
import { type AmountFault, readAmount } from '../domain/amount.ts'
import type { Meaning } from '../domain/column-names.ts'
import { writeJson } from '../domain/json.ts'
import { walletOf } from '../domain/operations.ts'
import type { CsvFault, CsvRecord } from './csv.ts'
import type { Layout } from './layout.ts'
import { readTime, type TimeFault } from './time.ts'
import type { OffsetMinutes } from './zone.ts'

/** Why a row cannot be read: stable codes, counted in the manifest. */
export type RowFault =
  | CsvFault
  | TimeFault
  | AmountFault
  | 'too-few-cells'
  | 'too-many-cells'
  | 'separator-in-cell'
  | 'empty-wallet'
  | 'empty-operation'
  | 'empty-asset'

/** A reader for the rows of one layout. */
export function rowReader(layout: Layout, offset: OffsetMinutes) {
  const { columns, fewestCells, header } = layout
  let lastText = ''
  let lastTime: bigint | TimeFault = 'time-empty'

  /** Rows come in order of time, so the same second is asked for again and again. */
  function timeOf(text: string): bigint | TimeFault {
    if (text !== lastText) {
      lastTime = readTime(text, offset)
      lastText = text
    }
    return lastTime
  }

  return function read(record: CsvRecord): ActivityRow | RowFault {
    const { cells, fault, text } = record
    if (fault !== undefined) return fault
    if (cells.length < fewestCells) return 'too-few-cells'
    // A comma too many may have split the amount: what follows would be read from the wrong column.
    if (cells.length > header.length) return 'too-many-cells'
    if (text.includes(UNIT_SEPARATOR)) return 'separator-in-cell'
    const cell = (meaning: Meaning) => cells[columns[meaning] ?? -1] ?? ''
    const micros = timeOf(cell('time').trim())
    if (typeof micros === 'string') return micros
    const wallet = cell('wallet').trim()
    if (wallet === '') return 'empty-wallet'
    const operation = cell('operation').trim()
    if (operation === '') return 'empty-operation'
    const asset = cell('asset').trim()
    if (asset === '') return 'empty-asset'
    const amount = readAmount(cell('amount').trim())
    if (typeof amount === 'string') return amount
    return {
      micros,
      userId: cell('userId').trim() || null,
      wallet: walletOf(wallet),
      operation,
      asset,
      amount,
      remark: cell('remark'),
      extra: layout.extra.length === 0 ? null : extraOf(layout, cells),
    }
  }
}

/** The cells of columns nobody asked for; those without a name only when they hold something. */
function extraOf(layout: Layout, cells: readonly string[]): string | null {
  const kept = layout.extra.flatMap(({ index, name }) => {
    const cell = cells[index]
    if (cell === undefined || (name === '' && cell === '')) return []
    return [[name === '' ? `column ${index + 1}` : name, cell] as const]
  })
  return kept.length === 0 ? null : writeJson(Object.fromEntries(kept))
}
