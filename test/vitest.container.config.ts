import { defineConfig } from 'vitest/config'

/** What the container's image holds, without a container: it installs packages, and so needs the registry. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.container.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
