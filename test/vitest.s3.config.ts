import { defineConfig } from 'vitest/config'

/** The suites that need a real S3: `npm run test:s3`. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.s3.ts'],
    globalSetup: ['test/support/ceph/ceph.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
