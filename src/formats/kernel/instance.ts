/** Starts a WebAssembly kernel. */

/** The little of WebAssembly that is used; the types of Node do not declare it. */
declare namespace WebAssembly {
  class Memory implements KernelMemory {
    constructor(size: { initial: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } })
    readonly exports: unknown
  }
}

export interface KernelMemory {
  /** Another one after every `grow`. */
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export const PAGE_BYTES = 65_536

/** Every kernel tells where the memory begins that it leaves to its caller. */
interface KernelExports {
  freeMemory(): number
}

/** The data of any kernel fits into so many (`--initialMemory` in test/support/build-kernel.ts). */
const FEWEST_PAGES = 16

/** A kernel from its committed bytes. */
export function startKernel<Kernel extends KernelExports>(
  base64: string,
  pages = FEWEST_PAGES,
): { kernel: Kernel; memory: KernelMemory } {
  const memory = new WebAssembly.Memory({ initial: pages })
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'))
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  return { kernel: instance.exports as Kernel, memory }
}
