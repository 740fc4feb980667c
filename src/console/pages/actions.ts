/** What an operator can do, each with its price first. */

import { addDays, daysBetween } from '../../domain/calendar.ts'
import { usable } from '../../domain/plan.ts'
import { WALLET_SCOPES } from '../../domain/report.ts'
import type { Plan } from '../../planning.ts'
import { monthText, rangeText } from '../format.ts'
import { type Html, html, path } from '../html.ts'
import { onceFields, type PageContent, table, timeTag, type Viewer } from '../layout.ts'
import type { QuotaView, ReportLine } from '../views.ts'

export interface AskPreview {
  readonly from: string
  readonly to: string
  readonly wallets: string
  /** Why it cannot be asked now; absent when it can. */
  readonly refusal: string | undefined
  /** Reports that hold some of these days already. */
  readonly same: readonly ReportLine[]
}

export interface ActionsView {
  readonly account: string
  readonly newest: string | undefined
  readonly quota: QuotaView | null
  readonly ask: AskPreview | undefined
  readonly plan: { readonly from: string; readonly plan: Plan } | undefined
}

export function actionsPage(
  view: ActionsView,
  viewer: Viewer,
  keyFor: (name: string) => string,
): PageContent {
  return {
    title: 'Actions',
    section: '/actions',
    main:
      view.quota === null
        ? html`<p class="card none">This account's provider makes no reports.</p>${sweepCard(view, viewer, keyFor)}`
        : html`<div class="split">${askCard(view, viewer, keyFor)}${planCard(view, viewer, keyFor)}${importCard(view, viewer, keyFor)}${sweepCard(view, viewer, keyFor)}</div>`,
  }
}

function priceText(quota: QuotaView, reports: number): string {
  const left = Math.max(0, quota.limit - quota.spent)
  return `${reports} of the ${left} left of ${monthText(quota.month)} (${quota.spent} of ${quota.limit} used)`
}

function askCard(
  { account, newest, quota, ask }: ActionsView,
  viewer: Viewer,
  keyFor: (name: string) => string,
): Html {
  return html`<section class="card"><h2>Ask for a report</h2>
<form class="filter" method="get" action="/actions"><input type="hidden" name="account" value="${account}">
<label>First day <input type="date" name="from" required max="${newest}" value="${ask?.from ?? newest ?? ''}"></label>
<label>Last day <input type="date" name="to" required max="${newest}" value="${ask?.to ?? newest ?? ''}"></label>
<label>Wallets <select name="wallets">${WALLET_SCOPES.map(scope => html`<option${scope === ask?.wallets && html` selected`}>${scope}</option>`)}</select></label>
<button class="quiet">Show the price</button></form>
${
  ask !== undefined &&
  quota !== null &&
  (ask.refusal !== undefined
    ? html`<p class="notice bad">${ask.refusal}</p>`
    : html`<p class="notice">${rangeText(ask.from, ask.to)} costs <b>${priceText(quota, 1)}</b>.${ask.same.length > 0 && html` Asked for before: ${ask.same.map(({ provider, account: name, reportId }) => html`<a class="mono" href="${path('/reports', provider, name, reportId)}">${reportId}</a> `)}`}</p>
<form class="stack" method="post" action="/actions/ask">${onceFields(viewer, keyFor('ask'))}<input type="hidden" name="account" value="${account}"><input type="hidden" name="from" value="${ask.from}"><input type="hidden" name="to" value="${ask.to}"><input type="hidden" name="wallets" value="${ask.wallets}">
<label class="check"><input type="checkbox" name="again" value="yes">Ask again although the same days were asked for</label><button>Ask for it</button></form>`)
}
<p class="soft">The newest day that can be asked for is ${newest ?? 'not known'}. At most 89 days in one report.</p></section>`
}

function planCard(
  { account, quota, plan }: ActionsView,
  viewer: Viewer,
  keyFor: (name: string) => string,
): Html {
  return html`<section class="card"><h2>Close the gaps</h2>
<form class="filter" method="get" action="/actions"><input type="hidden" name="account" value="${account}"><label>Since <input type="date" name="planFrom" required value="${plan?.from ?? ''}"></label><button class="quiet">Plan</button></form>
${plan !== undefined && quota !== null && planned(plan, account, quota, viewer, keyFor)}
<p class="soft">A plan never touches the ${quota?.reserve ?? 0} reports that are kept for people.</p></section>`
}

function planned(
  { from, plan }: { readonly from: string; readonly plan: Plan },
  account: string,
  quota: QuotaView,
  viewer: Viewer,
  keyFor: (name: string) => string,
): Html {
  const now = plan.requests.filter(each => each.from === null).length
  return html`${table(
    'Reports of the plan',
    [
      { name: 'Days', cell: ({ range }) => rangeText(range.start, addDays(range.end, -1)) },
      { name: 'Count', number: true, cell: ({ range }) => daysBetween(range.start, range.end) },
      { name: 'When', cell: each => (each.from === null ? 'now' : timeTag(each.from.toISOString())) },
    ],
    plan.requests,
    'Nothing is missing since then.',
  )}
${
  plan.requests.length > 0 &&
  html`<p class="notice">${plan.requests.length} reports in all. Now: <b>${priceText(quota, now)}</b>; a plan may use ${usable(plan.budget).now}.</p>`
}
${
  now > 0 &&
  html`<form method="post" action="/actions/plan">${onceFields(viewer, keyFor('plan'))}<input type="hidden" name="account" value="${account}"><input type="hidden" name="from" value="${from}"><button>Ask for ${now === 1 ? 'it' : `these ${now}`} now</button></form>`
}`
}

function importCard({ account }: ActionsView, viewer: Viewer, keyFor: (name: string) => string): Html {
  return html`<section class="card"><h2>Bring a file</h2><p class="soft">A file that a person downloaded becomes a report like any other, and costs nothing.</p>
<form class="filter" method="post" action="/actions/import" enctype="multipart/form-data">${onceFields(viewer, keyFor('import'))}<input type="hidden" name="account" value="${account}">
<label>First day <input type="date" name="from" required></label><label>Last day <input type="date" name="to" required></label>
<label>Wallets <select name="wallets">${WALLET_SCOPES.map(scope => html`<option>${scope}</option>`)}</select></label>
<label>File <input type="file" name="file" required></label><button>Bring it</button></form></section>`
}

function sweepCard({ account }: ActionsView, viewer: Viewer, keyFor: (name: string) => string): Html {
  return html`<section class="card"><h2>Finish what is unfinished</h2><p class="soft">Looks at every open report and does what is due. It happens by itself too; it costs nothing.</p>
<form class="stack" method="post" action="/actions/sweep">${onceFields(viewer, keyFor('sweep'))}<input type="hidden" name="account" value="${account}"><button class="quiet">Sweep now</button></form></section>
<section class="card"><h2>Read the balances</h2><p class="soft">Asks what the account holds now. What is not asked for now cannot be asked for later.</p>
<form class="stack" method="post" action="/actions/snapshot">${onceFields(viewer, keyFor('snapshot'))}<input type="hidden" name="account" value="${account}"><button class="quiet">Read them now</button></form></section>`
}
