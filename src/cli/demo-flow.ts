/** The demo's tale: ask, watch, and show what came of it. */
import { join } from 'node:path'
import { type DayRange, monthOf } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { reportKeys } from '../domain/keys.ts'
import { bytesText, countText } from '../domain/quantity-text.ts'
import { spent } from '../domain/quota.ts'
import type { ReportPart, ReportRequest } from '../domain/report.ts'
import { type SubmitOutcome, submit } from '../stages/submit.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { daysText } from './days.ts'
import { summaryOf } from './parse.ts'
import { type Terminal, tableText } from './terminal.ts'

/** Asks for the days, unless an earlier run did. Answers the report's id. */
export async function ask(
  daybook: Daybook,
  account: WiredAccount,
  range: DayRange,
  terminal: Terminal,
): Promise<string> {
  const request: ReportRequest = { range, wallets: 'all' }
  terminal.say(`submit     ${daysText(request.range)}, both wallets, signed with HMAC-SHA512`)
  const first = await submitWhenPossible(daybook, account, request, terminal, false)
  if (first.outcome === 'already-requested' && first.reportId === undefined) {
    return settleLost(daybook, account, request, first.slot, terminal)
  }
  return idOf(first, terminal)
}

/** Waits out the turn of a month, in which nothing is asked. */
async function submitWhenPossible(
  { context }: Daybook,
  account: WiredAccount,
  request: ReportRequest,
  terminal: Terminal,
  again: boolean,
): Promise<SubmitOutcome> {
  for (;;) {
    const outcome = await submit(context, account, { request, reason: 'demo', again })
    if (outcome.outcome !== 'month-turning') return outcome
    terminal.say(`submit     the month is turning; waiting until ${outcome.opensAt.toISOString()}`)
    await context.clock.sleep(outcome.opensAt.getTime() - context.clock.now().getTime())
  }
}

/** How long the callback of a report whose answer was lost is waited for; the sandbox makes one at once. */
const SETTLE_PATIENCE_MS = 5_000

/** An earlier run died around the call. If a report was made, its callback settles the slot; if not, ask again. */
async function settleLost(
  daybook: Daybook,
  account: WiredAccount,
  request: ReportRequest,
  slot: number,
  terminal: Terminal,
): Promise<string> {
  const { clock, ledger } = daybook.context
  terminal.say(
    `submit     an earlier run died in slot ${slot} before it knew the answer; waiting for a callback`,
  )
  const patienceEnds = clock.now().getTime() + SETTLE_PATIENCE_MS
  while (clock.now().getTime() < patienceEnds) {
    const slots = await ledger.month(account.ref, monthOf(clock.now()))
    const outcome = slots.find(({ number }) => number === slot)?.outcome
    if (outcome?.outcome === 'accepted') return outcome.reportId
    await clock.sleep(100)
  }
  terminal.say('submit     none came, so no report was made; asking again')
  return idOf(await submitWhenPossible(daybook, account, request, terminal, true), terminal)
}

function idOf(outcome: SubmitOutcome, terminal: Terminal): string {
  if (outcome.outcome === 'accepted') {
    terminal.say(`accepted   report ${outcome.reportId}, slot ${outcome.slot} of ${outcome.month}`)
    return outcome.reportId
  }
  if (outcome.outcome === 'already-requested' && outcome.reportId !== undefined) {
    terminal.say(`accepted   report ${outcome.reportId}, asked for at ${outcome.askedAt}; nothing spent`)
    return outcome.reportId
  }
  throw new DaybookError(
    'provider-refused',
    `The sandbox did not take the request: ${JSON.stringify(outcome)}`,
  )
}

const PATIENCE_MS = 50_000
const LOOK_EVERY_MS = 25

/** Watches the store as the server works, and tells of each record as it appears. */
export async function follow(
  { context: { reports, clock } }: Daybook,
  { ref }: WiredAccount,
  reportId: string,
  terminal: Terminal,
): Promise<void> {
  const patienceEnds = clock.now().getTime() + PATIENCE_MS
  async function appears<P extends ReportPart>(part: P) {
    for (;;) {
      const record = await reports.read(ref, reportId, part)
      if (record !== undefined) return record
      if (clock.now().getTime() > patienceEnds) throw tooSlow(reportId)
      await clock.sleep(LOOK_EVERY_MS)
    }
  }
  const callback = await appears('callback')
  terminal.say(`callback   RSA signature verified with key ${callback.keySerial}`)
  const archived = await appears('archive')
  const digest = archived.sha256.slice(0, 16)
  terminal.say(`archive    ${archived.name}, ${bytesText(archived.size)}, SHA-256 ${digest}…`)
  for (const line of summaryOf(await appears('manifest'))) terminal.say(`parse      ${line}`)
}

function tooSlow(reportId: string): DaybookError {
  const says = `Report ${reportId} was not finished within ${PATIENCE_MS / 1000} s; run the demo again, with --verbose to see the log.`
  return new DaybookError('provider-unreachable', says)
}

/** What DuckDB finds of the report's account in the bucket, and the quota. */
export async function rowsByOperation(
  { context }: Daybook,
  { ref, monthlyLimit }: WiredAccount,
  reportId: string,
  folder: string,
) {
  const { activityTable, queryRows } = await import('./duckdb.ts')
  const store = join(folder, 'store')
  const operations = await queryRows(
    `SELECT operation, category, count(*)::VARCHAR, count(DISTINCT asset)::VARCHAR
     FROM ${activityTable(store)} WHERE provider = '${ref.provider}'
     GROUP BY ALL ORDER BY count(*) DESC, operation`,
  )
  const month = monthOf(context.clock.now())
  const used = spent(await context.ledger.month(ref, month))
  return {
    reportId,
    operations,
    quota: { month, used, limit: monthlyLimit },
    store,
    report: `${store}/${reportKeys(ref, reportId).folder}`,
  }
}

/** The same for a person. */
export function rowsText({
  operations,
  quota,
  store,
  report,
}: Awaited<ReturnType<typeof rowsByOperation>>): string[] {
  return [
    ...tableText(
      ['operation', 'category', 'rows', 'assets'],
      operations.map(([operation = '', category = '', count = '', assets = '']) => [
        operation,
        category,
        countText(BigInt(count)),
        assets,
      ]),
      ['rows', 'assets'],
    ),
    '',
    `quota    ${quota.used} of ${quota.limit} reports used in ${quota.month}`,
    `rows     ${store}/activity/v1/   (Parquet, a day an object)`,
    `held     ${store}/balances/v1/   (Parquet, a reading an object)`,
    `report   ${report}   (request, callback, file, manifest)`,
  ]
}
