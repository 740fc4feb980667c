/** The tables as Athena sees them: columns from where the files get theirs, partitions by projection. */
import type { Stack } from 'aws-cdk-lib'
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { ACTIVITY_COLUMNS } from '../src/domain/activity.ts'
import { AMOUNT_SCALE } from '../src/domain/amount.ts'
import { BALANCE_COLUMNS } from '../src/domain/balance.ts'
import { activityKey, balancesKey } from '../src/domain/keys.ts'
import type { StackSettings } from './settings.ts'

interface Column {
  readonly name: string
  readonly type: 'string' | 'timestamp' | 'amount'
}

const TYPES = { string: 'string', timestamp: 'timestamp', amount: `decimal(38,${AMOUNT_SCALE})` } as const

/** The names that Athena puts values in for; the keys are built as anywhere else. */
const PLACE = { provider: `\${provider}`, account: `\${account}` }
const DATE = `\${date}`

export function addTables(stack: Stack, settings: StackSettings, bucket: Bucket): CfnDatabase {
  const name = settings.stackName.replaceAll('-', '_')
  const database = new CfnDatabase(stack, 'Database', {
    catalogId: stack.account,
    databaseInput: { name, description: 'What Daybook publishes' },
  })
  addTable(stack, 'ActivityTable', 'activity', ACTIVITY_COLUMNS, activityKey(PLACE, DATE))
  addTable(stack, 'BalancesTable', 'balances', BALANCE_COLUMNS, balancesKey(PLACE, DATE, 'any'))
  return database

  function addTable(
    scope: Stack,
    id: string,
    table: string,
    columns: readonly Column[],
    keyOfFile: string,
  ): void {
    const folder = keyOfFile.slice(0, keyOfFile.lastIndexOf('/') + 1)
    const root = folder.slice(0, folder.indexOf('provider='))
    const made = new CfnTable(scope, id, {
      catalogId: scope.account,
      databaseName: name,
      tableInput: {
        name: table,
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: ['provider', 'account', 'date'].map(key => ({ name: key, type: 'string' })),
        parameters: {
          EXTERNAL: 'TRUE',
          classification: 'parquet',
          ...projection(settings),
          'storage.location.template': `s3://${bucket.bucketName}/${folder}`,
        },
        storageDescriptor: {
          location: `s3://${bucket.bucketName}/${root}`,
          columns: columns.map(column => ({ name: column.name, type: TYPES[column.type] })),
          inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
          serdeInfo: {
            serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
            parameters: { 'serialization.format': '1' },
          },
        },
      },
    })
    made.addResourceDependency(database)
  }
}

function projection({ accounts, firstDay }: StackSettings): Record<string, string> {
  const providers = [...new Set(accounts.map(({ provider }) => provider))]
  return {
    'projection.enabled': 'true',
    'projection.provider.type': 'enum',
    'projection.provider.values': providers.join(','),
    'projection.account.type': 'enum',
    'projection.account.values': accounts.map(({ name }) => name).join(','),
    'projection.date.type': 'date',
    'projection.date.format': 'yyyy-MM-dd',
    'projection.date.interval': '1',
    'projection.date.interval.unit': 'DAYS',
    'projection.date.range': `${firstDay},NOW`,
  }
}
