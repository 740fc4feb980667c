import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/calendar.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import type { ReportRequest } from '../../src/domain/report.ts'
import { systemRandom } from '../../src/host.ts'
import type { Reports, SubmitAnswer } from '../../src/providers/provider.ts'
import type { Account } from '../../src/stages/context.ts'
import { type SubmitOutcome, submit } from '../../src/stages/submit.ts'
import type { ObjectStore } from '../../src/stores/object-store.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { memoryObjects, memoryStore } from '../support/memory-store.ts'
import { quietLog } from '../support/quiet-log.ts'
import { scheduledStore } from '../support/scheduled-store.ts'

type Fate =
  | 'accepted'
  | 'rejected'
  | 'unknown-made'
  | 'unknown-not-made'
  | 'crash-before-call'
  | 'crash-after-call'

interface Asker {
  readonly fate: Fate
  readonly question: number
  readonly again: boolean
}

const request = (question: number): ReportRequest => ({
  range: { start: '2026-09-01', end: addDays('2026-09-02', question) },
  wallets: 'all',
})

/** A world where every store call and every provider call waits for the scheduler to let it happen. */
function world(scheduler: fc.Scheduler, limit: number) {
  const objects = memoryObjects()
  const made: { question: string; again: boolean }[] = []

  function provider({ fate, again }: Asker): Reports {
    return {
      refusal: () => undefined,
      createdAt: () => undefined,
      query: async () => ({ status: 'processing' }),
      async submit(asked): Promise<SubmitAnswer> {
        await scheduler.schedule(Promise.resolve(), `call ${asked.range.end}`)
        const id = `${466780563124436993n + BigInt(made.length) * 2n}`
        if (fate === 'rejected') return { outcome: 'rejected', code: '400001', says: 'no' }
        if (fate === 'unknown-not-made') return { outcome: 'unknown', says: 'lost' }
        made.push({ question: asked.range.end, again })
        if (fate === 'crash-after-call') return new Promise(() => {})
        return fate === 'accepted'
          ? { outcome: 'accepted', reportId: id, answer: id }
          : { outcome: 'unknown', says: 'lost' }
      },
    }
  }

  /** One process: its own caches, the shared objects. A crash is a store that never answers again. */
  function ask(asker: Asker): Promise<SubmitOutcome> | undefined {
    const store = scheduledStore(memoryStore(objects), scheduler)
    let claimed = false
    if (asker.fate === 'crash-before-call') {
      const { create, list } = store
      Object.assign(store, {
        create: async (key: string, body: Uint8Array) => {
          claimed = true
          return create(key, body)
        },
        list: (prefix: string) => (claimed ? never() : list(prefix)),
      })
    }
    const account: Account = {
      ref: { provider: 'binance-pay', account: 'main' },
      provider: { name: 'binance-pay', reports: provider(asker) },
      monthlyLimit: limit,
      zoneMinutes: undefined,
      columns: {},
    }
    const context = {
      ledger: quotaLedger(store),
      reports: reportLog(store),
      clock: fixedClock('2026-10-15T12:00:00Z'),
      random: systemRandom,
      log: quietLog(),
      processName: 'test',
    }
    return submit(context, account, { request: request(asker.question), reason: 'test', again: asker.again })
  }
  return { ask, made }
}

/** Lets everything happen, one call at a time, until nobody waits for anything that can still come. */
async function drain(scheduler: fc.Scheduler): Promise<void> {
  for (let idle = 0; idle < 2; idle++) {
    await new Promise(turn => setImmediate(turn))
    while (scheduler.count() > 0) {
      idle = 0
      await scheduler.waitNext(1)
    }
  }
}

function never(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
}

const asker = (again: fc.Arbitrary<boolean>): fc.Arbitrary<Asker> =>
  fc.record({
    fate: fc.constantFrom<Fate>(
      'accepted',
      'accepted',
      'accepted',
      'rejected',
      'unknown-made',
      'unknown-not-made',
      'crash-before-call',
      'crash-after-call',
    ),
    question: fc.nat({ max: 3 }),
    again,
  })

/** Every interleaving of store and provider calls that the scheduler can think of. */
describe('submitting, whatever happens in whatever order', () => {
  it('never has more reports made than the limit', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(asker(fc.constant(true)), { minLength: 2, maxLength: 9 }),
      async (scheduler, limit, askers) => {
        const { ask, made } = world(scheduler, limit)
        for (const one of askers) void ask(one)
        await drain(scheduler)
        expect(made.length).toBeLessThanOrEqual(limit)
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  it('never has one question answered twice unless told to', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(asker(fc.constant(false)), { minLength: 2, maxLength: 9 }),
      async (scheduler, askers) => {
        const { ask, made } = world(scheduler, 50)
        for (const one of askers) void ask(one)
        await drain(scheduler)
        const questions = made.map(({ question }) => question)
        expect(questions).toEqual([...new Set(questions)])
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  it('gives everyone a report while the limit is not reached', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 8 }),
      async (scheduler, count) => {
        const { ask, made } = world(scheduler, count)
        const asked = Array.from({ length: count }, (_, question) =>
          ask({ fate: 'accepted', question, again: false }),
        )
        await drain(scheduler)
        const outcomes = await Promise.all(asked)
        expect(outcomes.map(outcome => outcome?.outcome)).toEqual(Array(count).fill('accepted'))
        expect(made).toHaveLength(count)
      },
    )
    await fc.assert(property, { numRuns: 100 })
  })
})

describe('a store that fails between the claim and the call', () => {
  function world(fails: (call: string, key: string, calls: number) => boolean) {
    const objects = memoryObjects()
    const whole = memoryStore(objects)
    let calls = 0
    const store: ObjectStore = {
      ...whole,
      async create(key, body) {
        const created = await whole.create(key, body)
        if (fails('create', key, ++calls)) throw new DaybookError('store-unavailable', 'the answer was lost')
        return created
      },
      async *list(prefix) {
        if (fails('list', prefix, ++calls)) throw new DaybookError('store-unavailable', 'it does not answer')
        yield* whole.list(prefix)
      },
    }
    const sent: ReportRequest[] = []
    const reports: Reports = {
      refusal: () => undefined,
      createdAt: () => undefined,
      query: () => Promise.reject(new Error('not here')),
      async submit(asked) {
        sent.push(asked)
        return { outcome: 'accepted', reportId: '1', answer: 'yes' }
      },
    }
    const account: Account = {
      ref: { provider: 'test', account: 'main' },
      provider: { name: 'test', reports },
      monthlyLimit: 1,
      zoneMinutes: undefined,
      columns: {},
    }
    const context = {
      ledger: quotaLedger(store),
      reports: reportLog(store),
      clock: fixedClock('2026-10-15T12:00:00Z'),
      random: systemRandom,
      log: quietLog(),
      processName: 'test:1',
    }
    const ask = () => submit(context, account, { request: request(1), reason: 'test', again: false })
    return { ask, sent }
  }

  it.each([
    ['loses the answer to the claim', (call: string) => call === 'create'],
    [
      'cannot be listed after it',
      (call: string, _key: string, calls: number) => call === 'list' && calls > 3,
    ],
  ])('%s: the slot is given back, since nothing was sent', async (_name, isTheCall) => {
    let failed = false
    const { ask, sent } = world((call, key, calls) => {
      if (failed || !isTheCall(call, key, calls)) return false
      failed = true
      return true
    })
    await expect(ask()).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(failed).toBe(true)
    expect(sent).toEqual([])
    expect(await ask()).toMatchObject({ outcome: 'accepted', slot: 2 })
    expect(sent).toHaveLength(1)
  })
})
