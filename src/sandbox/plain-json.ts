/** JSON of the sandbox's own making, where numbers are small counts and may become JavaScript numbers. */
import { JsonNumber, type JsonValue, parseJson } from '../domain/json.ts'

/** `value` with its numbers as JavaScript numbers. Never for ids or amounts: those are texts here. */
export function plainValue(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number.parseFloat(value.text)
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainValue(inner)]))
}

/** Parses JSON of the sandbox's own making; throws `SyntaxError` for anything else. */
export function parsePlainJson(text: string): unknown {
  return plainValue(parseJson(text))
}
