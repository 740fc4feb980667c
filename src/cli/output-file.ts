/** A file that a command writes for a person: whole or not at all. */
import { createWriteStream } from 'node:fs'
import { link, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DaybookError } from '../domain/errors.ts'

/**
 * Writes to `out`, or under `name` in this folder when `out` is absent; answers the path, or `undefined` when `out`
 * is `-` and it went to stdout. Throws `usage-invalid` when it cannot be written, what `bytes` throws as it is.
 */
export async function writeOutput(
  bytes: AsyncIterable<Uint8Array>,
  { out, name }: { out: string | undefined; name: string },
): Promise<string | undefined> {
  if (out === '-') {
    await pipeline(bytes, process.stdout, { end: false })
    return undefined
  }
  const path = resolve(out ?? plainName(name))
  const partial = `${path}.part`
  try {
    await pipeline(bytes, createWriteStream(partial))
    // A name that the user did not give must not cost a file that stands there.
    if (out === undefined) await link(partial, path)
    else await rename(partial, path)
  } catch (error) {
    throw writeFault(error, path)
  } finally {
    await rm(partial, { force: true })
  }
  return path
}

/** A name that no later command takes for an option. */
function plainName(file: string): string {
  return file.startsWith('-') ? `_${file}` : file
}

function writeFault(error: unknown, path: string): unknown {
  const code =
    error instanceof Error && 'syscall' in error ? (error as NodeJS.ErrnoException).code : undefined
  if (code === undefined) return error
  const says =
    code === 'EEXIST'
      ? `${path} exists; name another file with --out.`
      : `${path} cannot be written (${code}).`
  return new DaybookError('usage-invalid', says, { cause: error })
}
