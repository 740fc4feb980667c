import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { addDays, type DayRange, daysBetween, daysOf } from '../src/domain/calendar.ts'
import { coverageOf } from '../src/domain/coverage.ts'
import type { Slot } from '../src/domain/quota.ts'
import { systemRandom } from '../src/host.ts'
import { applyPlan, askDue, findDue, makePlan, type PlannedAccount } from '../src/planning.ts'
import type { Reports } from '../src/providers/provider.ts'
import { conclude } from '../src/stages/conclude.ts'
import type { Context } from '../src/stages/context.ts'
import { submit } from '../src/stages/submit.ts'
import { loadCoverageFacts } from '../src/stores/coverage-facts.ts'
import type { ObjectStore } from '../src/stores/object-store.ts'
import { quotaLedger } from '../src/stores/quota-ledger.ts'
import { reportLog } from '../src/stores/report-log.ts'
import { fixedClock } from './support/fixed-clock.ts'
import { memoryObjects, memoryStore } from './support/memory-store.ts'
import { quietLog } from './support/quiet-log.ts'
import { scheduledStore } from './support/scheduled-store.ts'
import { startTestDaybook, type TestDaybook } from './support/test-daybook.ts'

const REF = { provider: 'binance-pay', account: 'main' }
const MAX_DAYS = 10
const NOW = '2026-10-15T12:00:00Z'

/** A provider that takes everything, and counts. */
function countingProvider(made: DayRange[], wait: () => Promise<unknown> = async () => {}): Reports {
  return {
    window: { maxDays: MAX_DAYS, newestBeforeTodayDays: 3 },
    refusal: () => undefined,
    createdAt: () => undefined,
    query: async () => ({ status: 'processing' }),
    async submit({ range }) {
      await wait()
      made.push(range)
      const reportId = `${466780563124436993n + BigInt(made.length) * 2n}`
      return { outcome: 'accepted', reportId, answer: reportId }
    },
  }
}

function accountWith(
  reports: Reports,
  planning: Partial<PlannedAccount['planning']>,
  monthlyLimit = 50,
): PlannedAccount {
  return {
    ref: REF,
    provider: { name: 'binance-pay', reports },
    monthlyLimit,
    zoneMinutes: undefined,
    columns: {},
    planning: { reserve: 5, cadence: 'daily', earliestDay: undefined, ...planning },
  }
}

function contextOver(store: ObjectStore, clock = fixedClock(NOW)) {
  const context: Pick<Context, 'store' | 'ledger' | 'reports' | 'clock' | 'random' | 'log' | 'processName'> =
    {
      store,
      ledger: quotaLedger(store),
      reports: reportLog(store),
      clock,
      random: systemRandom,
      log: quietLog(),
      processName: 'test',
    }
  return context
}

const spentSlots = (slots: readonly Slot[]) => slots.filter(({ outcome }) => outcome?.outcome !== 'rejected')

