import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import { s3Client } from '../../src/stores/s3-client.ts'
import { s3Store } from '../../src/stores/s3-store.ts'
import { describeS3Store } from '../contracts/s3-store.ts'
import { bigStream, text } from '../support/objects.ts'
import { type S3StandIn, startS3StandIn } from '../support/s3-stand-in.ts'

describeS3Store('S3, stood in for', startS3StandIn)

describe('a bucket that retains by default, stood in for', () => {
  let s3: S3StandIn
  beforeAll(async () => {
    s3 = await startS3StandIn(undefined, { locked: true })
  })
  afterAll(() => s3?.stop())

  const storeWith = (checksums: boolean) =>
    s3Store({
      bucket: s3.bucket,
      client: s3Client({ endpoint: s3.endpoint, credentials: s3.credentials, checksums }),
      random: systemRandom,
      clock: systemClock,
      partSizeBytes: 5 * 2 ** 20,
    })

  it('takes what carries a checksum, whole and in parts, and nothing else', async () => {
    await expect(storeWith(false).create('whole', text('x'))).rejects.toMatchObject({ code: 'store-refused' })
    const created = { outcome: 'created' }
    expect(await storeWith(true).create('whole', text('x'))).toMatchObject(created)
    expect(await storeWith(true).create('parts', bigStream(11 * 2 ** 20))).toMatchObject(created)
    expect(await storeWith(true).create('parts', bigStream(11 * 2 ** 20))).toEqual({ outcome: 'exists' })
  })

  it('is written to with checksums unless another store is named', async () => {
    const calculation = (options: Parameters<typeof s3Client>[0]) =>
      s3Client({ region: 'eu-west-1', ...options }).config.requestChecksumCalculation()
    expect(await calculation({})).toBe('WHEN_SUPPORTED')
    expect(await calculation({ endpoint: s3.endpoint })).toBe('WHEN_REQUIRED')
  })
})
