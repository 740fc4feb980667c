/** Binance Pay's page about the balance report, walked: every field, limit, code and sample in it. */
import { describe, expect, it } from 'vitest'
import { VARIABLES } from '../../src/config/env.ts'
import { addDays, daysBetween } from '../../src/domain/calendar.ts'
import { parseCounts, writeJson } from '../../src/domain/json.ts'
import {
  BALANCE_REPORT_PATH,
  balanceReportBody,
  balanceReportRefusal,
  LONGEST_SPAN_DAYS,
  readBalanceReportAnswer,
} from '../../src/providers/binance-pay/balance-report.ts'
import { readEnvelope } from '../../src/providers/binance-pay/envelope.ts'
import { explainCode, isAmbiguous } from '../../src/providers/binance-pay/result-codes.ts'
import { OPEN_CODE, REPORT_CODES, SHARED_CODES, SIZE_CODES } from '../support/result-codes.ts'

const SAMPLE_BOTH = `{"reportType":"Balance","startDate":"2022-08-20","endDate":"2022-09-05"}`
const SAMPLE_SPOT = `{"reportType":"Balance","walletType":"SPOT_WALLET","startDate":"2022-08-20","endDate":"2022-09-05"}`
const SAMPLE_ANSWER = `{"status":"SUCCESS","code":"000000","data":"Your request has been submitted successfully. Your task ID: 197430692664688640"}`
const RANGE = { start: '2022-08-20', end: '2022-09-05' }

const envelopeOf = (body: string) => readEnvelope({ status: 200, date: undefined, body: Buffer.from(body) })

describe('the request', () => {
  it('goes to POST /binancepay/openapi/balance-report, and is the samples byte for byte', () => {
    expect(BALANCE_REPORT_PATH).toBe('/binancepay/openapi/balance-report')
    expect(writeJson(balanceReportBody({ range: RANGE, wallets: 'all' }))).toBe(SAMPLE_BOTH)
    expect(writeJson(balanceReportBody({ range: RANGE, wallets: 'spot' }))).toBe(SAMPLE_SPOT)
  })

  it('has a reportType, a walletType of two or none, and dates with dashes', () => {
    expect(balanceReportBody({ range: RANGE, wallets: 'funding' })).toEqual({
      reportType: 'Balance',
      walletType: 'FUNDING_WALLET',
      startDate: '2022-08-20',
      endDate: '2022-09-05',
    })
    expect(parseCounts(SAMPLE_BOTH)).not.toHaveProperty('walletType')
  })

  it('ends before yesterday', () => {
    const now = new Date('2026-10-15T12:00:00Z')
    const refusal = (end: string) =>
      balanceReportRefusal({ range: { start: addDays(end, -1), end }, wallets: 'all' }, now)
    expect(refusal('2026-10-13')).toBeUndefined()
    for (const end of ['2026-10-14', '2026-10-15', '2026-10-16']) expect(refusal(end)).toBeDefined()
  })

  it('covers no more than three months, by whatever count', () => {
    const now = new Date('2026-10-15T12:00:00Z')
    const refusal = (days: number) =>
      balanceReportRefusal(
        { range: { start: addDays('2026-10-13', -days), end: '2026-10-13' }, wallets: 'all' },
        now,
      )
    expect(refusal(LONGEST_SPAN_DAYS)).toBeUndefined()
    expect(refusal(LONGEST_SPAN_DAYS + 1)).toBeDefined()
    // The shortest three calendar months there are.
    expect(LONGEST_SPAN_DAYS).toBeLessThanOrEqual(daysBetween('2026-02-01', '2026-05-01'))
  })

  it('is one of at most 50 a month, as a setting', () => {
    expect(VARIABLES.DAYBOOK_MONTHLY_LIMIT.default).toBe('50')
  })
})

describe('the answer', () => {
  it('of the sample holds the id in a sentence', () => {
    expect(readBalanceReportAnswer(envelopeOf(SAMPLE_ANSWER))).toEqual({
      outcome: 'accepted',
      reportId: '197430692664688640',
      answer: 'Your request has been submitted successfully. Your task ID: 197430692664688640',
    })
  })

  it.each([OPEN_CODE, ...SHARED_CODES, ...SIZE_CODES, ...REPORT_CODES])(
    'of %s is %s: a report was made only if the code leaves that open',
    (code, name) => {
      expect(explainCode(code, '')).toContain(name)
      const told = readBalanceReportAnswer(envelopeOf(`{"status":"FAIL","code":"${code}"}`))
      expect(told.outcome).toBe(isAmbiguous(code) ? 'unknown' : 'rejected')
      expect(isAmbiguous(code)).toBe(code === '400000')
    },
  )
})