describe('a plan', () => {
  it('asks within the days that can be asked for, and says so', async () => {
    const account = accountWith(countingProvider([]), { earliestDay: '2026-09-20' })
    const plan = await makePlan(contextOver(memoryStore()), account, { from: '2026-01-01', to: '2030-01-01' })
    expect(plan.range).toEqual({ start: '2026-09-20', end: '2026-10-13' })
    expect(plan.requests.map(({ range }) => range)).toEqual([
      { start: '2026-09-20', end: '2026-09-30' },
      { start: '2026-09-30', end: '2026-10-10' },
      { start: '2026-10-10', end: '2026-10-13' },
    ])
  })

  it('goes on where it stopped: in this month up to the reserve, in the next with the rest', async () => {
    const made: DayRange[] = []
    const clock = fixedClock(NOW)
    const context = contextOver(memoryStore(), clock)
    const account = accountWith(countingProvider(made), { reserve: 2 }, 5)
    const wanted = { from: '2026-08-01', to: '2026-09-29' }
    const first = await applyPlan(context, account, await makePlan(context, account, wanted))
    expect(first.asked.length).toBe(3)
    expect(first.left.length).toBe(3)
    expect(first.comeBackAt?.toISOString()).toBe('2026-11-01T00:00:05.000Z')
    const none = await applyPlan(context, account, await makePlan(context, account, wanted))
    expect(none).toMatchObject({ asked: [], comeBackAt: first.comeBackAt })

    // The reserve is for people, and no further than the limit.
    const person = (start: string) =>
      submit(context, account, {
        request: { range: { start, end: addDays(start, 1) }, wallets: 'all' },
        reason: 'command',
        again: false,
      })
    expect(await person('2026-07-01')).toMatchObject({ outcome: 'accepted', slot: 4 })
    expect(await person('2026-07-02')).toMatchObject({ outcome: 'accepted', slot: 5 })
    expect(await person('2026-07-03')).toMatchObject({ outcome: 'quota-exhausted', limit: 5 })

    clock.set(first.comeBackAt!)
    const second = await applyPlan(context, account, await makePlan(context, account, wanted))
    expect(second).toMatchObject({ left: [], comeBackAt: null })
    const asked = made.flatMap(daysOf).filter(day => day >= wanted.from)
    expect(asked.sort()).toEqual(daysOf({ start: wanted.from, end: addDays(wanted.to, 1) }))
  })

  it('stops at the reserve in the claim itself, also when others spend between plan and asking', async () => {
    const made: DayRange[] = []
    const context = contextOver(memoryStore())
    const account = accountWith(countingProvider(made), { reserve: 2 }, 5)
    const plan = await makePlan(context, account, { from: '2026-09-01', to: '2026-09-30' })
    expect(plan.requests.every(({ from }) => from === null)).toBe(true)
    await submit(context, account, {
      request: { range: { start: '2026-07-01', end: '2026-07-02' }, wallets: 'all' },
      reason: 'command',
      again: false,
    })
    const applied = await applyPlan(context, account, plan)
    expect(applied.asked.length).toBe(2)
    expect(applied.stopped).toMatchObject({ outcome: 'quota-exhausted', limit: 3 })
    expect(applied.left.length).toBe(1)
    expect(applied.comeBackAt?.toISOString()).toBe('2026-11-01T00:00:05.000Z')
  })

  it('asks again for what failed before it was made, though the question is the same, and only once', async () => {
    const made: DayRange[] = []
    const context = contextOver(memoryStore())
    const account = accountWith(countingProvider(made), {})
    const request = { range: { start: '2026-09-01', end: '2026-09-04' }, wallets: 'all' as const }
    const ask = (weighed?: { month: string; number: number }) =>
      submit(context, account, {
        request,
        reason: 'plan',
        again: false,
        ...(weighed === undefined ? {} : { weighed }),
      })
    expect(await ask()).toMatchObject({ outcome: 'accepted', slot: 1 })
    expect(await ask()).toMatchObject({ outcome: 'already-requested', slot: 1 })
    const weighed = { month: '2026-10', number: 1 }
    const both = await Promise.all([ask(weighed), ask(weighed)])
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'already-requested'])
    expect(made.length).toBe(2)
  })

  it('reads no report of long ago, but for those that a slot of these months names', async () => {
    const objects = memoryObjects()
    const store = memoryStore(objects)
    let reads = 0
    const get = (key: string) => {
      reads++
      return store.get(key)
    }
    const counting = { ...store, get }
    const context = contextOver(counting)
    const account = accountWith({ ...countingProvider([]), createdAt: () => new Date(0) }, {})
    await submit(context, account, {
      request: { range: { start: '2026-10-01', end: '2026-10-12' }, wallets: 'all' },
      reason: 'command',
      again: false,
    })
    const costOf = async () => {
      const before = reads
      const plan = await makePlan(context, account, { from: '2026-10-01' })
      return { reads: reads - before, open: plan.open }
    }
    await costOf()
    const few = await costOf()
    expect(few).toEqual({ reads: 1, open: [{ start: '2026-10-12', end: '2026-10-13' }] })
    const [asked] = await Array.fromAsync(context.reports.list(REF))
    const record = await context.reports.read(REF, asked!.reportId, 'accepted')
    for (let number = 0; number < 200; number++) {
      const reportId = `${400000000000000000n + BigInt(number) * 2n ** 33n}`
      await context.reports.create(REF, reportId, 'accepted', { ...record!, reportId })
    }
    expect(await costOf()).toEqual(few)
  })

  it('stops when the provider does not answer, and counts that request as asked', async () => {
    const provider = countingProvider([])
    const silent: Reports = { ...provider, submit: async () => ({ outcome: 'unknown', says: 'Silence.' }) }
    const context = contextOver(memoryStore())
    const account = accountWith(silent, {})
    const plan = await makePlan(context, account, { from: '2026-09-01', to: '2026-09-30' })
    const applied = await applyPlan(context, account, plan)
    expect(applied).toMatchObject({ asked: [{ outcome: { outcome: 'unknown' } }], comeBackAt: null })
    expect(applied.left.length).toBe(2)
    const next = await makePlan(context, account, { from: '2026-09-01', to: '2026-09-30' })
    expect(next.unanswered.map(({ number }) => number)).toEqual([1])
    expect(next.requests.length).toBe(2)
  })
})

