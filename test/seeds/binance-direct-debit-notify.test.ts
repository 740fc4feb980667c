/** Binance Pay's page about announcing a debit, walked: every field, limit, code and sample in it. */
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAmount } from '../../src/domain/amount.ts'
import {
  type DebitApplication,
  type DebitNotice,
  debitAmountFault,
  debitRequestId,
  frozenUntil,
  noticeTiming,
} from '../../src/domain/debit.ts'
import { writeJson } from '../../src/domain/json.ts'
import { systemRandom } from '../../src/host.ts'
import { binancePayClient } from '../../src/providers/binance-pay/client.ts'
import {
  CONTRACT_QUERY_PATH,
  directDebits,
  PAY_APPLY_PATH,
  PAY_NOTIFY_PATH,
  payApplyBody,
  payNotifyBody,
} from '../../src/providers/binance-pay/direct-debit.ts'
import { explainCode, isAmbiguous } from '../../src/providers/binance-pay/result-codes.ts'
import { createHttp } from '../../src/providers/http.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { quietLog } from '../support/quiet-log.ts'
import { DEBIT_CODES, OPEN_CODE, REQUEST_CODES, SHARED_CODES } from '../support/result-codes.ts'
import { ALPHA, call, startTestSandbox } from '../support/sandbox-client.ts'
import { bytesOf, startServer, type TestServer } from '../support/test-http.ts'

const CONTRACT = '205638372306477057'
const SAMPLE_ANSWER = `{"status":"SUCCESS","code":"000000","data":{"merchantRequestId":"a0e29ab291fe6eeec5f13031b38ae284","orderId":"203740009645850624","transactionTime":1672710635911}}`
const amountOf = (text: string) => readAmount(text) as bigint

const clock = fixedClock('2026-10-15T12:00:00.000Z')
const agent = new Agent()
let sandbox: Sandbox
let server: TestServer
let answer = ''
let asked: string[] = []

beforeAll(async () => {
  sandbox = await startTestSandbox({ clock })
  server = await startServer(async (request, response) => {
    asked.push((await bytesOf(request)).toString())
    response.end(answer)
  })
})
afterAll(async () => {
  await sandbox.stop()
  await server.stop()
  await agent.close()
})

function debitsAt(url: string) {
  const http = createHttp({ dispatcher: agent, timeoutMs: 1000, maxAnswerBytes: 65_536 })
  const parts = { http, clock, random: systemRandom, log: quietLog() }
  return directDebits({
    ...parts,
    client: binancePayClient({ ...parts, baseUrl: url, credentials: () => ALPHA }),
  })
}

let notices = 0
/** A notice with an id of its own, so that none repeats another. */
function notice(changed: Partial<DebitNotice> = {}): DebitNotice {
  const requestId = debitRequestId(CONTRACT, `2027-01-${(10 + ++notices).toString()}`)
  const amount = amountOf('6')
  return { requestId, contractId: CONTRACT, amount, currency: 'USDT', subMerchantId: null, ...changed }
}

