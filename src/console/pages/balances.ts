/** What the account held, reading by reading, and where that parts from what moved. */
import { amountText, padded, placesOf, signedText } from '../format.ts'
import { html, withQuery } from '../html.ts'
import { type PageContent, type PageFrame, table, timeTag } from '../layout.ts'
import type { BalancesView } from '../views.ts'

const TARGET_WORDS: Readonly<Record<string, string>> = {
  'available+on_hold': 'available and on hold',
  available: 'available',
  total: 'total',
  closing: 'closing',
}

export function balancesPage(view: BalancesView, assets: PageFrame['assets']): PageContent {
  const { provider, account, series, holdings } = view
  const name = `${provider}/${account}`
  const parted = series?.points.filter(({ difference }) => difference !== null && difference !== '0') ?? []
  return {
    title: 'Balances',
    section: '/balances',
    head: html`<link rel="stylesheet" href="${assets.uplotStyle}"><script type="module" src="${assets.chart}" data-uplot="${assets.uplot}"></script>`,
    main: html`<section class="card no-print"><form class="filter" method="get"><input type="hidden" name="account" value="${name}">
<label>Asset <select name="holding">${holdings.map(({ place, asset }) => html`<option value="${asset}|${place}"${asset === series?.asset && place === series.place && html` selected`}>${asset}${place !== '' && ` · ${place}`}</option>`)}</select></label>
<label>From <input type="date" name="from" value="${view.from}"></label><label>To <input type="date" name="to" value="${view.to}"></label><button>Show</button></form></section>
${
  series === null
    ? html`<p class="card none">No balances were read in these days.</p>`
    : html`<section class="card"><h2>${series.asset}${series.place !== '' && ` · ${series.place}`}</h2>
<p class="soft">The ${TARGET_WORDS[view.target] ?? view.target} balance as the provider told it, and what the reading before and the rows in between imply. ${
        view.target === 'closing'
          ? 'This provider tells how days closed; the checks of each day are on its page.'
          : 'Rows of the very second of a reading may be on either side of it: the findings weigh that, this picture does not.'
      }</p>
<figure class="chart" id="chart" data-asset="${series.asset}"></figure>
<p>${parted.length === 0 ? 'They never part in these days.' : `They part at ${parted.length} of ${series.points.length} readings, marked ✕.`}</p></section>
<section class="card"><h2>Readings</h2>${table(
        'Readings of the balance',
        [
          { name: 'Read at', cell: ({ at }) => html`<span data-at="${at}">${timeTag(at)}</span>` },
          {
            name: 'Told',
            number: true,
            cell: ({ actual }) =>
              html`<span data-actual="${actual ?? ''}">${actual === null ? 'not told' : padded(amountText(actual), placesOf(series.points.map(point => point.actual)))}</span>`,
          },
          {
            name: 'Implied',
            number: true,
            cell: ({ implied }) =>
              html`<span data-implied="${implied ?? ''}">${implied === null ? '—' : padded(amountText(implied), placesOf(series.points.map(point => point.actual)))}</span>`,
          },
          {
            name: 'Difference',
            number: true,
            cell: ({ difference }) =>
              difference === null
                ? ''
                : difference === '0'
                  ? html`<span class="badge s-proved"><span aria-hidden="true">✓</span> 0</span>`
                  : html`<span class="badge s-break"><span aria-hidden="true">✕</span> ${signedText(difference)}</span>`,
          },
        ],
        series.points,
        'No readings.',
      )}</section>`
}
<section class="card"><h2>What it held last</h2>${table(
      'Newest reading of every asset',
      [
        {
          name: 'Asset',
          cell: ({ asset, place }) =>
            html`<a href="${withQuery('/balances', { account: name, holding: `${asset}|${place}`, from: view.from, to: view.to })}">${asset}</a>`,
        },
        { name: 'Wallet', cell: ({ place }) => place },
        {
          name: 'Balance',
          number: true,
          cell: ({ latest }) =>
            latest === null
              ? 'not told'
              : padded(amountText(latest), placesOf(holdings.map(holding => holding.latest))),
        },
        { name: 'Read at', cell: ({ at }) => timeTag(at) },
      ],
      holdings,
      'No balances were read in these days.',
    )}</section>`,
  }
}