interface Asker {
  readonly kind: 'plan' | 'due' | 'person'
  /** The last day that a plan is about: clocks and persons differ. */
  readonly last: number
  /** Dies at this call of the store; 0: never. */
  readonly diesAt: number
}

const askers: fc.Arbitrary<Asker[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('plan', 'plan', 'due', 'person'),
    last: fc.integer({ min: 0, max: 25 }),
    diesAt: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })),
  }),
  { minLength: 2, maxLength: 5 },
)

describe('plans, schedules and people at once', () => {
  it('ask for no day twice by themselves, leave the reserve to people, and keep the limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        askers,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 3 }),
        fc.scheduler(),
        async (all, limit, reserve, scheduler) => {
          const objects = memoryObjects()
          const made: DayRange[] = []
          let alive = 0
          let failure: unknown

          async function run({ kind, last, diesAt }: Asker, index: number): Promise<void> {
            const store = scheduledStore(memoryStore(objects), scheduler, { diesAt, died: () => alive-- })
            const provider = countingProvider(made, () => scheduler.schedule(Promise.resolve(), 'call'))
            const account = accountWith(provider, { reserve }, limit)
            const context = contextOver(store)
            if (kind === 'due') await askDue(context, account)
            else if (kind === 'person') {
              const start = addDays('2026-07-01', index)
              await submit(context, account, {
                request: { range: { start, end: addDays(start, 1) }, wallets: 'all' },
                reason: 'command',
                again: false,
              })
            } else {
              const to = addDays('2026-09-17', last)
              await applyPlan(context, account, await makePlan(context, account, { from: '2026-09-10', to }))
            }
          }

          for (const [index, asker] of all.entries()) {
            alive++
            run(asker, index).then(
              () => alive--,
              error => {
                alive--
                failure = error
              },
            )
          }
          while (alive > 0) {
            if (scheduler.count() > 0) await scheduler.waitNext(1)
            else await new Promise(turn => setImmediate(turn))
          }
          if (failure !== undefined) throw failure

          const slots = spentSlots(await quotaLedger(memoryStore(objects)).month(REF, '2026-10'))
          const days = made.flatMap(daysOf)
          expect(new Set(days).size).toBe(days.length)
          expect(made.length).toBeLessThanOrEqual(limit)
          for (const { number, claim, outcome } of slots) {
            if (claim.reason === 'command' || outcome?.outcome !== 'accepted') continue
            const upToHere = slots.filter(
              slot => slot.number <= number && slot.outcome?.outcome === 'accepted',
            )
            expect(upToHere.length).toBeLessThanOrEqual(Math.max(0, limit - reserve))
          }
        },
      ),
      { numRuns: 600 },
    )
  }, 120_000)
})

