import { defineConfig } from 'vitest/config'

/** The suite of `npm test`: everything that needs nothing but this machine and npm. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // One a core: left to itself, vitest keeps one of them free, which on a small machine is half of it.
    maxWorkers: '100%',
    maxConcurrency: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
