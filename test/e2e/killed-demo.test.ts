import { beforeAll, describe, expect, it } from 'vitest'
import { type DemoResult, demoKilledAt, type KillPoint } from '../support/killed-demo.ts'

/** Some moments of every run of the suite; `npm run test:crash` tries them all. */
const MOMENTS: KillPoint[][] = [
  [{ files: 3, delayMs: 0 }],
  [{ balances: 1, delayMs: 0 }],
  [{ files: 12, delayMs: 0 }],
  [{ files: 33, delayMs: 0 }],
  [
    { balances: 7, delayMs: 20 },
    { files: 11, delayMs: 0 },
    { files: 18, delayMs: 0 },
    { files: 43, delayMs: 0 },
  ],
]

describe('a demo that is killed', () => {
  let undisturbed: DemoResult
  beforeAll(async () => {
    undisturbed = await demoKilledAt([])
  }, 60_000)

  it.concurrent.each(MOMENTS.map(moment => [moment]))(
    'at %j is completed by the next run, with the same rows and no more quota',
    async moment => {
      const result = await demoKilledAt(moment)
      expect(result.killed).toBeGreaterThan(0)
      expect(result.generations).toBe(1)
      expect(result.rows).toBe(undisturbed.rows)
      expect(result.keys.filter(key => key.startsWith('activity/'))).toEqual(
        undisturbed.keys.filter(key => key.startsWith('activity/')),
      )
      expect(result.verdicts).toEqual(undisturbed.verdicts)
      const balances = ({ keys }: DemoResult) => keys.filter(key => key.startsWith('balances/')).length
      expect(balances(result)).toBe(balances(undisturbed))
    },
    120_000,
  )
})
