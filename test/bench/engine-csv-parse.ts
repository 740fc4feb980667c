/**
 * The usual hand-written pipeline: csv-parse, an object a row, JSON lines, gzip. Amounts stay text as
 * they stand in the file; no row id, no days, no types, no proof.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { categoryOf, walletOf } from '../../src/domain/operations.ts'
import type { EngineJob } from './engine.ts'

interface CsvRow {
  readonly User_ID: string
  readonly UTC_Time: string
  readonly Account: string
  readonly Operation: string
  readonly Coin: string
  readonly Change: string
  readonly Remark: string
}

export async function runCsvParse({ path, folder }: EngineJob): Promise<void> {
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 18 }),
    parse({ columns: true }),
    toLines,
    createGzip(),
    createWriteStream(join(folder, 'activity.jsonl.gz')),
  )
}

/** Lines are gathered, because a write a row would be slower still. */
async function* toLines(rows: AsyncIterable<CsvRow>): AsyncGenerator<string> {
  let lines = ''
  for await (const row of rows) {
    lines += `${JSON.stringify(activityOf(row))}\n`
    if (lines.length < 1 << 16) continue
    yield lines
    lines = ''
  }
  yield lines
}

function activityOf(row: CsvRow) {
  return {
    time: `${row.UTC_Time.replace(' ', 'T')}Z`,
    user_id: row.User_ID,
    wallet: walletOf(row.Account),
    operation: row.Operation,
    category: categoryOf(row.Operation, row.Remark),
    asset: row.Coin,
    amount: row.Change,
    remark: row.Remark,
    extra: null,
  }
}
