/**
 * Loaded before everything else: gives the sources work files in memory in place of `node:fs`. A source that
 * needs more of it than is there cannot be loaded, so nothing gets at the disk unnoticed.
 */
import { registerHooks } from 'node:module'

const SOURCES = new URL('../../src/', import.meta.url).href
const WORK_FILES = new URL('work-files.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const isDisk = specifier === 'node:fs' || specifier === 'node:fs/promises'
    return isDisk && context.parentURL?.startsWith(SOURCES) === true
      ? { url: WORK_FILES, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context)
  },
})
