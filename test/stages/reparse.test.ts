import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { coverageOf } from '../../src/domain/coverage.ts'
import { activityKey, reportKeys } from '../../src/domain/keys.ts'
import type { Manifest } from '../../src/domain/report.ts'
import { readActivityMetadata } from '../../src/formats/parquet.ts'
import { systemRandom } from '../../src/host.ts'
import { type ReparseDifference, reparse } from '../../src/stages/reparse.ts'
import { submit } from '../../src/stages/submit.ts'
import { storedSource } from '../../src/stores/activity-table.ts'
import { loadCoverageFacts } from '../../src/stores/coverage-facts.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import { newestManifest } from '../../src/stores/manifests.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { REF } from '../support/day-maker.ts'
import { makeParseOlder } from '../support/older-parse.ts'
import { sourceOf } from '../support/statement-source.ts'
import { eventually, objectBytes, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

const [FIRST, SECOND, THIRD] = ['2026-10-01', '2026-10-02', '2026-10-03'] as const

/** A report that an older parser read with a row too few, and one of whose days is gone. */
describe('parsing again', () => {
  let test: TestDaybook
  let reportId: string
  let root: string
  let older: Manifest
  let context: Parameters<typeof reparse>[0]
  const account = { ref: REF, zoneMinutes: undefined, columns: {} }

  beforeAll(async () => {
    test = await startTestDaybook()
    root = join(test.folder, 'store')
    const asked = await submit(test.daybook.context, test.account, {
      request: { range: { start: FIRST, end: '2026-10-04' }, wallets: 'all' },
      reason: 'test',
      again: false,
    })
    if (asked.outcome !== 'accepted') throw new Error(asked.outcome)
    reportId = asked.reportId
    const { reports } = test.daybook.context
    await eventually(() => reports.read(REF, reportId, 'manifest'))
    // From here on there is no provider.
    await test.sandbox.stop()
    older = await makeParseOlder(root, reportId, (day, rows) => {
      if (day === FIRST) return rows.slice(1)
      return day === THIRD ? undefined : rows
    })
    const store = fileStore(root, { random: systemRandom })
    context = { ...test.daybook.context, store, reports: reportLog(store) }
  })
  afterAll(() => test.stop())

  const parserOf = async (day: string) => {
    const head = (await context.store.head(activityKey(REF, day)))!
    return (await readActivityMetadata(storedSource(context.store, head)))['daybook.parser_version']
  }

  it('shows the difference and changes nothing when it only tries', async () => {
    const before = await objectBytes(root)
    const outcome = await reparse(context, account, reportId, { dryRun: true })
    expect(outcome).toMatchObject({
      outcome: 'compared',
      difference: {
        before: { parserVersion: '0' },
        rows: { read: 150, written: 150, quarantined: 0, outside: 0 },
        days: [
          { day: FIRST, finding: 'earlier-stands', change: { added: 1, removed: 0, altered: 0 } },
          { day: SECOND, finding: 'earlier-stands', change: { added: 0, removed: 0, altered: 0 } },
          { day: THIRD, finding: 'nothing-stands' },
        ],
      },
    })
    expect(await objectBytes(root)).toEqual(before)
  })

  it('tells the difference before it publishes, and leaves days alone that do not change', async () => {
    const second = await context.store.head(activityKey(REF, SECOND))
    let told: ReparseDifference | undefined
    let whenTold: Buffer | undefined
    const outcome = await reparse(context, account, reportId, {
      dryRun: false,
      onDifference(difference) {
        told = difference
        whenTold = readFileSync(join(root, activityKey(REF, FIRST)))
      },
    })
    expect((await readActivityMetadata(sourceOf(whenTold!)))['daybook.parser_version']).toBe('0')
    expect(told?.days.map(({ finding }) => finding)).toEqual([
      'earlier-stands',
      'earlier-stands',
      'nothing-stands',
    ])
    expect(outcome).toMatchObject({ outcome: 'reparsed', manifest: { parserVersion: '1', reportId } })
    expect(await parserOf(FIRST)).toBe('1')
    expect(await context.store.head(activityKey(REF, SECOND))).toEqual(second)
    expect(await parserOf(THIRD)).toBe('1')
  })

  it('keeps the first manifest as it was and the new one beside it, and readers take the newest', async () => {
    expect(await context.reports.read(REF, reportId, 'manifest')).toEqual(older)
    expect(await test.keys()).toContain(reportKeys(REF, reportId).reparse('1'))
    const newest = await newestManifest(context.store, context.reports, REF, reportId)
    expect(newest).toMatchObject({
      parserVersion: '1',
      generatedAt: older.generatedAt,
      rows: { written: 150 },
    })
    expect(newest?.days.map(({ publication, change }) => [publication, change?.added])).toEqual([
      ['published', 1],
      ['published', 0],
      ['published', undefined],
    ])
    const stores = { ...context, ledger: quotaLedger(context.store) }
    const facts = await loadCoverageFacts(stores, REF, FIRST)
    expect(facts.reports[0]?.manifest?.parserVersion).toBe('1')
    const days = coverageOf(facts, { start: FIRST, end: '2026-10-05' })
    expect(days.map(({ wallets }) => wallets.spot.state)).toEqual([
      'published',
      'published',
      'published',
      'missing',
    ])
  })

  it('changes nothing when it runs again', async () => {
    const before = await objectBytes(root)
    expect(await reparse(context, account, reportId, { dryRun: false })).toEqual({
      outcome: 'current',
      parserVersion: '1',
    })
    expect(await objectBytes(root)).toEqual(before)
  })

  it('has nothing to do with a report that was never parsed', async () => {
    expect(await reparse(context, account, '1', { dryRun: false })).toEqual({ outcome: 'not-parsed' })
  })
})
