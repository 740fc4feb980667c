/** JSON files that survive a kill: written beside, flushed, then renamed into place. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { writePrettyJson } from '../domain/json.ts'
import { parsePlainJson } from './plain-json.ts'

export interface StateFolder {
  /** On disk when it returns. Synchronous, so that nothing comes between a decision and its record. */
  write(name: string, value: unknown): void
  read(name: string): unknown
  /** The names in a folder. */
  list(folder: string): string[]
}

/** A folder on disk; without a path a sandbox that forgets everything when it ends. */
export function openStateFolder(path: string | undefined): StateFolder {
  if (path === undefined) return { write: () => {}, read: () => undefined, list: () => [] }
  mkdirSync(path, { recursive: true })
  return {
    write: (name, value) => writeDurably(join(path, name), writePrettyJson(value)),
    read: name => whenThere(() => parsePlainJson(readFileSync(join(path, name), 'utf8'))),
    list: folder =>
      (whenThere(() => readdirSync(join(path, folder))) ?? [])
        .filter(name => name.endsWith('.json'))
        .map(name => `${folder}/${name}`),
  }
}

function writeDurably(path: string, text: string): void {
  const beside = `${path}.new`
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(beside, 'w', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  flushFolder(dirname(path))
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function whenThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
