/** A log that says nothing and remembers everything. */
import type { Log, LogFields, LogLevel } from '../../src/log.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly event: string
  readonly fields: LogFields
}

export interface QuietLog extends Log {
  readonly lines: readonly LogLine[]
  /** The lines of one event. */
  of(event: string): LogLine[]
  /** All that was logged, as text, to look for what must not be in it. */
  text(): string
}

export function quietLog(): QuietLog {
  const lines: LogLine[] = []
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields })
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    of: event => lines.filter(line => line.event === event),
    text: () =>
      JSON.stringify(lines, (_key, value) => (typeof value === 'bigint' ? value.toString() : value)),
  }
}
