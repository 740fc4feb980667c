import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, inject, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import { probeStore } from '../../src/stores/probe.ts'
import { s3Client } from '../../src/stores/s3-client.ts'
import { s3Store } from '../../src/stores/s3-store.ts'
import { runDaybook } from '../support/run-daybook.ts'
import { shiftedClock } from '../support/shifted-clock.ts'

const ceph = inject('ceph')
const host = { clock: systemClock, random: systemRandom }

describe.skipIf(ceph === undefined)('buckets of a real S3', () => {
  const client = ceph && s3Client({ ...ceph })

  async function bucketWith(lock: boolean): Promise<string> {
    const Bucket = `probe-${systemRandom.hex(12)}`
    await client!.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: lock }))
    return Bucket
  }
  const storeAt = (bucket: string, clock = systemClock) =>
    s3Store({ bucket, prefix: 'books', client: client!, clock, random: systemRandom })

  it('pass without versions, and say how far they protect what they hold', async () => {
    const store = storeAt(await bucketWith(false))
    expect((await probeStore(store, host)).filter(({ passed }) => !passed)).toEqual([])
    const level = await store.examine!()
    expect(level).toMatchObject({ versioning: 'off', lock: 'none', overwriting: 'allowed' })
    expect(Math.abs(level.aheadMs!)).toBeLessThan(5_000)
  })

  it('let several writers win a race where Ceph keeps versions, and doctor refuses them', async () => {
    const Bucket = await bucketWith(false)
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await client!.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
    const { code, stdout } = await runDaybook(['doctor', '--json'], {
      PATH: process.env.PATH ?? '',
      AWS_ACCESS_KEY_ID: ceph!.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ceph!.credentials.secretAccessKey,
      DAYBOOK_S3_ENDPOINT: ceph!.endpoint,
      DAYBOOK_STORE: `s3://${Bucket}`,
      DAYBOOK_API_TIMEOUT_SECONDS: '1',
    })
    expect(code).toBe(1)
    const { healthy, findings } = JSON.parse(stdout) as {
      healthy: boolean
      findings: { check: string; result: string; says: string }[]
    }
    expect(healthy).toBe(false)
    const failed = findings.filter(({ result }) => result === 'failed').map(({ check }) => check)
    expect(failed).toContain(`store s3://${Bucket}, one winner of a race`)
    expect(findings.find(({ check }) => check.endsWith('fit for use'))?.says).toContain('Amazon S3')
  })

  it('tell of a lock, of a policy that denies, and of clocks that differ', async () => {
    const Bucket = await bucketWith(true)
    await client!.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
        },
      }),
    )
    const late = shiftedClock()
    late.shift(systemClock.now().getTime() - late.now().getTime() + 3_600_000)
    const level = await storeAt(Bucket, late).examine!()
    expect(level).toMatchObject({ versioning: 'on', lock: 'governance for 1 days' })
    expect(level.aheadMs!).toBeLessThan(-3_590_000)

    const denied = await bucketWith(false)
    const Statement = [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${denied}/books/doctor/*/unconditional`,
      },
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await client!.send(new PutBucketPolicyCommand({ Bucket: denied, Policy }))
    expect(await storeAt(denied).examine!()).toMatchObject({ overwriting: 'denied' })
  })
})
