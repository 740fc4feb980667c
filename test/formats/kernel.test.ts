/** What is committed is what the sources say. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compileKernel, KERNEL_NAMES } from '../support/build-kernel.ts'

it.each(KERNEL_NAMES)('the committed kernel %s is that of its source', { timeout: 60_000 }, name => {
  const committed = new URL(`../../src/formats/kernel/${name}-wasm.ts`, import.meta.url)
  expect(readFileSync(committed, 'utf8')).toBe(compileKernel(name))
})
