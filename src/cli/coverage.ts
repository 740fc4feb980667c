/** `daybook coverage`: what is known of every day, as a calendar. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { addMonths, type Day, type DayRange, dayOf, daysBetween, type Month } from '../domain/calendar.ts'
import {
  coverageOf,
  DAY_STATES,
  type DayCoverage,
  type DayState,
  rangesOf,
  WALLETS,
  type WalletDay,
} from '../domain/coverage.ts'
import { countOf, countText } from '../domain/quantity-text.ts'
import type { Context } from '../stages/context.ts'
import type { WiredAccount } from '../wiring.ts'
import { createCommand, exitsWith } from './command.ts'
import { daysText, rangeBetween, readDay } from './days.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommonOptions } from './session.ts'

interface CoverageOptions extends CommonOptions {
  readonly account?: string
  readonly from?: Day
  readonly to?: Day
  readonly year?: string
}

export function coverageCommand(): Command {
  return createCommand('coverage', 'show what is known of every day, as a calendar')
    .option('--account <name>', 'only this merchant account')
    .option('--from <day>', 'the first day; eleven months before this one when absent', readDay)
    .option('--to <day>', 'the last day; today when absent', readDay)
    .addOption(new Option('--year <year>', 'one year, YYYY').argParser(readYear).conflicts(['from', 'to']))
    .addHelpText(
      'after',
      `
One line a month, one sign a day. Where the two wallets differ, each has a line.

Example:
  daybook coverage --year 2026`,
    )
    .action(exitsWith(runCoverage))
}

function readYear(text: string): string {
  if (/^(19|20)\d\d$/.test(text)) return text
  throw new InvalidArgumentError('Expected a year such as 2026.')
}

/** What is shown of a day: its state, told apart further where a person should look. */
type Shown = DayState | 'incomplete' | 'future'

const SIGNS: Readonly<Record<Shown, { sign: string; says: string; colour: number }>> = {
  published: { sign: '#', says: 'published', colour: 32 },
  incomplete: { sign: '!', says: 'published, but some rows of its report could not be read', colour: 33 },
  archived: { sign: 'a', says: 'archived, not published', colour: 36 },
  requested: { sign: 'r', says: 'requested', colour: 34 },
  unanswered: { sign: '?', says: 'requested, but the answer was lost', colour: 35 },
  failed: { sign: 'x', says: 'requested in vain', colour: 31 },
  missing: { sign: '.', says: 'never asked for', colour: 31 },
  future: { sign: '-', says: 'cannot be asked for yet', colour: 90 },
}

async function runCoverage(options: CoverageOptions): Promise<ExitCode> {
  const { withSession, reportAccounts } = await import('./session.ts')
  return withSession(options, async ({ daybook, terminal }) => {
    const range = rangeFor(options, dayOf(daybook.context.clock.now()))
    const accounts = reportAccounts(daybook, options.account)
    const found = await Promise.all(accounts.map(account => coverageFor(daybook.context, account, range)))
    const lines = found.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...textOf(one)])
    terminal.result('coverage', { ...range, accounts: found.map(dataOf) }, lines, painted)
    return EXIT.done
  })
}

function rangeFor({ from, to, year }: CoverageOptions, today: Day): DayRange {
  if (year !== undefined) return rangeBetween(`${year}-01-01`, `${year}-12-31`)
  const last = to ?? today
  return rangeBetween(from ?? `${addMonths(last.slice(0, 7), -11)}-01`, last)
}

interface AccountCoverage {
  readonly account: WiredAccount
  readonly newest: Day
  readonly days: readonly DayCoverage[]
}

async function coverageFor(
  context: Context,
  account: WiredAccount,
  range: DayRange,
): Promise<AccountCoverage> {
  const [{ loadCoverageFacts }, { newestDay }] = await Promise.all([
    import('../stores/coverage-facts.ts'),
    import('../planning.ts'),
  ])
  const facts = await loadCoverageFacts(context, account.ref, range.start)
  return { account, newest: newestDay(account, context.clock.now()), days: coverageOf(facts, range) }
}

function dataOf({ account, newest, days }: AccountCoverage) {
  return { ...account.ref, newestDay: newest, days, gaps: gapsOf(days, newest) }
}

