/** Values of variables: each is read with its rule, and a broken rule is noted with what was expected. */
import { type Day, isDay } from '../domain/calendar.ts'
import { type Env, VARIABLES, type Variable, type VariableName } from './env.ts'
import type { Faults } from './faults.ts'

/** The value of a variable, or its default, or `''`. */
export function textOf(env: Env, name: VariableName): string {
  const variable: Variable = VARIABLES[name]
  return env[name] ?? variable.default ?? ''
}

/** A whole number within bounds. */
export function readWhole(
  env: Env,
  name: VariableName,
  { least, most }: { least: number; most: number },
  faults: Faults,
): number {
  const text = textOf(env, name)
  const value = /^\d{1,15}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN
  if (value >= least && value <= most) return value
  faults.add(name, `expected a whole number from ${least} to ${most}`)
  return least
}

/** One of a few words. */
export function readWord<W extends string>(
  text: string | undefined,
  name: string,
  words: readonly W[],
  faults: Faults,
): W | undefined {
  if (text === undefined) return undefined
  return words.find(word => word === text) ?? faults.add(name, `expected one of ${words.join(', ')}`)
}

/** A day that exists. */
export function readDay(text: string | undefined, name: string, faults: Faults): Day | undefined {
  if (text === undefined || isDay(text)) return text
  return faults.add(name, 'expected a day such as 2026-01-31')
}

/** An https address without a final slash; http only on the loopback address. */
export function readUrl(env: Env, name: VariableName, faults: Faults): string {
  const url = plainUrl(textOf(env, name))
  const loopback = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  const usable = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback)
  if (!usable) faults.add(name, 'expected an https address (http only for this machine)')
  return url === undefined ? '' : `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

/** A URL of host and path alone: one with credentials would be printed with them. */
export function plainUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.username === '' && url.password === '' && url.search === '' && url.hash === '' ? url : undefined
}

/** A fixed offset such as `+08:00`, `-03:30`, `UTC+7` or `UTC`, as minutes east of UTC. */
export function readZone(text: string | undefined, name: string, faults: Faults): number | undefined {
  if (text === undefined) return undefined
  if (/^(utc|z)$/i.test(text)) return 0
  const match = /^(?:utc)?([+-])(\d{1,2})(?::?([0-5]\d))?$/i.exec(text)
  const minutes =
    match === null ? Number.NaN : Number.parseInt(match[2]!, 10) * 60 + Number.parseInt(match[3] ?? '0', 10)
  if (!(minutes <= 14 * 60)) return faults.add(name, 'expected an offset such as +08:00')
  return match?.[1] === '-' ? 0 - minutes : minutes
}

export interface Listen {
  readonly host: string
  readonly port: number
}

/** `host:port`; an IPv6 host stands in brackets. */
export function readListen(env: Env, name: VariableName, faults: Faults): Listen {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(textOf(env, name))
  const port = Number.parseInt(match?.[2] ?? '', 10)
  if (match !== null && port <= 65_535) return { host: match[1]!.replace(/^\[|\]$/g, ''), port }
  faults.add(name, 'expected an address and a port, such as 127.0.0.1:8080')
  return { host: '127.0.0.1', port: 0 }
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
}

/** Texts separated by commas, without empty ones. */
export function readList(env: Env, name: VariableName): string[] {
  return textOf(env, name)
    .split(',')
    .map(text => text.trim())
    .filter(text => text !== '')
}
