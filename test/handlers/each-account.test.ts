import { describe, expect, it } from 'vitest'
import { dayInput, eachAccount, readInput } from '../../handlers/each-account.ts'
import { metricsOf } from '../../handlers/metrics.ts'
import type { Started } from '../../handlers/start.ts'
import { systemRandom } from '../../src/host.ts'
import type { WiredAccount } from '../../src/wiring.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { quietLog } from '../support/quiet-log.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const HOUR = { getRemainingTimeInMillis: () => 3_600_000 }
const all = { only: undefined, able: () => true }

function startedWith(lines: string[] = []): Started {
  const clock = fixedClock('2026-11-11T09:00:00.000Z')
  return {
    accounts: NAMES.map(account => ({ ref: { provider: 'binance-pay', account } }) as WiredAccount),
    context: { clock, log: quietLog(), random: systemRandom },
    metrics: metricsOf(clock, 'daybook-sweep', line => lines.push(line)),
  } as unknown as Started
}

describe('work on all accounts', () => {
  it('does each once, and tells how many failed and were left', async () => {
    const lines: string[] = []
    const outcome = await eachAccount(startedWith(lines), HOUR, all, async ({ ref }) => ref.account)
    expect({ ...outcome, done: [...outcome.done].sort() }).toEqual({ done: NAMES, left: 0 })
    expect(lines.map(line => JSON.parse(line))).toEqual([
      {
        _aws: {
          Timestamp: Date.parse('2026-11-11T09:00:00.000Z'),
          CloudWatchMetrics: [
            {
              Namespace: 'Daybook',
              Dimensions: [['function']],
              Metrics: [
                { Name: 'AccountsFailed', Unit: 'Count' },
                { Name: 'AccountsLeft', Unit: 'Count' },
              ],
            },
          ],
        },
        function: 'daybook-sweep',
        AccountsFailed: 0,
        AccountsLeft: 0,
      },
    ])
  })

  it('lets one that fails not keep the others waiting, and fails at the end', async () => {
    const done: string[] = []
    const lines: string[] = []
    const running = eachAccount(startedWith(lines), HOUR, all, async ({ ref: { account } }) => {
      if (account === 'c') throw new Error('only c')
      done.push(account)
    })
    await expect(running).rejects.toThrow('only c')
    expect(done.sort()).toEqual(NAMES.filter(name => name !== 'c'))
    expect(JSON.parse(lines[0]!)).toMatchObject({ AccountsFailed: 1, AccountsLeft: 0 })
  })

  it('begins with no account when the time is over, and says how many are left', async () => {
    const brief = { getRemainingTimeInMillis: () => 100 }
    const wait = (signal: AbortSignal) =>
      new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    const outcome = await eachAccount(startedWith(), brief, all, async (_, signal) => wait(signal))
    expect(outcome).toMatchObject({ left: NAMES.length - 4 })
  })

  it('takes the one that is named, and only those that are able', async () => {
    const only = await eachAccount(startedWith(), HOUR, { ...all, only: 'd' }, async ({ ref }) => ref.account)
    expect(only.done).toEqual(['d'])
    const able = { only: undefined, able: ({ ref }: WiredAccount) => ref.account < 'c' }
    expect((await eachAccount(startedWith(), HOUR, able, async () => 1)).done).toEqual([1, 1])
    const nobody = eachAccount(startedWith(), HOUR, { ...all, only: 'z' }, async () => 1)
    await expect(nobody).rejects.toMatchObject({ code: 'not-found' })
  })

  it('refuses what is no input, such as the envelope that a schedule without one sends', () => {
    expect(readInput(dayInput, undefined)).toEqual({})
    expect(readInput(dayInput, { account: 'pm', day: '2026-10-13' })).toEqual({
      account: 'pm',
      day: '2026-10-13',
    })
    const envelope = { version: '0', id: 'x', 'detail-type': 'Scheduled Event', account: '123456789012' }
    for (const odd of [envelope, { day: '2026-13-01' }, { account: 1 }, 'text'])
      expect(() => readInput(dayInput, odd)).toThrow(expect.objectContaining({ code: 'usage-invalid' }))
  })
})