describe('the request', () => {
  it('has every field of the sample, bizId and estimatedAmount as numbers without loss', () => {
    const body = payNotifyBody(
      notice({
        requestId: 'abcd',
        subMerchantId: '123',
        amount: amountOf('6.00000001'),
        contractId: '29383937493038367292',
      }),
    )
    expect(writeJson(body)).toBe(
      '{"subMerchantId":"123","merchantRequestId":"abcd","tradeMode":"DIRECT_DEBIT","bizId":29383937493038367292,"estimatedAmount":6.00000001,"currency":"USDT"}',
    )
  })

  it('of the sample is taken, with ids above 2^53 whole', async () => {
    const wanted = notice()
    expect(await debitsAt(sandbox.url).notify(wanted)).toMatchObject({
      outcome: 'notified',
      requestId: wanted.requestId,
    })
    expect(sandbox.debits().at(-1)).toMatchObject({
      contractId: CONTRACT,
      amount: '6',
      requestId: wanted.requestId,
    })
    expect(Number(CONTRACT).toString()).not.toBe(CONTRACT)
  })

  it.each([
    ['a merchantRequestId of 33 characters', { requestId: 'a'.repeat(33) }],
    ['a merchantRequestId with a dash', { requestId: 'a-b' }],
    ['an empty merchantRequestId', { requestId: '' }],
    ['a subMerchantId of 20 characters', { subMerchantId: '1'.repeat(20) }],
    ['a bizId that is no number', { contractId: 'abc' }],
  ])('is not sent with %s', async (_, changed) => {
    const before = sandbox.books().requests['pay/notify']?.total
    await expect(debitsAt(sandbox.url).notify(notice(changed))).rejects.toMatchObject({
      code: 'usage-invalid',
    })
    expect(sandbox.books().requests['pay/notify']?.total).toBe(before)
  })

  it('has a merchantRequestId of 32 letters and digits, the same for one contract and day, and for no other', () => {
    const id = debitRequestId(CONTRACT, '2026-10-18')
    expect(id).toMatch(/^[a-z0-9]{32}$/)
    expect(debitRequestId(CONTRACT, '2026-10-18')).toBe(id)
    expect(debitRequestId(CONTRACT, '2026-10-19')).not.toBe(id)
    expect(debitRequestId('205638372306477059', '2026-10-18')).not.toBe(id)
  })

  it('has an amount above zero with at most 8 decimals', () => {
    for (const text of ['6', '0.00000001', '50.00000000'])
      expect(debitAmountFault(amountOf(text))).toBeUndefined()
    for (const text of ['0', '-1', '0.000000001']) expect(debitAmountFault(amountOf(text))).toBeDefined()
  })

  it.each([
    ['2026-10-15', 0, false],
    ['2026-10-16', 1, false],
    ['2026-10-17', 2, true],
    ['2026-10-20', 5, true],
    ['2026-10-21', 6, false],
    ['2026-10-14', -1, false],
  ])('for a debit on %s comes %i days before: within 2 to 5 is %s', (due, daysAhead, timely) => {
    expect(noticeTiming(clock.now(), due)).toEqual({ daysAhead, timely })
  })

  const raw = async (changed: Record<string, string>) => {
    const fields: Record<string, string> = {
      merchantRequestId: '"abcd"',
      tradeMode: '"DIRECT_DEBIT"',
      bizId: CONTRACT,
      estimatedAmount: '6',
      currency: '"USDT"',
      ...changed,
    }
    const body = Object.entries(fields)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `"${name}":${value}`)
    const options = { path: PAY_NOTIFY_PATH, body: `{${body.join(',')}}`, timestamp: clock.now().getTime() }
    return (await call(sandbox, options)).json.code
  }
  it.each([
    ['merchantRequestId is required', { merchantRequestId: '' }, '400100'],
    ['merchantRequestId has at most 32 characters', { merchantRequestId: `"${'a'.repeat(33)}"` }, '400101'],
    ['merchantRequestId has letters and digits', { merchantRequestId: '"a_b"' }, '400103'],
    ['tradeMode is DIRECT_DEBIT', { tradeMode: '"OTHER"' }, '400102'],
    ['bizId is required and a number', { bizId: `"${CONTRACT}"` }, '400100'],
    ['bizId that a double has rounded is no contract', { bizId: '205638372306477060' }, '406207'],
    ['estimatedAmount is required', { estimatedAmount: '' }, '400100'],
    ['estimatedAmount has at most 8 decimals', { estimatedAmount: '6.000000001' }, '400102'],
    ['estimatedAmount stays within singleUpperLimit', { estimatedAmount: '50.00000001' }, '400102'],
    ['currency is USDT', { currency: '"USD"' }, '400102'],
    ['subMerchantId has at most 19 characters', { subMerchantId: `"${'1'.repeat(20)}"` }, '400101'],
    ['subMerchantId may be a number, as in the sample', { subMerchantId: '123' }, '000000'],
    ['a contract that is not signed', { bizId: '205638372306477059' }, '406212'],
  ])('the sandbox knows: %s', async (_, changed, code) => {
    expect(await raw(changed)).toBe(code)
  })
})

describe('the answer', () => {
  it('of the sample has orderId, merchantRequestId and transactionTime', async () => {
    answer = SAMPLE_ANSWER
    const told = await debitsAt(server.url).notify(notice({ requestId: 'a0e29ab291fe6eeec5f13031b38ae284' }))
    expect(told).toEqual({
      outcome: 'notified',
      orderId: '203740009645850624',
      requestId: 'a0e29ab291fe6eeec5f13031b38ae284',
      at: new Date('2023-01-03T01:50:35.911Z'),
      answer: SAMPLE_ANSWER,
    })
    expect(frozenUntil(new Date('2023-01-03T01:50:35.911Z')).toISOString()).toBe('2023-01-04T01:50:35.911Z')
  })

  it('about another request is not taken for ours', async () => {
    answer = SAMPLE_ANSWER
    expect(await debitsAt(server.url).notify(notice())).toMatchObject({ outcome: 'unknown' })
  })

  it('is the same for the same request, however often it is sent', async () => {
    const wanted = notice()
    const debits = debitsAt(sandbox.url)
    const before = sandbox.debits().length
    const [first, second] = [await debits.notify(wanted), await debits.notify(wanted)]
    expect(second).toEqual(first)
    expect(sandbox.debits()).toHaveLength(before + 1)
  })

  it('that is lost leaves the outcome unknown; one that never was sent does not', async () => {
    sandbox.setKnobs({ debitFault: 'http-500-after-effect' })
    const wanted = notice()
    expect(await debitsAt(sandbox.url).notify(wanted)).toMatchObject({ outcome: 'unknown' })
    sandbox.setKnobs({ debitFault: 'none' })
    expect(await debitsAt(sandbox.url).notify(wanted)).toMatchObject({ outcome: 'notified' })
    expect(sandbox.debits().filter(({ requestId }) => requestId === wanted.requestId)).toHaveLength(1)
    expect(await debitsAt('http://127.0.0.1:1').notify(wanted)).toMatchObject({
      outcome: 'rejected',
      code: 'not-sent',
    })
  })
})

