/** What a demo is about: its days, and what does not add up in it. Kept in its folder, for the runs that complete it. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { addDays, type Day, type DayRange, dayOf, daysOf, isDay, startOfDay } from '../domain/calendar.ts'
import { DaybookError } from '../domain/errors.ts'
import { parseCounts, writePrettyJson } from '../domain/json.ts'

/** What can be broken, and who shows it. */
export const BREAKS = {
  'missing-row': 'a row is left out: of the report, of the movements, of the day-end balances',
  'doubled-row': 'a row is told twice',
  'late-row': 'a movement is told a day late (Binance Pay, Onerway)',
  'swapped-flow': 'inflow and outflow of a day stand under each other’s names (PayerMax)',
  'wrong-total': 'balances of one day are told a little too high',
  'vanished-currency': 'one currency is missing from the balances of one day',
} as const
export type Break = keyof typeof BREAKS
export const BREAK_NAMES = Object.keys(BREAKS) as Break[]

const day = z.string().refine(isDay, 'expected a day')
const demoPlan = z.object({
  /** The days of the report. */
  range: z.object({ start: day, end: day }),
  breaks: z.enum(['none', ...BREAK_NAMES]),
})
export type DemoPlan = z.infer<typeof demoPlan>

const DAYS = 7
const NAME = 'demo.json'

/** The plan of an earlier run in the folder, or a new one. Throws `usage-invalid` where that run broke something else. */
export async function planDemo(folder: string, wanted: Break | undefined, now: Date): Promise<DemoPlan> {
  const breaks = wanted ?? 'none'
  const path = join(folder, NAME)
  const standing = await readFile(path, 'utf8').catch(() => undefined)
  if (standing !== undefined) {
    const plan = demoPlan.parse(parseCounts(standing))
    if (plan.breaks === breaks) return plan
    const says = `The folder ${folder} holds a demo with --break ${plan.breaks}; name another --folder.`
    throw new DaybookError('usage-invalid', says)
  }
  const plan: DemoPlan = { range: newestWeek(now), breaks }
  await mkdir(folder, { recursive: true })
  await writeFile(`${path}.new`, writePrettyJson(plan))
  await rename(`${path}.new`, path)
  return plan
}

/** The newest week that can be asked for. */
function newestWeek(now: Date): DayRange {
  const end = addDays(dayOf(now), -2)
  return { start: addDays(end, -DAYS), end }
}

/** The days that are reconciled: those of the week with readings on both sides whose days are whole. */
export function provedDays({ range }: DemoPlan): Day[] {
  return daysOf({ start: addDays(range.end, -4), end: addDays(range.end, -1) })
}

/** The day on which things do not add up: the middle one. */
export function brokenDay(plan: DemoPlan): Day {
  return provedDays(plan)[1]!
}

/** Minutes from a midnight (UTC) at which balances are read. */
const READ_AT_MINUTES = [-3, -2, -1, 1, 2, 3]

/** Readings around every midnight at which one of those days begins or ends. */
export function readingTimes(plan: DemoPlan): Date[] {
  const days = provedDays(plan)
  return [...days, addDays(days.at(-1)!, 1)].flatMap(each =>
    READ_AT_MINUTES.map(minutes => new Date(startOfDay(each).getTime() + minutes * 60_000)),
  )
}
