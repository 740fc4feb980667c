/** The frame around every page, and the parts that pages are made of. */
import type { Role } from '../domain/audit.ts'
import type { Standing } from '../domain/day-standing.ts'
import type { Verdict } from '../domain/reconciliation.ts'
import { type Html, html, type Piece, withQuery } from './html.ts'

export interface Viewer {
  readonly name: string
  readonly role: Role
  /** Stands in every form, and proves that the form is ours. */
  readonly csrf: string
}

/** What a page needs to know of whoever looks at it, and of where it is. */
export interface PageFrame {
  readonly viewer: Viewer
  /** `provider/account` of the account that is chosen, and of all there are. */
  readonly account: string
  readonly accounts: readonly string[]
  /** What an action has led to, told once. */
  readonly notice?: Notice | undefined
  /** Of what the page tells; it changes with it. */
  readonly version: string
  /** The time at which the page was made, as `2026-10-15 12:00`. */
  readonly madeAt: string
  /** The files that every page loads, under names that change with their content. */
  readonly assets: Readonly<Record<'style' | 'live' | 'chart' | 'uplot' | 'uplotStyle', string>>
}

export interface Notice {
  readonly tone: 'good' | 'bad' | 'plain'
  readonly says: string
}

const SECTIONS = [
  ['/', 'Overview'],
  ['/calendar', 'Calendar'],
  ['/reports', 'Reports'],
  ['/balances', 'Balances'],
  ['/findings', 'Findings'],
  ['/close', 'Month close'],
  ['/audit', 'Audit'],
] as const
export type Section = (typeof SECTIONS)[number][0] | '/actions'

export interface PageContent {
  readonly title: string
  readonly section: Section
  readonly main: Html
  /** Further parts of the head, such as a chart's script. */
  readonly head?: Html
}

export function page(frame: PageFrame, { title, section, main, head }: PageContent): string {
  const { viewer, account, accounts, notice, assets } = frame
  const at = (target: string) => withQuery(target, accounts.length > 1 ? { account } : {})
  return html`<!doctype html>
<html lang="en" data-version="${frame.version}" data-account="${account}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Daybook</title>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<script type="module" src="${assets.live}"></script>
${head}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar">
<a class="brand" href="${at('/')}"><span aria-hidden="true">▚</span> Daybook</a>
<nav aria-label="Sections"><ul>
${SECTIONS.map(([target, name]) => html`<li><a href="${at(target)}"${target === section && html` aria-current="page"`}>${name}</a></li>`)}
${viewer.role === 'operator' && html`<li><a href="${at('/actions')}"${section === '/actions' && html` aria-current="page"`}>Actions</a></li>`}
</ul></nav>
<form class="who" method="post" action="/logout">${csrfField(viewer)}<span>${viewer.name} <small>${viewer.role}</small></span><button class="quiet">Log out</button></form>
</header>
${accounts.length > 1 && accountChoice(account, accounts)}
<main id="main" tabindex="-1">
<div class="title"><h1>${title}</h1></div>
${notice !== undefined && html`<p class="notice ${notice.tone}" role="status">${notice.says}</p>`}
${main}
</main>
<footer class="foot"><span>All days and times are UTC. Made ${frame.madeAt}.</span><span id="live-state"></span></footer>
</body>
</html>
`.markup
}

function accountChoice(account: string, accounts: readonly string[]): Html {
  return html`<form class="account" method="get"><label>Account <select name="account">
${accounts.map(name => html`<option${name === account && html` selected`}>${name}</option>`)}
</select></label><button class="quiet">Show</button></form>`
}

/** A page for whoever is not logged in. */
export function plainPage(assets: PageFrame['assets'], title: string, main: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Daybook</title>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
</head>
<body class="plain">
<main id="main"><p class="brand"><span aria-hidden="true">▚</span> Daybook</p><h1>${title}</h1>
${main}
</main>
</body>
</html>
`.markup
}

function csrfField({ csrf }: Viewer): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`
}

