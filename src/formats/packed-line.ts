/**
 * A whole line inside one quoted cell, which some spreadsheets make of a bare file: `"1,…,2.00,"""""` is
 * the row `1,…,2.00,""`.
 */
import { addLine, newDraft } from './csv-cells.ts'

/** The cells of a record that is packed so, or the cells as they are. */
export function unpackCells(cells: readonly string[], quoted: boolean, separator: string): readonly string[] {
  const packed = cells[0]
  if (!quoted || cells.length !== 1 || packed === undefined || !packed.includes(separator)) return cells
  const draft = newDraft(separator)
  return addLine(draft, packed) === 'complete' ? draft.cells : cells
}
