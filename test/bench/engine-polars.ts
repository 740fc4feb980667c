/**
 * Polars: a lazy scan streamed into one Parquet file. It has no SHA-256, so it makes no row id, and it
 * writes no order, no days and no proof. Amounts are exact DECIMAL(38,18), cast from text.
 */
import { join } from 'node:path'
import { CATEGORY_TABLE } from './category-table.ts'
import type { EngineJob } from './engine.ts'

const CSV_COLUMNS = ['user_id', 'time', 'wallet', 'operation', 'asset', 'change', 'remark']

export async function runPolars({ path, folder, threads }: EngineJob): Promise<void> {
  // Polars reads this once, when it is loaded.
  process.env.POLARS_MAX_THREADS = String(threads)
  const { default: pl } = await import('nodejs-polars')
  const known = pl.DataFrame({
    operation: [...CATEGORY_TABLE.keys()],
    category: [...CATEGORY_TABLE.values()],
  })
  const isPayment = pl
    .col('operation')
    .eq(pl.lit('Transfer'))
    .and(pl.col('remark').str.contains('^Binance Pay'))
  const category = pl
    .when(isPayment)
    .then(pl.lit('pay'))
    .otherwise(pl.col('category').fillNull(pl.lit('unknown')))
  await pl
    .scanCSV(path, {
      schema: Object.fromEntries(CSV_COLUMNS.map(name => [name, pl.Utf8])),
      missingUtf8IsEmptyString: true,
      cache: false,
    })
    .join(known.lazy(), { on: 'operation', how: 'left' })
    .select(
      pl.col('time').str.strptime(pl.Datetime, '%Y-%m-%d %H:%M:%S'),
      pl.col('user_id'),
      pl.col('wallet'),
      pl.col('operation'),
      category.alias('category'),
      pl.col('asset'),
      pl.col('change').cast(pl.Decimal(38, 18), true).alias('amount'),
      pl.col('remark'),
      pl.lit(null).cast(pl.Utf8).alias('extra'),
    )
    .sinkParquet(join(folder, 'activity.parquet'), {
      compression: 'zstd',
      compressionLevel: 3,
      maintainOrder: false,
    })
    .collect()
}
