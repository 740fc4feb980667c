/** Every report, and one report from request to proof. */

import { bytesText, countText } from '../../domain/quantity-text.ts'
import { WALLET_SCOPES } from '../../domain/report.ts'
import { amountText, padded, placesOf, rangeText } from '../format.ts'
import { type Html, html, path, withQuery } from '../html.ts'
import { type PageContent, pairs, stateBadge, table, timeTag, type Viewer } from '../layout.ts'
import { REPORT_STATES, type ReportLine, type ReportView } from '../views.ts'

export interface ReportsQuery {
  readonly state?: string | undefined
  readonly wallets?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly search?: string | undefined
}

export interface ReportsView {
  readonly account: string
  readonly query: ReportsQuery
  readonly lines: readonly ReportLine[]
  readonly total: number
  /** Which of the pages this is, from 1. */
  readonly page: number
  readonly pages: number
}

export function reportsPage({ account, query, lines, total, page, pages }: ReportsView): PageContent {
  const at = (number: number) => withQuery('/reports', { account, ...query, page: number })
  const option = (value: string, chosen: string | undefined) =>
    html`<option value="${value}"${value === chosen && html` selected`}>${value === '' ? 'any' : value}</option>`
  return {
    title: 'Reports',
    section: '/reports',
    main: html`<section class="card no-print"><form class="filter" method="get" role="search"><input type="hidden" name="account" value="${account}">
<label>Search <input type="search" name="search" value="${query.search ?? ''}" placeholder="id, file name, SHA-256"></label>
<label>From <input type="date" name="from" value="${query.from ?? ''}"></label>
<label>To <input type="date" name="to" value="${query.to ?? ''}"></label>
<label>State <select name="state">${['', ...REPORT_STATES].map(state => option(state, query.state))}</select></label>
<label>Wallets <select name="wallets">${['', ...WALLET_SCOPES].map(scope => option(scope, query.wallets))}</select></label>
<button>Filter</button></form></section>
<section class="card" data-live="reports"><h2>${countText(total)} ${total === 1 ? 'report' : 'reports'}</h2>${reportTable(lines, 'No report fits.')}
${
  pages > 1 &&
  html`<nav class="row no-print" aria-label="Pages">${page > 1 && html`<a class="button quiet" rel="prev" href="${at(page - 1)}">← Newer</a>`}<span>Page ${page} of ${countText(pages)}</span>${page < pages && html`<a class="button quiet" rel="next" href="${at(page + 1)}">Older →</a>`}</nav>`
}</section>`,
  }
}

export function reportTable(lines: readonly ReportLine[], none: string): Html {
  return table(
    'Reports',
    [
      {
        name: 'Report',
        cell: ({ provider, account, reportId }) =>
          html`<a class="mono" href="${path('/reports', provider, account, reportId)}">${reportId}</a>`,
      },
      { name: 'State', cell: ({ state }) => stateBadge(state) },
      {
        name: 'Days',
        cell: ({ from, to }) => (from === null || to === null ? 'unknown' : rangeText(from, to)),
      },
      { name: 'Wallets', cell: ({ wallets }) => wallets ?? '' },
      { name: 'Asked at', cell: ({ askedAt }) => (askedAt === null ? '' : timeTag(askedAt)) },
      { name: 'Rows', number: true, cell: ({ rows }) => (rows === null ? '' : countText(rows.written)) },
      {
        name: 'Published',
        number: true,
        cell: ({ publishedDays, days }) => (days === null ? '' : `${publishedDays ?? 0} of ${days} days`),
      },
      { name: 'File', number: true, cell: ({ file }) => (file === null ? '' : bytesText(file.size)) },
    ],
    lines,
    none,
  )
}

/** Downloads of a report, by name and address; what is not there yet is left out. */
export interface DownloadLink {
  readonly name: string
  readonly target: string
}

