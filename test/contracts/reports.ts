/** What the reports and callbacks of every provider have to hold. Run for each sibling. */
import { describe, expect, it } from 'vitest'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import type { ReportRequest } from '../../src/domain/report.ts'
import type { CallbackMessage, Callbacks, Reports } from '../../src/providers/provider.ts'

export interface ReportsFixture {
  readonly reports: Reports
  now(): Date
  silence(): void
}

const whole = (start: string, end: string): ReportRequest => ({ range: { start, end }, wallets: 'all' })

export function describeReports(name: string, open: () => ReportsFixture): void {
  describe(`the reports of ${name}`, () => {
    const newest = ({ reports, now }: ReportsFixture) => {
      const { newestBeforeTodayDays } = reports.window!
      const day = addDays(dayOf(now()), -newestBeforeTodayDays)
      return whole(day, addDays(day, 1))
    }

    it('can be asked for up to the newest day and the longest range, and not beyond', () => {
      const fixture = open()
      const { reports, now } = fixture
      const { end } = newest(fixture).range
      const { maxDays } = reports.window!
      expect(reports.refusal(newest(fixture), now())).toBeUndefined()
      expect(reports.refusal(whole(addDays(end, -maxDays), end), now())).toBeUndefined()
      const today = dayOf(now())
      expect(reports.refusal(whole(today, addDays(today, 1)), now())).toMatch(/\w/)
    })

    it('are accepted with an id that is known from then on', async () => {
      const fixture = open()
      const answer = await fixture.reports.submit(newest(fixture))
      expect(answer).toMatchObject({ outcome: 'accepted', reportId: expect.stringMatching(/^\d+$/) })
      const id = 'reportId' in answer ? answer.reportId : ''
      expect((await fixture.reports.query(id)).status).not.toBe('absent')
      expect((await fixture.reports.query('1')).status).toBe('absent')
    })

    it('are unknown, not refused, when the answer is lost', async () => {
      const fixture = open()
      fixture.silence()
      expect(await fixture.reports.submit(newest(fixture))).toMatchObject({ outcome: 'unknown' })
    })
  })
}

export interface CallbacksFixture {
  readonly callbacks: Callbacks
  readonly reportId: string
  /** A message about that report as the provider would send it. */
  message(): CallbackMessage
  readonly secrets: readonly string[]
}

export function describeCallbacks(name: string, open: () => CallbacksFixture): void {
  describe(`the callbacks of ${name}`, () => {
    it('are verified as they came, and read', async () => {
      const { callbacks, message, reportId } = open()
      expect(await callbacks.verify(message())).toMatchObject({ verdict: 'verified', fresh: true })
      expect(callbacks.read(message().body)).toMatchObject({ kind: 'report', reportId })
    })

    it('are refused when any byte was changed, or a header is missing', async () => {
      const { callbacks, message } = open()
      const { headers, body } = message()
      for (const place of [0, Math.floor(body.length / 2), body.length - 1]) {
        const changed = Buffer.from(body)
        changed[place]! ^= 1
        expect(await callbacks.verify({ headers, body: changed })).toMatchObject({ verdict: 'refused' })
      }
      expect(await callbacks.verify({ headers: {}, body })).toMatchObject({ verdict: 'refused' })
    })

    it('are kept, never failed, when their shape is not known', () => {
      const { callbacks } = open()
      for (const body of ['', '{', '[]', '{"bizType":7}', '\u0000'])
        expect(callbacks.read(Buffer.from(body)).kind).toBe('other')
    })

    it('are answered so that a stranger learns nothing', () => {
      const { callbacks, reportId, secrets } = open()
      const { accepted, refused } = callbacks.replies
      expect(accepted.status).toBe(200)
      expect(refused.status).toBeGreaterThanOrEqual(400)
      for (const secret of [reportId, ...secrets]) expect(accepted.body + refused.body).not.toContain(secret)
    })
  })
}
