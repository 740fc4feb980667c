/**
 * Compare-and-swap on a disk, between processes and without locks.
 *
 * An object is created at its visible path, `<root>/<key>`: that is generation 1. Every generation is also
 * a hard link `<root>/.versions/<key>/<n>`, once there is a second one. To replace generation n is to link
 * n+1, which only one caller can do: the link is the swap, and the number is the comparison. Then the winner
 * publishes: it renames a link of its generation over the visible path, for readers who know nothing of
 * generations.
 *
 * 1. Link 1 is made before link 2, and the visible path changes only after link 2. So while there is no
 *    link, the visible path is generation 1; and link 1, made of the visible path unless it is there, can
 *    never be made of a later generation.
 * 2. `find` looks at the visible path first and at the links second. If it finds no links, then by (1) what
 *    it saw was generation 1; otherwise it takes the highest link, and links never change.
 * 3. A slow publisher may put an older generation over a newer one, but it looks at the links again after
 *    its rename and publishes once more if it fell behind. Whoever renames last has looked after it, so the
 *    visible path ends at the highest link.
 * 4. A publisher killed between link and rename leaves the visible path behind. Whoever finds it so next,
 *    publishes.
 *
 * Old generations are kept, as a versioned bucket keeps them: nothing is deleted, so nothing is in a hurry.
 */
import type { BigIntStats } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  codeOf,
  type Home,
  isPlainFolder,
  linkOnce,
  makeFolder,
  refusedLink,
  syncFolder,
  temporaryPath,
  unlessMissing,
} from './file-disk.ts'

export interface Generation {
  readonly path: string
  readonly number: number
  readonly inode: bigint
  readonly size: number
  readonly etag: string
}

/** The object's current generation, or `undefined` when there is no object. */
export async function find(home: Home, key: string): Promise<Generation | undefined> {
  const visible = await look(join(home.root, key))
  const newest = await newestNumber(home, key)
  if (newest === 0) return visible === undefined ? undefined : generation(join(home.root, key), 1, visible)
  const path = linkPath(home, key, newest)
  const linked = await lstat(path, { bigint: true })
  // Someone who may only read the disk is served all the same.
  if (visible?.ino !== linked.ino) await publish(home, key, newest).catch(() => {})
  return generation(path, newest, linked)
}

/** Whether the object was ever replaced, whatever became of its visible path. */
export async function hasGenerations(home: Home, key: string): Promise<boolean> {
  return (await newestNumber(home, key)) > 0
}

/** Makes the temporary file the successor of `current`. Answers false when another was faster. */
export async function succeed(
  home: Home,
  key: string,
  current: Generation,
  temporary: string,
): Promise<Generation | undefined> {
  const next = current.number + 1
  const path = linkPath(home, key, next)
  await makeFolder(home, dirname(path))
  if (current.number === 1) await linkFirst(home, key)
  const won = await linkOnce(home, temporary, path)
  await syncFolder(home, dirname(path))
  if (!won) return undefined
  await publish(home, key, next)
  return generation(path, next, await lstat(path, { bigint: true }))
}

/** The generation that a file just linked to its visible path is. */
export async function firstGeneration(path: string): Promise<Generation> {
  return generation(path, 1, await lstat(path, { bigint: true }))
}

async function linkFirst(home: Home, key: string): Promise<void> {
  try {
    await home.disk.link(join(home.root, key), linkPath(home, key, 1))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

async function publish(home: Home, key: string, from: number): Promise<void> {
  const visible = join(home.root, key)
  for (let shown = 0, newest = from; shown !== newest; newest = await newestNumber(home, key)) {
    const temporary = await temporaryPath(home)
    try {
      await home.disk.link(linkPath(home, key, newest), temporary)
      await home.disk.rename(temporary, visible)
    } finally {
      // A rename between two links of one file does nothing, and leaves the first where it was.
      await rm(temporary, { force: true })
    }
    shown = newest
  }
  await syncFolder(home, dirname(visible))
}

async function newestNumber(home: Home, key: string): Promise<number> {
  const folder = dirname(linkPath(home, key, 1))
  if (!(await isPlainFolder(folder))) return 0
  const names = await unlessMissing(readdir(folder), [])
  return names.reduce((newest, name) => (/^\d+$/.test(name) ? Math.max(newest, Number(name)) : newest), 0)
}

async function look(path: string): Promise<BigIntStats | undefined> {
  if (!(await isPlainFolder(dirname(path)))) return undefined
  const stats = await unlessMissing(lstat(path, { bigint: true }), undefined)
  if (stats?.isSymbolicLink()) throw refusedLink()
  return stats?.isFile() ? stats : undefined
}

function linkPath(home: Home, key: string, number: number): string {
  return join(home.root, '.versions', key, String(number))
}

function generation(path: string, number: number, stats: BigIntStats): Generation {
  const etag = `"${number}-${stats.mtimeNs}-${stats.size}"`
  return { path, number, inode: stats.ino, size: Number(stats.size), etag }
}