/** Fields of a form that must have its effect once, however often it is sent. */
export function onceFields(viewer: Viewer, key: string): Html {
  return html`${csrfField(viewer)}<input type="hidden" name="idempotencyKey" value="${key}">`
}

/** How every state looks: a sign and a word beside the colour. */
export const STANDING_SIGNS: Readonly<Record<Standing, { readonly sign: string; readonly word: string }>> = {
  break: { sign: '✕', word: 'break' },
  missing: { sign: '○', word: 'missing' },
  quarantined: { sign: '!', word: 'quarantined rows' },
  pending: { sign: '…', word: 'pending' },
  covered: { sign: '■', word: 'covered' },
  explained: { sign: '✎', word: 'explained' },
  proved: { sign: '✓', word: 'proved' },
  future: { sign: '·', word: 'not yet' },
}

export function standingBadge(standing: Standing): Html {
  const { sign, word } = STANDING_SIGNS[standing]
  return html`<span class="badge s-${standing}"><span aria-hidden="true">${sign}</span> ${word}</span>`
}

const STATE_SIGNS: Readonly<Record<string, { readonly sign: string; readonly tone: string }>> = {
  accepted: { sign: '…', tone: 'pending' },
  unsolicited: { sign: '?', tone: 'quarantined' },
  ready: { sign: '…', tone: 'pending' },
  archived: { sign: '▣', tone: 'pending' },
  parsed: { sign: '■', tone: 'covered' },
  failed: { sign: '✕', tone: 'break' },
  expired: { sign: '✕', tone: 'break' },
  abandoned: { sign: '✕', tone: 'break' },
}

export function stateBadge(state: string): Html {
  const { sign, tone } = STATE_SIGNS[state] ?? { sign: '?', tone: 'missing' }
  return html`<span class="badge s-${tone}"><span aria-hidden="true">${sign}</span> ${state}</span>`
}

const VERDICT_TONES: Readonly<Record<Verdict, readonly [string, string, string]>> = {
  break: ['✕', 'break', 'break'],
  incomplete: ['…', 'pending', 'incomplete'],
  unproven: ['?', 'quarantined', 'unproven'],
  within_tolerance: ['≈', 'proved', 'within tolerance'],
  not_checkable: ['·', 'future', 'not checkable'],
  matched: ['✓', 'proved', 'matched'],
}

export function verdictBadge(verdict: Verdict): Html {
  const [sign, tone, word] = VERDICT_TONES[verdict]
  return html`<span class="badge s-${tone}"><span aria-hidden="true">${sign}</span> ${word}</span>`
}

export interface Column<R> {
  readonly name: string
  /** Numbers stand to the right, in digits of one width. */
  readonly number?: boolean
  readonly cell: (row: R) => Piece
}

/** A table that scrolls in itself where the screen is narrow. The first column names the row. */
export function table<R>(
  caption: string,
  columns: readonly Column<R>[],
  rows: readonly R[],
  none: string,
): Html {
  if (rows.length === 0) return html`<p class="none">${none}</p>`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ name, number }) => html`<th scope="col"${number && html` class="n"`}>${name}</th>`)}</tr></thead>
<tbody>
${rows.map(
  row =>
    html`<tr>${columns.map(({ number, cell }, at) =>
      at === 0
        ? html`<th scope="row"${number && html` class="n"`}>${cell(row)}</th>`
        : html`<td${number && html` class="n"`}>${cell(row)}</td>`,
    )}</tr>
`,
)}</tbody></table></div>`
}

/** Names and values, one pair a line. */
export function pairs(entries: readonly (readonly [string, Piece])[]): Html {
  return html`<dl class="pairs">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

export function timeTag(instant: string): Html {
  return html`<time datetime="${instant}">${instant.slice(0, 19).replace('T', ' ')}</time>`
}
