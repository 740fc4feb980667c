/** Reads the published rows with DuckDB: an independent reader, so what it shows is what others will see. */
import { DaybookError } from '../domain/errors.ts'

/** The rows of a query as text. Throws `usage-invalid` where DuckDB is not installed. */
export async function queryRows(sql: string): Promise<string[][]> {
  const { DuckDBInstance } = await import('@duckdb/node-api').catch(cause => {
    throw new DaybookError('usage-invalid', 'DuckDB is a development dependency and is not installed here.', {
      cause,
    })
  })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const result = await connection.runAndReadAll(sql)
    return result.getRowsJS().map(row => row.map(cell => String(cell)))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The `activity` table of a folder store, as something to select from. */
export function activityTable(folder: string): string {
  const files = `${folder}/activity/v1/*/*/*/activity.parquet`.replaceAll("'", "''")
  return `read_parquet('${files}', hive_partitioning = true)`
}
