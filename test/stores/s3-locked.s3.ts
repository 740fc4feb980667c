/**
 * Buckets that keep versions, on Ceph 20.2: conditions hold there one after the other, and not in a race. So
 * Daybook must not run on them, and the probe must find it out. Without versions Ceph keeps every promise.
 */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import { probeStore } from '../../src/stores/probe.ts'
import { s3Client } from '../../src/stores/s3-client.ts'
import { s3Store } from '../../src/stores/s3-store.ts'
import { bigStream, text } from '../support/objects.ts'

const ceph = inject('ceph')
const host = { random: systemRandom, clock: systemClock }

describe.skipIf(ceph === undefined)('a real S3 that keeps versions', () => {
  const versioned = 'daybook-versioned'
  const locked = 'daybook-locked'
  const client = s3Client({ ...ceph!, checksums: true })
  const storeIn = (bucket: string) => s3Store({ bucket, client, ...host, partSizeBytes: 5 * 2 ** 20 })

  beforeAll(async () => {
    await client.send(new CreateBucketCommand({ Bucket: versioned }))
    const VersioningConfiguration = { Status: 'Enabled' as const }
    await client.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration }))
    await client.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }))
    const DefaultRetention = { Mode: 'GOVERNANCE' as const, Days: 1 }
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' as const, Rule: { DefaultRetention } }
    await client.send(new PutObjectLockConfigurationCommand({ Bucket: locked, ObjectLockConfiguration }))
  })

  it('takes writes with checksums, whole and in parts, and keeps every version of what was replaced', async () => {
    const store = storeIn(locked)
    expect((await store.create('versions/parts', bigStream(11 * 2 ** 20))).outcome).toBe('created')
    const created = await store.create('versions/day', text('old'))
    if (created.outcome !== 'created') throw new Error('the key was taken')
    expect((await store.create('versions/day', text('again'))).outcome).toBe('exists')
    expect((await store.replace('versions/day', text('new'), created.etag)).outcome).toBe('replaced')
    expect((await store.replace('versions/day', text('newer'), created.etag)).outcome).toBe('stale')
    const listed = await client.send(
      new ListObjectVersionsCommand({ Bucket: locked, Prefix: 'versions/day' }),
    )
    const versions = listed.Versions?.map(({ VersionId }) => VersionId) ?? []
    expect(versions.length).toBe(2)
    for (const VersionId of versions) {
      const remove = new DeleteObjectCommand({ Bucket: locked, Key: 'versions/day', VersionId })
      await expect(client.send(remove)).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } })
    }
  })

  it.each([versioned, locked])(
    'is refused by the probe, for a race in %s has several winners',
    async bucket => {
      const findings = await probeStore(storeIn(bucket), host)
      const failed = findings.filter(({ passed }) => !passed).map(({ check }) => check)
      expect(failed).toContain('one winner of a race')
    },
  )

  it('passes the probe where no versions are kept', async () => {
    const findings = await probeStore(storeIn(ceph!.bucket), host)
    expect(findings.filter(({ passed }) => !passed)).toEqual([])
  })
})
