/** Fields of providers' answers: numbers stay the text they came as, and what is not there is a protocol fault. */
import { type Amount, readAmount } from '../domain/amount.ts'
import { DaybookError } from '../domain/errors.ts'
import { JsonNumber, type JsonValue, writeJson } from '../domain/json.ts'

export type JsonObject = { readonly [name: string]: JsonValue }

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  )
}

/** The text of a string, or the digits of a number as they were written. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof JsonNumber ? value.text : undefined
}

/** The text of a field that must be there and not be empty. Throws `provider-protocol`. */
export function requiredText(object: JsonObject, name: string): string {
  const text = textOf(object[name]) ?? ''
  return text === '' ? missing(name, 'a text') : text
}

/** The amount of a field that must be there, read from its source text. Throws `provider-protocol`. */
export function requiredAmount(object: JsonObject, name: string): Amount {
  const amount = readAmount(textOf(object[name]) ?? '')
  return typeof amount === 'bigint' ? amount : missing(name, `an amount (${amount})`)
}

/** The objects of a list that must be there. Throws `provider-protocol`. */
export function requiredList(object: JsonObject, name: string): JsonObject[] {
  const list = object[name]
  return Array.isArray(list) && list.every(isObject) ? list : missing(name, 'a list of objects')
}

/** The fields that are not among `known`, as a JSON object; `null` when there are none. */
export function otherFields(object: JsonObject, known: readonly string[]): string | null {
  const rest = Object.entries(object).filter(([name]) => !known.includes(name))
  return rest.length === 0 ? null : writeJson(Object.fromEntries(rest))
}

function missing(name: string, what: string): never {
  throw new DaybookError('provider-protocol', `The provider's answer lacks ${what} in ${name}.`, {
    details: { field: name },
  })
}
