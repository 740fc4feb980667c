/** The first look: do we have everything, does it add up, and what happens next. */

import { STANDINGS } from '../../domain/day-standing.ts'
import { countText } from '../../domain/quantity-text.ts'
import { monthText, rangeText } from '../format.ts'
import { type Html, html, path, withQuery } from '../html.ts'
import {
  type PageContent,
  pairs,
  type STANDING_SIGNS,
  standingBadge,
  stateBadge,
  table,
  timeTag,
} from '../layout.ts'
import type { OverviewView, QuotaView } from '../views.ts'

export function overviewPage(view: OverviewView): PageContent {
  const account = `${view.provider}/${view.account}`
  const { month } = view
  const total = Object.values(month.days).reduce((sum, count) => sum + count, 0)
  const count = (standing: keyof typeof STANDING_SIGNS) => month.days[standing] ?? 0
  const proved = count('proved') + count('explained')
  const covered = proved + count('covered') + count('break') + count('quarantined')
  return {
    title: 'Overview',
    section: '/',
    main: html`<div data-live="overview">
<div class="cards">
${view.quota !== null && quotaCard(view.quota, account)}
<section class="card"><h2>${monthText(month.month)}</h2>
<span class="label">Days proved</span><span class="figure">${proved} <small>of ${total}</small></span>
<p class="soft">${covered} covered, ${count('future')} cannot be asked for yet.</p>
<p class="row">${STANDINGS.filter(standing => count(standing) > 0 && standing !== 'future').map(
      standing => html`<span>${standingBadge(standing)} ${count(standing)}</span>`,
    )}</p>
<p><a href="${withQuery('/calendar', { account, year: month.month.slice(0, 4) })}">Open the calendar</a></p></section>
<section class="card ${view.openFindings > 0 && 'break'}"><h2>Open findings</h2>
<span class="label">Differences without an answer</span><span class="figure">${countText(view.openFindings)}</span>
<p class="soft">${view.oldestOpenDay === null ? 'Nothing waits for a person.' : `The oldest is of ${view.oldestOpenDay}.`}</p>
<p><a href="${withQuery('/findings', { account })}">Open the findings</a></p></section>
</div>
<div class="split">
<section class="card"><h2>Last report</h2>${lastReport(view)}</section>
<section class="card"><h2>What it does now</h2>${workingList(view)}</section>
</div>
<section class="card"><h2>When it acts next</h2>${table(
      'Jobs',
      [
        { name: 'Job', cell: ({ job }) => JOB_WORDS[job.split('/')[0] ?? ''] ?? job },
        { name: 'Last', cell: ({ begunAt, outcome }) => html`${timeTag(begunAt)} <small>${outcome}</small>` },
        { name: 'It said', cell: ({ says }) => says },
        { name: 'Next', cell: ({ nextAt }) => (nextAt === null ? '' : timeTag(nextAt)) },
      ],
      view.jobs,
      'No job has run yet.',
    )}</section>
${view.quota !== null && slotsCard(view.quota)}
</div>`,
  }
}

const JOB_WORDS: Readonly<Record<string, string>> = {
  sweep: 'Finish what is unfinished',
  ask: 'Ask for the newest days',
  snapshot: 'Record the balances',
  fetch: 'Fetch the movements of days',
  reconcile: 'Hold balances against movements',
}

/** Widths are parts of a viewBox, for no style may stand in the page itself. */
function quotaCard({ month, limit, reserve, spent, slots }: QuotaView, account: string): Html {
  const unknown = slots.filter(({ outcome }) => outcome === 'unknown' || outcome === 'claimed').length
  const used = spent - unknown
  const kept = Math.min(reserve, Math.max(0, limit - spent))
  const free = Math.max(0, limit - spent - kept)
  return html`<section class="card"><h2>Reports of ${monthText(month)}</h2>
<span class="label">Used</span><span class="figure">${spent} <small>of ${limit}</small></span>
<div class="gauge"><svg viewBox="0 0 ${limit} 1" preserveAspectRatio="none" role="img" aria-label="${used} used, ${unknown} with a lost answer, ${free} free, ${kept} kept for people">
<rect class="g-used" x="0" y="0" width="${used}" height="1"></rect><rect class="g-unknown" x="${used}" y="0" width="${unknown}" height="1"></rect><rect class="g-reserve" x="${limit - kept}" y="0" width="${kept}" height="1"></rect></svg></div>
<ul class="legend"><li><span class="dot used"></span>${used} used</li>${unknown > 0 && html`<li><span class="dot unknown"></span>${unknown} answer lost</li>`}<li><span class="dot free"></span>${free} free</li><li><span class="dot reserve"></span>${kept} kept for people</li></ul>
<p><a href="${withQuery('/actions', { account })}">Ask for a report</a></p></section>`
}

function lastReport({ lastReport: line, provider, account }: OverviewView): Html {
  if (line === null) return html`<p class="none">No report yet.</p>`
  return pairs([
    [
      'Report',
      html`<a class="mono" href="${path('/reports', provider, account, line.reportId)}">${line.reportId}</a>`,
    ],
    ['State', stateBadge(line.state)],
    ['Days', line.from === null || line.to === null ? 'unknown' : rangeText(line.from, line.to)],
    ['Asked at', line.askedAt === null ? 'unknown' : timeTag(line.askedAt)],
    ['Rows', line.rows === null ? 'not read yet' : countText(line.rows.written)],
  ])
}

function workingList({ working, provider, account }: OverviewView): Html {
  return table(
    'Reports under way',
    [
      {
        name: 'Report',
        cell: ({ reportId }) =>
          html`<a class="mono" href="${path('/reports', provider, account, reportId)}">${reportId}</a>`,
      },
      { name: 'State', cell: ({ state }) => stateBadge(state) },
      { name: 'It says', cell: ({ says }) => says },
      { name: 'Next try', cell: ({ nextAt }) => (nextAt === null ? '' : timeTag(nextAt)) },
    ],
    working,
    'Nothing is under way.',
  )
}

function slotsCard({ slots, month }: QuotaView): Html {
  return html`<section class="card"><h2>Who used the reports of ${monthText(month)}</h2>${table(
    'Slots of the month',
    [
      { name: 'Slot', number: true, cell: ({ number }) => number },
      { name: 'Days', cell: ({ from, to }) => rangeText(from, to) },
      { name: 'Why', cell: ({ reason }) => reason },
      { name: 'By', cell: ({ by }) => by },
      { name: 'When', cell: ({ claimedAt }) => timeTag(claimedAt) },
      {
        name: 'Came to',
        cell: ({ outcome, reportId }) =>
          outcome === 'unknown' || outcome === 'claimed'
            ? 'answer lost, counts as spent'
            : (reportId ?? 'given back'),
      },
    ],
    slots,
    'None is used yet.',
  )}</section>`
}
