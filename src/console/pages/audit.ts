/** Who downloaded or did what. */
import { addDays } from '../../domain/calendar.ts'
import type { KeptAudit } from '../../stores/audit-log.ts'
import { html, withQuery } from '../html.ts'
import { type PageContent, table, timeTag } from '../layout.ts'

export interface AuditView {
  readonly account: string
  readonly day: string
  readonly lines: readonly KeptAudit[]
  /** Where the next page begins; absent on the last one. */
  readonly before: string | undefined
}

export function auditPage({ account, day, lines, before }: AuditView): PageContent {
  const at = (other: string) => withQuery('/audit', { account, day: other })
  return {
    title: `Audit ${day}`,
    section: '/audit',
    main: html`<p class="row no-print"><a class="button quiet" href="${at(addDays(day, -1))}" rel="prev">← ${addDays(day, -1)}</a> <a class="button quiet" href="${at(addDays(day, 1))}" rel="next">${addDays(day, 1)} →</a></p>
<section class="card"><h2>Downloads and actions</h2>${table(
      'Audit',
      [
        { name: 'When', cell: each => timeTag(each.at) },
        { name: 'Who', cell: ({ who, role }) => html`${who} <small>${role}</small>` },
        { name: 'Did', cell: ({ did }) => html`<span class="mono">${did}</span>` },
        {
          name: 'About',
          cell: ({ about }) =>
            html`<span class="mono">${Object.entries(about).map(([name, value]) => `${name}=${value} `)}</span>`,
        },
        { name: 'From', cell: ({ from }) => html`<span class="mono">${from}</span>` },
      ],
      lines,
      'Nobody downloaded or did anything on this day.',
    )}${before !== undefined && html`<p class="no-print"><a href="${withQuery('/audit', { account, day, before })}">Earlier</a></p>`}</section>`,
  }
}
