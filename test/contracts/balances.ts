/** What the balances of every provider have to hold. Run for each sibling. */
import { describe, expect, it } from 'vitest'
import { balanceAnswerRecord } from '../../src/domain/balance.ts'
import { addDays, daysOf } from '../../src/domain/calendar.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import type { Balances } from '../../src/providers/provider.ts'

export interface BalancesFixture {
  readonly balances: Balances
  now(): Date
  /** Everything that was logged so far. */
  log(): string
  /** Texts that must not be in any answer, row or log line. */
  readonly secrets: readonly string[]
  /** The provider stops answering from now on. */
  silence(): void
}

const FIGURES = [
  'available',
  'onHold',
  'withdrawable',
  'deposit',
  'total',
  'opening',
  'inflow',
  'outflow',
  'closing',
] as const

export function describeBalances(name: string, open: () => BalancesFixture): void {
  describe(`the balances of ${name}`, () => {
    const dayOf = ({ balances, now }: BalancesFixture) => {
      const days = balances.days?.(now())
      return days === undefined ? undefined : addDays(days.end, -1)
    }
    const asked = async (fixture: BalancesFixture) => fixture.balances.ask(dayOf(fixture))
    const json = (value: unknown) =>
      JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? inner.toString() : inner))

    it('come as records that the archive takes, with window, bytes and digest', async () => {
      const fixture = open()
      const answers = await asked(fixture)
      expect(answers.length).toBeGreaterThan(0)
      for (const answer of answers) {
        expect(balanceAnswerRecord.parse(answer)).toEqual(answer)
        expect(answer.sentAt <= answer.answeredAt).toBe(true)
        expect(answer.operation).not.toBe('')
      }
    })

    it('are told under common names: an asset and at least one figure each, never zero for unknown', async () => {
      const fixture = open()
      const rows = (await asked(fixture)).flatMap(fixture.balances.read)
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows) {
        expect(row.asset).not.toBe('')
        expect(FIGURES.some(figure => typeof row[figure] === 'bigint')).toBe(true)
        for (const figure of FIGURES)
          expect([null, 'bigint']).toContain(row[figure] === null ? null : typeof row[figure])
        expect(row.basis).toBe(fixture.balances.basis)
        expect(row.day === null).toBe(fixture.balances.basis === 'instant')
        expect(row.zone === null).toBe(fixture.balances.basis === 'instant')
      }
    })

    it('are read from the record alone, so the same record gives the same rows', async () => {
      const fixture = open()
      const answers = await asked(fixture)
      const revived = answers.map(answer => balanceAnswerRecord.parse(JSON.parse(JSON.stringify(answer))))
      expect(revived.flatMap(fixture.balances.read)).toEqual(answers.flatMap(fixture.balances.read))
    })

    it('say what is assumed where the documentation is silent', async () => {
      for (const { assumptions } of await asked(open())) expect(assumptions.length).toBeGreaterThan(0)
    })

    it('offer days exactly when they are of days, none of them open', async () => {
      const { balances, now } = open()
      const days = balances.days?.(now())
      expect(days !== undefined).toBe(balances.basis === 'day-end')
      if (days === undefined) return
      expect(daysOf(days).length).toBeGreaterThan(0)
      expect(days.end <= now().toISOString().slice(0, 10)).toBe(true)
    })

    it('refuse an answer that is not theirs as a protocol fault', async () => {
      const fixture = open()
      const [answer] = await asked(fixture)
      for (const body of ['', '<html>', '[]', '{}', '{"code":"200","data":null}', '{"data":{"balance":1}}']) {
        const bodyBase64 = Buffer.from(body).toString('base64')
        expect(() => fixture.balances.read({ ...answer!, bodyBase64 })).toThrow(
          expect.objectContaining({ code: 'provider-protocol' }),
        )
      }
    })

    it('hold no secret, in no record, row or log', async () => {
      const fixture = open()
      const answers = await asked(fixture)
      const told = json([answers, answers.flatMap(fixture.balances.read), fixture.log()])
      for (const secret of fixture.secrets) expect(told).not.toContain(secret)
    })

    it('fail with a fault that may be retried when the provider does not answer', async () => {
      const fixture = open()
      fixture.silence()
      const error = await asked(fixture).catch((fault: unknown) => fault)
      expect(error).toBeInstanceOf(DaybookError)
      expect((error as DaybookError).retry).toBe(true)
    })
  })
}
