import { beforeEach, describe, expect, it } from 'vitest'
import { loadCoverageFacts } from '../../src/stores/coverage-facts.ts'
import { indexedReports, type ReportIndex } from '../../src/stores/indexed-reports.ts'
import { moveOn, sweep } from '../../src/sweep.ts'
import { RANGE, REF, type ReportWorld, reportWorld, requestsSince } from '../support/report-world.ts'

let world: ReportWorld
let index: ReportIndex
beforeEach(() => {
  world = reportWorld()
  index = indexedReports(world.context, REF)
})

/** The index must tell what a whole listing tells. */
async function expectSame(): Promise<void> {
  const { reports } = await loadCoverageFacts(world.context, REF, '2000-01-01')
  const told = await index.coverageReports()
  const byId = (a: { reportId: string }, b: { reportId: string }) => (a.reportId < b.reportId ? -1 : 1)
  expect([...told].sort(byId)).toEqual([...reports].sort(byId))
}

describe('the index of reports', () => {
  it('tells of every step what a whole listing would', async () => {
    await expectSame()
    await world.accept('1')
    await world.clock.advance(1_001)
    await expectSame()
    const before = index.version()
    await world.call('1')
    await world.accept('2', { request: { range: RANGE, wallets: 'spot' } })
    await world.clock.advance(1_001)
    await expectSame()
    expect(index.version()).toBeGreaterThan(before)
    await moveOn(world.context, world.account, '1')
    await world.clock.advance(1_001)
    await expectSame()
    world.answer = () => ({ status: 'failed', answer: 'no' })
    await world.clock.advance(7_200_000)
    await sweep(world.context, [world.account])
    await world.clock.advance(1_001)
    await expectSame()
    expect((await index.current()).get('2')?.ended?.outcome).toBe('failed')
    await world.call('unsolicited')
    await world.clock.advance(1_001)
    expect((await index.current()).get('unsolicited')?.parts).toEqual(new Set(['callback']))
  })

  it('costs as little with many finished reports as with few', async () => {
    for (let id = 100; id < 160; id++) {
      await world.accept(`${id}`)
      await world.call(`${id}`)
      await moveOn(world.context, world.account, `${id}`)
    }
    await world.clock.advance(5 * 86_400_000)
    await index.current()
    // The marks of the day of the arrivals are looked at for the last time.
    await world.clock.advance(1_001)
    await index.current()
    requestsSince(world)
    await world.clock.advance(1_001)
    expect((await index.current()).size).toBe(60)
    expect(requestsSince(world)).toBeLessThanOrEqual(3)
    await index.current()
    expect(requestsSince(world)).toBe(0)
  })

  it('looks again when told to, or when the clock was set back', async () => {
    await index.current()
    await world.accept('1')
    expect((await index.current()).has('1')).toBe(false)
    index.invalidate()
    expect((await index.current()).has('1')).toBe(true)
    await world.accept('2')
    world.clock.set(new Date(world.clock.now().getTime() - 3_600_000))
    expect((await index.current()).has('2')).toBe(true)
  })

  /** The index over reports of which one look, the next one at an id, is held up until it is let go. */
  function heldUp() {
    const { reports } = world.context
    let [hold, letGo] = [Promise.resolve(), () => {}]
    let isHeld = false
    const slow = {
      ...reports,
      async parts(...args: Parameters<typeof reports.parts>) {
        const parts = await reports.parts(...args)
        const waits = isHeld ? hold : undefined
        isHeld = false
        await waits
        return parts
      },
    }
    const holdNext = () => {
      isHeld = true
      hold = new Promise(resolve => {
        letGo = resolve
      })
    }
    return { index: indexedReports({ ...world.context, reports: slow }, REF), holdNext, letGo: () => letGo() }
  }

  it('looks again for whoever tells it to while it looks, and never takes back what it has told', async () => {
    const held = heldUp()
    await world.accept('1')
    await held.index.current()
    await world.clock.advance(1_001)
    held.holdNext()
    const before = held.index.current()
    // The look that is under way has seen the report as it was.
    await new Promise(resolve => setImmediate(resolve))
    await world.call('1')
    held.index.invalidate()
    const partsOf = (known: Awaited<typeof before>) => [...(known.get('1')?.parts ?? [])].sort()
    expect(partsOf(await held.index.current())).toEqual(['accepted', 'callback'])
    held.letGo()
    expect(partsOf(await before)).toEqual(['accepted', 'callback'])
    expect(partsOf(await held.index.current())).toEqual(['accepted', 'callback'])
  })
})
