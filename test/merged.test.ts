import { afterEach, expect, it } from 'vitest'
import { coverageOf } from '../src/domain/coverage.ts'
import { applyPlan, makePlan } from '../src/planning.ts'
import { conclude } from '../src/stages/conclude.ts'
import { loadCoverageFacts } from '../src/stores/coverage-facts.ts'
import { startTestDaybook, type TestDaybook } from './support/test-daybook.ts'

let test: TestDaybook
afterEach(() => test.stop())

it('plans again, once, for a report that failed', async () => {
  test = await startTestDaybook({ knobs: { outcome: 'FAILED', processingMs: 1 } as never, serve: false })
  const { context } = test.daybook
  const wanted = { from: '2026-10-01', to: '2026-10-03' }
  const run = async () => applyPlan(context, test.account, await makePlan(context, test.account, wanted))
  const first = await run()
  expect(first.asked.length).toBe(1)
  expect((await run()).asked).toEqual([])
  const outcome = first.asked[0]!.outcome
  if (outcome.outcome !== 'accepted') throw new Error(outcome.outcome)
  await new Promise(resolve => setTimeout(resolve, 100))
  const parts = await context.reports.parts(test.account.ref, outcome.reportId)
  await conclude(
    context,
    test.account,
    outcome.reportId,
    { status: 'failed', since: context.clock.now(), answer: undefined, parts },
    context.polling,
  )
  const facts = await loadCoverageFacts(context, test.account.ref, wanted.from)
  expect(coverageOf(facts, { start: '2026-10-01', end: '2026-10-02' })[0]?.wallets.spot.state).toBe('failed')
  const plans = await Promise.all([1, 2].map(() => makePlan(context, test.account, wanted)))
  const again = await Promise.all(plans.map(plan => applyPlan(context, test.account, plan)))
  expect(again.flatMap(({ asked }) => asked.map(one => one.outcome.outcome)).sort()).toEqual([
    'accepted',
    'already-requested',
  ])
  expect(test.sandbox.books().generationsByMonth.test?.['2026-10']).toBe(2)
})
