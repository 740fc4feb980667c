import { describe, inject } from 'vitest'
import { describeS3Store } from '../contracts/s3-store.ts'

const ceph = inject('ceph')
const stop = async () => {}

describe.skipIf(ceph === undefined)('a real S3', () => {
  describeS3Store('Ceph', async () => ({ ...ceph!, stop }))
})
