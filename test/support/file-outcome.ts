/** What becomes of a file, in one word for a test to compare. */
import { isFault } from '../../src/domain/errors.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { openContainer } from '../../src/formats/container.ts'
import { type FileLimits, limitsOf } from '../../src/formats/limits.ts'

export interface ReadContainer {
  readonly kind: string
  readonly names: string[]
  readonly texts: string[]
  readonly notes: readonly string[]
}

export async function readContainer(
  source: ByteSource,
  limits: Partial<FileLimits> = {},
): Promise<ReadContainer> {
  const { kind, parts, notes } = await openContainer(source, limitsOf(limits))
  const texts: string[] = []
  for (const part of parts) texts.push(Buffer.concat(await Array.fromAsync(part.read())).toString())
  return { kind, names: parts.map(({ name }) => name), texts, notes }
}

/** `code/reason` of the fault, or how much was read. */
export async function outcomeOf(source: ByteSource, limits: Partial<FileLimits> = {}): Promise<string> {
  try {
    return `read ${(await readContainer(source, limits)).texts.join('').length}`
  } catch (error) {
    if (isFault(error, 'file-unreadable') || isFault(error, 'file-damaged')) {
      return `${error.code}/${error.details.reason}`
    }
    throw error
  }
}
