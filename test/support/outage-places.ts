/** The stores that an outage befalls. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '../../src/host.ts'
import { fileStore } from '../../src/stores/file-store.ts'
import { s3Client } from '../../src/stores/s3-client.ts'
import { s3Store } from '../../src/stores/s3-store.ts'
import type { OutageKind } from '../contracts/outage.ts'
import { faultPlan } from './fault-plan.ts'
import { DISK_TROUBLES, type DiskTrouble, faultyDisk } from './faulty-disk.ts'
import { S3_TROUBLES, type S3Trouble, startS3StandIn } from './s3-stand-in.ts'

export const FOLDER: OutageKind<DiskTrouble> = {
  troubles: DISK_TROUBLES,
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'daybook-outage-store-'))
    const plan = faultPlan<DiskTrouble>()
    return {
      plan,
      store: fileStore(root, { random: systemRandom, disk: faultyDisk(plan) }),
      stop: () => rm(root, { recursive: true, force: true }),
    }
  },
}

export const S3: OutageKind<S3Trouble> = {
  troubles: S3_TROUBLES,
  async open() {
    const plan = faultPlan<S3Trouble>()
    const standIn = await startS3StandIn(plan)
    const { endpoint, bucket, credentials } = standIn
    const client = s3Client({ endpoint, credentials })
    await retryAtOnce(client)
    // Waits between conflicts are cut short: nobody else writes here.
    const clock = { now: systemClock.now, sleep: () => systemClock.sleep(1) }
    return {
      plan,
      store: s3Store({ bucket, client, clock, random: systemRandom }),
      async stop() {
        client.destroy()
        await standIn.stop()
      },
    }
  },
}

/** The SDK's own tries stay as they are, but for the time between them. */
async function retryAtOnce(client: ReturnType<typeof s3Client>): Promise<void> {
  const strategy = (await client.config.retryStrategy()) as unknown as {
    retryBackoffStrategy: { computeNextBackoffDelay(attempts: number): number }
  }
  if (typeof strategy.retryBackoffStrategy?.computeNextBackoffDelay !== 'function')
    throw new Error('the SDK waits between tries in another way now')
  strategy.retryBackoffStrategy.computeNextBackoffDelay = () => 0
}
