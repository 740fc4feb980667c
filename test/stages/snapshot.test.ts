import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { snapshotRecord } from '../../src/domain/balance.ts'
import { readBalances } from '../../src/formats/balance-file.ts'
import { readActivity } from '../../src/formats/parquet.ts'
import { fetchActivity } from '../../src/stages/fetch-activity.ts'
import { finishSnapshots, type SnapshotOutcome, snapshot } from '../../src/stages/snapshot.ts'
import { storedSource } from '../../src/stores/activity-table.ts'
import { runSql } from '../support/parquet-query.ts'
import { countsOf, startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'

let three: ThreeProviders
beforeEach(async () => {
  three = await startThreeProviders()
})
afterEach(() => three.stop())

const take = (provider: string, input: { day?: string; again?: boolean } = {}) =>
  snapshot(three.daybook.context, three.account(provider), { reason: 'test', ...input })

function taken(outcome: SnapshotOutcome) {
  if (outcome.outcome !== 'taken') throw new Error(JSON.stringify(outcome))
  return outcome
}

async function rowsAt(key: string) {
  return readBalances((await three.daybook.context.store.get(key))!.bytes)
}

describe('a snapshot', () => {
  it.each([
    ['binance-pay', 'bp', '2026-10-15', 2],
    ['payermax', 'pm', '2026-10-14', 2],
    ['onerway', 'ow', '2026-10-15', 1],
  ])(
    'of %s is archived first, then told as one object of the table',
    async (provider, account, day, answers) => {
      const { key, record } = taken(await take(provider))
      expect(key).toBe(
        `balances/v1/provider=${provider}/account=${account}/date=${day}/20261015T120000.000Z.parquet`,
      )
      expect(record).toBe(`snapshots/${provider}/${account}/${day}/20261015T120000.000Z.json`)
      const stored = await three.daybook.context.store.get(record)
      const parsed = snapshotRecord.parse(JSON.parse(Buffer.from(stored!.bytes).toString()))
      expect(parsed.answers).toHaveLength(answers)
      const digests = parsed.answers.map(({ bodyBase64, bodySha256 }) => {
        expect(createHash('sha256').update(Buffer.from(bodyBase64, 'base64')).digest('hex')).toBe(bodySha256)
        return bodySha256
      })
      const rows = await rowsAt(key)
      expect(rows.length).toBeGreaterThan(2)
      for (const row of rows) {
        expect(digests).toContain(row.rawSha256)
        expect(row.sentMicros).toBe(BigInt(Date.parse('2026-10-15T12:00:00Z')) * 1000n)
        expect(JSON.parse(row.assumptions).length).toBeGreaterThan(0)
      }
      expect((await three.keys()).filter(name => /^(balances|snapshots)\//.test(name))).toEqual([key, record])
    },
  )

  it('of all three is one table to DuckDB, partitions and all', async () => {
    for (const provider of ['binance-pay', 'payermax', 'onerway']) taken(await take(provider))
    const table = `read_parquet('${three.store}/balances/v1/*/*/*/*.parquet', hive_partitioning = true, hive_types_autocast = false)`
    expect(
      await runSql(
        `SELECT provider, account, date, basis, count(*)::VARCHAR FROM ${table} GROUP BY ALL ORDER BY ALL`,
      ),
    ).toEqual([
      ['binance-pay', 'bp', '2026-10-15', 'instant', '14'],
      ['onerway', 'ow', '2026-10-15', 'instant', '3'],
      ['payermax', 'pm', '2026-10-14', 'day-end', '12'],
    ])
    const broken = `SELECT count(*)::VARCHAR FROM ${table} WHERE basis = 'day-end' AND opening + inflow - outflow <> closing`
    expect(await runSql(broken)).toEqual([['0']])
    const parts = `SELECT count(*)::VARCHAR FROM ${table} WHERE provider = 'onerway' AND available + on_hold + deposit <> total`
    expect(await runSql(parts)).toEqual([['0']])
  })

  it('taken twice in one millisecond is two objects, and none is lost', async () => {
    const names = await Promise.all(Array.from({ length: 4 }, () => take('onerway')))
    const keys = names.map(outcome => taken(outcome).key)
    expect(new Set(keys).size).toBe(4)
    for (const key of keys) expect(await rowsAt(key)).toHaveLength(3)
  })

  it('whose taker died before the table is told by the next run, from the record alone', async () => {
    const { key } = taken(await take('payermax'))
    const before = await three.daybook.context.store.get(key)
    await rm(join(three.store, key))
    three.sandbox.setKnobs({ payermaxFault: 'http-500' })
    expect(await finishSnapshots(three.daybook.context, three.account('payermax'))).toBe(1)
    expect((await three.daybook.context.store.get(key))!.bytes).toEqual(before!.bytes)
    expect(await finishSnapshots(three.daybook.context, three.account('payermax'))).toBe(0)
  })

  it('that cannot be read is kept and told of, and does not stand in the way of the next', async () => {
    const { record } = taken(await take('onerway'))
    const { store } = three.daybook.context
    const parsed = JSON.parse(Buffer.from((await store.get(record))!.bytes).toString())
    parsed.answers[0].bodyBase64 = Buffer.from('{"code":"200","data":{}}').toString('base64')
    await store.create(record.replace('120000.000Z', '110000.000Z'), Buffer.from(JSON.stringify(parsed)))
    three.clock.set('2026-10-15T13:00:00.000Z')
    taken(await take('onerway'))
    expect(three.log.filter(line => line.includes('snapshot.unreadable'))).toHaveLength(1)
  })

  it('records nothing when any part of it cannot be had', async () => {
    three.sandbox.setKnobs({ balanceHttpFault: 'html-403' })
    await expect(take('binance-pay')).rejects.toMatchObject({ code: 'provider-refused' })
    three.sandbox.setKnobs({ payermaxFault: 'bad-sign' })
    await expect(take('payermax')).rejects.toMatchObject({ code: 'provider-protocol' })
    expect((await three.keys()).filter(name => /^(balances|snapshots)\//.test(name))).toEqual([])
  })
})

describe('a day of PayerMax', () => {
  it('is asked for once; again only when that is said', async () => {
    taken(await take('payermax', { day: '2026-10-01' }))
    const asked = countsOf(three, 'payermax/endDayAccountBalanceQuery')
    expect(await take('payermax', { day: '2026-10-01' })).toMatchObject({
      outcome: 'already-taken',
      day: '2026-10-01',
    })
    expect(countsOf(three, 'payermax/endDayAccountBalanceQuery')).toEqual(asked)
    three.clock.set('2026-10-15T12:00:01.000Z')
    taken(await take('payermax', { day: '2026-10-01', again: true }))
  })

  it('can be any of the last ninety, in both zones, and no other', async () => {
    for (const day of ['2026-07-17', '2026-10-14']) {
      const rows = await rowsAt(taken(await take('payermax', { day })).key)
      expect(new Set(rows.map(row => row.zone))).toEqual(new Set(['UTC', 'UTC+08:00']))
      expect(new Set(rows.map(row => row.day))).toEqual(new Set([day]))
    }
    for (const day of ['2026-07-16', '2026-10-15', '2026-10-16'])
      expect(await take('payermax', { day })).toMatchObject({
        outcome: 'not-askable',
        says: expect.stringContaining('2026-07-17'),
      })
    expect(countsOf(three, 'payermax/endDayAccountBalanceQuery')).toEqual({ APPLY_SUCCESS: 4 })
  })

  it('rolls forward: what a day closed with is what the next one opens with, in each zone', async () => {
    const first = await rowsAt(taken(await take('payermax', { day: '2026-10-12' })).key)
    const next = await rowsAt(taken(await take('payermax', { day: '2026-10-13' })).key)
    for (const row of first) {
      const same = next.find(
        other =>
          other.zone === row.zone && other.asset === row.asset && other.fundsAccount === row.fundsAccount,
      )
      expect(same!.opening).toBe(row.closing)
    }
    const [utc, cst] = ['UTC', 'UTC+08:00'].map(zone =>
      first.find(row => row.zone === zone && row.asset === 'USD'),
    )
    expect(utc!.closing).not.toBe(cst!.closing)
  })

  it('is not told by a provider that only knows the present', async () => {
    expect(await take('onerway', { day: '2026-10-01' })).toMatchObject({ outcome: 'not-askable' })
  })

  it('of PayerMax has funds accounts, by number or all of them', async () => {
    const { provider } = three.account('payermax') as unknown as {
      provider: { fundsAccounts(nos?: string[]): Promise<unknown> }
    }
    expect(await provider.fundsAccounts()).toEqual([
      { accountNo: '123456', name: 'Account 123456', alias: 'Sandbox', extra: null },
      { accountNo: '654321', name: 'Account 654321', alias: 'Sandbox', extra: null },
    ])
    expect(await provider.fundsAccounts(['654321'])).toHaveLength(1)
  })
})

describe('the movements of Onerway', () => {
  const fetch = (day: string) => fetchActivity(three.daybook.context, three.account('onerway'), day)

  it('are a day of the activity table, which explains the balances exactly', async () => {
    three.clock.set('2026-10-13T00:00:00.000Z')
    const before = await rowsAt(taken(await take('onerway')).key)
    three.clock.set('2026-10-14T00:00:00.000Z')
    const after = await rowsAt(taken(await take('onerway')).key)
    expect(await fetch('2026-10-13')).toMatchObject({ outcome: 'published', assets: ['EUR', 'HKD', 'USD'] })
    const { store } = three.daybook.context
    const key = 'activity/v1/provider=onerway/account=ow/date=2026-10-13/activity.parquet'
    const rows = await readActivity(storedSource(store, (await store.head(key))!))
    expect(new Set(rows.map(({ rowId }) => rowId)).size).toBe(rows.length)
    // The sandbox counts what happens in the very millisecond of a snapshot; none does here.
    for (const { asset, total } of before) {
      const moved = rows.filter(row => row.asset === asset).reduce((sum, row) => sum + row.amount, 0n)
      expect(moved).not.toBe(0n)
      expect(after.find(row => row.asset === asset)!.total! - total!).toBe(moved)
    }
  })

  it('of a day that has not ended are not asked for', async () => {
    expect(await fetch('2026-10-15')).toMatchObject({ outcome: 'not-askable' })
    expect(countsOf(three, 'onerway/transactions')).toEqual({})
  })

  it('do not replace what was asked for later, are kept, and say so', async () => {
    three.clock.set('2026-10-16T12:00:00.000Z')
    await fetch('2026-10-13')
    three.clock.set('2026-10-15T12:00:00.000Z')
    three.sandbox.setKnobs({ breakKind: 'missing-row', breakDay: '2026-10-13' })
    expect(await fetch('2026-10-13')).toMatchObject({ outcome: 'newer-kept', day: '2026-10-13' })
    expect((await three.keys()).filter(key => key.startsWith('movements/'))).toHaveLength(2)
    expect(three.log.join()).toContain('activity.superseded')
  })

  it('are published anew by a later asking, and the same rows keep their ids', async () => {
    await fetch('2026-10-13')
    const { store } = three.daybook.context
    const key = 'activity/v1/provider=onerway/account=ow/date=2026-10-13/activity.parquet'
    const read = async () => readActivity(storedSource(store, (await store.head(key))!))
    const first = await read()
    three.sandbox.setKnobs({ breakKind: 'doubled-row', breakDay: '2026-10-13' })
    three.clock.set('2026-10-16T12:00:00.000Z')
    await fetch('2026-10-13')
    const second = await read()
    expect(second).toHaveLength(first.length + 1)
    const ids = new Set(second.map(({ rowId }) => rowId))
    for (const { rowId } of first) expect(ids.has(rowId)).toBe(true)
  })
})
