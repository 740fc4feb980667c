import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/host.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { shiftedClock } from '../support/shifted-clock.ts'
import { CREDENTIALS, objectKeys } from '../support/test-daybook.ts'

const PROCESSES = 8
const START = '2026-10-15T12:00:00Z'

/** Real processes over one folder: nothing they share but the objects in it. */
describe('many processes that submit at once', () => {
  let folder: string
  let sandbox: Sandbox
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-race-'))
    sandbox = await startSandbox({
      merchants: [{ name: 'test', ...CREDENTIALS }],
      seed: 'race',
      // The sandbox takes more than the limit, so that nothing but our own slots holds it.
      knobs: { quotaPerMonth: 1000, callbackLost: true, clockWindowMs: 60_000 },
      clock: shiftedClock(START),
      random: systemRandom,
    })
  })
  afterEach(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function race(requestsEach: number, questions: 'same' | 'different'): Promise<Map<string, number>> {
    const runs = Array.from({ length: PROCESSES }, (_, number) => run(number, requestsEach, questions))
    const counts = new Map<string, number>()
    for (const outcome of (await Promise.all(runs)).flat())
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    return counts
  }

  function run(number: number, requests: number, questions: string): Promise<string[]> {
    const script = resolve(import.meta.dirname, '../support/submitter.ts')
    const args = [script, folder, sandbox.url, START, `${number}`, `${requests}`, questions]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    return new Promise((done, failed) => {
      child.on('error', failed)
      child.on('close', code =>
        code === 0 ? done(JSON.parse(output)) : failed(new Error(`exit ${code}: ${output}`)),
      )
    })
  }

  const generations = () => sandbox.books().generationsByMonth.test?.['2026-10'] ?? 0

  it('never pass the limit, and exactly the limit succeed', async () => {
    const counts = await race(20, 'different')
    expect(Object.fromEntries(counts)).toEqual({ accepted: 50, 'quota-exhausted': 110 })
    expect(generations()).toBe(50)
    const slots = (await objectKeys(folder)).filter(key => /\/\d+\.json$/.test(key))
    expect(slots.length).toBeGreaterThanOrEqual(50)
  }, 60_000)

  it('ask one question once', async () => {
    const counts = await race(5, 'same')
    expect(Object.fromEntries(counts)).toEqual({ accepted: 1, 'already-requested': 39 })
    expect(generations()).toBe(1)
  }, 60_000)
})
