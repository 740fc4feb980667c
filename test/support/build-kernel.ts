/** `npm run build:kernel`: the kernels in AssemblyScript to WebAssembly, as text that is committed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const KERNELS = new URL('../../src/formats/kernel/', import.meta.url)
const pathOf = (name: string) => fileURLToPath(new URL(name, KERNELS))

/** Each is `<name>.as.ts`, and its compiled bytes `<name>-wasm.ts`. */
export const KERNEL_NAMES = ['group', 'scan']

const OPTIONS = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert', '--use', 'abort=']
const MEMORY = ['--importMemory', '--initialMemory', '16', '--zeroFilledMemory']

/** The module of a kernel that holds its compiled bytes. */
export function compileKernel(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-kernel-'))
  try {
    const target = join(folder, 'kernel.wasm')
    const asc = fileURLToPath(import.meta.resolve('assemblyscript/asc')).replace(
      /dist.asc\.js$/,
      'bin/asc.js',
    )
    execFileSync(process.execPath, [asc, pathOf(`${name}.as.ts`), '--outFile', target, ...OPTIONS, ...MEMORY])
    const text = readFileSync(target).toString('base64')
    const chunks = text.match(/.{1,100}/g)!.map(chunk => `  '${chunk}',`)
    return [
      `/** Made of ${name}.as.ts by \`npm run build:kernel\`; not to be edited. */`,
      'export const KERNEL_BASE64 = [',
      ...chunks,
      "].join('')",
      '',
    ].join('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of KERNEL_NAMES) writeFileSync(pathOf(`${name}-wasm.ts`), compileKernel(name))
}
