/** A hostile file from a seed: a statement, damaged before or after it is packed. */
import { readdirSync, readFileSync } from 'node:fs'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { chanceFrom, type MadeLayout, madeRows, renderStatement } from '../support/statement-generator.ts'
import { gzipOf, sourceOf, zipOf } from '../support/statement-source.ts'
import { paxOf, tarOf } from '../support/tar-maker.ts'
import { workbookFrom, workbookOf } from '../support/workbook-maker.ts'
import { handmadeZip, type ZipForm } from '../support/zip-maker.ts'
import { type Chance, mutated } from './mutate.ts'

const FOLDER = new URL('../fixtures/statements/', import.meta.url)
const FIXTURES = readdirSync(FOLDER)
  .filter(name => name.endsWith('.csv'))
  .sort()
  .map(name => readFileSync(new URL(encodeURIComponent(name), FOLDER)))

const LAYOUTS: readonly MadeLayout[] = ['A', 'B-quoted', 'B-bare', 'C']
const NAMES = ['x', 'x(UTC+7)', 'x(UTC--6)', 'x(UTCnull)', 'x-part1-of2', 'x UTC5:30']

/** The same seed gives the same file on every machine, as long as the fixtures stay. */
export async function madeInput(seed: number): Promise<ByteSource> {
  const chance = chanceFrom(seed)
  const text = textOf(chance)
  const inner = chance(3) > 0 ? mutated(text, chance) : text
  const { bytes, extension } = await PACKERS[chance(PACKERS.length)]!(inner, chance)
  const outer = chance(3) === 0 || inner === text ? mutated(bytes, chance) : bytes
  return sourceOf(outer, NAMES[chance(NAMES.length)]! + extension, 1 + chance(chance(2) === 0 ? 100 : 70_000))
}

function textOf(chance: Chance): Buffer {
  if (chance(2) === 0) return FIXTURES[chance(FIXTURES.length)]!
  const rows = madeRows(1 + chance(200), chance(1_000_000), Date.UTC(2026, 9, 1) / 1000, 1 + chance(300_000))
  const layout = LAYOUTS[chance(LAYOUTS.length)]!
  const form = { eol: chance(4) === 0 ? '\r\n' : '\n', bom: chance(4) === 0, finalEol: chance(4) > 0 }
  const made = renderStatement(rows, layout, form)
  const text = chance(5) === 0 ? made.replaceAll(',', ';') : made
  return Buffer.from(chance(8) === 0 ? text.slice(text.indexOf('\n') + 1) : text)
}

interface Packed {
  readonly bytes: Buffer
  readonly extension: string
}

const PACKERS: ReadonlyArray<(inner: Buffer, chance: Chance) => Packed | Promise<Packed>> = [
  bytes => ({ bytes, extension: '.csv' }),
  bytes => ({ bytes, extension: '.csv' }),
  inner => ({ bytes: gzipOf(inner), extension: '.csv.gz' }),
  async (inner, chance) => ({
    bytes: await zipOf({ 'a-part1-of2.csv': inner, 'a-part2-of2.csv': inner }, { compress: chance(2) === 0 }),
    extension: '.zip',
  }),
  (inner, chance) => ({
    bytes: handmadeZip({ 'a.csv': inner.toString() }, zipForm(chance)),
    extension: '.zip',
  }),
  (inner, chance) => {
    const tar = tarOf([
      paxOf({ path: 'b.csv' }),
      { name: 'x', content: inner },
      { name: 'a.csv', content: inner },
    ])
    const outer = chance(2) === 0 ? mutated(tar, chance) : tar
    return chance(2) === 0
      ? { bytes: gzipOf(outer), extension: '.tar.gz' }
      : { bytes: outer, extension: '.tar' }
  },
  async (inner, chance) => ({ bytes: await workbook(inner, chance), extension: '.xlsx' }),
]

function zipForm(chance: Chance): ZipForm {
  return { compress: chance(2) === 0, zip64: chance(2) === 0, descriptor: chance(2) === 0 }
}

/** A workbook of the text's cells, or one whose XML is damaged. */
async function workbook(inner: Buffer, chance: Chance): Promise<Buffer> {
  const [header = [], ...rows] = inner
    .toString()
    .split('\n')
    .map(line =>
      line
        .replace(/[\0-\x1f\ufffe\uffff]/g, '')
        .split(',')
        .slice(0, 7),
    )
  const strings = chance(2) === 0 ? 'shared' : 'inline'
  if (chance(2) === 0) return workbookOf(rows.slice(0, 50), { header, strings })
  const sheet = `<row r="1"><c r="A1" t="s"><v>0</v></c></row><row><c t="str"><v>Time</v></c><c><v>1E-7</v></c></row>`
  return workbookFrom({ S: mutated(Buffer.from(sheet), chance).toString() }, ['UTC_Time', 'Coin'])
}
