/** A folder on disk as an object store: the embedded default. Needs a POSIX file system with hard links. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, readdir, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DaybookError } from '../domain/errors.ts'
import { checkKey, checkPrefix } from '../domain/keys.ts'
import type { Random } from '../host.ts'
import {
  type Disk,
  type Home,
  isPlainFolder,
  linkOnce,
  makeFolder,
  objectInTheWay,
  onDisk,
  realDisk,
  refusedLink,
  removeTemporary,
  syncFolder,
  unlessMissing,
  writeTemporary,
} from './file-disk.ts'
import { find, firstGeneration, type Generation, hasGenerations, succeed } from './file-generations.ts'
import type {
  Body,
  ByteRange,
  CreateOutcome,
  ObjectHead,
  ObjectStore,
  ReplaceOutcome,
  StoredObject,
} from './object-store.ts'

export interface FileStoreOptions {
  readonly random: Random
  /** Calls of the disk to use in place of the real ones. */
  readonly disk?: Partial<Disk>
}

/**
 * The objects under `root`, which is made when it is missing. Any number of processes may use one folder.
 * Objects are plain files at `<root>/<key>`; `.tmp` and `.versions` beside them are the store's own.
 */
export function fileStore(root: string, options: FileStoreOptions): ObjectStore {
  const address = resolve(root)
  let opened: Promise<Home> | undefined
  const home = () => {
    opened ??= onDisk(() => openHome(address, options)).catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }

  return {
    address,
    get: async key => get(checkKey(key), await home()),
    head: async key => {
      checkKey(key)
      const opened = await home()
      const found = await onDisk(() => find(opened, key))
      return found && headOf(key, found)
    },
    create: async (key, body) => create(checkKey(key), body, await home()),
    replace: async (key, body, etag) => replace(checkKey(key), body, etag, await home()),
    async *list(prefix) {
      checkPrefix(prefix)
      yield* list(prefix, await home())
    },
    async *read(key, range) {
      checkKey(key)
      yield* read(key, range, await home())
    },
  }
}

async function openHome(address: string, options: FileStoreOptions): Promise<Home> {
  await mkdir(address, { recursive: true })
  const disk = { ...realDisk, ...options.disk }
  const flushes = { running: new Map(), waiting: new Map() }
  return { root: await realpath(address), disk, random: options.random, lasting: new Set(), flushes }
}

function headOf(key: string, { size, etag }: Generation): ObjectHead {
  return { key, size, etag }
}

async function create(key: string, body: Body, home: Home): Promise<CreateOutcome> {
  const path = join(home.root, key)
  return withTemporary(home, body, async temporary => {
    const [, replaced] = await Promise.all([makeFolder(home, dirname(path)), hasGenerations(home, key)])
    // Were the visible file deleted by hand, a new one would be taken for a generation left behind.
    if (replaced) return { outcome: 'exists' }
    const won = await linkOnce(home, temporary, path)
    if (!won) await refuseUnlessFile(path)
    // Also when it exists: its maker may not be this far yet, and our caller will rely on it.
    const lasts = syncFolder(home, dirname(path))
    const [made] = await Promise.all([won ? firstGeneration(temporary) : undefined, lasts])
    return made === undefined ? { outcome: 'exists' } : { outcome: 'created', etag: made.etag }
  })
}

async function refuseUnlessFile(path: string): Promise<void> {
  const there = await lstat(path)
  if (there.isSymbolicLink()) throw refusedLink()
  if (!there.isFile()) throw objectInTheWay()
}

async function replace(key: string, body: Body, etag: string, home: Home): Promise<ReplaceOutcome> {
  return withTemporary(home, body, async temporary => {
    const current = await find(home, key)
    if (current?.etag !== etag) return { outcome: 'stale' }
    const next = await succeed(home, key, current, temporary)
    return next === undefined ? { outcome: 'stale' } : { outcome: 'replaced', etag: next.etag }
  })
}

async function withTemporary<T>(home: Home, body: Body, use: (path: string) => Promise<T>): Promise<T> {
  const temporary = await writeTemporary(home, body)
  try {
    return await onDisk(() => use(temporary))
  } finally {
    await removeTemporary(temporary)
  }
}

async function get(key: string, home: Home): Promise<StoredObject | undefined> {
  const object = await onDisk(() => openObject(key, home))
  if (object === undefined) return undefined
  try {
    const bytes = await onDisk(() => object.handle.readFile())
    return { ...headOf(key, object.found), bytes }
  } finally {
    await onDisk(() => object.handle.close())
  }
}

async function* read(key: string, range: ByteRange | undefined, home: Home): AsyncGenerator<Uint8Array> {
  const object = await onDisk(() => openObject(key, home))
  if (object === undefined) throw new DaybookError('not-found', `There is no object ${key}.`)
  const end = Math.min(range?.end ?? object.found.size, object.found.size)
  try {
    let position = range?.start ?? 0
    while (position < end) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position))
      const { bytesRead } = await onDisk(() => object.handle.read(chunk, 0, chunk.length, position))
      if (bytesRead === 0) throw new DaybookError('store-unavailable', `The object ${key} was cut short.`)
      yield chunk.subarray(0, bytesRead)
      position += bytesRead
    }
  } finally {
    await onDisk(() => object.handle.close())
  }
}

const READ_BYTES = 256 * 1024

/** Opens the current generation, and makes sure that the file it opened is the one it found. */
async function openObject(
  key: string,
  home: Home,
): Promise<{ found: Generation; handle: FileHandle } | undefined> {
  for (;;) {
    const found = await find(home, key)
    if (found === undefined) return undefined
    const handle = await home.disk.open(found.path, constants.O_RDONLY | constants.O_NOFOLLOW)
    if ((await handle.stat({ bigint: true })).ino === found.inode) return { found, handle }
    await handle.close()
  }
}

async function* list(prefix: string, home: Home): AsyncGenerator<ObjectHead> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  yield* walk(home, folder, prefix.slice(folder.length))
}

/** The objects under `folder` (empty, or ending in `/`) whose first name begins with `start`. */
async function* walk(home: Home, folder: string, start: string): AsyncGenerator<ObjectHead> {
  for (const name of await onDisk(() => namesIn(home, folder))) {
    if (!name.startsWith(start) || !isKey(name)) continue
    if (name.endsWith('/')) {
      yield* walk(home, `${folder}${name}`, '')
    } else {
      const found = await onDisk(() => find(home, `${folder}${name}`))
      if (found !== undefined) yield headOf(`${folder}${name}`, found)
    }
  }
}

/**
 * The names in a folder in the order of the keys they begin. A folder counts as its name with the `/`
 * that follows it in a key: `a-b` comes before `a/`, though `a` comes before `a-b`.
 */
async function namesIn(home: Home, folder: string): Promise<string[]> {
  const path = resolve(home.root, folder)
  if (!(await isPlainFolder(path))) return []
  const entries = await unlessMissing(readdir(path, { withFileTypes: true }), [])
  const files = entries.filter(entry => entry.isFile()).map(entry => entry.name)
  const folders = entries.filter(entry => entry.isDirectory()).map(entry => `${entry.name}/`)
  return [...files, ...folders].sort()
}

/** Whether a name can stand in a key: the store's own folders cannot, nor can what people leave lying about. */
function isKey(name: string): boolean {
  try {
    return checkPrefix(name) === name
  } catch {
    return false
  }
}
