import { defineConfig } from 'vitest/config'

/** The suite of `npm run test:crash`: processes killed at every moment. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.crash.ts'],
    maxConcurrency: 2,
  },
})
