/** Fixed offsets from UTC. An export has one offset throughout, so no zone database is needed. */
/** Minutes east of UTC. */
export type OffsetMinutes = number

export interface ZoneChoice {
  readonly offset: OffsetMinutes
  readonly from: 'header' | 'file-name' | 'setting' | 'assumed'
}

const LARGEST = 14 * 60

/** A zone on its own, as headers have it: `UTC`, `UTC+7`, `UTC-03:30`. */
const ALONE = /^(?:UTC|GMT|Z)?(?:([+-]{0,2})(\d{1,2})(?:[:_]?(\d{2}))?)?$/i

/**
 * A zone inside a file name: `(UTC+7)`, `(UTC--6)`, `UTC+5:30`, `UTC2-part1`. A colon may have become `_`
 * on the way through a store. Digits that go on are no zone.
 */
const IN_NAME =
  /(?<![A-Za-z])UTC(?:([+-]{0,2})(\d{1,2})(?:[:_](00|15|30|45)(?![0-9A-Za-z]))?(?!\d))?(?!null)(?![A-Za-z])/i

/** The offset that `text` tells, or `undefined` when it is no zone. */
export function readZone(text: string): OffsetMinutes | undefined {
  const match = text.trim() === '' ? null : ALONE.exec(text.trim())
  return match === null ? undefined : offsetOf(match)
}

/** The offset that a file name tells; `(UTCnull)` tells none. */
export function zoneInName(name: string): OffsetMinutes | undefined {
  const match = IN_NAME.exec(name)
  return match === null ? undefined : offsetOf(match)
}

function offsetOf(match: RegExpExecArray): OffsetMinutes | undefined {
  const [, sign = '', hours = '0', minutes = '0'] = match
  const size = Number.parseInt(hours, 10) * 60 + Number.parseInt(minutes, 10)
  if (size > LARGEST || Number.parseInt(minutes, 10) > 59) return undefined
  return sign.includes('-') ? 0 - size : size
}

/**
 * The zone of a part's times: what its header or a label above it tells, else the file name (of the part, then of the
 * file), else the setting, else UTC, assumed aloud.
 */
export function chooseZone(
  told: string | undefined,
  names: readonly string[],
  setting: OffsetMinutes | undefined,
): ZoneChoice {
  const header = told === undefined ? undefined : readZone(told)
  if (header !== undefined) return { offset: header, from: 'header' }
  const named = names.map(zoneInName).find(offset => offset !== undefined)
  if (named !== undefined) return { offset: named, from: 'file-name' }
  return setting === undefined ? { offset: 0, from: 'assumed' } : { offset: setting, from: 'setting' }
}

/** `UTC`, `UTC+7`, `UTC-03:30`. */
export function formatZone(offset: OffsetMinutes): string {
  if (offset === 0) return 'UTC'
  const size = Math.abs(offset)
  const minutes = size % 60 === 0 ? '' : `:${String(size % 60).padStart(2, '0')}`
  return `UTC${offset < 0 ? '-' : '+'}${Math.floor(size / 60)}${minutes}`
}
