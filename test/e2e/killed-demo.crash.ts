import { beforeAll, describe, expect, it } from 'vitest'
import { type DemoResult, demoKilledAt, type KillPoint } from '../support/killed-demo.ts'

const FILES = 50
const BALANCES = [1, 2, 3, 4, 47, 48, 49, 50, 96]
const DELAYS_MS = [0, 7]
const MOMENTS: KillPoint[] = DELAYS_MS.flatMap(delayMs => [
  ...Array.from({ length: FILES }, (_, files) => ({ files: files + 1, delayMs })),
  ...BALANCES.map(balances => ({ balances, delayMs })),
])

describe('a demo that is killed at any moment', () => {
  let undisturbed: DemoResult
  beforeAll(async () => {
    undisturbed = await demoKilledAt([])
  }, 60_000)

  it.concurrent.each(MOMENTS)(
    'at %j is completed by the next run',
    async moment => {
      const result = await demoKilledAt([moment])
      expect(result.generations).toBe(1)
      expect(result.rows).toBe(undisturbed.rows)
      expect(result.verdicts).toEqual(undisturbed.verdicts)
    },
    60_000,
  )
})
