/** A year, a day a cell, and one day. */
import { addDays, addMonths, startOfDay } from '../../domain/calendar.ts'
import { STANDINGS } from '../../domain/day-standing.ts'
import { bytesText, countText } from '../../domain/quantity-text.ts'
import { amountText, monthText, padded, placesOf, signedText } from '../format.ts'
import { type Html, html, path, withQuery } from '../html.ts'
import {
  type PageContent,
  pairs,
  STANDING_SIGNS,
  standingBadge,
  table,
  timeTag,
  type Viewer,
  verdictBadge,
} from '../layout.ts'
import type { DayLine, DayView } from '../views.ts'
import { findingCard } from './findings.ts'
import { type DownloadLink, reportTable } from './reports.ts'

export interface CalendarView {
  readonly provider: string
  readonly account: string
  readonly year: number
  readonly days: readonly DayLine[]
}

export function calendarPage(view: CalendarView): PageContent {
  const { year, provider, account, days } = view
  const name = `${provider}/${account}`
  const at = (other: number) => withQuery('/calendar', { account: name, year: other })
  const counts = Map.groupBy(days, ({ standing }) => standing)
  const months = Array.from({ length: 12 }, (_, index) => addMonths(`${year}-01`, index))
  return {
    title: `Calendar ${year}`,
    section: '/calendar',
    main: html`<div data-live="calendar"><p class="row no-print"><a class="button quiet" href="${at(year - 1)}" rel="prev">← ${year - 1}</a> <a class="button quiet" href="${at(year + 1)}" rel="next">${year + 1} →</a></p>
<p class="row">${STANDINGS.map(standing => html`<span>${standingBadge(standing)} ${counts.get(standing)?.length ?? 0}</span>`)}</p>
<div class="year">${months.map(month => monthGrid(view, month))}</div></div>`,
  }
}

function monthGrid({ provider, account, days }: CalendarView, month: string): Html {
  const own = days.filter(({ day }) => day.startsWith(month))
  const first = own[0]
  if (first === undefined) return html``
  const lead = (startOfDay(first.day).getUTCDay() + 6) % 7
  const weeks: (DayLine | undefined)[][] = []
  const cells = [...Array.from({ length: lead }, () => undefined), ...own]
  for (let at = 0; at < cells.length; at += 7) weeks.push(cells.slice(at, at + 7))
  const done = own.filter(({ standing }) => standing === 'proved' || standing === 'explained').length
  return html`<section class="card month"><table><caption>${monthText(month)} <small class="soft">${done} proved</small></caption>
<thead><tr>${WEEKDAYS.map(([short, long]) => html`<th scope="col"><abbr title="${long}">${short}</abbr></th>`)}</tr></thead>
<tbody>${weeks.map(
    week =>
      html`<tr>${Array.from({ length: 7 }, (_, at) => html`<td>${dayCell(provider, account, week[at])}</td>`)}</tr>`,
  )}</tbody></table></section>`
}

const WEEKDAYS = [
  ['M', 'Monday'],
  ['T', 'Tuesday'],
  ['W', 'Wednesday'],
  ['T', 'Thursday'],
  ['F', 'Friday'],
  ['S', 'Saturday'],
  ['S', 'Sunday'],
] as const

function dayCell(provider: string, account: string, line: DayLine | undefined): Html | undefined {
  if (line === undefined) return undefined
  const { day, standing } = line
  const { sign, word } = STANDING_SIGNS[standing]
  const number = String(Number.parseInt(day.slice(8), 10))
  return html`<a class="cell s-${standing}" href="${path('/days', provider, account, day)}" title="${day}, ${word}">${number}<span class="unseen"> ${monthText(day)}, ${word}</span><i aria-hidden="true">${sign}</i></a>`
}

