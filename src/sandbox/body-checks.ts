/** What a call asks for: JSON, then missing fields, then values. */
import { addDays, type Day, dayOf, daysBetween, isDay, startOfDay } from '../domain/calendar.ts'
import { JsonNumber, type JsonValue, tryParseJson } from '../domain/json.ts'
import { type Refusal, refusal } from './answers.ts'
import type { Knobs } from './knobs.ts'

export interface ReportRequest {
  readonly walletType: 'SPOT_WALLET' | 'FUNDING_WALLET' | null
  readonly startDate: Day
  readonly endDate: Day
}

export type Fields = { readonly [name: string]: JsonValue }

/** The body when it is an object or array, or the refusal of one that is too large or not JSON. */
export function checkJson(body: Buffer, knobs: Knobs): { json: JsonValue } | Refusal {
  if (body.length > knobs.maxBodyBytes) return refusal('400104')
  const json = tryParseJson(body.toString('utf8'))
  const isContainer = typeof json === 'object' && json !== null && !(json instanceof JsonNumber)
  return isContainer ? { json } : refusal('400008')
}

/** The report a submit asks for, or why not. `nowMs` is the sandbox's clock. */
export function checkReportRequest(body: JsonValue, knobs: Knobs, nowMs: number): ReportRequest | Refusal {
  const fields = fieldsOf(body)
  const missing = ['reportType', 'startDate', 'endDate'].find(name => isEmpty(fields[name]))
  if (missing !== undefined)
    return refusal('400100', `Mandatory parameter ${missing} is missing or malformed.`)
  const { reportType, walletType, startDate, endDate } = fields
  if (reportType !== 'Balance') return refusal('400102', 'reportType must be Balance.')
  if (walletType !== undefined && walletType !== 'SPOT_WALLET' && walletType !== 'FUNDING_WALLET') {
    return refusal('400102', 'walletType must be SPOT_WALLET or FUNDING_WALLET.')
  }
  const range = { startDate: startDate as string, endDate: endDate as string }
  const fault = dateFault(range.startDate, range.endDate, knobs, nowMs)
  return fault === undefined ? { walletType: walletType ?? null, ...range } : refusal('400102', fault)
}

/** The id a query asks about, or why not. */
export function checkQueryRequest(body: JsonValue): { downloadId: string } | Refusal {
  const { downloadId } = fieldsOf(body)
  if (isEmpty(downloadId)) return refusal('400100', 'Mandatory parameter downloadId is missing or malformed.')
  if (!/^\d{1,20}$/.test(downloadId as string)) return refusal('400102', 'downloadId must be digits.')
  return { downloadId: downloadId as string }
}

export function fieldsOf(body: JsonValue): Fields {
  return Array.isArray(body) ? {} : (body as Fields)
}

/** Missing, null, empty and not a text are one and the same fault. */
export function isEmpty(value: JsonValue | undefined): boolean {
  return typeof value !== 'string' || value === ''
}

/** What is wrong with a range of dates under the rules the knobs choose. */
function dateFault(start: string, end: string, knobs: Knobs, nowMs: number): string | undefined {
  if (!isDay(start) || !isDay(end)) return 'Dates must be written YYYY-MM-DD.'
  const zoneMs = knobs.dateZone === 'UTC+8' ? 8 * 3_600_000 : 0
  const today = dayOf(new Date(nowMs + zoneMs))
  if (end < start) return 'endDate must not be before startDate.'
  if (knobs.endDateRule !== 'V4' && end >= addDays(today, -1)) return 'endDate must be before yesterday.'
  if (knobs.endDateRule !== 'V3' && end === start) return 'endDate must be at least one day after startDate.'
  if (end > today) return "The current day's data cannot be queried."
  if (daysBetween(start, end) > longestSpan(start, knobs)) return 'The range must be within 3 months.'
  return undefined
}

function longestSpan(start: Day, knobs: Knobs): number {
  return knobs.spanRule === '90-days' ? 90 : daysBetween(start, threeMonthsAfter(start))
}

/** The same day of the month three months later, or the last day of a shorter month. */
function threeMonthsAfter(day: Day): Day {
  const date = startOfDay(day)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 3]
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return dayOf(new Date(Date.UTC(year, month, Math.min(date.getUTCDate(), lastOfMonth))))
}
