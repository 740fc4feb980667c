import { execFile } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { HOSTILE_FILES } from './hostile-files.ts'

const CHILD = new URL('hostile-child.ts', import.meta.url).pathname
const ROOT = mkdtempSync(join(tmpdir(), 'daybook-hostile-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

/** The peak of the whole process, with the file that some cases hold in memory to begin with. */
const MOST_MIB = 400

/** Seconds on a quiet machine; far more on a busy one, and still no hang. */
const MOST_SECONDS = 120

describe('each ends in seconds, in bounded memory, with a name', () => {
  it.each(Object.entries(HOSTILE_FILES))(
    '%s',
    async (name, { expected, mostMib = MOST_MIB, onDisk, make }) => {
      const folder = mkdtempSync(join(ROOT, 'work-'))
      const path = join(ROOT, 'file.csv')
      if (onDisk) await pipeline((await make()).read(), createWriteStream(path))
      const args = [CHILD, name, folder, ...(onDisk ? [path] : [])]
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        timeout: MOST_SECONDS * 1000,
      })
      const { outcome, seconds, peakMib } = JSON.parse(stdout)
      console.log(`${name}: ${outcome} in ${seconds.toFixed(1)} s, ${peakMib.toFixed(0)} MiB`)
      expect(outcome).toBe(expected)
      expect(peakMib).toBeLessThan(mostMib)
      expect(seconds).toBeLessThan(MOST_SECONDS)
    },
  )
})
