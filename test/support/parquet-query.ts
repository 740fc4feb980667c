/** DuckDB as the independent reader of what Daybook writes. */
import { DuckDBInstance } from '@duckdb/node-api'

export interface ParquetQuery {
  /** Rows of text; `sql` reads from `activity`. */
  run(sql: string): Promise<string[][]>
  close(): void
}

/** Opens all data files of a folder as the view `activity`. */
export async function openParquet(folder: string): Promise<ParquetQuery> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`CREATE VIEW activity AS SELECT * FROM read_parquet('${folder}/*.parquet')`)
  return {
    async run(sql) {
      const reader = await connection.runAndReadAll(sql)
      return reader.getRows().map(row => row.map(String))
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** The rows of one query as text. */
export async function runSql(sql: string): Promise<string[][]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    return (await connection.runAndReadAll(sql)).getRows().map(row => row.map(String))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