describe('the result codes', () => {
  it.each([OPEN_CODE, ...SHARED_CODES, ...REQUEST_CODES, ...DEBIT_CODES])(
    '%s is %s and is told as it came',
    async (code, name) => {
      answer = `{"status":"FAIL","code":"${code}","errorMessage":"Said."}`
      asked = []
      const told = await debitsAt(server.url).notify(notice())
      expect(told).toMatchObject({ outcome: isAmbiguous(code) ? 'unknown' : 'rejected', answer })
      expect(told).toMatchObject({ says: expect.stringContaining(name) })
      expect(explainCode(code, '')).toContain(name)
      // A notice is never repeated by itself, but for a time that was refused.
      expect(asked.length).toBeLessThanOrEqual(code === '400003' ? 2 : 1)
    },
  )
})

describe('the neighbours', () => {
  it('tell of a contract: its status, its limit, its currency', async () => {
    const { contract } = debitsAt(sandbox.url)
    expect(await contract(CONTRACT)).toEqual({
      contractId: CONTRACT,
      status: 'CONTRACT_SIGNED',
      isSigned: true,
      singleUpperLimit: amountOf('50'),
      currency: 'USDT',
    })
    expect(await contract('205638372306477061')).toMatchObject({
      status: 'CONTRACT_TERMINATED',
      isSigned: false,
    })
    expect(await contract('1')).toBeUndefined()
    const options = { path: CONTRACT_QUERY_PATH, body: '{}', timestamp: clock.now().getTime() }
    expect((await call(sandbox, options)).json.code).toBe('400100')
  })

  const application = (changed: Partial<DebitApplication>): DebitApplication => ({
    ...notice(),
    noticeOrderId: null,
    productName: 'Membership',
    ...changed,
  })

  it('debit with preBizId, a day after the notice and not before', async () => {
    sandbox.setKnobs({ ...defaultKnobs, certificateBits: '1024' })
    const debits = debitsAt(sandbox.url)
    const noticed = await debits.notify(notice())
    if (noticed.outcome !== 'notified') throw new Error(noticed.says)
    const wanted = application({ noticeOrderId: noticed.orderId })
    expect(writeJson(payApplyBody(wanted))).toContain(`"preBizId":${noticed.orderId},"amount":6,`)
    clock.set('2026-10-16T11:59:59.000Z')
    expect(await debits.apply(wanted, { movesMoney: true })).toMatchObject({ outcome: 'rejected' })
    clock.set('2026-10-16T12:00:01.000Z')
    const first = await debits.apply(wanted, { movesMoney: true })
    expect(first).toMatchObject({ outcome: 'applied', status: 'INIT' })
    expect(await debits.apply(wanted, { movesMoney: true })).toEqual(first)
    expect(sandbox.debits().filter(({ kind }) => kind === 'debit')).toHaveLength(1)
    clock.set('2026-10-15T12:00:00.000Z')
  })

  it('debit nothing unless whoever calls says that money is meant to move', async () => {
    const before = sandbox.books().requests['pay/apply']?.total
    await expect(
      debitsAt(sandbox.url).apply(application({ noticeOrderId: '1' }), { movesMoney: false }),
    ).rejects.toMatchObject({ code: 'usage-invalid' })
    expect(sandbox.books().requests['pay/apply']?.total).toBe(before)
  })

  it('refuse a product name that is missing or too long, and an order that nobody announced', async () => {
    for (const productName of ['', 'p'.repeat(257)])
      expect(() => payApplyBody(application({ productName }))).toThrow('256')
    expect(
      await debitsAt(sandbox.url).apply(application({ noticeOrderId: '999' }), { movesMoney: true }),
    ).toMatchObject({ outcome: 'rejected', code: '400202' })
    const options = { path: PAY_APPLY_PATH, body: '{}', timestamp: clock.now().getTime() }
    expect((await call(sandbox, options)).json.code).toBe('400100')
  })
})
