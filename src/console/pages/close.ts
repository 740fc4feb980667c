/** Whether a month can be closed, and what is missing; made to be printed. */
import { addMonths } from '../../domain/calendar.ts'
import { LACK_WORDS, STANDINGS } from '../../domain/day-standing.ts'
import { bytesText, countText } from '../../domain/quantity-text.ts'
import { daysText, monthText, rangeText } from '../format.ts'
import { html, path, withQuery } from '../html.ts'
import { onceFields, type PageContent, pairs, standingBadge, table, timeTag, type Viewer } from '../layout.ts'
import type { MonthView } from '../views.ts'
import { findingCard } from './findings.ts'
import type { DownloadLink } from './reports.ts'

export function closePage(
  view: MonthView,
  viewer: Viewer,
  {
    downloads,
    keyFor,
  }: { readonly downloads: readonly DownloadLink[]; readonly keyFor: (name: string) => string },
): PageContent {
  const { provider, account, month, ready, lacks, closings, changed } = view
  const name = `${provider}/${account}`
  const at = (other: string) => withQuery('/close', { account: name, month: other })
  const counts = Map.groupBy(view.days, ({ standing }) => standing)
  const newest = closings.at(-1)
  return {
    title: `Month close ${monthText(month)}`,
    section: '/close',
    main: html`<div data-live="close"><p class="row no-print"><a class="button quiet" href="${at(addMonths(month, -1))}" rel="prev">← ${monthText(addMonths(month, -1))}</a> <a class="button quiet" href="${at(addMonths(month, 1))}" rel="next">${monthText(addMonths(month, 1))} →</a></p>
<p class="only-print">Account ${name}. Statement of completeness, made by Daybook.</p>
<section class="card lacks ${!ready && 'break'}"><p class="verdict">${
      ready
        ? html`<span class="badge s-proved"><span aria-hidden="true">✓</span> ready</span> Every day is here and proved or explained.`
        : html`<span class="badge s-break"><span aria-hidden="true">✕</span> not ready</span> ${lacks.length} ${lacks.length === 1 ? 'thing is' : 'things are'} missing.`
    }</p>
${lacks.length > 0 && pairs(lacks.map(({ kind, days }) => [LACK_WORDS[kind], html`${daysText(days)} <small>(${days.length})</small>`] as const))}
<p class="row">${STANDINGS.filter(standing => counts.has(standing)).map(standing => html`<span>${standingBadge(standing)} ${counts.get(standing)?.length ?? 0}</span>`)}</p>
${
  newest !== undefined &&
  html`<p class="notice ${changed.length > 0 && 'bad'}">Closed by ${newest.by}, ${timeTag(newest.at)}${newest.note !== '' && html`: “${newest.note}”`}${newest.note === '' && '.'} ${changed.length === 0 ? 'Nothing has changed since.' : `Changed since: ${daysText(changed)}.`}</p>`
}
<div class="row no-print">${downloads.map(({ name: what, target }) => html`<a class="button quiet" href="${target}" download>${what}</a>`)}</div>
${
  viewer.role === 'operator' &&
  ready &&
  (newest === undefined || changed.length > 0) &&
  html`<form class="filter" method="post" action="/actions/close">${onceFields(viewer, keyFor('close'))}<input type="hidden" name="account" value="${name}"><input type="hidden" name="month" value="${month}"><label>Note <input name="note" maxlength="400"></label><button>Close ${monthText(month)}</button></form>`
}</section>
${view.findings.length > 0 && html`<h2>Findings</h2>`}
${view.findings.map(finding => findingCard(finding, { provider, account, viewer, key: keyFor(`${finding.day} ${finding.id}`), withDay: true }))}
<section class="card"><h2>Days</h2>${table(
      'Days of the month',
      [
        {
          name: 'Day',
          cell: ({ day }) => html`<a href="${path('/days', provider, account, day)}">${day}</a>`,
        },
        { name: 'State', cell: ({ standing }) => standingBadge(standing) },
        { name: 'Verdict', cell: ({ verdict }) => verdict?.replaceAll('_', ' ') ?? 'not reconciled' },
        {
          name: 'Report',
          cell: ({ reportId }) =>
            reportId !== null &&
            html`<a class="mono" href="${path('/reports', provider, account, reportId)}">${reportId}</a>`,
        },
        { name: 'Open', number: true, cell: ({ openFindings }) => openFindings },
      ],
      view.days,
      '',
    )}</section>
<section class="card"><h2>Reports it rests on</h2>${table(
      'Reports and their hashes',
      [
        {
          name: 'Report',
          cell: ({ reportId }) =>
            html`<a class="mono" href="${path('/reports', provider, account, reportId)}">${reportId}</a>`,
        },
        { name: 'Days', cell: ({ from, to }) => (from === null || to === null ? '' : rangeText(from, to)) },
        { name: 'Rows', number: true, cell: ({ rows }) => (rows === null ? '' : countText(rows.written)) },
        { name: 'Size', number: true, cell: ({ file }) => (file === null ? '' : bytesText(file.size)) },
        { name: 'SHA-256', cell: ({ file }) => html`<span class="mono">${file?.sha256 ?? ''}</span>` },
      ],
      view.reports,
      'None.',
    )}</section>
${
  closings.length > 0 &&
  html`<section class="card"><h2>Closings</h2>${table(
    'Closings',
    [
      { name: 'Number', number: true, cell: ({ number }) => number },
      { name: 'By', cell: ({ by }) => by },
      { name: 'When', cell: ({ at: when }) => timeTag(when) },
      { name: 'Note', cell: ({ note }) => note },
    ],
    closings,
    '',
  )}</section>`
}</div>`,
  }
}
