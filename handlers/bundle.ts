/** `npm run build:handlers`: what is deployed of each handler, in a folder of its own. */
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

export const STAGES = ['submit', 'receive', 'archive', 'parse', 'snapshot', 'reconcile', 'sweep'] as const
export type Stage = (typeof STAGES)[number]

const ROOT = resolve(import.meta.dirname, '..')
const BUILD_FOLDER = join(ROOT, 'infra', '.build')

/** The thread that works on row groups is started by its address, so it is an entry of its own. */
const THREAD = { 'group-thread': 'src/formats/group-thread.ts' }
const WITH_THREAD: readonly Stage[] = ['parse', 'sweep']

/** Some packages are CommonJS, and call a `require` that a module does not have. */
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"

/** The schemas' messages in forty languages, of which English is all that is ever set. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: '' })),
}

/** Bundles one handler into `folder`/`stage`; `index.mjs` is its entry. Answers what went into it. */
export async function bundleHandler(stage: Stage, folder = BUILD_FOLDER): Promise<Metafile> {
  const outdir = join(folder, stage)
  await rm(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { index: `handlers/${stage}.ts`, ...(WITH_THREAD.includes(stage) ? THREAD : {}) },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported only when it is needed is a file that is read only then.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    mainFields: ['module', 'main'],
    legalComments: 'none',
    plugins: [withoutLocales],
    banner: { js: REQUIRE },
    metafile: true,
    logLevel: 'warning',
  })
  return metafile
}

if (import.meta.main) {
  for (const stage of STAGES) {
    const { outputs } = await bundleHandler(stage)
    const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
    process.stdout.write(`${stage.padEnd(10)}${(bytes / 1024).toFixed(0).padStart(6)} KiB\n`)
  }
}
