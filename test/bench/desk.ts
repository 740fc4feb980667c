/** Server time of every page of the desk, with 10,000 reports and a year of days: `npm run bench:desk`. */

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { identifyRows } from '../../src/domain/activity.ts'
import { type BalanceRow, NO_FIGURES } from '../../src/domain/balance.ts'
import {
  addDays,
  addMonths,
  type Day,
  monthOf,
  startOfDay,
  startOfDayMicros,
} from '../../src/domain/calendar.ts'
import { activityKey, slotKey, slotOutcomeKey } from '../../src/domain/keys.ts'
import { findingOf } from '../../src/domain/reconciliation.ts'
import { encodeActivity } from '../../src/formats/parquet.ts'
import { startServer } from '../../src/server/server.ts'
import { dayMetadata } from '../../src/stores/activity-table.ts'
import { publishBalances, recordSnapshot } from '../../src/stores/balance-table.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { recordReconciliation } from '../../src/stores/reconciliation-log.ts'
import { createRecord } from '../../src/stores/record.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { madeManifest } from '../support/coverage-maker.ts'
import { deskClient, SESSION_KEY } from '../support/desk-client.ts'
import { startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

const REPORTS = process.argv.includes('--quick') ? 200 : 10_000
const DAYS = process.argv.includes('--quick') ? 40 : 365
const ROWS_A_DAY = 200
const ROUNDS = process.argv.includes('--quick') ? 5 : 40
const AT_ONCE = 32
const SHA = 'a'.repeat(64)
const LAST_DAY = '2026-10-12'
const FIRST_DAY = addDays(LAST_DAY, 1 - DAYS)

async function atOnce(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await make(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** The newest reports are about a day each and cover the year; the older ones are from before. */
function questionOf(index: number): { start: Day; end: Day } {
  const start = addDays(LAST_DAY, index - REPORTS + 1)
  return { start, end: addDays(start, 1) }
}

async function makeReports({ daybook, account }: TestDaybook): Promise<void> {
  const { reports, store } = daybook.context
  const { ref } = account
  await atOnce(REPORTS, async index => {
    const reportId = `${460_000_000_000_000_000n + BigInt(index)}`
    const range = questionOf(index)
    const request = { range, wallets: 'all' as const }
    const askedAt = `${addDays(range.start, 3)}T06:15:00.000Z`
    const slot = { month: askedAt.slice(0, 7), number: Number.parseInt(askedAt.slice(8, 10), 10) }
    await reports.create(ref, reportId, 'accepted', {
      reportId,
      request,
      slot,
      askedAt,
      via: 'answer',
      answer: '{}',
      recordedAt: askedAt,
    })
    await reports.create(ref, reportId, 'archive', {
      reportId,
      file: 'report.zip',
      name: 'report.zip',
      size: 100_000,
      sha256: SHA,
      contentType: 'application/zip',
      via: 'callback',
      host: 'files.example.com',
      archivedAt: askedAt,
    })
    await reports.create(
      ref,
      reportId,
      'manifest',
      madeManifest(reportId, request, [{ day: range.start, publication: 'published' }], {
        generatedAt: askedAt,
      }),
    )
    const claim = {
      request,
      reason: 'schedule',
      again: false,
      by: 'bench:1',
      claimId: `${index}`,
      claimedAt: askedAt,
    }
    const number = (index % 31) + 1
    const month = addMonths(monthOf(startOfDay(LAST_DAY)), Math.floor((index - REPORTS + 1) / 31))
    await createRecord(store, slotKey(ref, month, number), claim)
    await createRecord(store, slotOutcomeKey(ref, month, number), {
      outcome: 'accepted',
      reportId,
      at: askedAt,
    })
  })
}

async function makeDays({ daybook: { context }, account: { ref } }: TestDaybook): Promise<void> {
  await atOnce(DAYS, async index => {
    const day = addDays(FIRST_DAY, index)
    const begin = startOfDayMicros(day)
    const rows = Array.from({ length: ROWS_A_DAY }, (_, row) => ({
      micros: begin + BigInt(row) * 300_000_000n,
      userId: '7',
      wallet: row % 2 === 0 ? 'Spot' : 'Funding',
      operation: ['Deposit', 'Merchant Acquiring', 'Fee'][row % 3]!,
      asset: ['USDT', 'BTC', 'BNB', 'USDC'][row % 4]!,
      amount: 10n ** 16n * BigInt(row),
      remark: '',
      extra: null,
    }))
    const origin = {
      reportId: `${460_000_000_000_000_000n + BigInt(REPORTS - DAYS + index)}`,
      generatedAt: `${addDays(day, 3)}T06:15:00.000Z`,
      parserVersion: '1',
    }
    await context.store.create(
      activityKey(ref, day),
      encodeActivity(identifyRows(rows), dayMetadata(origin, SHA)),
    )
    await makeReading(context, ref, day)
    const findings = ['Spot', 'Funding'].flatMap(place =>
      ['USDT', 'BTC', 'BNB', 'USDC', 'ETH', 'EUR', 'BRL'].map(asset =>
        findingOf({
          check: 'R6',
          place,
          asset,
          verdict: 'matched',
          expected: '1',
          actual: '1',
          difference: '0',
          says: 'change against the sum of movements',
        }),
      ),
    )
    await recordReconciliation(context.store, ref, {
      ...ref,
      day,
      ranAt: `${addDays(day, 4)}T00:00:00.000Z`,
      by: 'bench:1',
      verdict: 'matched',
      assumptions: [],
      findings,
    })
  })
}

async function makeReading(
  { store }: TestDaybook['daybook']['context'],
  ref: TestDaybook['account']['ref'],
  day: Day,
) {
  const instant = `${day}T00:20:00.000Z`
  const answer = {
    operation: 'bench',
    question: {},
    settings: {},
    assumptions: [],
    sentAt: instant,
    answeredAt: instant,
    bodyBase64: '',
    bodySha256: SHA,
    signature: null,
  }
  const record = {
    takenAt: instant,
    day,
    basis: 'instant' as const,
    by: 'bench:1',
    reason: 'schedule',
    answers: [answer],
  }
  const micros = startOfDayMicros(day) + 1_200_000_000n
  const rows = ['Spot', 'Funding'].flatMap(wallet =>
    ['USDT', 'BTC', 'BNB', 'USDC'].map(
      (asset): BalanceRow => ({
        ...NO_FIGURES,
        wallet,
        fundsAccount: null,
        asset,
        basis: 'instant',
        asOfMicros: micros,
        day: null,
        zone: null,
        valuations: null,
        status: null,
        extra: null,
        available: 10n ** 22n,
        onHold: 0n,
        operation: 'bench',
        sentMicros: micros,
        answeredMicros: micros,
        rawSha256: SHA,
        assumptions: '[]',
      }),
    ),
  )
  const place = await recordSnapshot(store, ref, `${day.replaceAll('-', '')}T002000.000Z`, record)
  await publishBalances(store, ref, place, record, rows)
}

/** Writes what a store would have written, without waiting for the disk: it is read by the real one. */
function quickContext({ folder, daybook: { context } }: TestDaybook): TestDaybook['daybook']['context'] {
  const store: ObjectStore = {
    ...context.store,
    async create(key, body) {
      const path = join(folder, 'store', key)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, body as Uint8Array)
      return { outcome: 'created', etag: '' }
    },
  }
  return { ...context, store, reports: reportLog(store) }
}

const test = await startTestDaybook({
  desk: true,
  env: { DAYBOOK_DESK_SESSION_KEY: SESSION_KEY, DAYBOOK_SWEEP_SECONDS: '3600', DAYBOOK_LOG_LEVEL: 'error' },
})
const begun = performance.now()
const quick: TestDaybook = { ...test, daybook: { ...test.daybook, context: quickContext(test) } }
await makeReports(quick)
await makeDays(quick)
console.log(
  `${REPORTS} reports and ${DAYS} days made in ${((performance.now() - begun) / 1000).toFixed(0)} s`,
)

const { context, accounts } = test.daybook
const server = await startServer({
  context,
  accounts,
  host: '127.0.0.1',
  port: 0,
  maxCallbackBytes: 1024,
  sweepEveryMs: 3_600_000,
  daily: false,
  desk: {
    config: test.daybook.config.desk!,
    secrets: test.daybook.deskSecrets,
    personName: 'bench',
    onLoginLink: () => {},
  },
})
const operator = deskClient({ ...test, server })
const first = performance.now()
await operator.page('/')
console.log(
  `first page, with everything to be read: ${((performance.now() - first) / 1000).toFixed(1)} s; ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
)
const from = FIRST_DAY
const pages: readonly (readonly [string, string])[] = [
  ['Overview', '/'],
  ['Calendar of a year', `/calendar?year=${LAST_DAY.slice(0, 4)}`],
  ['Day', `/days/binance-pay/main/${addDays(LAST_DAY, -20)}`],
  ['Reports, newest', '/reports'],
  ['Reports, searched', '/reports?search=0099'],
  ['Reports, last page', `/reports?page=${Math.ceil(REPORTS / 50)}`],
  ['Report', '/reports/binance-pay/main/460000000000000100'],
  ['Balances, a month', '/balances'],
  ['Balances, a year', `/balances?from=${from}&to=${LAST_DAY}`],
  ['Findings of a year', `/findings?kind=all&from=${from}&to=${LAST_DAY}`],
  ['Month close', '/close?month=2026-09'],
  ['Audit', '/audit'],
  ['API: days of a year', `/api/v1/accounts/binance-pay/main/days?from=${from}&to=${LAST_DAY}`],
]
const times = new Map(pages.map(([name]) => [name, { first: 0, all: [] as number[] }]))
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, target] of pages) {
    // Every page is asked for when nothing it knows is younger than it may be.
    test.clock.shift(2_000)
    const at = performance.now()
    await operator.page(target)
    const took = performance.now() - at
    const each = times.get(name)!
    if (round === 0) each.first = took
    else each.all.push(took)
  }
}
console.log('\n| page | first | p50 | p99 |\n|---|--:|--:|--:|')
for (const [name, { first: cold, all }] of times) {
  const sorted = all.sort((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(0)
  console.log(`| ${name} | ${cold.toFixed(0)} ms | ${at(0.5)} ms | ${at(0.99)} ms |`)
}
await server.stop()
await test.stop()
process.exit(0)
