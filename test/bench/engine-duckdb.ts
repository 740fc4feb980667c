/**
 * DuckDB in the fastest form found for it: one unsorted file, not one a day (PARTITION_BY is slower).
 *
 * Why it is written as it is, measured here with 5M rows on one thread:
 * - text → DECIMAL(38,18) costs some 9 µs a value, so numbers of scale 8 take DECIMAL(18,8) or, where they
 *   have an exponent, a short mantissa times a power of ten; both are exact. Others take the slow cast;
 * - the build side of the join is pinned: the optimizer takes the file for the smaller table (+1 GB);
 * - identical rows are grouped and numbered by `unnest(range(n))`, before any text is made. The numbers are
 *   those of `row_number() OVER (PARTITION BY identity)`, which costs 20 % more. That is kind to DuckDB:
 *   it is right only while identical rows share their user and a value has one text, as in this file;
 * - input order is not kept.
 */
import { DuckDBInstance } from '@duckdb/node-api'
import { CATEGORY_TABLE } from './category-table.ts'
import type { EngineJob } from './engine.ts'

type Form = (path: string) => string

/** Row ids with the occurrence number: the same ids as Daybook's. */
export const runDuckdb = (job: EngineJob) => copyWith(job, withOccurrence)

/** Every row numbered 0: not an identity where identical rows are real, but what many would write. */
export const runDuckdbWithoutOccurrence = (job: EngineJob) => copyWith(job, withoutOccurrence)

async function copyWith({ path, folder, threads }: EngineJob, form: Form): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  await connection.run(`SET preserve_insertion_order = false`)
  await connection.run(`SET disabled_optimizers = 'build_side_probe_side,join_order'`)
  await connection.run(
    `CREATE TABLE operations AS SELECT * FROM (VALUES ${categoryValues()}) AS t(name, category)`,
  )
  const options = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3'
  await connection.run(`COPY (${form(path)}) TO '${folder}/activity.parquet' (${options})`)
  connection.closeSync()
  instance.closeSync()
}

function categoryValues(): string {
  return [...CATEGORY_TABLE].map(names => `(${names.map(quoted).join(', ')})`).join(', ')
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

const withoutOccurrence: Form = path =>
  columnsOf(`(SELECT *, 0 AS occurrence FROM ${csvOf(path)})`, 'occurrence')

const withOccurrence: Form = path =>
  columnsOf(`(SELECT *, count(*) AS copies FROM ${csvOf(path)} GROUP BY ALL)`, 'unnest(range(copies))')

const csvOf = (path: string) => `read_csv(${quoted(path)}, header = true, auto_detect = false, delim = ',',
  quote = '"', escape = '"', nullstr = '\\N', columns = {user_id: 'VARCHAR', time: 'TIMESTAMP',
  wallet: 'VARCHAR', operation: 'VARCHAR', asset: 'VARCHAR', change: 'VARCHAR', remark: 'VARCHAR'})`

/** The table's columns; `occurrence` is an expression over the columns of `source`. */
function columnsOf(source: string, occurrence: string): string {
  const valued = `(SELECT *, CAST(${UNITS} AS DECIMAL(18,8)) AS units FROM ${source})`
  const named = `(SELECT c.*, ${CATEGORY} AS category, ${AMOUNT} AS amount, ${IDENTITY} AS identity
    FROM ${valued} c LEFT JOIN operations o ON c.operation = o.name)`
  return `SELECT left(sha256(concat(identity, ${occurrence})), 32) AS row_id,
    CAST(time AS TIMESTAMP) AS time, user_id, wallet, operation, category, asset, amount, remark,
    CAST(NULL AS VARCHAR) AS extra FROM ${named}`
}

/** Exactly eight decimals, or an exponent after a mantissa that keeps the value at scale 8. */
const UNITS = `CASE
  WHEN substr(change, -9, 1) = '.' AND length(change) <= 19 THEN CAST(change AS DECIMAL(18,8))
  WHEN ends_with(change, 'E-8') AND length(change) <= 5 AND NOT contains(change, '.')
    THEN CAST(replace(change, 'E-8', '') AS DECIMAL(9,0)) * CAST(0.00000001 AS DECIMAL(9,8))
  WHEN ends_with(change, 'E-7') AND length(change) <= 7 AND substr(change, -5, 1) = '.'
    THEN CAST(replace(change, 'E-7', '') AS DECIMAL(9,1)) * CAST(0.0000001 AS DECIMAL(9,7)) END`

const SLOW_AMOUNT = 'CAST(change AS DECIMAL(38,18))'
const AMOUNT = `CASE WHEN units IS NOT NULL THEN CAST(units AS DECIMAL(38,18)) ELSE ${SLOW_AMOUNT} END`

/** The shortest plain decimal. */
const shortest = (decimal: string) => `regexp_replace(CAST(${decimal} AS VARCHAR), '\\.?0+$', '')`
const AMOUNT_TEXT = `CASE WHEN units IS NOT NULL THEN ${shortest('units')} ELSE ${shortest(SLOW_AMOUNT)} END`

const CATEGORY = `CASE WHEN operation = 'Transfer' AND starts_with(remark, 'Binance Pay') THEN 'pay'
  ELSE coalesce(category, 'unknown') END`

/** The text of src/domain/activity.ts up to the occurrence number. */
const IDENTITY = `concat(epoch_ms(time) // 1000, chr(31), wallet, chr(31), operation, chr(31), asset, chr(31),
  ${AMOUNT_TEXT}, chr(31), remark, chr(31))`
