/** The benchmark's files: made once, kept beside the benchmark, with the truth about each. */
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import yazl from 'yazl'
import { statementBlocks, type UnitSums } from './statement-bytes.ts'

export const DATA_FOLDER = join(import.meta.dirname, '.data')

/** Part of every name: a change of the generator makes new files. */
const VERSION = 'v1'
const SEED = 20_260_701

export type Packing = 'csv' | 'gz' | 'zip'

/** What any engine must find in the file: sums of `wallet asset` as text scaled by 10^8. */
export interface Truth {
  readonly rows: number
  readonly units: Readonly<Record<string, string>>
}

export const datasetPath = (rows: number, packing: Packing = 'csv') =>
  join(DATA_FOLDER, `${VERSION}-${rows}.${packing === 'csv' ? 'csv' : `csv.${packing}`}`)

const truthPath = (rows: number) => `${datasetPath(rows)}.truth.txt`

/** Makes what is missing; a file appears under its name only when it is whole. */
export async function ensureDataset(rows: number, packings: readonly Packing[]): Promise<void> {
  mkdirSync(DATA_FOLDER, { recursive: true })
  if (!existsSync(truthPath(rows))) await makeCsv(rows)
  for (const packing of packings) {
    if (packing === 'csv' || existsSync(datasetPath(rows, packing))) continue
    await (packing === 'gz' ? makeGzip : makeZip)(rows)
  }
}

export async function truthOf(rows: number): Promise<Truth> {
  const lines = (await readFile(truthPath(rows), 'utf8')).trimEnd().split('\n')
  return { rows, units: Object.fromEntries(lines.map(line => line.split('\t') as [string, string])) }
}

async function makeCsv(rows: number): Promise<void> {
  const sums: UnitSums = new Map()
  await writeWhole(datasetPath(rows), statementBlocks(rows, SEED, sums))
  await writeFile(truthPath(rows), [...sums].map(([key, units]) => `${key}\t${units}\n`).join(''))
}

async function makeGzip(rows: number): Promise<void> {
  const packed = createReadStream(datasetPath(rows), { highWaterMark: 1 << 20 }).pipe(createGzip())
  await writeWhole(datasetPath(rows, 'gz'), packed)
}

async function makeZip(rows: number): Promise<void> {
  const zip = new yazl.ZipFile()
  zip.addFile(datasetPath(rows), 'statement-part1-of1.csv')
  zip.end()
  await writeWhole(datasetPath(rows, 'zip'), zip.outputStream as AsyncIterable<Buffer>)
}

async function writeWhole(path: string, blocks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
  process.stderr.write(`making ${path}\n`)
  await pipeline(blocks, createWriteStream(`${path}.part`))
  renameSync(`${path}.part`, path)
}
