/** The demo's second half: balances of three providers, and whether they and the rows add up. */
import { instantName } from '../domain/balance.ts'
import type { BreakClass } from '../domain/break-class.ts'
import { addDays, type Day, dayOf, daysOf } from '../domain/calendar.ts'
import { activityKey } from '../domain/keys.ts'
import { countOf } from '../domain/quantity-text.ts'
import type { Finding, Verdict } from '../domain/reconciliation.ts'
import { fetchActivity } from '../stages/fetch-activity.ts'
import { reconcile } from '../stages/reconcile.ts'
import { finishSnapshots, snapshot } from '../stages/snapshot.ts'
import { listSnapshots } from '../stores/balance-table.ts'
import type { Daybook, WiredAccount } from '../wiring.ts'
import { brokenDay, type DemoPlan, provedDays, readingTimes } from './demo-plan.ts'
import { type Terminal, tableText } from './terminal.ts'

/** Reads what is held now, at the times planned: `moveTo` sets the clock. What an earlier run read is left. */
export async function readBalances(
  { context, accounts }: Daybook,
  plan: DemoPlan,
  moveTo: (time: Date) => void,
  terminal: Terminal,
): Promise<void> {
  const times = readingTimes(plan)
  for (const account of accounts.filter(({ provider }) => provider.balances?.basis === 'instant')) {
    moveTo(times[0]!)
    await finishSnapshots(context, account)
    const there = await minutesRead(context.store, account, plan)
    for (const time of times.filter(each => !there.has(minuteOf(each)))) {
      moveTo(time)
      await snapshot(context, account, { reason: 'demo' })
    }
    const { provider, account: name } = account.ref
    terminal.say(
      `balances   ${provider}/${name}: ${times.length} readings around midnight, ${provedDays(plan)[0]!} to ${dayOf(times.at(-1)!)}`,
    )
  }
}

/** `20261015T1200` */
const minuteOf = (time: Date) => instantName(time).slice(0, 13)

async function minutesRead(
  store: Daybook['context']['store'],
  { ref }: WiredAccount,
  plan: DemoPlan,
): Promise<Set<string>> {
  const minutes = new Set<string>()
  for (const day of daysOf(plan.range)) {
    for await (const { name } of listSnapshots(store, ref, day)) minutes.add(name.slice(0, 13))
  }
  return minutes
}

/** Asks for what providers tell of past days: how they closed, and movements. */
export async function askPastDays(
  { context, accounts }: Daybook,
  plan: DemoPlan,
  terminal: Terminal,
): Promise<void> {
  const days = provedDays(plan)
  const [first, last] = [days[0]!, days.at(-1)!]
  for (const account of accounts) {
    const who = `${account.ref.provider}/${account.ref.account}`
    if (account.provider.balances?.basis === 'day-end') {
      const closed = daysOf({ start: first, end: addDays(last, 2) })
      for (const day of closed) await snapshot(context, account, { day, reason: 'demo' })
      terminal.say(`balances   ${who}: how ${countOf(closed.length, 'day')} closed, each answer signed`)
    }
    if (account.provider.activity !== undefined) {
      const touched = daysOf({ start: addDays(first, -1), end: addDays(last, 2) })
      for (const day of touched) {
        const there = await context.store.head(activityKey(account.ref, day))
        if (there === undefined) await fetchActivity(context, account, day)
      }
      terminal.say(`activity   ${who}: the movements of ${countOf(touched.length, 'day')}`)
    }
  }
}

export interface Reconciled {
  readonly provider: string
  readonly account: string
  readonly day: Day
  readonly verdict: Verdict
  readonly findings: readonly Finding[]
}

export async function reconcileDays({ context, accounts }: Daybook, plan: DemoPlan): Promise<Reconciled[]> {
  const found: Reconciled[] = []
  for (const account of accounts) {
    for (const day of provedDays(plan)) {
      const { record } = await reconcile(context, account, { day, tolerances: new Map() })
      const { verdict, findings } = record
      found.push({ provider: account.ref.provider, account: account.ref.account, day, verdict, findings })
    }
  }
  return found
}

/** The verdict of each account on each day. */
export function verdictTable(reconciled: readonly Reconciled[]): string[] {
  const days = [...new Set(reconciled.map(({ day }) => day))]
  const accounts = Map.groupBy(reconciled, ({ provider, account }) => `${provider}/${account}`)
  return tableText(
    ['adds up?', ...days],
    [...accounts].map(([name, records]) => [name, ...records.map(({ verdict }) => verdict)]),
  )
}

export interface FoundBreak {
  readonly provider: string
  readonly account: string
  readonly day: Day
  readonly finding: Finding
}

/** Every break, those of the day that was broken on purpose first, each told once. */
export function breaksOf(reconciled: readonly Reconciled[], plan: DemoPlan): FoundBreak[] {
  const found = reconciled.flatMap(({ findings, ...of }) =>
    findings
      .filter(({ verdict }) => verdict === 'break')
      .map(finding => ({ provider: of.provider, account: of.account, day: of.day, finding })),
  )
  const isThere = (one: FoundBreak) => isOn(one, plan)
  const once = Map.groupBy(found, ({ provider, account, finding }) =>
    [provider, account, finding.id, finding.class, finding.firstBad?.days].join(' '),
  )
  // The finding of the day itself before those of its neighbours, which see the same.
  const each = [...once.values()].map(group => group.find(({ day }) => day === brokenDay(plan)) ?? group[0]!)
  return [...each.filter(isThere), ...each.filter(one => !isThere(one))]
}

/** Whether a break lies on the day that was broken on purpose. */
export function isOn({ finding }: FoundBreak, plan: DemoPlan): boolean {
  return finding.firstBad?.days.includes(brokenDay(plan)) === true
}

/** `binance-pay/main, 2026-11-14: 12.5 USDT too much in Funding; likely a row is missing (R6)` */
export function breakText({ provider, account, day, finding }: FoundBreak): string {
  const { check, place, asset, zone, difference, firstBad, class: likely, says } = finding
  const where = [asset, place ? `in ${place}` : null, zone ? `(${zone})` : null].filter(part => part !== null)
  const when = firstBad === null ? day : firstBad.days.join(' to ')
  const by = difference === null ? '' : ` differs by ${difference}`
  const why = likely === null ? says : WORDS[likely]
  return `${provider}/${account}, ${when}: ${where.join(' ')}${by}; ${likely ?? 'unknown'}: ${why} (${check})`
}

/** What each class says of the book. */
const WORDS: Readonly<Record<BreakClass, string>> = {
  'missing-report': 'a day of the book is not there',
  'internal-transfer': 'the other wallet has the opposite difference',
  'late-row': 'a movement stands in the book at another time',
  'wrong-balance': 'no row explains it, and later readings agree again',
  duplicate: 'a row is told once too often',
  'unknown-operation': 'rows of operations that nobody has listed come to it',
  'in-flight': 'as much has gone on hold or off it',
  rounding: 'it is less than balances are told in',
  'flows-swapped': 'with inflow and outflow swapped it adds up',
  'roll-forward-gap': 'the next day opens with something else',
  'vanished-currency': 'the currency is held and not told',
  'component-mismatch': 'the parts do not add up to the whole',
  'missing-row': 'the balance has moved, and no row says so',
}
