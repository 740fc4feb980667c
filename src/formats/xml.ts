/**
 * XML as a stream of elements and text, within limits. No document type is accepted, so no entity can be
 * defined, and nothing expands.
 */
import sax from 'sax'
import { DaybookError } from '../domain/errors.ts'
import { unreadable } from './file-fault.ts'

export interface XmlHandler {
  /** The name comes without its namespace prefix, attributes with theirs. */
  open(name: string, attributes: Readonly<Record<string, string>>): void
  /** A run of text may come in several pieces. */
  text(text: string): void
  close(name: string): void
}

const DEEPEST = 64
const MOST_ATTRIBUTES = 64
/** So many characters are parsed at a time. */
const PIECE = 8 * 1024

/** Feeds the handler; yields after each piece, so that what was gathered can be handed on. */
export async function* readXml(chunks: AsyncIterable<Uint8Array>, handler: XmlHandler): AsyncGenerator<void> {
  const parser = boundedParser(handler)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of chunks) {
    const text = decoded(() => decoder.decode(chunk, { stream: true }))
    for (let at = 0; at < text.length; at += PIECE) {
      guarded(() => parser.write(text.slice(at, at + PIECE)))
      yield
    }
  }
  guarded(() => parser.write(decoded(() => decoder.decode())).close())
  yield
}

function boundedParser(handler: XmlHandler) {
  // It checks its own limits by position, so it must keep count of that.
  const parser = sax.parser(true, { position: true })
  let depth = 0
  let attributes = 0
  parser.onopentagstart = () => {
    attributes = 0
    depth += 1
    if (depth > DEEPEST) throw broken(`it is nested more than ${DEEPEST} deep`)
  }
  parser.onattribute = () => {
    attributes += 1
    if (attributes > MOST_ATTRIBUTES) throw broken(`an element has more than ${MOST_ATTRIBUTES} attributes`)
  }
  parser.onopentag = ({ name, attributes: told }) => handler.open(local(name), told as Record<string, string>)
  parser.onclosetag = name => {
    depth -= 1
    handler.close(local(name))
  }
  parser.ontext = text => handler.text(text)
  parser.oncdata = text => handler.text(text)
  parser.ondoctype = () => {
    throw broken('it defines a document type')
  }
  parser.onerror = error => {
    throw broken(error.message.split('\n')[0] ?? '')
  }
  return parser
}

/** The parser's own limits come out as plain errors. */
function guarded(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    throw error instanceof DaybookError ? error : broken(error instanceof Error ? error.message : '')
  }
}

function decoded(decode: () => string): string {
  try {
    return decode()
  } catch {
    throw broken('it is not UTF-8')
  }
}

function broken(why: string): DaybookError {
  return unreadable('xlsx-xml', `The workbook cannot be read: ${why}. Save its sheet as CSV (UTF-8).`)
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
