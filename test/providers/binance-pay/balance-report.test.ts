import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, addMonths, dayOf, daysBetween } from '../../../src/domain/calendar.ts'
import { writeJson } from '../../../src/domain/json.ts'
import type { ReportRequest, WalletScope } from '../../../src/domain/report.ts'
import {
  balanceReportBody,
  balanceReportRefusal,
  readBalanceReportAnswer,
} from '../../../src/providers/binance-pay/balance-report.ts'
import type { Envelope } from '../../../src/providers/binance-pay/envelope.ts'
import { readEnvelope } from '../../../src/providers/binance-pay/envelope.ts'

const envelopeOf = (body: string, status = 200): Envelope =>
  readEnvelope({ status, date: undefined, body: Buffer.from(body) })

const asking = (start: string, end: string, wallets: WalletScope = 'all'): ReportRequest => ({
  range: { start, end },
  wallets,
})

describe('the body', () => {
  it('asks for both wallets by naming none', () => {
    expect(writeJson(balanceReportBody(asking('2022-08-20', '2022-09-05')))).toBe(
      '{"reportType":"Balance","startDate":"2022-08-20","endDate":"2022-09-05"}',
    )
  })

  it.each([
    ['spot', 'SPOT_WALLET'],
    ['funding', 'FUNDING_WALLET'],
  ] as const)('asks for the %s wallet as the documentation does', (wallets, walletType) => {
    expect(writeJson(balanceReportBody(asking('2022-08-20', '2022-09-05', wallets)))).toBe(
      `{"reportType":"Balance","walletType":"${walletType}","startDate":"2022-08-20","endDate":"2022-09-05"}`,
    )
  })
})

describe('the dates', () => {
  const at = (start: string, end: string, now: string) =>
    balanceReportRefusal(asking(start, end), new Date(now))

  it.each([
    ['the last day that can be asked for', '2026-03-07', '2026-03-08', '2026-03-10T00:00:00Z'],
    ['in the last moment of a day', '2026-03-07', '2026-03-08', '2026-03-10T23:59:59.999Z'],
    ['across the turn of a year', '2025-12-31', '2026-01-01', '2026-01-03T00:00:00Z'],
    ['across a leap day', '2024-02-28', '2024-03-01', '2024-03-03T00:00:00Z'],
    ['a leap day alone', '2024-02-29', '2024-03-01', '2024-03-03T00:00:00Z'],
    ['the longest span', '2025-02-01', '2025-05-01', '2026-03-10T00:00:00Z'],
  ])('may be %s: %s..%s', (_, start, end, now) => {
    expect(at(start, end, now)).toBeUndefined()
  })

  it.each([
    ['of today', '2026-03-07', '2026-03-10', '2026-03-10T12:00:00Z', /newest day .* 2026-03-07/],
    ['of yesterday', '2026-03-07', '2026-03-09', '2026-03-10T23:59:59.999Z', /newest day .* 2026-03-07/],
    ['of the future', '2026-03-07', '2027-03-09', '2026-03-10T12:00:00Z', /up to 2026-03-08/],
    ['of yesterday, after a leap day', '2024-02-27', '2024-02-29', '2024-03-01T12:00:00Z', /2024-02-28/],
    ['of the same day', '2026-03-01', '2026-03-01', '2026-03-10T12:00:00Z', /end after it starts/],
    ['before the start', '2026-03-02', '2026-03-01', '2026-03-10T12:00:00Z', /end after it starts/],
    ['of 90 days', '2025-02-01', '2025-05-02', '2026-03-10T12:00:00Z', /at most 89 days.* 90/],
    ['of a year', '2025-01-01', '2026-01-01', '2026-03-10T12:00:00Z', /at most 89 days.* 365/],
  ])('may not be %s: %s..%s', (_, start, end, now, says) => {
    expect(at(start, end, now)).toMatch(says)
  })

  it('satisfy every version of the documentation whenever they pass', () => {
    const now = fc.date({
      min: new Date('2023-01-01T00:00:00Z'),
      max: new Date('2033-01-01T00:00:00Z'),
      noInvalidDate: true,
    })
    let passed = 0
    fc.assert(
      fc.property(now, fc.integer({ min: -3, max: 400 }), fc.integer({ min: -2, max: 95 }), (...drawn) => {
        const [instant, back, span] = drawn
        const end = addDays(dayOf(instant), -back)
        const start = addDays(end, -span)
        if (balanceReportRefusal(asking(start, end), instant) !== undefined) return
        passed++
        expect(versions(start, end, instant)).toEqual({ V1: true, V2: true, V3: true, V4: true })
      }),
      { numRuns: 3000 },
    )
    expect(passed).toBeGreaterThan(1000)
  })

  it('are not refused without need: every whole range up to 89 days that ended two days ago passes', () => {
    for (let day = 0; day < 800; day++) {
      const now = new Date(Date.UTC(2023, 11, 1 + day, 13))
      const end = addDays(dayOf(now), -2)
      for (const span of [1, 28, 31, 59, 89])
        expect(balanceReportRefusal(asking(addDays(end, -span), end), now)).toBeUndefined()
    }
  })
})

