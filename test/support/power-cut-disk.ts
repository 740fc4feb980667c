/**
 * A disk that knows what would be left after a power cut: of a file the bytes that were flushed, of a name only
 * what stood in its folder when a flush of the folder began that has ended since. Flushes take their time.
 */
import { type FileHandle, link, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disk } from '../../src/stores/file-disk.ts'

export interface PowerCutDisk {
  readonly disk: Disk
  /** Whether the file at this path would be there, whole, were the power cut now. */
  survives(path: string): boolean
  /** How often a folder was flushed. */
  flushes(folder: string): number
}

export function powerCutDisk(flushMs: () => number): PowerCutDisk {
  const flushedFiles = new Set<string>()
  /** Names that stand, with the file each stands for, and those of them that last. */
  const names = new Map<string, string>()
  const lasting = new Set<string>()
  const flushes = new Map<string, number>()

  async function flush(path: string, isFolder: boolean, sync: () => Promise<void>): Promise<void> {
    if (!isFolder) {
      await sleep(flushMs())
      await sync()
      flushedFiles.add(path)
      return
    }
    flushes.set(path, (flushes.get(path) ?? 0) + 1)
    const begun = [...names.keys()].filter(name => dirname(name) === path)
    await sleep(flushMs())
    await sync()
    for (const name of begun) lasting.add(name)
  }

  const watchedOpen = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    const handle = await open(...args)
    const path = String(args[0])
    const isFolder = (await handle.stat()).isDirectory()
    const sync = handle.sync.bind(handle)
    handle.sync = () => flush(path, isFolder, sync)
    return handle
  }

  return {
    disk: {
      open: watchedOpen as typeof open,
      async link(from, to) {
        await link(from, to)
        names.set(String(to), names.get(String(from)) ?? String(from))
      },
      rename,
    },
    survives: path => lasting.has(path) && flushedFiles.has(names.get(path) ?? ''),
    flushes: folder => flushes.get(folder) ?? 0,
  }
}
