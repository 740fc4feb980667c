import { spawn } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeWorkFolder } from '../src/host.ts'

describe('a work folder', () => {
  it('is fresh, and takes the folders of dead processes of this machine away', async () => {
    const first = await makeWorkFolder()
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    await new Promise(ended => child.on('exit', ended))
    const dead = first.replace(`:${process.pid}-`, `:${child.pid}-`)
    const foreign = join(tmpdir(), `daybook-work-another-host:${child.pid}-abcdef`)
    for (const folder of [dead, foreign]) {
      await mkdir(folder)
      await writeFile(join(folder, 'rows'), 'x')
    }
    const second = await makeWorkFolder()
    const left = await readdir(tmpdir())
    expect(left).not.toContain(basename(dead))
    expect(left).toEqual(expect.arrayContaining([first, second, foreign].map(folder => basename(folder))))
    expect(await readdir(second)).toEqual([])
    for (const folder of [first, second, foreign]) await rm(folder, { recursive: true, force: true })
  })
})
