/** A disk that fails as planned: in every call that a store makes of it, and of every file it opens there. */
import { type FileHandle, link, open, rename } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disk } from '../../src/stores/file-disk.ts'
import type { FaultPlan } from './fault-plan.ts'

export const DISK_TROUBLES = [
  /** Nothing is done: `ENOSPC`, `EACCES`. */
  'is full',
  'denies',
  /** It is done, and an error is answered. */
  'loses answers',
  /** Half of a write is done; anything else is not. */
  'writes half',
  /** It is done, and done again, as a network disk does that lost an answer. */
  'does it twice',
  'is slow',
] as const
export type DiskTrouble = (typeof DISK_TROUBLES)[number]

const SLOW_MS = 10

export function faultyDisk(plan: FaultPlan<DiskTrouble>): Disk {
  async function through<T>(
    work: (trouble: DiskTrouble | undefined) => Promise<T>,
    half?: () => Promise<unknown>,
  ): Promise<T> {
    const trouble = plan.next()
    if (trouble === 'is full') throw diskError('ENOSPC')
    if (trouble === 'denies') throw diskError('EACCES')
    if (trouble === 'writes half') {
      await half?.()
      throw diskError('ENOSPC')
    }
    if (trouble === 'is slow') await sleep(SLOW_MS)
    const answer = await work(trouble)
    if (trouble === 'loses answers') throw diskError('EIO')
    return answer
  }

  const faultyOpen = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    let opened: FileHandle | undefined
    try {
      return faulty(
        await through(async () => {
          opened = await open(...args)
          return opened
        }),
      )
    } catch (error) {
      await opened?.close()
      throw error
    }
  }

  function faulty(handle: FileHandle): FileHandle {
    const calls: Record<string, (...args: never[]) => Promise<unknown>> = {
      writeFile: (data: Uint8Array) =>
        through(
          () => handle.writeFile(data),
          () => handle.writeFile(data.subarray(0, data.length >> 1)),
        ),
      sync: () => through(() => handle.sync()),
      readFile: () => through(() => handle.readFile()),
      read: (...args: Parameters<FileHandle['read']>) => through(() => handle.read(...args)),
      // Closed whatever is answered, as the system does it.
      close: () =>
        through(
          () => handle.close(),
          () => handle.close(),
        ).catch(async error => {
          await handle.close().catch(() => {})
          throw error
        }),
    }
    return new Proxy(handle, {
      get(target, name) {
        const call = calls[String(name)]
        if (call !== undefined) return call
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  return {
    open: faultyOpen as typeof open,
    link: (existing, path) =>
      through(async trouble => {
        await link(existing, path)
        if (trouble === 'does it twice') await link(existing, path)
      }),
    rename: (from, to) => through(() => rename(from, to)),
  }
}

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: planned`), { code, syscall: 'planned' })
}
