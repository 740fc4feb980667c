/** How the desk writes things. Every time is UTC. */
import { formatAmount } from '../domain/amount.ts'
import { addDays, type Day } from '../domain/calendar.ts'
import type { Movement } from '../stores/day-movements.ts'

/** `-1,234.5` of `-1234.5`: every digit stays, and a minus is a minus sign. */
export function amountText(amount: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(amount) ?? []
  if (whole === '') return amount
  return `${sign === '' ? '' : '−'}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${fraction}`
}

/** How many decimal places the longest of these amounts has. */
export function placesOf(amounts: readonly (string | null)[]): number {
  return Math.max(0, ...amounts.map(amount => amount?.split('.')[1]?.length ?? 0))
}

const FIGURE_SPACE = '\u2007'
const POINT_SPACE = '\u2008'

/** Room behind a text, so that the points of a column stand below each other. */
export function padded(text: string, places: number): string {
  const [, fraction] = text.split('.')
  const point = fraction === undefined && places > 0 ? POINT_SPACE : ''
  return `${text}${point}${FIGURE_SPACE.repeat(Math.max(0, places - (fraction?.length ?? 0)))}`
}

/** As `amountText`, with a plus: for differences. */
export function signedText(amount: string): string {
  return amount.startsWith('-') || /^0(\.0*)?$/.test(amount) ? amountText(amount) : `+${amountText(amount)}`
}

/** `2026-10-15 12:00` of an instant. */
export function timeText(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ')
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** `October 2026` */
export function monthText(month: string): string {
  return `${MONTHS[Number.parseInt(month.slice(5, 7), 10) - 1] ?? month} ${month.slice(0, 4)}`
}

/** `2026-10-01 to 2026-10-31`, or one day. Both ends count. */
export function rangeText(from: Day, to: Day): string {
  return from === to ? from : `${from} to ${to}`
}

/** Days as ranges: `1 to 3, 7`. They are of one month and in order. */
export function daysText(days: readonly Day[]): string {
  const ranges: { from: Day; to: Day }[] = []
  for (const day of days) {
    const last = ranges.at(-1)
    if (last !== undefined && addDays(last.to, 1) === day) last.to = day
    else ranges.push({ from: day, to: day })
  }
  return ranges.map(({ from, to }) => rangeText(from, to)).join(', ')
}

export function amountLine({ wallet, asset, rows, inflow, outflow }: Movement) {
  return {
    wallet,
    asset,
    rows,
    inflow: formatAmount(inflow),
    outflow: formatAmount(outflow),
    total: formatAmount(inflow + outflow),
  }
}
