/** What the folder store asks of a disk: whole files, links only one caller can make, folders that last. */
import { constants } from 'node:fs'
import { link, lstat, mkdir, open, readdir, realpath, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DaybookError, type FaultCode } from '../domain/errors.ts'
import { mayBeAlive, processName, type Random } from '../host.ts'
import type { Body } from './object-store.ts'

/** The calls of `node:fs` that can fail halfway; an input, so that a test can play a failing disk. */
export interface Disk {
  readonly link: typeof link
  readonly open: typeof open
  readonly rename: typeof rename
}

export const realDisk: Disk = { link, open, rename }

/** A store's folder, opened. `root` is absolute and free of symbolic links. */
export interface Home {
  readonly root: string
  readonly disk: Disk
  readonly random: Random
  /** The folders this process has seen to last: they and all above them were flushed to the disk. */
  readonly lasting: Set<string>
  /** The flushes of folders that are under way, and those that wait for these to end. */
  readonly flushes: {
    readonly running: Map<string, Promise<void>>
    readonly waiting: Map<string, Promise<void>>
  }
}

const FAULT_OF: Readonly<Record<string, readonly [FaultCode, string]>> = {
  ENOSPC: ['store-unavailable', 'its disk is full'],
  EDQUOT: ['store-unavailable', 'its disk quota is used up'],
  EMFILE: ['store-unavailable', 'this process has too many files open'],
  ENFILE: ['store-unavailable', 'this machine has too many files open'],
  EACCES: ['store-refused', 'this user has no permission'],
  EPERM: ['store-refused', 'this user has no permission, or its file system has no hard links'],
  ENOTSUP: ['store-refused', 'its file system has no hard links'],
  EXDEV: ['store-refused', 'it is spread over several file systems'],
  EROFS: ['store-refused', 'its file system is read-only'],
  ENAMETOOLONG: ['store-refused', 'a part of the key is longer than its file system allows'],
  EEXIST: ['store-refused', 'a file stands where it or a folder in it should be'],
  ENOTDIR: [
    'store-refused',
    'a part of its path is a file, or a part of the key is already an object, which on a disk cannot hold others',
  ],
  ELOOP: ['store-refused', 'the key leads through a symbolic link'],
}

/** The system's name for an error, such as `ENOENT`, or `undefined`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error ? (error as NodeJS.ErrnoException).code : undefined
}

/** Runs `work`, and turns what the system says of the disk into a fault. The message holds no path. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined) throw error
    const [fault, reason] = FAULT_OF[code] ?? ['store-unavailable', 'its disk does not answer as it should']
    throw new DaybookError(fault, `The store's folder cannot be used: ${reason} (${code}).`, {
      details: { code },
      cause: error,
    })
  }
}

/** Answers `missing` when `work` fails because there is no such file. */
export async function unlessMissing<T, M>(work: Promise<T>, missing: M): Promise<T | M> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return missing
    throw error
  }
}

/** Throws when a symbolic link stands on the way to `folder`; answers whether the folder is there. */
export async function isPlainFolder(folder: string): Promise<boolean> {
  const real = await unlessMissing(realpath(folder), undefined)
  if (real !== undefined && real !== folder) throw refusedLink()
  return real !== undefined
}

export function refusedLink(): DaybookError {
  return new DaybookError(
    'store-refused',
    'The store follows no symbolic links, and the key leads through one.',
  )
}

/** Makes `folder` with all above it, up to the root, so that they outlive a power cut. */
export async function makeFolder(home: Home, folder: string): Promise<void> {
  if (folder === home.root || (home.lasting.has(folder) && (await isPlainFolder(folder)))) return
  await makeFolder(home, dirname(folder))
  await mkdir(folder).catch(error => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
  const made = await lstat(folder)
  if (made.isSymbolicLink()) throw refusedLink()
  if (!made.isDirectory()) throw objectInTheWay()
  await syncFolder(home, dirname(folder))
  home.lasting.add(folder)
}

/** The fault of a key that is an object where another key needs a folder, or the other way round. */
export function objectInTheWay(): DaybookError {
  const message = 'On a disk an object cannot also be a folder of others, and this key would make it one.'
  return new DaybookError('store-refused', message)
}

/**
 * Makes the names in a folder last: a file's own flush says nothing of the name it was given. Those who wait
 * for the same folder share one flush. It begins after the last of them has asked, so after its name was made;
 * one that is under way already may have begun too early, and is waited for but not relied on.
 */
export function syncFolder({ disk, flushes }: Home, folder: string): Promise<void> {
  const waiting = flushes.waiting.get(folder)
  if (waiting !== undefined) return waiting
  const earlier = flushes.running.get(folder) ?? Promise.resolve()
  const flush = earlier
    .catch(() => {})
    .then(() => {
      flushes.waiting.delete(folder)
      flushes.running.set(folder, flush)
      return flushFolder(disk, folder)
    })
    .finally(() => {
      if (flushes.running.get(folder) === flush) flushes.running.delete(folder)
    })
  flushes.waiting.set(folder, flush)
  return flush
}

async function flushFolder(disk: Disk, folder: string): Promise<void> {
  const handle = await disk.open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes a temporary file; one that is gone, or cannot be removed, harms nobody. */
export async function removeTemporary(path: string): Promise<void> {
  await unlink(path).catch(() => {})
}

/** Writes `body` to a temporary file, flushed, and answers its path. Leaves nothing when it throws. */
export async function writeTemporary(home: Home, body: Body): Promise<string> {
  const path = await onDisk(() => temporaryPath(home))
  const handle = await onDisk(() => home.disk.open(path, 'wx'))
  try {
    try {
      // An error of the body is not the disk's: it passes as it is.
      for await (const chunk of chunksOf(body)) await onDisk(() => handle.writeFile(chunk))
      await onDisk(() => handle.sync())
    } finally {
      await onDisk(() => handle.close())
    }
  } catch (error) {
    await removeTemporary(path)
    throw error
  }
  return path
}

function chunksOf(body: Body): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? [body] : body
}

/**
 * Links `temporary` to `path` unless something is there: of any number of callers exactly one answers true.
 * A network disk may carry out a link, lose the answer and ask again, so a refusal is believed only when
 * what is there is not our own file.
 */
export async function linkOnce(home: Home, temporary: string, path: string): Promise<boolean> {
  try {
    await home.disk.link(temporary, path)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const [ours, there] = await Promise.all([lstat(temporary), lstat(path)])
    return ours.ino === there.ino && ours.dev === there.dev
  }
}

/** A path for a temporary file that nobody else has. */
export async function temporaryPath(home: Home): Promise<string> {
  const folder = join(home.root, '.tmp')
  // The store's own folder, which no key names: what it is need not be asked again for every object.
  if (!home.lasting.has(folder)) {
    await makeFolder(home, folder)
    await removeAbandoned(folder)
  }
  return join(folder, `${processName()}:${home.random.hex(24)}`)
}

/** Removes the temporary files of processes of this host that are no more. Other hosts see to their own. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, owner] = /^(.+:\d+):[0-9a-f]+$/.exec(name) ?? []
    if (owner !== undefined && !mayBeAlive(owner)) await rm(join(folder, name), { force: true })
  }
}