describe('a schedule', () => {
  it('asks for each period once, catches up on what it missed, and leaves the reserve alone', async () => {
    const made: DayRange[] = []
    const clock = fixedClock(NOW)
    const context = contextOver(memoryStore(), clock)
    const account = accountWith(countingProvider(made), { reserve: 0 }, 3)
    expect(await findDue(context, account)).toMatchObject({
      outcome: 'due',
      range: { start: '2026-10-12', end: '2026-10-13' },
    })
    expect(made).toEqual([])
    const first = await Promise.all([askDue(context, account), askDue(context, account)])
    expect(first.map(due => due.outcome === 'asked' && due.submit.outcome).sort()).toEqual([
      'accepted',
      'already-requested',
    ])
    expect(await askDue(context, account)).toEqual({ outcome: 'nothing-due', newest: '2026-10-12' })
    clock.set('2026-10-18T00:00:00Z')
    await askDue(context, account)
    expect(made.at(-1)).toEqual({ start: '2026-10-13', end: '2026-10-16' })
    clock.set('2026-10-19T00:00:00Z')
    await askDue(context, account)
    clock.set('2026-10-20T00:00:00Z')
    expect(await askDue(context, account)).toMatchObject({ submit: { outcome: 'quota-exhausted' } })
    // The newest day alone: what was asked last lies too far back for one report, and is left to a plan.
    clock.set('2026-11-01T12:00:00Z')
    await askDue(context, account)
    expect(made.at(-1)).toEqual({ start: '2026-10-29', end: '2026-10-30' })
    expect(daysBetween('2026-10-17', '2026-10-30')).toBeGreaterThan(MAX_DAYS)
    expect(await askDue(context, accountWith(countingProvider([]), { cadence: 'off' }))).toEqual({
      outcome: 'off',
    })
  })
})

/** The same against the provider's books. */
describe('a plan against the sandbox', () => {
  let test: TestDaybook
  afterEach(() => test.stop())

  it('closes every gap, and two at once generate nothing twice', async () => {
    test = await startTestDaybook({ knobs: { rowsPerDay: 2 } })
    const { context } = test.daybook
    const plans = await Promise.all([0, 1].map(() => makePlan(context, test.account, { from: '2026-01-15' })))
    const applied = await Promise.all(plans.map(plan => applyPlan(context, test.account, plan)))
    expect(applied.every(({ left, stopped }) => left.length === 0 && stopped === undefined)).toBe(true)
    expect(test.sandbox.books().generationsByMonth.test?.['2026-10']).toBe(plans[0]!.requests.length)
    const after = await makePlan(context, test.account, { from: '2026-01-15' })
    expect(after).toMatchObject({ open: [], requests: [] })
    expect(plans[0]!.range.end).toBe('2026-10-13')
  })

  it('asks again, once, for the days of a report that has failed', async () => {
    test = await startTestDaybook({ knobs: { outcome: 'FAILED', processingMs: 1 }, serve: false })
    const { daybook, account } = test
    const { context } = daybook
    const wanted = { from: '2026-10-01', to: '2026-10-03' }
    const run = async () => applyPlan(context, account, await makePlan(context, account, wanted))
    const [asked] = (await run()).asked
    if (asked?.outcome.outcome !== 'accepted') throw new Error(JSON.stringify(asked))
    expect((await run()).asked).toEqual([])

    const { reportId } = asked.outcome
    const parts = await context.reports.parts(account.ref, reportId)
    const refused = { status: 'failed', since: context.clock.now(), answer: undefined, parts } as const
    await conclude(context, account, reportId, refused, context.polling)
    const facts = await loadCoverageFacts(context, account.ref, wanted.from)
    expect(coverageOf(facts, asked.range)[0]?.wallets.spot.state).toBe('failed')
    const plans = await Promise.all([0, 1].map(() => makePlan(context, account, wanted)))
    const again = await Promise.all(plans.map(plan => applyPlan(context, account, plan)))
    const outcomes = again.flatMap(applied => applied.asked.map(({ outcome }) => outcome.outcome))
    expect(outcomes.sort()).toEqual(['accepted', 'already-requested'])
    expect(test.sandbox.books().generationsByMonth.test?.['2026-10']).toBe(2)
  })
})
