import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type CloudWorld, startCloud } from '../support/lambda/cloud-world.ts'
import { eventually } from '../support/test-daybook.ts'

const ceph = inject('ceph')
const bundles = inject('bundles')

describe.skipIf(ceph === undefined)('the bundled handlers on a real S3', () => {
  let world: CloudWorld
  beforeAll(async () => {
    world = await startCloud({ ceph: ceph!, bundles, accounts: 3 })
  })
  afterAll(() => world?.stop())

  it('takes a report from the request to published days', async () => {
    const input = { account: 'm001', from: '2026-10-01', to: '2026-10-02' }
    const asked = await world.functions.submit.invoke(input)
    if (asked.outcome !== 'answered') console.error(asked, world.lines)
    expect(asked).toMatchObject({ outcome: 'answered', answer: { left: 0, done: [{ outcome: 'accepted' }] } })
    const id = world.sandbox.books().reports[0]!.reportId
    await eventually(() => world.store.head(`reports/binance-pay/m001/${id}/manifest.json`), 30_000)
    expect(world.aws.reads()).toBeGreaterThan(0)
    await eventually(() => (world.aws.events.length >= 2 ? true : undefined))
  })
})
