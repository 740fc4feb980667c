/** A report as a file to download: plain CSV, gzip, or a zip of parts. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { addDays, startOfDay } from '../domain/calendar.ts'
import type { Knobs } from './knobs.ts'
import type { LedgerQuery } from './ledger.ts'
import { type CsvSource, csvText } from './report-file.ts'

/** What a report was asked for, and the knobs in force when it was. */
export interface ReportContent {
  readonly reportId: string
  readonly merchant: string
  readonly seed: string
  readonly walletType: 'SPOT_WALLET' | 'FUNDING_WALLET' | null
  readonly startDate: string
  readonly endDate: string
  /** The minute of export stands in the file name of layout C. */
  readonly madeAtMs: number
  readonly knobs: Knobs
}

const CONTENT_TYPES = {
  csv: 'text/csv;charset=utf-8',
  gzip: 'application/gzip',
  zip: 'application/zip',
} as const

export function contentType(content: ReportContent): string {
  return CONTENT_TYPES[content.knobs.fileContainer]
}

/** The name the file is downloaded under. */
export function fileName(content: ReportContent): string {
  const { fileContainer } = content.knobs
  if (fileContainer === 'zip') return `${stem(content)}.zip`
  return `${partName(content, 0, 1)}${fileContainer === 'gzip' ? '.gz' : ''}`
}

/** The bytes of the file, made as they are read; the same bytes every time. */
export async function* fileBytes(content: ReportContent): AsyncGenerator<Uint8Array> {
  const { fileContainer } = content.knobs
  if (fileContainer === 'csv') yield* csvBytes(partSource(content, 0, 1))
  if (fileContainer === 'gzip') yield* Readable.from(csvBytes(partSource(content, 0, 1))).pipe(createGzip())
  if (fileContainer === 'zip') yield* zipBytes(content)
}

/** Roughly how many rows the file has. */
export function expectedRows(content: ReportContent): number {
  const { fromSecond, toSecond } = wholeRange(content)
  return ((toSecond - fromSecond) / 86_400) * content.knobs.rowsPerDay
}

/** The merchant's user id at Binance, always the same twelve digits. */
export function userIdOf(merchant: string): string {
  const digest = createHash('sha256').update(merchant).digest()
  return `100${(digest.readUIntBE(0, 6) % 1_000_000_000).toString().padStart(9, '0')}`
}

function* csvBytes(source: CsvSource): Generator<Buffer> {
  for (const text of csvText(source)) yield Buffer.from(text, 'utf8')
}

async function* zipBytes(content: ReportContent): AsyncGenerator<Uint8Array> {
  // A development dependency: loaded only when a zip is asked for.
  const { ZipFile } = await import('yazl')
  const zip = new ZipFile()
  const options = { mtime: new Date(content.madeAtMs), mode: 0o100644 }
  const { fileZipParts: count, fileZipNoise, fileMissingPart } = content.knobs
  if (fileZipNoise) {
    zip.addEmptyDirectory('reports/', { mtime: options.mtime })
    zip.addBuffer(Buffer.from('Mac OS X'), '__MACOSX/._report.csv', options)
  }
  for (let part = 0; part < (fileMissingPart ? count - 1 : count); part++) {
    const source = partSource(content, part, count)
    const open = (give: (error: unknown, stream: Readable) => void) =>
      give(null, Readable.from(csvBytes(source)))
    zip.addReadStreamLazy(partName(content, part, count), options, open)
  }
  zip.end()
  yield* zip.outputStream as unknown as AsyncIterable<Uint8Array>
}

function partSource(content: ReportContent, part: number, count: number): CsvSource {
  const { knobs, reportId, merchant } = content
  return {
    reportId,
    userId: userIdOf(merchant),
    query: partQuery(content, part, count),
    knobs,
    last: part === count - 1,
  }
}

/** The part's share of the time, in the order in which the rows are written. */
function partQuery(content: ReportContent, part: number, count: number): LedgerQuery {
  const { seed, merchant, walletType, knobs } = content
  const { fromSecond, toSecond } = wholeRange(content)
  const descending = knobs.fileOrder === 'descending'
  const slice = descending ? count - 1 - part : part
  const border = (index: number) => fromSecond + Math.floor(((toSecond - fromSecond) * index) / count)
  return {
    seed,
    merchant,
    rowsPerDay: knobs.rowsPerDay,
    fromSecond: border(slice),
    toSecond: border(slice + 1),
    wallet: walletType === null ? undefined : walletType === 'SPOT_WALLET' ? 'Spot' : 'Funding',
    descending,
  }
}

function wholeRange({ startDate, endDate, knobs }: ReportContent): { fromSecond: number; toSecond: number } {
  const shift = knobs.dateZone === 'UTC+8' ? 8 * 3600 : 0
  const end = knobs.endDateMeaning === 'inclusive' ? addDays(endDate, 1) : endDate
  const secondOf = (day: string) => startOfDay(day).getTime() / 1000 - shift
  return { fromSecond: secondOf(startDate), toSecond: secondOf(end) }
}

function stem(content: ReportContent): string {
  if (content.knobs.fileLayout !== 'C') return uuidOf(content.reportId)
  const zone = content.knobs.fileZoneOffsetMinutes
  const minute = new Date(content.madeAtMs + zone * 60_000).toISOString().replace(/\D/g, '').slice(0, 12)
  return `Binance-Transaction-History-${minute}(UTC${zoneText(zone)})`
}

function partName(content: ReportContent, part: number, count: number): string {
  const zipped = content.knobs.fileContainer === 'zip'
  const suffix = zipped ? `-part${part + 1}-of${count}` : content.knobs.fileLayout === 'C' ? '' : '-1'
  return `${stem(content)}${suffix}.csv`
}

/** `+7`, `+5:30`, and `--6` for a zone behind UTC: so the real names have it. */
function zoneText(minutes: number): string {
  const size = Math.abs(minutes)
  const rest = size % 60 === 0 ? '' : `:${(size % 60).toString().padStart(2, '0')}`
  return `${minutes < 0 ? '--' : '+'}${Math.floor(size / 60)}${rest}`
}

function uuidOf(reportId: string): string {
  const hex = createHash('sha256').update(reportId).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}
