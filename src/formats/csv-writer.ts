/** Lines of CSV (RFC 4180), in UTF-8. */

const SPECIAL = /[",\r\n]/

/** A line with its end. Cells stand in quotes only where they must. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(text: string): string {
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
