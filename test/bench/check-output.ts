/**
 * The process that reads an output with DuckDB: `node check-output.ts <engine> <folder>`. It prints what the
 * output holds, in a form that is equal exactly when the rows are (as a multiset).
 */
import { DuckDBInstance } from '@duckdb/node-api'
import { engineNamed } from './engines.ts'
import type { OutputContent } from './output-content.ts'

const [name, folder] = process.argv.slice(2)
const engine = engineNamed(name!)
const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
const connection = await instance.connect()
await connection.run("SET TimeZone = 'UTC'")

const COLUMNS = ['time', 'user_id', 'wallet', 'operation', 'category', 'asset', 'amount', 'remark', 'extra']
const jsonColumns = COLUMNS.map(column => `${column}: 'VARCHAR'`).join(', ')
// Text of eight decimals goes through DECIMAL(18,8), which is exact and far faster.
const jsonAmount = `CASE WHEN substr(amount, -9, 1) = '.' AND length(amount) <= 19
  THEN CAST(CAST(amount AS DECIMAL(18,8)) AS DECIMAL(38,18)) ELSE CAST(amount AS DECIMAL(38,18)) END`
const source =
  engine.output === 'parquet'
    ? `read_parquet('${folder}/*.parquet')`
    : `(SELECT * REPLACE (${jsonAmount} AS amount) FROM read_json('${folder}/*.jsonl.gz',
        format = 'newline_delimited', columns = {${jsonColumns}}))`

const values = `epoch_us(CAST(time AS TIMESTAMP)), user_id, wallet, operation, category, asset,
  CAST(amount AS DECIMAL(38,18)), remark, extra`
// Sums of hashes, not their xor: pairs of identical rows would cancel each other.
const sumOfHashes = (columns: string) => `sum(CAST(hash(${columns}) AS HUGEINT))`
const rowIds = engine.rowIds ? sumOfHashes(`row_id, ${values}`) : "''"

async function textOf(sql: string): Promise<string[][]> {
  const reader = await connection.runAndReadAll(sql)
  return reader.getRows().map(row => row.map(String))
}

const [totals] = await textOf(`SELECT count(*), ${sumOfHashes(values)}, ${rowIds} FROM ${source}`)
const amount = 'CAST(sum(CAST(amount AS DECIMAL(38,18))) AS VARCHAR)'
const sums = await textOf(`SELECT wallet || ' ' || asset, ${amount} FROM ${source} GROUP BY 1 ORDER BY 1`)
const [rows, rowsHash, ids] = totals!
const content: OutputContent = { rows: rows!, rowsHash: rowsHash!, rowIds: ids!, sums }
process.stdout.write(`${JSON.stringify(content)}\n`)
connection.closeSync()
instance.closeSync()
