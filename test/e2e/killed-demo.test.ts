import { beforeAll, describe, expect, it } from 'vitest'
import { type DemoResult, demoKilledAt } from '../support/killed-demo.ts'

/** Some moments of every run of the suite; `npm run test:crash` tries them all. */
const MOMENTS = [
  [{ files: 2, delayMs: 0 }],
  [{ files: 4, delayMs: 0 }],
  [{ files: 5, delayMs: 5 }],
  [{ files: 8, delayMs: 0 }],
  [{ files: 11, delayMs: 3 }],
  [
    { files: 3, delayMs: 20 },
    { files: 7, delayMs: 0 },
    { files: 14, delayMs: 0 },
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
    },
    60_000,
  )
})
