import { beforeAll, describe, expect, it } from 'vitest'
import { type DemoResult, demoKilledAt } from '../support/killed-demo.ts'

const FILES = 25
const DELAYS_MS = [0, 4, 15]
const MOMENTS = Array.from({ length: FILES }, (_, files) =>
  DELAYS_MS.map(delayMs => ({ files: files + 1, delayMs })),
).flat()

describe('a demo that is killed at any moment', () => {
  let undisturbed: DemoResult
  beforeAll(async () => {
    undisturbed = await demoKilledAt([])
  }, 60_000)

  it.concurrent.each(MOMENTS)(
    'at $files files and $delayMs ms is completed by the next run',
    async moment => {
      const result = await demoKilledAt([moment])
      expect(result.generations).toBe(1)
      expect(result.rows).toBe(undisturbed.rows)
    },
    60_000,
  )
})
