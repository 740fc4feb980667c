/** The files of a zip by name, read by this project's own reader, which checks sizes and checksums. */
import { newBudget } from '../../src/formats/inflate.ts'
import { limitsOf } from '../../src/formats/limits.ts'
import { readSheet } from '../../src/formats/xlsx-rows.ts'
import { openZip } from '../../src/formats/zip.ts'
import { collect } from './objects.ts'
import { sourceOf } from './statement-source.ts'

export async function unzip(bytes: AsyncIterable<Uint8Array>): Promise<Map<string, Buffer>> {
  const source = sourceOf(await collect(bytes), 'made.zip')
  const files = new Map<string, Buffer>()
  for (const { name, read } of await openZip(source, newBudget(limitsOf(), source.size)))
    files.set(name, await collect(read()))
  return files
}

/** The cells of every sheet of a workbook, in the order of the tabs. */
export async function readWorkbook(bytes: AsyncIterable<Uint8Array>): Promise<Map<string, string[][]>> {
  const files = await unzip(bytes)
  const names = [
    ...files
      .get('xl/workbook.xml')!
      .toString()
      .matchAll(/<sheet name="([^"]+)"/g),
  ]
  const sheets = new Map<string, string[][]>()
  for (const [index, [, name]] of names.entries()) {
    const source = sourceOf(files.get(`xl/worksheets/sheet${index + 1}.xml`)!)
    const rows = (
      await Array.fromAsync(readSheet(source.read(), { get: () => undefined }, limitsOf()))
    ).flat()
    sheets.set(
      name!,
      rows.map(({ cells }) => [...cells]),
    )
  }
  return sheets
}
