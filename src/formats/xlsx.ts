/** An Excel workbook: every sheet that holds a statement is a part. */

import type { ColumnNames } from '../domain/column-names.ts'
import { unreadable } from './file-fault.ts'
import { type InflateBudget, spend } from './inflate.ts'
import { csvOfSheet, findStart, type SheetStart } from './sheet-csv.ts'
import { readSheet } from './xlsx-rows.ts'
import { readSharedStrings, type SharedStrings } from './xlsx-strings.ts'
import { readXml } from './xml.ts'
import type { ZipFile } from './zip.ts'

export interface SheetPart {
  readonly name: string
  readonly zone: string | undefined
  read(): AsyncIterable<Uint8Array>
}

interface Sheet {
  readonly name: string
  readonly file: ZipFile
}

const WORKBOOK = 'xl/workbook.xml'

/** A workbook is a zip that holds one of these. */
export function isWorkbook(files: readonly ZipFile[]): boolean {
  return files.some(({ name }) => name === WORKBOOK || name === 'xl/workbook.bin')
}

/** The sheets with a statement's header; where none has it, the first, so that its fault can be named. */
export async function openXlsx(
  files: readonly ZipFile[],
  budget: InflateBudget,
  names: ColumnNames,
): Promise<{ parts: SheetPart[]; ignored: number }> {
  const sheets = await listSheets(files)
  const strings = await sharedStrings(files)
  const found: Array<Sheet & { start: SheetStart }> = []
  for (const sheet of sheets) {
    const rows = readSheet(sheet.file.read(), strings, budget.limits)
    found.push({ ...sheet, start: await findStart(rows, names) })
  }
  const statements = found.filter(({ start }) => start.isHeader)
  const chosen = statements.length > 0 ? statements : found.slice(0, 1)
  const parts = chosen.map(({ name, file, start }) => ({
    name,
    zone: start.zone,
    read: () => charged(csvOfSheet(readSheet(file.read(), strings, budget.limits), start), budget),
  }))
  return { parts, ignored: sheets.length - parts.length }
}

/** The text may be much larger than the sheet, so it counts like inflated bytes. */
async function* charged(
  chunks: AsyncIterable<Uint8Array>,
  budget: InflateBudget,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    spend(budget, chunk.length)
    yield chunk
  }
}

/** The sheets in the order of the tabs. */
async function listSheets(files: readonly ZipFile[]): Promise<Sheet[]> {
  const workbook = files.filter(({ name }) => name === WORKBOOK)
  if (workbook.length === 0) {
    throw unreadable('xlsb', 'This is a binary Excel workbook (.xlsb). Save its sheet as CSV (UTF-8).')
  }
  const targets = await readTargets(files)
  const sheets: Sheet[] = []
  await readElements(workbook[0]!, (name, attributes) => {
    const target = name === 'sheet' ? targets.get(attributes['r:id'] ?? '') : undefined
    const file = files.find(one => one.name === target)
    if (file !== undefined) sheets.push({ name: attributes.name ?? file.name, file })
  })
  if (sheets.length === 0) throw unreadable('xlsx-sheet', 'The workbook holds no sheet that can be found.')
  return sheets
}

/** Which entry each relation of the workbook leads to. */
async function readTargets(files: readonly ZipFile[]): Promise<Map<string, string>> {
  const targets = new Map<string, string>()
  const relations = files.find(({ name }) => name === 'xl/_rels/workbook.xml.rels')
  if (relations === undefined) return targets
  await readElements(relations, (name, { Id = '', Target = '' }) => {
    if (name === 'Relationship') targets.set(Id, Target.startsWith('/') ? Target.slice(1) : `xl/${Target}`)
  })
  return targets
}

async function readElements(
  file: ZipFile,
  open: (name: string, attributes: Readonly<Record<string, string>>) => void,
): Promise<void> {
  for await (const _ of readXml(file.read(), { open, text() {}, close() {} }));
}

async function sharedStrings(files: readonly ZipFile[]): Promise<SharedStrings> {
  const file = files.find(({ name }) => name === 'xl/sharedStrings.xml')
  if (file === undefined) return { get: () => undefined }
  return readSharedStrings(file.read())
}
