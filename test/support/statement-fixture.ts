/** A statement as plain JSON, to compare with a fixture. */

import { formatAmount } from '../../src/domain/amount.ts'
import { isFault } from '../../src/domain/errors.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { readStatement, type StatementItem, type StatementOptions } from '../../src/formats/statement.ts'

/** One line of JSON a row, so that a fixture reads like the file beside it. */
export interface FixtureContent {
  fault?: { code: string; reason: unknown }
  zone?: string
  rows: string[]
  unreadable: string[]
}

export async function readItems(source: ByteSource, options?: StatementOptions): Promise<StatementItem[]> {
  const items: StatementItem[] = []
  for await (const batch of readStatement(source, options)) items.push(...batch)
  return items
}

export async function readFixture(source: ByteSource): Promise<FixtureContent> {
  const content: FixtureContent = { rows: [], unreadable: [] }
  try {
    const items = await readItems(source, {
      onPart: ({ zone }) => {
        if (zone !== undefined) content.zone = `${zone.offset} minutes, ${zone.from}`
      },
    })
    for (const item of items) {
      if (item.kind === 'row') content.rows.push(rowLine(item.line, item.row))
      else content.unreadable.push(`${item.line} ${item.reason} ${JSON.stringify(item.text)}`)
    }
  } catch (error) {
    if (!isFault(error, 'file-unreadable') && !isFault(error, 'file-damaged')) throw error
    content.fault = { code: error.code, reason: error.details.reason }
  }
  return content
}

function rowLine(line: number, row: Extract<StatementItem, { kind: 'row' }>['row']): string {
  const time = new Date(Number(row.micros / 1000n)).toISOString()
  const cells = [row.userId, row.wallet, row.operation, row.asset, formatAmount(row.amount), row.remark]
  return [line, time, ...cells.map(cell => JSON.stringify(cell)), row.extra ?? '-'].join(' ')
}
