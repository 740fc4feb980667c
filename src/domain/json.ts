/**
 * JSON that loses nothing: numbers keep their source text, so `197620356272996352` and `0.88000000`
 * leave as they came. The only file that calls the built-in parser.
 */

/** A number of a JSON text, as it was written there. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    if (!NUMBER.test(text)) throw new SyntaxError(`not a JSON number: ${text.slice(0, 40)}`)
    this.text = text
  }

  toJSON(): unknown {
    return RawJson.rawJSON(this.text)
  }

  toString(): string {
    return this.text
  }
}

export type JsonValue =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The parts of the JSON source text proposal that Node 24 has and the standard library types lack. */
const RawJson = JSON as unknown as {
  rawJSON(text: string): unknown
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown
}

/**
 * Parses `text`, with every number as a `JsonNumber`.
 * Throws `SyntaxError` for anything that is not JSON, also when it is nested too deeply to walk.
 */
export function parseJson(text: string): JsonValue {
  try {
    return RawJson.parse(text, (_key, value, context) =>
      typeof value === 'number' ? new JsonNumber(context.source ?? String(value)) : value,
    ) as JsonValue
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError('JSON nested too deeply', { cause: error })
    throw error
  }
}

/**
 * Parses our own records, whose numbers are all counts: each must be a whole number that a double holds.
 * Throws `SyntaxError` for anything else.
 */
export function parseCounts(text: string): unknown {
  return RawJson.parse(text, (_key, value) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    throw new SyntaxError(`not a count: ${value}`)
  })
}

/** Parses `text`, or answers `undefined` when it is not JSON. */
export function tryParseJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Writes compact JSON; a `JsonNumber` and a `bigint` leave as bare digits. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value, rawNumbers)
}

/** As `writeJson`, indented for a person to read, with a final line feed. */
export function writePrettyJson(value: unknown): string {
  return `${JSON.stringify(value, rawNumbers, 2)}\n`
}

function rawNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? RawJson.rawJSON(value.toString()) : value
}
