/** A Daybook with a desk and some weeks of a merchant's life in it: reports, readings, proofs and one break. */
import { addDays, type Day, dayOf } from '../../src/domain/calendar.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { reconcile } from '../../src/stages/reconcile.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { submit } from '../../src/stages/submit.ts'
import { eventually, startTestDaybook, type TestDaybook, type TestDaybookOptions } from './test-daybook.ts'

export interface BookWorld {
  readonly test: TestDaybook
  /** The first day that balances were read on. */
  readonly firstDay: Day
  /** The day with a break. */
  readonly breakDay: Day
  /** The report that covers the days of life. */
  readonly reportId: string
}

export interface BookWorldOptions extends TestDaybookOptions {
  /** How many days are lived through. */
  readonly days: number
  /** Which of them, from 0, has a row too few. */
  readonly breakAt: number
  readonly knobs?: Partial<Knobs>
}

const DAY_MS = 86_400_000

/** Reads balances at every noon, then asks for a report about the days, and reconciles them. */
export async function startBookWorld(options: BookWorldOptions): Promise<BookWorld> {
  const lived = await startLivedWorld(options)
  const { test, firstDay } = lived
  const { days } = options
  const { context } = test.daybook
  const asked = await submit(context, test.account, {
    request: { range: { start: firstDay, end: addDays(firstDay, days + 1) }, wallets: 'all' },
    reason: 'test',
    again: false,
  })
  if (asked.outcome !== 'accepted') throw new Error(JSON.stringify(asked))
  const { reportId } = asked
  await eventually(() => context.reports.read(test.account.ref, reportId, 'manifest'), 30_000)
  await reconcileDays(test, addDays(firstDay, 1), days - 1)
  return { ...lived, reportId }
}

/** The same life without a report: its balances were read, and nobody has asked for its rows. */
export async function startLivedWorld({
  days,
  breakAt,
  ...options
}: BookWorldOptions): Promise<Omit<BookWorld, 'reportId'>> {
  const test = await startTestDaybook({ ...options, desk: true })
  const firstDay = dayOf(test.clock.now())
  const breakDay = addDays(firstDay, breakAt)
  test.sandbox.setKnobs({ breakKind: 'missing-row', breakDay })
  for (let day = 0; day <= days; day++) {
    if (day > 0) test.clock.shift(DAY_MS)
    await snapshot(test.daybook.context, test.account, { reason: 'test' })
  }
  test.clock.shift(3 * DAY_MS)
  return { test, firstDay, breakDay }
}

/** As `daybook reconcile` does, a day after the other. */
export async function reconcileDays(test: TestDaybook, first: Day, count: number): Promise<void> {
  for (let day = 0; day < count; day++)
    await reconcile(test.daybook.context, test.account, { day: addDays(first, day), tolerances: new Map() })
}
