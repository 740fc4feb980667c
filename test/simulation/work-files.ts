/**
 * The files that stages write while they work, in memory: the few calls of `node:fs` that they need, which are
 * done at once. A disk answers when it likes, and then no seed would go the same way twice.
 */
const files = new Map<string, Buffer>()

/** Nobody works in them any more. */
export function forgetWorkFiles(): void {
  files.clear()
}

export async function open(path: string, flags: string) {
  if (!flags.startsWith('w')) throw new Error(`Work files are opened to be written, not as ${flags}.`)
  files.set(path, Buffer.alloc(0))
  return {
    async write(bytes: Uint8Array, from: number, length: number, at: number) {
      const whole = bytesOf(path)
      const larger = Buffer.alloc(Math.max(whole.length, at + length))
      larger.set(whole)
      larger.set(bytes.subarray(from, from + length), at)
      files.set(path, larger)
      return { bytesWritten: length }
    },
    async read(into: Uint8Array, to: number, length: number, at: number) {
      const bytes = bytesOf(path).subarray(at, at + length)
      into.set(bytes, to)
      return { bytesRead: bytes.length }
    },
    async writeFile(bytes: Uint8Array) {
      files.set(path, Buffer.concat([bytesOf(path), bytes]))
    },
    async truncate(length: number) {
      files.set(path, Buffer.from(bytesOf(path).subarray(0, length)))
    },
    async close() {},
  }
}

export async function stat(path: string) {
  return { size: bytesOf(path).length }
}

export async function writeFile(path: string, text: string, { flag }: { flag: string }): Promise<void> {
  const before = flag === 'a' ? bytesOf(path) : Buffer.alloc(0)
  files.set(path, Buffer.concat([before, Buffer.from(text)]))
}

/** A stage that has ended removes its folder, and a file that it is done with. */
export async function rm(path: string): Promise<void> {
  for (const key of files.keys()) if (key === path || key.startsWith(`${path}/`)) files.delete(key)
}

/** Positions of the first and of the last byte, as `node:fs` has them. */
export async function* createReadStream(
  path: string,
  { start = 0, end }: { start?: number; end?: number } = {},
) {
  yield bytesOf(path).subarray(start, end === undefined ? undefined : end + 1)
}

function bytesOf(path: string): Buffer {
  const bytes = files.get(path)
  if (bytes === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
  return bytes
}
