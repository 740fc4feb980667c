/** What the debits of every provider have to hold. Run for each sibling. */
import { describe, expect, it } from 'vitest'
import type { DebitNotice } from '../../src/domain/debit.ts'
import type { Debits } from '../../src/providers/provider.ts'

export interface DebitsFixture {
  readonly debits: Debits
  /** A contract that is signed, and one that nobody knows. */
  readonly contractId: string
  readonly unknownContractId: string
  readonly currency: string
  /** Notices and debits that the provider has taken. */
  effects(): number
  log(): string
  readonly secrets: readonly string[]
  silence(): void
}

export function describeDebits(name: string, open: () => DebitsFixture): void {
  describe(`the debits of ${name}`, () => {
    let number = 0
    const noticeOf = ({ contractId, currency }: DebitsFixture): DebitNotice => ({
      requestId: `${name.replace(/\W/g, '')}${++number}`.padEnd(32, '0').slice(0, 32),
      contractId,
      amount: 10n ** 18n,
      currency,
      subMerchantId: null,
    })

    it('rest on a contract that is told, and on none that is not known', async () => {
      const { debits, contractId, unknownContractId } = open()
      expect(await debits.contract(contractId)).toMatchObject({ contractId, isSigned: true })
      expect(await debits.contract(unknownContractId)).toBeUndefined()
    })

    it('are announced once, however often the same notice is sent', async () => {
      const fixture = open()
      const notice = noticeOf(fixture)
      const before = fixture.effects()
      const first = await fixture.debits.notify(notice)
      const second = await fixture.debits.notify(notice)
      expect(first).toMatchObject({ outcome: 'notified', requestId: notice.requestId })
      expect(second).toMatchObject({ outcome: 'notified', orderId: 'orderId' in first ? first.orderId : '' })
      expect(fixture.effects()).toBe(before + 1)
    })

    it('move no money unless that is said, and send nothing then', async () => {
      const fixture = open()
      const application = { ...noticeOf(fixture), noticeOrderId: null, productName: 'A thing' }
      const before = fixture.effects()
      await expect(fixture.debits.apply(application, { movesMoney: false })).rejects.toMatchObject({
        code: 'usage-invalid',
      })
      expect(fixture.effects()).toBe(before)
    })

    it('are unknown, not refused, when the answer to a notice is lost', async () => {
      const fixture = open()
      const notice = noticeOf(fixture)
      fixture.silence()
      expect(await fixture.debits.notify(notice)).toMatchObject({ outcome: 'unknown' })
    })

    it('hold no secret, in no answer or log', async () => {
      const fixture = open()
      const text = JSON.stringify(await fixture.debits.notify(noticeOf(fixture))) + fixture.log()
      for (const secret of fixture.secrets) expect(text).not.toContain(secret)
    })
  })
}
