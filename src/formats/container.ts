/** A file as its parts of text, whatever it is packed in. */
import { type ByteSource, readBytes } from './byte-source.ts'
import { unreadable } from './file-fault.ts'
import { HEAD_BYTES, isReadable, kindOf, refusalOf } from './file-kind.ts'
import { innerName, readGzip } from './gzip.ts'
import type { InflateBudget } from './inflate.ts'
import type { FileLimits } from './limits.ts'
import { partOf } from './part-names.ts'
import { openZip } from './zip.ts'

export type ContainerKind = 'csv' | 'gzip' | 'zip'

/** One CSV text of a report. */
export interface Part {
  readonly name: string
  /** The text's bytes, once, from the beginning; faults of the container are thrown while reading. */
  read(): AsyncIterable<Uint8Array>
}

export interface Container {
  readonly kind: ContainerKind
  /** In the order of their names, numbers as numbers. */
  readonly parts: readonly Part[]
  /** Codes of what is worth knowing but does not stop the reading. */
  readonly notes: readonly string[]
}

/** Recognises the container by its first bytes. Throws `file-unreadable` or `file-damaged`. */
export async function openContainer(source: ByteSource, limits: FileLimits): Promise<Container> {
  const kind = kindOf(await readBytes(source, 0, HEAD_BYTES))
  const budget: InflateBudget = { limits, compressedBytes: source.size, inflatedBytes: 0 }
  if (kind === 'text') return single('csv', source.name, () => source.read())
  if (kind === 'gzip') return single('gzip', innerName(source.name), () => readGzip(source, budget))
  if (kind === 'zip') return several(source, budget)
  throw refusalOf(kind, source.name)
}

function single(kind: ContainerKind, name: string, read: Part['read']): Container {
  const total = partOf(name)?.total ?? 1
  return { kind, parts: [textPart(name, read)], notes: total > 1 ? ['one-part-of-several'] : [] }
}

async function several(source: ByteSource, budget: InflateBudget): Promise<Container> {
  const { parts, ignored } = await openZip(source, budget.limits)
  return {
    kind: 'zip',
    parts: parts.map(part => textPart(part.name, () => part.read(budget))),
    notes: ignored > 0 ? ['entries-ignored'] : [],
  }
}

/** A part that refuses to be anything but text once its first bytes are seen. */
function textPart(name: string, read: Part['read']): Part {
  return { name, read: () => checkedText(name, read()) }
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