export function dayPage(
  view: DayView,
  viewer: Viewer,
  {
    keyFor,
    downloads,
  }: { readonly keyFor: (name: string) => string; readonly downloads: readonly DownloadLink[] },
): PageContent {
  const { line, provider, account, published } = view
  const account_ = `${provider}/${account}`
  const at = (day: string) => path('/days', provider, account, day)
  const needed = view.findings.filter(({ verdict }) => verdict !== 'matched' && verdict !== 'not_checkable')
  const places = (name: 'inflow' | 'outflow' | 'total') =>
    placesOf((published?.movements ?? []).map(line => line[name]))
  const plain = view.findings.filter(({ verdict }) => verdict === 'matched' || verdict === 'not_checkable')
  return {
    title: line.day,
    section: '/calendar',
    main: html`<div data-live="day"><p class="row no-print"><a class="button quiet" href="${at(addDays(line.day, -1))}" rel="prev">← ${addDays(line.day, -1)}</a> <a class="button quiet" href="${at(addDays(line.day, 1))}" rel="next">${addDays(line.day, 1)} →</a> <a class="button quiet" href="${withQuery('/calendar', { account: account_, year: line.day.slice(0, 4) })}">Calendar</a> ${downloads.map(({ name, target }) => html`<a class="button quiet" href="${target}" download>${name}</a>`)}</p>
<div class="cards"><section class="card"><span class="label">State</span><p class="verdict">${standingBadge(line.standing)}</p>${line.verdict !== null && html`<p>Newest reconciliation: ${verdictBadge(line.verdict)}</p>`}</section>
<section class="card"><span class="label">Rows that readers see</span><span class="figure">${published === null ? '—' : countText(published.rows)}</span>${published !== null && html`<p class="soft">${bytesText(published.size)} of Parquet, from report <a class="mono" href="${path('/reports', provider, account, published.reportId)}">${published.reportId}</a></p>`}</section>
<section class="card"><span class="label">Open findings</span><span class="figure">${line.openFindings}</span>${line.quarantined > 0 && html`<p class="soft">${countText(line.quarantined)} rows of its report could not be read.</p>`}</section></div>
${needed.map(finding => findingCard(finding, { provider, account, viewer, key: keyFor(finding.id), withDay: false }))}
${
  published !== null &&
  html`<section class="card"><h2>Totals by asset and wallet</h2>${table(
    'Totals by asset and wallet',
    [
      { name: 'Wallet', cell: ({ wallet }) => wallet },
      { name: 'Asset', cell: ({ asset }) => asset },
      { name: 'Rows', number: true, cell: ({ rows }) => countText(rows) },
      { name: 'In', number: true, cell: ({ inflow }) => padded(amountText(inflow), places('inflow')) },
      { name: 'Out', number: true, cell: ({ outflow }) => padded(amountText(outflow), places('outflow')) },
      {
        name: 'Total',
        number: true,
        cell: ({ total }) => html`<b>${padded(signedText(total), places('total'))}</b>`,
      },
    ],
    published.movements,
    'No rows on this day.',
  )}</section>
<section class="card"><h2>Rows by operation</h2>${table(
    'Rows by operation',
    [
      { name: 'Operation', cell: ({ operation }) => operation },
      { name: 'Category', cell: ({ category }) => category },
      { name: 'Rows', number: true, cell: ({ rows }) => countText(rows) },
    ],
    published.operations,
    'No rows on this day.',
  )}</section>`
}
<section class="card"><h2>Reports about this day</h2>${reportTable(view.reports, 'No report covers this day.')}</section>
<section class="card"><h2>Checks</h2>${
      plain.length === 0
        ? html`<p class="none">${view.runs.length === 0 ? 'This day has not been reconciled.' : 'Every check has a finding.'}</p>`
        : html`<details><summary>${plain.length} without a difference</summary>${table(
            'Checks without a difference',
            [
              { name: 'Check', cell: ({ id }) => html`<span class="mono">${id}</span>` },
              { name: 'Verdict', cell: ({ verdict }) => verdictBadge(verdict) },
              {
                name: 'Actual',
                number: true,
                cell: ({ actual }) => (actual === null ? '' : amountText(actual)),
              },
              { name: '', cell: ({ says }) => says },
            ],
            plain,
            '',
          )}</details>`
    }
${
  view.assumptions.length > 0 &&
  html`<details><summary>What is assumed (${view.assumptions.length})</summary><ul>${view.assumptions.map(each => html`<li>${each}</li>`)}</ul></details>`
}</section>
<section class="card"><h2>History</h2>${table(
      'Corrections',
      [
        { name: 'Generated', cell: ({ generatedAt }) => timeTag(generatedAt) },
        {
          name: 'Report',
          cell: ({ reportId }) =>
            html`<a class="mono" href="${path('/reports', provider, account, reportId)}">${reportId}</a>`,
        },
        {
          name: 'Replaced',
          cell: ({ change }) => html`<span class="mono">${change.replaced.reportId}</span>`,
        },
        { name: 'Added', number: true, cell: ({ change }) => `+${countText(change.added)}` },
        { name: 'Removed', number: true, cell: ({ change }) => `−${countText(change.removed)}` },
        { name: 'Altered', number: true, cell: ({ change }) => countText(change.altered) },
      ],
      view.corrections,
      'No later report has changed this day.',
    )}${
      view.runs.length > 0 &&
      table(
        'Reconciliations',
        [
          { name: 'Run', number: true, cell: ({ run }) => run },
          { name: 'When', cell: ({ ranAt }) => timeTag(ranAt) },
          { name: 'By', cell: ({ by }) => by },
          { name: 'Verdict', cell: ({ verdict }) => verdictBadge(verdict) },
        ],
        view.runs,
        '',
      )
    }</section>
<section class="card no-print"><h2>Where it is</h2>${pairs([
      ['Rows', html`<span class="mono">${published?.key ?? 'not published'}</span>`],
      ['Account', account_],
    ])}${viewer.role === 'operator' && html`<form method="post" action="/actions/reconcile" class="row"><input type="hidden" name="account" value="${account_}"><input type="hidden" name="day" value="${line.day}"><input type="hidden" name="csrf" value="${viewer.csrf}"><input type="hidden" name="idempotencyKey" value="${keyFor('reconcile')}"><button class="quiet">Reconcile this day again</button></form>`}</section></div>`,
  }
}
