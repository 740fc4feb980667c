import { defineConfig } from 'vitest/config'

/** Files made to exhaust memory or time, each read by a process of its own. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/hostile/**/*.hostile.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 30_000,
  },
})
