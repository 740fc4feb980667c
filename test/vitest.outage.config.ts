import { defineConfig } from 'vitest/config'

/** The suite of `npm run test:outage`: stores that fail in their calls, under every stage. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.outage.ts'],
    maxConcurrency: 2,
    maxWorkers: 2,
  },
})