/** The rules as the four versions of the page word them, each in its own way of counting. */
function versions(start: string, end: string, now: Date): Record<string, boolean> {
  const today = dayOf(now)
  const yesterday = addDays(today, -1)
  const wellFormed = /^\d{4}-\d{2}-\d{2}$/.test(start) && /^\d{4}-\d{2}-\d{2}$/.test(end)
  const within = daysBetween(start, end) <= 90 && end <= threeMonthsAfter(start) && start <= end
  return {
    V1: wellFormed && within && end < yesterday,
    V2: wellFormed && within && end < yesterday,
    V3: wellFormed && within && end < yesterday,
    V4: wellFormed && within && end >= addDays(start, 1) && end < today,
  }
}

/** The same day three months later, or the last day of a shorter month. */
function threeMonthsAfter(day: string): string {
  const month = addMonths(day.slice(0, 7), 3)
  const last = addDays(`${addMonths(month, 1)}-01`, -1)
  const same = `${month}-${day.slice(8)}`
  return same < last ? same : last
}

describe('the answer', () => {
  const says = (data: unknown) =>
    readBalanceReportAnswer(envelopeOf(`{"status":"SUCCESS","code":"000000","data":${data}}`))

  it('is a sentence with the id in it', () => {
    const sentence = 'Your request has been submitted successfully. Your task ID: 197430692664688640'
    expect(says(`"${sentence}"`)).toEqual({
      outcome: 'accepted',
      reportId: '197430692664688640',
      answer: sentence,
    })
  })

  it.each([
    ['above 2^53, whose text a double changes', '"Your task ID: 203740009645850625"', '203740009645850625'],
    ['of 20 digits', '"Your task ID: 29383937493038367292."', '29383937493038367292'],
    ['of 10 digits', '"Your task ID: 1234567890"', '1234567890'],
    ['alone', '"197430692664688641"', '197430692664688641'],
    ['alone and short', '"1232213"', '1232213'],
    ['that is a bare number', '197620356272996353', '197620356272996353'],
    ['next to short numbers', '"Task 2 of 3 (2026-03-10): 197430692664688641"', '197430692664688641'],
  ])('may hold an id %s', (_, data, reportId) => {
    expect(says(data)).toMatchObject({ outcome: 'accepted', reportId })
  })

  it.each([
    ['no id', '"Your request has been submitted successfully."'],
    ['an empty sentence', '""'],
    ['nothing', 'null'],
    ['two ids', '"Task 197430692664688640 replaces 197430692664688641"'],
    ['a number of 21 digits', '"Your task ID: 197430692664688640123"'],
    ['21 digits alone', '"197430692664688640123"'],
    ['a number of 9 digits in words', '"Your task ID: 123456789"'],
    ['an object', '{"id":"197430692664688640"}'],
    ['a list', '["197430692664688640"]'],
  ])('leaves it open whether a report was made when it holds %s', (_, data) => {
    expect(says(data).outcome).toBe('unknown')
  })

  it('rejects when it is certain that no report was made', () => {
    const answer = readBalanceReportAnswer(
      envelopeOf('{"status":"FAIL","code":"400102","errorMessage":"Out of range."}'),
    )
    expect(answer).toEqual({
      outcome: 'rejected',
      code: '400102',
      says: 'Binance Pay answered 400102 INVALID_PARAM_WRONG_VALUE: Out of range.',
    })
  })

  it.each([
    ['a broken server', '{"status":"FAIL","code":"400102"}', 500],
    ['an unknown error', '{"status":"FAIL","code":"400000"}', 200],
    ['a page with HTTP 200', '<html>', 200],
    ['an empty body', '', 200],
    ['JSON without a code', '{"data":"197430692664688640"}', 200],
    ['success by code alone', '{"code":"000000","data":"197430692664688640"}', 200],
    ['success denied by its status', '{"status":"FAIL","code":"000000"}', 200],
  ])('leaves it open whether a report was made when it is %s', (_, body, status) => {
    expect(readBalanceReportAnswer(envelopeOf(body, status)).outcome).toBe('unknown')
  })
})
