/** A file that a person names on the command line. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { DaybookError } from '../domain/errors.ts'
import type { ByteSource } from '../formats/byte-source.ts'

/** Throws `usage-invalid` for a folder and `not-found` where there is no file. */
export async function openFile(path: string): Promise<ByteSource> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true)
    throw new DaybookError('usage-invalid', `${path} is a folder; a file is needed.`)
  if (found?.isFile() !== true) throw new DaybookError('not-found', `There is no file ${path}.`)
  return {
    name: basename(path),
    size: found.size,
    read: ({ start, end } = { start: 0 }) =>
      createReadStream(path, { start, ...(end === undefined ? {} : { end: end - 1 }) }),
  }
}