export function reportPage(
  view: ReportView,
  viewer: Viewer,
  { downloads, retryKey }: { readonly downloads: readonly DownloadLink[]; readonly retryKey: string },
): PageContent {
  const { line } = view
  const isOpen = line.state !== 'parsed'
  return {
    title: `Report ${line.reportId}`,
    section: '/reports',
    main: html`<div data-live="report"><div class="split"><section class="card"><h2>What it is</h2>${pairs([
      ['State', stateBadge(line.state)],
      ['Days', line.from === null || line.to === null ? 'unknown' : rangeText(line.from, line.to)],
      ['Wallets', line.wallets ?? 'unknown'],
      ['Slot', line.slot ?? 'none was spent'],
      ['File', line.file === null ? 'not here yet' : `${line.file.name}, ${bytesText(line.file.size)}`],
      ...(line.file === null
        ? []
        : [['SHA-256', html`<span class="mono">${line.file.sha256}</span>`] as const]),
    ])}
<div class="row no-print">${downloads.map(({ name, target }, at) => html`<a class="button${at > 0 && ' quiet'}" href="${target}" download>${name}</a>`)}</div>
${
  view.working !== null &&
  html`<p class="notice ${!view.working.retry && 'bad'}">${view.working.says} ${view.working.nextAt !== null && html`Next try ${timeTag(view.working.nextAt)}.`}${!view.working.retry && ' A person must look.'}</p>`
}
${
  isOpen &&
  viewer.role === 'operator' &&
  html`<form method="post" action="/actions/retry" class="no-print"><input type="hidden" name="account" value="${line.provider}/${line.account}"><input type="hidden" name="report" value="${line.reportId}"><input type="hidden" name="csrf" value="${viewer.csrf}"><input type="hidden" name="idempotencyKey" value="${retryKey}"><button class="quiet">Try again now</button></form>`
}</section>
<section class="card"><h2>From request to proof</h2><ol class="timeline">${view.timeline.map(
      ({ step, at, says }) => html`<li><b>${step}</b>${at !== null && timeTag(at)}<p>${says}</p></li>`,
    )}</ol></section></div>
${
  line.rows !== null &&
  html`<section class="card"><h2>Rows</h2><div class="amounts">${(
    [
      ['Read', line.rows.read],
      ['Written', line.rows.written],
      ['Quarantined', line.rows.quarantined],
      ['Outside the days', line.rows.outside],
    ] as const
  ).map(
    ([name, count]) => html`<div><span class="label">${name}</span><b>${countText(count)}</b></div>`,
  )}</div>
${Object.entries(view.reasons).map(([reason, count]) => html`<p>${countText(count)} × ${reason}</p>`)}
${view.notes.map(note => html`<p class="soft">${note}</p>`)}</section>`
}
${
  view.sums.length > 0 &&
  html`<div class="split"><section class="card"><h2>Totals by asset and wallet</h2>${table(
    'Totals',
    [
      { name: 'Wallet', cell: ({ wallet }) => wallet },
      { name: 'Asset', cell: ({ asset }) => asset },
      {
        name: 'Total',
        number: true,
        cell: ({ amount }) => padded(amountText(amount), placesOf(view.sums.map(sum => sum.amount))),
      },
    ],
    view.sums,
    '',
  )}</section><section class="card"><h2>Rows by operation</h2>${table(
    'Operations',
    [
      { name: 'Operation', cell: ({ operation }) => operation },
      { name: 'Category', cell: ({ category }) => category },
      { name: 'Rows', number: true, cell: ({ rows }) => countText(rows) },
    ],
    view.operations,
    '',
  )}</section></div>`
}
${
  view.days.length > 0 &&
  html`<section class="card"><h2>Days</h2>${table(
    'Days of the report',
    [
      {
        name: 'Day',
        cell: ({ day }) => html`<a href="${path('/days', line.provider, line.account, day)}">${day}</a>`,
      },
      { name: 'Rows', number: true, cell: ({ rows }) => countText(rows) },
      { name: 'What readers see', cell: ({ publication }) => PUBLICATIONS[publication] ?? publication },
      { name: 'Changed', cell: ({ changed }) => changed ?? '' },
    ],
    view.days,
    '',
  )}</section>`
}
<section class="card"><h2>Evidence</h2>${pairs(view.evidence.map(({ name, value }) => [name, html`<span class="mono">${value}</span>`] as const))}</section></div>`,
  }
}

const PUBLICATIONS: Readonly<Record<string, string>> = {
  published: 'these rows',
  'newer-kept': 'those of a newer report',
  withheld: 'withheld, see the notes',
}
