/** Balances held against each other: what one answer says in itself, and what two days say of each other. */
import { formatAmount } from './amount.ts'
import type { BalanceRow } from './balance.ts'
import { addDays, type Day, dayOfMicros, startOfDayMicros } from './calendar.ts'
import { compared, type Finding, findingOf, instantText, placeOf, type Tolerances } from './reconciliation.ts'

/** R1: opening + inflow − outflow = closing, of a day-end balance. */
export function checkArithmetic(row: BalanceRow, tolerances: Tolerances): Finding {
  const { opening, inflow, outflow, closing, asset, zone } = row
  const about = { check: 'R1', place: placeOf(row), asset, zone } as const
  if (opening === null || inflow === null || outflow === null || closing === null)
    return findingOf({ ...about, verdict: 'not_checkable', says: 'Not every figure of the day is told.' })
  const tolerance = tolerances.get(asset)
  const result = compared({ expected: opening + inflow - outflow, actual: closing, tolerance })
  if (result.verdict !== 'break')
    return findingOf({ ...about, ...result, says: 'opening + inflow - outflow against closing' })
  const swapped = opening + outflow - inflow === closing
  return findingOf({
    ...about,
    ...result,
    firstBad: whereOf(row),
    class: swapped ? 'flows-swapped' : 'component-mismatch',
    says: swapped
      ? 'opening + inflow - outflow is not closing; with the two flows swapped it is'
      : 'opening + inflow - outflow is not closing',
  })
}

/** R2: the parts make the total, and no figure is negative or larger than what it is a part of. */
export function checkParts(row: BalanceRow, tolerances: Tolerances): Finding {
  const { available, onHold, deposit, total, withdrawable, asset, zone } = row
  const about = { check: 'R2', place: placeOf(row), asset, zone } as const
  const wrong = wrongParts(row)
  if (wrong !== undefined)
    return findingOf({
      ...about,
      verdict: 'break',
      class: 'component-mismatch',
      firstBad: whereOf(row),
      says: wrong,
    })
  if (total === null || available === null || onHold === null) {
    const told = [available, onHold, deposit, total, withdrawable].some(figure => figure !== null)
    return told
      ? findingOf({ ...about, verdict: 'matched', says: 'no total is told; no part is negative' })
      : findingOf({ ...about, verdict: 'not_checkable', says: 'No parts are told.' })
  }
  const expected = available + onHold + (deposit ?? 0n)
  const result = compared({ expected, actual: total, tolerance: tolerances.get(asset) })
  return findingOf({
    ...about,
    ...result,
    class: result.verdict === 'break' ? 'component-mismatch' : null,
    firstBad: result.verdict === 'break' ? whereOf(row) : null,
    says: 'available + on hold + deposit against total',
  })
}

function wrongParts(row: BalanceRow): string | undefined {
  const negative = (['available', 'onHold', 'deposit', 'withdrawable'] as const).find(
    name => (row[name] ?? 0n) < 0n,
  )
  if (negative !== undefined) return `${negative} is negative: ${formatAmount(row[negative]!)}`
  const { withdrawable, available } = row
  return withdrawable !== null && available !== null && withdrawable > available
    ? 'more is withdrawable than is available'
    : undefined
}

/** What a row is about; an answer tells each once. */
const nameOf = (row: BalanceRow) => [placeOf(row), row.asset, row.zone].join(' ')

const DAY_MICROS = 86_400_000_000n

/** Whole accounting days as the stretch in which the book goes wrong; a row of the first tells when it closes. */
function daysBad(days: readonly [Day, ...Day[]], { day, asOfMicros }: BalanceRow): Finding['firstBad'] {
  const [first] = days
  const shift = startOfDayMicros(first) - startOfDayMicros(day ?? first)
  const from = asOfMicros === null ? startOfDayMicros(first) : asOfMicros - DAY_MICROS + shift
  const to = from + DAY_MICROS * BigInt(days.length)
  return { from: instantText(from), to: instantText(to), days: [...days] }
}

