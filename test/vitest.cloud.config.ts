import { defineConfig } from 'vitest/config'

/** The suites of `npm run test:cloud`: the bundled handlers on a real S3, with a small AWS around them. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.cloud.ts'],
    globalSetup: ['test/support/ceph/ceph.ts', 'test/support/lambda/bundles.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
})
