import { describe, inject } from 'vitest'
import { systemRandom } from '../../src/host.ts'
import { describeCrashMatrix } from '../contracts/crash-matrix.ts'

const ceph = inject('ceph')

describe.skipIf(ceph === undefined)('a real S3', () => {
  describeCrashMatrix('Ceph', async () => {
    const { bucket, endpoint, credentials } = ceph!
    return {
      env: {
        DAYBOOK_STORE: `s3://${bucket}/crash/${systemRandom.hex(16)}`,
        DAYBOOK_S3_ENDPOINT: endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      stop: async () => {},
    }
  })
})
