/** What a bucket is set to, beside what the probe tries: how far it protects facts from others, and its clock. */
import {
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { dayOf } from '../domain/calendar.ts'
import type { Clock, Random } from '../host.ts'
import type { StoreLevel } from './object-store.ts'
import { onS3, refusalOf } from './s3-fault.ts'

interface Examined {
  readonly bucket: string
  readonly prefix: string
  readonly client: S3Client
  readonly clock: Clock
  readonly random: Random
}

export async function examineBucket(examined: Examined): Promise<StoreLevel> {
  return {
    aheadMs: await clockOf(examined),
    versioning: await versioningOf(examined),
    lock: await lockOf(examined),
    overwriting: await overwritingOf(examined),
  }
}

/** How far the store's clock is ahead of this machine's, as far as a header in whole seconds tells. */
async function clockOf({ bucket: Bucket, client, prefix, clock }: Examined): Promise<number | undefined> {
  let date: string | undefined
  const command = new ListObjectsV2Command({ Bucket, Prefix: `${prefix}doctor/`, MaxKeys: 1 })
  command.middlewareStack.add(
    next => async args => {
      const answer = await next(args)
      const { headers } = answer.response as { headers?: Record<string, string> }
      date = headers?.date
      return answer
    },
    { step: 'deserialize', name: 'readDate' },
  )
  const before = clock.now().getTime()
  await onS3(client.send(command))
  const middle = (before + clock.now().getTime()) / 2
  const theirs = new Date(date ?? '').getTime()
  // The header cuts its second off.
  return Number.isNaN(theirs) ? undefined : Math.round(theirs + 500 - middle)
}

async function versioningOf({ bucket: Bucket, client }: Examined): Promise<StoreLevel['versioning']> {
  try {
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket }))
    return Status === 'Enabled' ? 'on' : 'off'
  } catch {
    // Whoever works with a bucket need not be allowed to read its settings.
    return 'unknown'
  }
}

async function lockOf({ bucket: Bucket, client }: Examined): Promise<StoreLevel['lock']> {
  try {
    const answer = await client.send(new GetObjectLockConfigurationCommand({ Bucket }))
    const { ObjectLockEnabled, Rule } = answer.ObjectLockConfiguration ?? {}
    if (ObjectLockEnabled !== 'Enabled') return 'none'
    const { Mode, Days, Years } = Rule?.DefaultRetention ?? {}
    if (Mode === undefined) return 'no retention'
    return `${Mode.toLowerCase()} for ${Days === undefined ? `${Years} years` : `${Days} days`}`
  } catch (error) {
    return refusalOf(error).name === 'ObjectLockConfigurationNotFoundError' ? 'none' : 'unknown'
  }
}

/** Writes over an object of our own without any condition, as whoever does not know the rules would. */
async function overwritingOf({
  bucket: Bucket,
  prefix,
  client,
  clock,
  random,
}: Examined): Promise<StoreLevel['overwriting']> {
  const Key = `${prefix}doctor/${dayOf(clock.now())}/${random.hex(16)}/unconditional`
  try {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: new Uint8Array() }))
    return 'allowed'
  } catch (error) {
    return refusalOf(error).status === 403 ? 'denied' : 'unknown'
  }
}
