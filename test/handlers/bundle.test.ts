import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleHandler } from '../../handlers/bundle.ts'

describe('the bundle of receive', () => {
  let folder: string
  let metafile: Metafile
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-bundle-'))
    metafile = await bundleHandler('receive', folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const entry = () => Object.entries(metafile.outputs).find(([path]) => basename(path) === 'index.mjs')!

  /** What is read at the start: the entry, and what that imports without waiting. */
  function inputsAtStart(): string[] {
    const seen = new Set<string>()
    const waiting = [entry()[0]]
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      const { imports } = metafile.outputs[path]!
      const next = imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true)
      waiting.push(...next.map(({ path: target }) => target))
    }
    return [...seen].flatMap(path => Object.keys(metafile.outputs[path]!.inputs))
  }

  it('holds nothing of parsing, of the command line or of the server', () => {
    const all = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
    const foreign =
      /^src\/(formats|cli|server|sandbox)\/|node_modules\/(hyparquet|yauzl|sax|express|raw-body|commander|@duckdb)\/|client-eventbridge/
    expect(all.filter(path => foreign.test(path))).toEqual([])
    expect(all.some(path => path === 'src/stages/receive.ts')).toBe(true)
  })

  it('starts without what most callbacks do not need', () => {
    const later =
      /node_modules\/undici\/|node_modules\/zod\/v4\/locales\/(?!(?:en|index)\.js)|client-s3\/|client-secrets-manager\//
    expect(inputsAtStart().filter(path => later.test(path))).toEqual([])
    expect(entry()[1].bytes).toBeLessThan(640 * 1024)
  })
})
