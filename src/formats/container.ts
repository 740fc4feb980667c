/** A file as its parts of text, whatever it is packed in. */

import { type ColumnNames, KNOWN_NAMES } from '../domain/column-names.ts'
import { chooseParts } from './archive-parts.ts'
import { byteCursor } from './byte-cursor.ts'
import { type ByteSource, readBytes } from './byte-source.ts'
import { unreadable } from './file-fault.ts'
import { HEAD_BYTES, isReadable, kindOf, refusalOf } from './file-kind.ts'
import { innerName, readGzip } from './gzip.ts'
import { newBudget } from './inflate.ts'
import type { FileLimits } from './limits.ts'
import { partOf } from './part-names.ts'
import { forwardReader, listTar, type TarFile } from './tar.ts'

export type ContainerKind = 'csv' | 'gzip' | 'zip' | 'tar' | 'tar.gz' | 'xlsx'

/** One CSV text of a report. */
export interface Part {
  readonly name: string
  /** The zone that the container tells beside the text: a label in a sheet. */
  readonly zone?: string | undefined
  /** The text's bytes, once, from the beginning; faults of the container are thrown while reading. */
  read(): AsyncIterable<Uint8Array>
}

export interface Container {
  readonly kind: ContainerKind
  /** In the order of their names, numbers as numbers; of a tar and a workbook in their own order. */
  readonly parts: readonly Part[]
  /** Codes of what is worth knowing but does not stop the reading. */
  readonly notes: readonly string[]
}

/** Recognises the container by its first bytes. Throws `file-unreadable` or `file-damaged`. */
export async function openContainer(
  source: ByteSource,
  limits: FileLimits,
  names: ColumnNames = KNOWN_NAMES,
): Promise<Container> {
  const kind = kindOf(await readBytes(source, 0, HEAD_BYTES))
  if (kind === 'text') return single('csv', source.name, () => source.read())
  if (kind === 'gzip') return openGzip(source, limits)
  if (kind === 'tar')
    return openTar(
      'tar',
      source.name,
      limits,
      () => source.read(),
      span => source.read(span),
    )
  if (kind === 'zip') return openZipped(source, limits, names)
  throw refusalOf(kind, source.name)
}

function single(kind: ContainerKind, name: string, read: Part['read']): Container {
  return { kind, parts: [textPart({ name, read })], notes: notesOf(name, 0) }
}

/** A gzip holds one text, or a tar of several. */
async function openGzip(source: ByteSource, limits: FileLimits): Promise<Container> {
  const inflate = () => readGzip(source, newBudget(limits, source.size))
  const cursor = byteCursor(inflate())
  const head = await cursor.take(HEAD_BYTES).finally(cursor.close)
  if (kindOf(head) === 'tar') return openTar('tar.gz', source.name, limits, inflate, undefined)
  return single('gzip', innerName(source.name), inflate)
}

/** A tar that is not packed can be read from any place; a packed one only forwards. */
async function openTar(
  kind: 'tar' | 'tar.gz',
  name: string,
  limits: FileLimits,
  read: () => AsyncIterable<Uint8Array>,
  readPlace: ByteSource['read'] | undefined,
): Promise<Container> {
  const files = await listTar(read(), limits)
  const { parts, ignored } = chooseParts(files)
  const inOrder = parts.toSorted((a, b) => a.start - b.start)
  const place = readPlace ?? forwardReader(read, inOrder.at(-1)!.end)
  return {
    kind,
    parts: inOrder.map((file: TarFile) => textPart({ name: file.name, read: () => place(file) })),
    notes: notesOf(name, ignored),
  }
}

/** Their libraries are loaded only by those who read such files. */
async function openZipped(source: ByteSource, limits: FileLimits, names: ColumnNames): Promise<Container> {
  const [{ openZip }, { isWorkbook, openXlsx }] = await Promise.all([import('./zip.ts'), import('./xlsx.ts')])
  const budget = newBudget(limits, source.size)
  const files = await openZip(source, budget)
  const kind = isWorkbook(files) ? 'xlsx' : 'zip'
  const { parts, ignored } = kind === 'xlsx' ? await openXlsx(files, budget, names) : chooseParts(files)
  return { kind, parts: parts.map(textPart), notes: notesOf(source.name, ignored) }
}

/** `name` is that of the file, which may be one part of several itself. */
function notesOf(name: string, ignored: number): string[] {
  return [
    ...(ignored > 0 ? ['entries-ignored'] : []),
    ...((partOf(name)?.total ?? 1) > 1 ? ['one-part-of-several'] : []),
  ]
}

/** A part that refuses to be anything but text once its first bytes are seen. */
function textPart({ name, zone, read }: Part): Part {
  return { name, zone, read: () => checkedText(name, read()) }
}

async function* checkedText(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < HEAD_BYTES) continue
    checkHead(name, head)
    yield head
    head = undefined
  }
  if (head === undefined) return
  checkHead(name, head)
  yield head
}

function checkHead(name: string, head: Uint8Array): void {
  const kind = kindOf(head)
  if (kind === 'text') return
  if (!isReadable(kind)) throw refusalOf(kind, name)
  throw unreadable('nested', 'This is an archive inside an archive. Unpack it and import the CSV file.', {
    file: name,
  })
}
