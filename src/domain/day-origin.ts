/** Which of two reports of a day, or of two parses of a report, is the later one. */
import type { DayOrigin } from './report.ts'

/** Positive when `a` is the later one, zero when they are the same. */
export function compareOrigins(a: DayOrigin, b: DayOrigin): number {
  return (
    compareTexts(instantText(a), instantText(b)) ||
    compareTexts(a.reportId, b.reportId) ||
    versionNumber(a) - versionNumber(b)
  )
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The same instant in one spelling, so that instants compare as text. */
function instantText({ generatedAt }: DayOrigin): string {
  return new Date(generatedAt).toISOString()
}

function versionNumber({ parserVersion }: DayOrigin): number {
  return Number.parseInt(parserVersion, 10)
}

const BETWEEN = '.over.'

/** The name of a replacement in the store: who replaces, and what. */
export function replacementName(origin: DayOrigin, replaced: DayOrigin): string {
  return `${originName(origin)}${BETWEEN}${originName(replaced)}`
}

function originName(origin: DayOrigin): string {
  return [instantText(origin).replace(/[-:.]/g, ''), origin.reportId, origin.parserVersion].join('~')
}

/** Both origins of a replacement's name, or `undefined` when it is none. */
export function parseReplacementName(name: string): { origin: DayOrigin; replaced: DayOrigin } | undefined {
  const [one = '', other = '', ...more] = name.split(BETWEEN)
  const origin = parseOriginName(one)
  const replaced = parseOriginName(other)
  return origin === undefined || replaced === undefined || more.length > 0 ? undefined : { origin, replaced }
}

function parseOriginName(name: string): DayOrigin | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z~(.+)~(\d+)$/.exec(name)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, millis, reportId, parserVersion] = match as string[]
  return {
    reportId: reportId!,
    generatedAt: `${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}Z`,
    parserVersion: parserVersion!,
  }
}
