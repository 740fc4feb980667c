/**
 * The log: one JSON object a line. An event is dotted and in the past tense (`report.archived`); its
 * fields are named and plain. Headers, bodies, signed links and secrets have no field.
 */
import { findFault } from './domain/errors.ts'
import { writeJson } from './domain/json.ts'
import type { Clock } from './host.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogFields = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>

export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export function createLog(options: { write: (line: string) => void; clock: Clock; level: LogLevel }): Log {
  const least = LOG_LEVELS.indexOf(options.level)
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) < least) return
      options.write(`${writeJson({ time: options.clock.now().toISOString(), level, event, ...fields })}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What of an error is safe to log: its code, its sentence and its plain details; of a stranger's, its kind. */
export function errorFields(error: unknown): LogFields {
  const fault = findFault(error)
  if (fault !== undefined)
    return { error: fault.code, says: fault.message, retry: fault.retry, ...fault.details }
  if (error instanceof Error) return { error: error.name, says: error.message }
  return { error: 'unknown' }
}
