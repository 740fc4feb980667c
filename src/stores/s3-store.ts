/** Amazon S3, or any store that speaks it and honours conditional writes, as an object store. */
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { DaybookError } from '../domain/errors.ts'
import { checkKey, checkPrefix } from '../domain/keys.ts'
import type { Clock, Random } from '../host.ts'
import type { ByteRange, ObjectHead, ObjectStore, PresignOptions, StoredObject } from './object-store.ts'
import { onS3, refusalOf, s3Fault } from './s3-fault.ts'
import { type Bucket, quoted, writeObject } from './s3-write.ts'

export interface S3StoreOptions {
  readonly bucket: string
  /** Where in the bucket the store begins, such as `finance/daybook`; callers never see it. */
  readonly prefix?: string
  readonly client: S3Client
  readonly random: Random
  readonly clock: Clock
  /** A stream at least this long is written in parts; S3 takes none below 5 MiB, and 10,000 at most. */
  readonly partSizeBytes?: number
  /** How many objects one listing request asks for; S3 gives 1,000 at most. */
  readonly pageSize?: number
}

/** A place in a bucket. */
interface Place extends Bucket {
  readonly prefix: string
  readonly pageSize: number
}

export function s3Store(options: S3StoreOptions): ObjectStore & Required<Pick<ObjectStore, 'presign'>> {
  const { bucket, partSizeBytes = 8 * 1024 * 1024, pageSize = 1000 } = options
  const prefix = folderOf(options.prefix ?? '')
  const place: Place = { ...options, prefix, partSizeBytes, pageSize }
  const at = (key: string) => `${prefix}${checkKey(key)}`

  return {
    address: `s3://${bucket}/${prefix}`.replace(/\/$/, ''),
    get: async key => get(place, key, at(key)),
    head: async key => head(place, key, at(key)),
    async create(key, body) {
      const etag = await writeObject(place, at(key), body, { IfNoneMatch: '*' })
      return etag === undefined ? { outcome: 'exists' } : { outcome: 'created', etag }
    },
    async replace(key, body, etag) {
      const next = await writeObject(place, at(key), body, { IfMatch: etag })
      return next === undefined ? { outcome: 'stale' } : { outcome: 'replaced', etag: next }
    },
    async *list(start) {
      yield* list(place, checkPrefix(start))
    },
    async *read(key, range) {
      yield* read(place, key, at(key), range)
    },
    presign: async (key, presignOptions) => presign(place, at(key), presignOptions),
    examine: async () => (await import('./s3-examination.ts')).examineBucket(place),
  }
}

function folderOf(prefix: string): string {
  checkPrefix(prefix)
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
}

async function get(place: Place, key: string, path: string): Promise<StoredObject | undefined> {
  try {
    const { Body, ETag } = await place.client.send(new GetObjectCommand({ Bucket: place.bucket, Key: path }))
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array()
    return { key, size: bytes.length, etag: quoted(ETag), bytes }
  } catch (error) {
    if (refusalOf(error).name === 'NoSuchKey') return undefined
    throw s3Fault(error)
  }
}

async function head(place: Place, key: string, path: string): Promise<ObjectHead | undefined> {
  try {
    const answer = await place.client.send(new HeadObjectCommand({ Bucket: place.bucket, Key: path }))
    return { key, size: answer.ContentLength ?? 0, etag: quoted(answer.ETag) }
  } catch (error) {
    // An answer to HEAD has no body: a missing bucket looks like a missing object.
    if (refusalOf(error).status === 404) return undefined
    throw s3Fault(error)
  }
}

async function* list(place: Place, start: string): AsyncGenerator<ObjectHead> {
  const { bucket: Bucket, client, prefix, pageSize: MaxKeys } = place
  let ContinuationToken: string | undefined
  do {
    const page = new ListObjectsV2Command({ Bucket, Prefix: `${prefix}${start}`, MaxKeys, ContinuationToken })
    const { Contents = [], NextContinuationToken } = await onS3(client.send(page))
    for (const { Key = '', Size = 0, ETag } of Contents) {
      const key = Key.slice(prefix.length)
      if (isKey(key)) yield { key, size: Size, etag: quoted(ETag) }
    }
    ContinuationToken = NextContinuationToken
  } while (ContinuationToken !== undefined)
}

/** Whether an object can be ours; consoles leave empty objects such as `folder/` behind. */
function isKey(key: string): boolean {
  try {
    return checkKey(key) === key
  } catch {
    return false
  }
}

async function* read(
  place: Place,
  key: string,
  path: string,
  range: ByteRange | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    if (range?.end !== undefined && range.end <= range.start) {
      // S3 has no word for an empty range; that the object is there is still to be seen.
      if ((await head(place, key, path)) === undefined) throw missing(key)
      return
    }
    const Range = range && `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
    const { Body } = await place.client.send(new GetObjectCommand({ Bucket: place.bucket, Key: path, Range }))
    if (Body !== undefined) yield* Body as AsyncIterable<Uint8Array>
  } catch (error) {
    const { name, status } = refusalOf(error)
    if (name === 'NoSuchKey') throw missing(key)
    if (status !== 416) throw s3Fault(error)
  }
}

function missing(key: string): DaybookError {
  return new DaybookError('not-found', `There is no object ${key}.`)
}

async function presign(place: Place, path: string, options: PresignOptions): Promise<string> {
  const command = new GetObjectCommand({
    Bucket: place.bucket,
    Key: path,
    ResponseContentDisposition: attachment(options.fileName),
  })
  return onS3(getSignedUrl(place.client, command, { expiresIn: options.expiresInSeconds }))
}

/** The header that offers a download under this name (RFC 6266), whatever characters the name has. */
function attachment(fileName: string): string {
  const plain = fileName.replace(/[^A-Za-z0-9._ ()-]/g, '_')
  const exact = encodeURIComponent(fileName.toWellFormed()).replace(/['()*]/g, escapeByte)
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
