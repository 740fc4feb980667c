/** The tables of Athena against the files that are written: names, types and places. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { activityKey, balancesKey } from '../../src/domain/keys.ts'
import { encodeBalances } from '../../src/formats/balance-file.ts'
import { encodeActivity } from '../../src/formats/parquet.ts'
import { makeTemplate, type Template } from '../support/template.ts'

let template: Template
let folder: string
beforeAll(async () => {
  template = makeTemplate({ accounts: [{ name: 'main' }, { provider: 'payermax', name: 'pm' }] })
  folder = await mkdtemp(join(tmpdir(), 'daybook-tables-'))
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const NONE = {}
const TABLES = [
  { id: 'ActivityTable', name: 'activity', bytes: encodeActivity([], NONE) },
  { id: 'BalancesTable', name: 'balances', bytes: encodeBalances([], NONE) },
] as const

const REF = { provider: 'payermax', account: 'pm' }
const KEYS = { activity: activityKey(REF, '2026-10-31'), balances: balancesKey(REF, '2026-10-31', 'x') }

/** What DuckDB calls a type that Athena calls so. */
const TYPES: Readonly<Record<string, string>> = {
  VARCHAR: 'string',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  'DECIMAL(38,18)': 'decimal(38,18)',
}

describe.each(TABLES)('the table $name', ({ id, name, bytes }) => {
  const table = () => template.one('AWS::Glue::Table', id).properties.TableInput

  it('has the columns that its files have, in their order', async () => {
    const path = join(folder, `${name}.parquet`)
    await writeFile(path, bytes)
    const connection = await (await DuckDBInstance.create()).connect()
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet('${path}')`)
    const written = described.getRows().map(([column, type]) => [column, TYPES[String(type)] ?? type])
    connection.closeSync()
    const columns: { Name: string; Type: string }[] = table().StorageDescriptor.Columns
    expect(columns.map(({ Name, Type }) => [Name, Type])).toEqual(written)
    expect(columns.length).toBeGreaterThan(8)
  })

  it('finds its files where they are written', () => {
    const { Parameters, PartitionKeys, StorageDescriptor } = table()
    const values: Record<string, string> = { provider: 'payermax', account: 'pm', date: '2026-10-31' }
    const location = Object.entries(values).reduce(
      (text, [key, value]) => text.replaceAll(`\${${key}}`, value),
      Parameters['storage.location.template'],
    )
    const key = KEYS[name]
    expect(location).toBe(`s3://<Bucket>/${key.slice(0, key.lastIndexOf('/') + 1)}`)
    expect(location.startsWith(StorageDescriptor.Location)).toBe(true)
    expect(StorageDescriptor.Location).toBe(`s3://<Bucket>/${name}/v1/`)
    expect(PartitionKeys.map(({ Name }: { Name: string }) => Name)).toEqual(Object.keys(values))
    expect(Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.provider.type': 'enum',
      'projection.provider.values': 'binance-pay,payermax',
      'projection.account.type': 'enum',
      'projection.account.values': 'main,pm',
      'projection.date.type': 'date',
      'projection.date.format': 'yyyy-MM-dd',
      'projection.date.range': '2023-01-01,NOW',
    })
  })
})
