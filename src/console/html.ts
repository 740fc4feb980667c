/** HTML by tagged templates: whatever is put in is escaped, unless this very file has made it. */

export interface Html {
  readonly markup: string
}

export type Piece = Html | string | number | false | null | undefined | readonly Piece[]

/** What `html` has made. An object of the same shape from elsewhere is not trusted. */
const made = new WeakSet<object>()

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for an element's content or for an attribute in quotes. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? '')
}

function markupOf(piece: Piece): string {
  if (piece === undefined || piece === null || piece === false) return ''
  if (typeof piece === 'string') return escapeText(piece)
  if (typeof piece === 'number') return String(piece)
  if (isList(piece)) return piece.map(markupOf).join('')
  if (made.has(piece)) return piece.markup
  throw new TypeError('Only what html`` has made can stand in a page.')
}

function isList(piece: object): piece is readonly Piece[] {
  return Array.isArray(piece)
}

/** Attributes must stand in quotes: a value is escaped for those. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let markup = strings[0] ?? ''
  for (const [index, piece] of pieces.entries()) markup += markupOf(piece) + (strings[index + 1] ?? '')
  const result = Object.freeze({ markup })
  made.add(result)
  return result
}

/** A path with its parts encoded: `path('/reports', id)`. The parts are names that keys are made of. */
export function path(base: string, ...parts: readonly string[]): string {
  return [base.replace(/\/$/, ''), ...parts.map(encodeURIComponent)].join('/') || '/'
}

/** Parameters behind a path; those without a value are left out. */
export function withQuery(
  base: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  const text = parameters.toString()
  return text === '' ? base : `${base}?${text}`
}