/** Days that could be asked for and are not published, by what they are; of both wallets the worse. */
function gapsOf(days: readonly DayCoverage[], newest: Day) {
  const unpublished = DAY_STATES.filter(state => state !== 'published')
  return unpublished.flatMap(state =>
    rangesOf(days.filter(day => day.day <= newest && worstOf(day).state === state).map(({ day }) => day)).map(
      ({ start, end }) => ({ state, start, end }),
    ),
  )
}

function worstOf({ wallets }: DayCoverage): WalletDay {
  return DAY_STATES.indexOf(wallets.spot.state) <= DAY_STATES.indexOf(wallets.funding.state)
    ? wallets.spot
    : wallets.funding
}

function textOf({ account: { ref }, newest, days }: AccountCoverage): string[] {
  const months = Map.groupBy(days, ({ day }) => day.slice(0, 7))
  const used = new Set(days.flatMap(day => WALLETS.map(wallet => shownOf(day, day.wallets[wallet], newest))))
  const legend = (Object.keys(SIGNS) as Shown[]).filter(shown => used.has(shown))
  return [
    `${ref.provider}/${ref.account}`,
    '',
    `${' '.repeat(LABEL)}${Array.from({ length: 31 }, (_, index) => (index + 1) % 10).join('')}`,
    ...[...months].flatMap(([month, some]) => monthLines(month, some, newest)),
    '',
    ...legend.map(shown => `${SIGNS[shown].sign}  ${SIGNS[shown].says}`),
    '',
    ...summary(days, newest),
  ]
}

const LABEL = 18

function monthLines(month: Month, days: readonly DayCoverage[], newest: Day): string[] {
  const rows = WALLETS.map(wallet => signsOf(days, wallet, newest))
  const known = days.filter(({ day }) => day <= newest)
  const full = known.filter(day => worstOf(day).state === 'published').length
  const count = known.length === 0 ? '' : `  ${full} of ${known.length}`
  if (rows.every(row => row === rows[0]))
    return [`${month.padEnd(LABEL)}${(rows[0] ?? '').padEnd(31)}${count}`]
  return WALLETS.map(
    (wallet, index) =>
      `${`${month} ${wallet}`.padEnd(LABEL)}${(rows[index] ?? '').padEnd(31)}${index === 0 ? count : ''}`,
  )
}

function signsOf(days: readonly DayCoverage[], wallet: (typeof WALLETS)[number], newest: Day): string {
  const signs = new Map(
    days.map(day => [day.day.slice(8), SIGNS[shownOf(day, day.wallets[wallet], newest)].sign]),
  )
  return Array.from({ length: 31 }, (_, index) => signs.get(`${index + 1}`.padStart(2, '0')) ?? ' ').join('')
}

function shownOf({ day }: DayCoverage, { state, quarantined }: WalletDay, newest: Day): Shown {
  if (state === 'missing' && day > newest) return 'future'
  return state === 'published' && quarantined > 0 ? 'incomplete' : state
}

function summary(days: readonly DayCoverage[], newest: Day): string[] {
  const possible = days.filter(({ day }) => day <= newest)
  const published = possible.filter(day => worstOf(day).state === 'published')
  const title = `${countText(published.length)} of ${countOf(possible.length, 'day')} published.`
  const gaps = gapsOf(days, newest)
  if (gaps.length === 0) return [title]
  const count = gaps.reduce((sum, range) => sum + daysIn(range), 0)
  return [
    `${title} The other ${countText(count)}:`,
    ...gaps.map(gap => `  ${daysText(gap)}  ${SIGNS[gap.state].says} (${countOf(daysIn(gap), 'day')})`),
  ]
}

function daysIn({ start, end }: DayRange): number {
  return daysBetween(start, end)
}

/** Colours the signs of a month's line and of the legend; each sign says the same without. */
function painted(line: string): string {
  const isMonth = /^\d{4}-\d\d( (spot|funding))? /.test(line)
  if (isMonth) return line.slice(0, LABEL) + colourAll(line.slice(LABEL, LABEL + 31)) + line.slice(LABEL + 31)
  return /^[^\s\w] {2}|^[arx?] {2}/.test(line) ? colourAll(line.slice(0, 1)) + line.slice(1) : line
}

function colourAll(signs: string): string {
  return signs.replace(/(\S)\1*/g, run => {
    const found = Object.values(SIGNS).find(({ sign }) => sign === run[0])
    return found === undefined ? run : `\x1b[${found.colour}m${run}\x1b[0m`
  })
}
