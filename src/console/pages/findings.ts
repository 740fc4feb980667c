/** What does not add up, with its evidence and what people said of it. */
import { countText } from '../../domain/quantity-text.ts'
import { amountText, signedText } from '../format.ts'
import { type Html, html, path } from '../html.ts'
import { onceFields, type PageContent, timeTag, type Viewer, verdictBadge } from '../layout.ts'
import type { FindingLine } from '../views.ts'

export const FINDING_KINDS = ['open', 'answered', 'incomplete', 'all'] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

export interface FindingsView {
  readonly provider: string
  readonly account: string
  readonly kind: FindingKind
  readonly from: string
  readonly to: string
  readonly findings: readonly FindingLine[]
  /** How many fit, shown or not. */
  readonly total: number
}

export function isOfKind(line: FindingLine, kind: FindingKind): boolean {
  const asks = line.verdict === 'break' || line.verdict === 'unproven'
  switch (kind) {
    case 'open':
      return asks && !line.answered
    case 'answered':
      return line.answered || line.explanations.length > 0
    case 'incomplete':
      return line.verdict === 'incomplete'
    case 'all':
      return line.verdict !== 'not_checkable'
  }
}

export function findingsPage(
  view: FindingsView,
  viewer: Viewer,
  keyFor: (name: string) => string,
): PageContent {
  const { provider, account, kind, from, to, findings, total } = view
  const name = `${provider}/${account}`
  return {
    title: 'Findings',
    section: '/findings',
    main: html`<section class="card no-print"><form class="filter" method="get"><input type="hidden" name="account" value="${name}">
<label>Which <select name="kind">${FINDING_KINDS.map(each => html`<option value="${each}"${each === kind && html` selected`}>${KIND_WORDS[each]}</option>`)}</select></label>
<label>From <input type="date" name="from" value="${from}"></label><label>To <input type="date" name="to" value="${to}"></label><button>Show</button></form></section>
<div data-live="findings"><p>${countText(total)} ${total === 1 ? 'finding' : 'findings'}${findings.length < total && `, the newest ${findings.length} of them`}.</p>
${findings.map(finding => findingCard(finding, { provider, account, viewer, key: keyFor(`${finding.day} ${finding.id}`), withDay: true }))}
${findings.length === 0 && html`<p class="card none">${kind === 'open' ? 'Nothing waits for an answer in these days.' : 'There are none in these days.'}</p>`}</div>`,
  }
}

const KIND_WORDS: Readonly<Record<FindingKind, string>> = {
  open: 'wait for an answer',
  answered: 'have an answer or a note',
  incomplete: 'a side is incomplete',
  all: 'all that was checked',
}

interface CardOptions {
  readonly provider: string
  readonly account: string
  readonly viewer: Viewer
  readonly key: string
  readonly withDay: boolean
}

export function findingCard(
  finding: FindingLine,
  { provider, account, viewer, key, withDay }: CardOptions,
): Html {
  const { verdict, answered, explanations } = finding
  const tone = verdict === 'break' ? (answered ? 'answered' : 'break') : ''
  const isMade = finding.expected !== null && finding.actual !== null
  return html`<section class="card ${tone}"><h2>${withDay && html`<a href="${path('/days', provider, account, finding.day)}">${finding.day}</a> · `}<span class="mono">${finding.id}</span> ${verdictBadge(verdict)}${answered && html` <span class="badge s-explained"><span aria-hidden="true">✎</span> answered</span>`}</h2>
<p>${finding.says}</p>
${
  isMade &&
  html`<div class="amounts"><div><span class="label">Expected</span><b>${amountText(finding.expected ?? '')}</b></div><div><span class="label">Actual</span><b>${amountText(finding.actual ?? '')}</b></div><div><span class="label">Difference</span><b class="${finding.difference?.startsWith('-') && 'neg'}">${finding.difference === null ? 'uncertain' : signedText(finding.difference)} ${finding.asset}</b></div>${finding.class !== null && html`<div><span class="label">Likely</span><b>${finding.class.replaceAll('-', ' ')}</b></div>`}</div>`
}
${finding.expectedLeast !== null && finding.expectedLeast !== finding.expectedMost && html`<p class="soft">Expected between ${amountText(finding.expectedLeast)} and ${amountText(finding.expectedMost ?? '')}, by which side of a reading the rows are on.</p>`}
${finding.tolerance !== '0' && html`<p class="soft">Tolerance ${amountText(finding.tolerance)}: ${finding.toleranceReason}</p>`}
${finding.firstBad !== null && html`<p class="soft">It goes wrong first between ${timeTag(finding.firstBad.from)} and ${timeTag(finding.firstBad.to)}: ${finding.firstBad.days.map(day => html`<a href="${path('/days', provider, account, day)}">${day}</a> `)}</p>`}
${explanations.map(({ kind, by, at, says }) => html`<blockquote class="said"><p>${says}</p><p class="soft">${kind === 'explained' ? 'Answered' : 'Noted'} by ${by}, ${timeTag(at)}</p></blockquote>`)}
${finding.evidence.length > 0 && html`<details><summary>Evidence (${finding.evidence.length})</summary><ul class="mono">${finding.evidence.map(each => html`<li>${each}</li>`)}</ul></details>`}
${
  viewer.role === 'operator' &&
  (verdict === 'break' || verdict === 'unproven' || verdict === 'incomplete') &&
  html`<details class="no-print"><summary>${answered ? 'Say more' : 'Explain'}</summary><form class="stack" method="post" action="/actions/explain">${onceFields(viewer, key)}<input type="hidden" name="account" value="${provider}/${account}"><input type="hidden" name="day" value="${finding.day}"><input type="hidden" name="finding" value="${finding.id}"><input type="hidden" name="run" value="${finding.run}">
<label>What is known <textarea name="says" required maxlength="4000"></textarea></label><label class="check"><input type="checkbox" name="answered" value="yes">This answers it</label><button>Keep it</button><p class="soft">What is said stays, with your name. No number changes.</p></form></details>`
}</section>`
}