/** What a figure that is wrong in itself is wrong about: a day, or the instants of a reading. */
function whereOf(row: BalanceRow): Finding['firstBad'] {
  if (row.day !== null) return daysBad([row.day], row)
  const { sentMicros, answeredMicros } = row
  return {
    from: instantText(sentMicros),
    to: instantText(answeredMicros),
    days: [...new Set([dayOfMicros(sentMicros), dayOfMicros(answeredMicros)])],
  }
}

/** R3: a day closes with what the next one opens with. `rows` and `next` are whole answers about two days. */
export function checkRollForward(
  day: Day,
  rows: readonly BalanceRow[],
  next: readonly BalanceRow[],
  tolerances: Tolerances,
): Finding[] {
  const following = new Map(next.map(row => [nameOf(row), row]))
  const preceding = new Map(rows.map(row => [nameOf(row), row]))
  const [zones, nextZones] = [new Set(rows.map(({ zone }) => zone)), new Set(next.map(({ zone }) => zone))]
  const appeared = [...following].filter(([name]) => !preceding.has(name)).map(([, row]) => row)
  return [
    ...[...preceding].map(([name, row]) =>
      next.length === 0 || !nextZones.has(row.zone)
        ? notHere(row, 'the balances of the next day are not here')
        : rolled(day, row, following.get(name), tolerances),
    ),
    ...appeared.map(row =>
      zones.has(row.zone)
        ? appearedFinding(day, row)
        : notHere(row, 'the balances of this day are not here in the zone of the next'),
    ),
  ]
}

const rollOf = (row: BalanceRow) =>
  ({ check: 'R3', place: placeOf(row), asset: row.asset, zone: row.zone }) as const

function notHere(row: BalanceRow, says: string): Finding {
  return findingOf({ ...rollOf(row), verdict: 'incomplete', says })
}

function rolled(day: Day, row: BalanceRow, next: BalanceRow | undefined, tolerances: Tolerances): Finding {
  const about = rollOf(row)
  const { closing } = row
  if (closing === null || next?.opening === null)
    return findingOf({ ...about, verdict: 'not_checkable', says: 'No opening or closing is told.' })
  if (next === undefined) return vanished(day, row)
  const result = compared({ expected: closing, actual: next.opening, tolerance: tolerances.get(row.asset) })
  const isBreak = result.verdict === 'break'
  return findingOf({
    ...about,
    ...result,
    class: isBreak ? 'roll-forward-gap' : null,
    firstBad: isBreak ? daysBad([day, addDays(day, 1)], row) : null,
    says: "closing against the next day's opening",
  })
}

/** Only what holds nothing may be left out of an answer: a row that is missing does not prove zero. */
function vanished(day: Day, row: BalanceRow): Finding {
  if (row.closing === 0n)
    return findingOf({
      ...rollOf(row),
      verdict: 'not_checkable',
      says: 'it closed with nothing, and the next day does not tell it',
    })
  return findingOf({
    ...rollOf(row),
    verdict: 'break',
    class: 'vanished-currency',
    expected: formatAmount(row.closing!),
    firstBad: daysBad([addDays(day, 1)], row),
    says: 'the next day does not tell this currency, though this one closed with an amount of it',
  })
}

function appearedFinding(day: Day, row: BalanceRow): Finding {
  if (row.opening === null || row.opening === 0n)
    return findingOf({
      ...rollOf(row),
      verdict: 'not_checkable',
      says: 'this day does not tell it, and the next one opens with nothing',
    })
  return findingOf({
    ...rollOf(row),
    verdict: 'break',
    class: 'vanished-currency',
    actual: formatAmount(row.opening),
    firstBad: daysBad([day], row),
    says: 'this day does not tell this currency, though the next one opens with an amount of it',
  })
}

/** R7, in part: an answer tells each asset of a place once. Answers what is told more often. */
export function checkOnce(rows: readonly BalanceRow[]): Finding[] {
  const groups = Map.groupBy(rows, row => `${row.operation} ${row.sentMicros} ${nameOf(row)}`)
  return [...groups.values()].flatMap(group => {
    const [row] = group
    if (row === undefined || group.length < 2) return []
    return findingOf({
      check: 'R7',
      place: placeOf(row),
      asset: row.asset,
      zone: row.zone,
      verdict: 'break',
      class: 'duplicate',
      firstBad: whereOf(row),
      says: `one answer tells it ${group.length} times`,
    })
  })
}
