import { describe, inject } from 'vitest'
import { describeS3Flow } from '../contracts/s3-flow.ts'

const ceph = inject('ceph')

describe.skipIf(ceph === undefined)('a real S3', () => {
  describeS3Flow('Ceph', async () => ({ ...ceph!, stop: async () => {} }))
})
