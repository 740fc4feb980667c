/** What a file is, by its first bytes. Names and content types are not asked: they are often wrong. */
import type { DaybookError } from '../domain/errors.ts'
import { unreadable } from './file-fault.ts'
import { isTarHeader } from './tar-header.ts'

/** How many first bytes tell the kind: a tar names itself at byte 257. */
export const HEAD_BYTES = 512

const READABLE = ['text', 'gzip', 'zip', 'tar'] as const

/** Why each of the other kinds is refused, and what to do about it. */
const REFUSALS = {
  empty: 'The file is empty: not a single byte was delivered. Ask for the report again.',
  xls: 'This is an old Excel workbook (.xls) or one with a password, which is not read. Save it as CSV (UTF-8).',
  pdf: 'This is a PDF document, which holds no rows. Export the statement as CSV.',
  html: 'This is a web page, not a statement: most likely an error page from behind an expired link.',
  xml: 'This is an XML document, not a statement: most likely the error of an expired link.',
  json: 'This is a JSON document, not a statement: most likely an error answer.',
  'utf-16': 'The text is UTF-16, as spreadsheets save it. Save it as CSV (UTF-8) and import that.',
  archive: 'This is an archive of a kind that is not read. Unpack it and import the CSV file inside.',
  parquet: 'This is a Parquet file, not a statement as a provider exports it.',
  binary: 'The file is not text, and of no kind that is known here.',
} as const

export type ReadableKind = (typeof READABLE)[number]
export type RefusedKind = keyof typeof REFUSALS
export type FileKind = ReadableKind | RefusedKind

const MAGIC: ReadonlyArray<readonly [FileKind, number, string]> = [
  ['zip', 0, '504b0304'],
  ['zip', 0, '504b0506'],
  ['gzip', 0, '1f8b'],
  ['xls', 0, 'd0cf11e0'],
  ['pdf', 0, '25504446'],
  ['parquet', 0, '50415231'],
  ['archive', 0, '377abcaf271c'],
  ['archive', 0, '526172211a07'],
  ['archive', 0, '425a68'],
  ['archive', 0, '28b52ffd'],
  ['archive', 0, 'fd377a585a00'],
  ['utf-16', 0, 'fffe'],
  ['utf-16', 0, 'feff'],
  ['tar', 257, '7573746172'],
]

/** The kind of the file that begins with `head`. */
export function kindOf(head: Uint8Array): FileKind {
  if (head.length === 0) return 'empty'
  const hex = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('hex')
  const magic = MAGIC.find(([, offset, bytes]) => hex.startsWith(bytes, offset * 2))
  // Text has no zeros, so that no text can be taken for an old tar by chance.
  if (magic === undefined && head.includes(0) && isTarHeader(head)) return 'tar'
  return magic?.[0] ?? kindOfText(head.subarray(0, HEAD_BYTES))
}

function kindOfText(head: Uint8Array): FileKind {
  const zeros = head.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  // One NUL spoils one row; a third of the bytes means another encoding or no text at all.
  if (zeros > head.length * 0.3) return isEveryOtherZero(head) ? 'utf-16' : 'binary'
  const text = Buffer.from(head)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  if (text.startsWith('<')) return /^<(\?xml|error\b)/i.test(text) ? 'xml' : 'html'
  return /^[[{]/.test(text) ? 'json' : 'text'
}

function isEveryOtherZero(head: Uint8Array): boolean {
  return [0, 1].some(parity => head.every((byte, index) => (index % 2 === parity) === (byte === 0)))
}

export function isReadable(kind: FileKind): kind is ReadableKind {
  return (READABLE as readonly string[]).includes(kind)
}

/** The fault for a kind that is refused; `name` is the file or the part of an archive. */
export function refusalOf(kind: RefusedKind, name: string): DaybookError {
  return unreadable(kind, REFUSALS[kind], { file: name })
}
