/** What the movements of every provider have to hold. Run for each sibling. */
import { describe, expect, it } from 'vitest'
import { type ActivityRow, identityOf } from '../../src/domain/activity.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import type { Activity } from '../../src/providers/provider.ts'

export interface ActivityFixture {
  readonly activity: Activity
  /** A day that is over, with movements in it. */
  readonly day: string
  log(): string
  readonly secrets: readonly string[]
  silence(): void
}

export function describeActivity(name: string, open: () => ActivityFixture): void {
  describe(`the movements of ${name}`, () => {
    const bounds = ({ day }: ActivityFixture) => {
      const from = new Date(`${day}T00:00:00Z`)
      return { from, noon: new Date(from.getTime() + 43_200_000), to: new Date(from.getTime() + 86_400_000) }
    }
    const told = (rows: readonly ActivityRow[]) => rows.map(row => [identityOf(row), row.extra])

    it('are of assets that are named once each', async () => {
      const assets = await open().activity.assets()
      expect(assets.length).toBeGreaterThan(0)
      expect(new Set(assets).size).toBe(assets.length)
    })

    it('lie within the bounds asked for, in the order of time, and move something', async () => {
      const fixture = open()
      const { from, to } = bounds(fixture)
      let count = 0
      for (const asset of await fixture.activity.assets()) {
        const { rows, pages, assumptions } = await fixture.activity.movements(asset, from, to)
        count += rows.length
        expect(pages.length).toBeGreaterThan(0)
        expect(assumptions.length).toBeGreaterThan(0)
        let last = BigInt(from.getTime()) * 1000n
        for (const row of rows) {
          expect(row.asset).toBe(asset)
          expect(row.micros).toBeGreaterThanOrEqual(last)
          expect(row.micros).toBeLessThan(BigInt(to.getTime()) * 1000n)
          expect(typeof row.amount).toBe('bigint')
          last = row.micros
        }
      }
      expect(count).toBeGreaterThan(0)
    })

    it('of two halves are those of the whole, none twice and none lost, whenever they are asked for', async () => {
      const fixture = open()
      const { from, noon, to } = bounds(fixture)
      for (const asset of await fixture.activity.assets()) {
        const ask = async (begin: Date, end: Date) =>
          told((await fixture.activity.movements(asset, begin, end)).rows)
        const whole = await ask(from, to)
        expect([...(await ask(from, noon)), ...(await ask(noon, to))]).toEqual(whole)
        expect(await ask(from, to)).toEqual(whole)
      }
    })

    it('hold no secret, in no row, page or log', async () => {
      const fixture = open()
      const { from, to } = bounds(fixture)
      const [asset] = await fixture.activity.assets()
      const { rows, pages } = await fixture.activity.movements(asset!, from, to)
      const text = [
        ...told(rows).flat(),
        ...pages.map(page => Buffer.from(page).toString()),
        fixture.log(),
      ].join()
      for (const secret of fixture.secrets) expect(text).not.toContain(secret)
    })

    it('fail with a fault that may be retried when the provider does not answer', async () => {
      const fixture = open()
      const { from, to } = bounds(fixture)
      const [asset] = await fixture.activity.assets()
      fixture.silence()
      const error = await fixture.activity.movements(asset!, from, to).catch((fault: unknown) => fault)
      expect(error).toBeInstanceOf(DaybookError)
      expect((error as DaybookError).retry).toBe(true)
    })
  })
}
