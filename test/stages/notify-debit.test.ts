import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAmount } from '../../src/domain/amount.ts'
import { debitRequestId } from '../../src/domain/debit.ts'
import { type NotifyInput, notifyDebit } from '../../src/stages/notify-debit.ts'
import { startThreeProviders, type ThreeProviders } from '../support/three-providers.ts'

const CONTRACT = '205638372306477057'
const DUE = '2026-10-18'
const ID = debitRequestId(CONTRACT, DUE)

let three: ThreeProviders
beforeEach(async () => {
  three = await startThreeProviders()
})
afterEach(() => three.stop())

const announce = (changed: Partial<NotifyInput> & { text?: string } = {}) => {
  const { text = '12.5', ...rest } = changed
  return notifyDebit(three.daybook.context, three.account('binance-pay'), {
    contractId: CONTRACT,
    amount: readAmount(text) as bigint,
    currency: 'USDT',
    due: DUE,
    subMerchantId: null,
    outsideWindow: false,
    ...rest,
  })
}
const debitKeys = async () => (await three.keys()).filter(key => key.startsWith('debits/'))
const recordAt = async (key: string) =>
  JSON.parse(Buffer.from((await three.daybook.context.store.get(key))!.bytes).toString())

describe('a notice', () => {
  it('is announced once, its intent and its result kept, and its freeze told', async () => {
    expect(await announce()).toMatchObject({
      outcome: 'notified',
      requestId: ID,
      daysAhead: 3,
      frozenUntil: new Date('2026-10-16T12:00:00.000Z'),
    })
    const folder = `debits/binance-pay/bp/${ID}`
    expect(await debitKeys()).toEqual([
      `${folder}/intent.json`,
      `${folder}/results/20261015T120000.000Z.json`,
    ])
    expect(await recordAt(`${folder}/intent.json`)).toMatchObject({
      amount: '12.5',
      due: DUE,
      outsideWindow: false,
    })
    const result = await recordAt(`${folder}/results/20261015T120000.000Z.json`)
    expect(result).toMatchObject({ outcome: 'notified', frozenUntil: '2026-10-16T12:00:00.000Z' })
    expect(result.answer).toContain('"transactionTime"')
    expect(three.sandbox.debits()).toMatchObject([{ requestId: ID, amount: '12.5' }])
  })

  it('that was announced is told again without sending anything', async () => {
    await announce()
    three.clock.set('2026-10-16T09:00:00.000Z')
    expect(await announce()).toMatchObject({
      outcome: 'already-notified',
      frozenUntil: new Date('2026-10-16T12:00:00.000Z'),
    })
    expect(three.sandbox.debits()).toHaveLength(1)
    expect(await debitKeys()).toHaveLength(2)
  })

  it('run many times at once has one effect', async () => {
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => announce()))
    for (const { outcome } of outcomes) expect(['notified', 'already-notified']).toContain(outcome)
    expect(three.sandbox.debits()).toHaveLength(1)
  })

  it('whose answer was lost is settled by running it again, with every try kept', async () => {
    three.sandbox.setKnobs({ debitFault: 'http-500-after-effect' })
    expect(await announce()).toMatchObject({ outcome: 'unknown' })
    three.sandbox.setKnobs({ debitFault: 'none' })
    expect(await announce()).toMatchObject({ outcome: 'notified' })
    expect(three.sandbox.debits()).toHaveLength(1)
    expect((await debitKeys()).filter(key => key.includes('/results/'))).toHaveLength(2)
  })

  it('is written down before it is sent', async () => {
    three.sandbox.setKnobs({ debitFault: 'no-answer-before-effect' })
    const sent = announce()
    await expect
      .poll(debitKeys, { timeout: 10_000, interval: 10 })
      .toEqual([`debits/binance-pay/bp/${ID}/intent.json`])
    expect(await sent).toMatchObject({ outcome: 'unknown' })
    expect(three.sandbox.debits()).toEqual([])
  })

  it('that is refused may be asked for again', async () => {
    three.sandbox.setKnobs({ debitRefusal: '406108' })
    expect(await announce()).toMatchObject({ outcome: 'rejected', code: '406108' })
    three.sandbox.setKnobs({ debitRefusal: '' })
    expect(await announce()).toMatchObject({ outcome: 'notified' })
  })

  it.each([
    ['an amount above the limit of the contract', { text: '50.00000001' }, 'exceeds'],
    ['no amount', { text: '0' }, 'larger than zero'],
    ['nine decimals', { text: '0.000000001' }, 'at most 8 decimals'],
    ['another currency than the contract', { currency: 'USDC' }, 'about USDT'],
    ['a debit tomorrow', { due: '2026-10-16' }, '2 to 5 days'],
    ['a debit in six days', { due: '2026-10-21' }, '2 to 5 days'],
    ['a contract that is not signed', { contractId: '205638372306477059' }, 'INITIAL'],
    ['a contract that has ended', { contractId: '205638372306477061' }, 'CONTRACT_TERMINATED'],
    ['a contract that nobody knows', { contractId: '7' }, 'no contract'],
  ])('with %s is not sent, and leaves nothing behind', async (_, changed, says) => {
    expect(await announce(changed)).toMatchObject({
      outcome: 'not-askable',
      says: expect.stringContaining(says),
    })
    expect(await debitKeys()).toEqual([])
    expect(three.sandbox.debits()).toEqual([])
  })

  it('outside of the days is sent when that is said, and the record says so', async () => {
    expect(await announce({ due: '2026-10-16', outsideWindow: true })).toMatchObject({
      outcome: 'notified',
      daysAhead: 1,
    })
    const intent = (await debitKeys()).find(key => key.endsWith('intent.json'))!
    expect(await recordAt(intent)).toMatchObject({ outsideWindow: true })
  })

  it('of the whole limit is within it', async () => {
    expect(await announce({ text: '50' })).toMatchObject({ outcome: 'notified' })
  })

  it('cannot be changed: the same contract and day with another amount is refused', async () => {
    await announce()
    expect(await announce({ text: '13' })).toMatchObject({
      outcome: 'not-askable',
      says: expect.stringContaining('12.5 USDT'),
    })
    expect(await announce({ subMerchantId: '1' })).toMatchObject({ outcome: 'not-askable' })
    expect(three.sandbox.debits()).toHaveLength(1)
  })

  it('of a provider without debits is refused', async () => {
    await expect(
      notifyDebit(three.daybook.context, three.account('onerway'), {
        ...{ contractId: CONTRACT, amount: 1n, currency: 'USDT', due: DUE },
        ...{ subMerchantId: null, outsideWindow: false },
      }),
    ).rejects.toMatchObject({ code: 'usage-invalid' })
  })
})
