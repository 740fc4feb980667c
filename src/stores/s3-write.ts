/** Conditional writes to S3, and finding out what became of them. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Clock, Random } from '../host.ts'
import type { Body } from './object-store.ts'
import { onS3, refusalOf, s3Fault } from './s3-fault.ts'

/** A bucket and what is needed to write to it. */
export interface Bucket {
  readonly bucket: string
  readonly client: S3Client
  readonly random: Random
  readonly clock: Clock
  readonly partSizeBytes: number
}

/** What must hold of the key for the write to happen: that nothing is there, or exactly this. */
export type Condition = { readonly IfNoneMatch: '*' } | { readonly IfMatch: string }

/** One object to be written. The id is kept with it, so that its writer can recognise it. */
interface Write {
  readonly key: string
  readonly condition: Condition
  readonly id: string
}

const ID_NAME = 'daybook-write'
const MOST_CONFLICTS = 10

/** Writes the object if `condition` holds. Answers its ETag, or `undefined` when the condition did not hold. */
export async function writeObject(
  to: Bucket,
  key: string,
  body: Body,
  condition: Condition,
): Promise<string | undefined> {
  const write = { key, condition, id: to.random.hex(32) }
  if (body instanceof Uint8Array) return putWhole(to, write, body)
  const parts = partsOf(body, to.partSizeBytes)
  try {
    const first = await parts.next()
    if (first.done) return await putWhole(to, write, new Uint8Array())
    if (first.value.length < to.partSizeBytes) return await putWhole(to, write, first.value)
    return await putParts(to, write, first.value, parts)
  } finally {
    await parts.return(undefined)
  }
}

function putWhole(to: Bucket, write: Write, bytes: Uint8Array): Promise<string | undefined> {
  const { bucket: Bucket, client } = to
  const { key: Key, condition, id } = write
  const metadata = { [ID_NAME]: id }
  return settle(to, write, () =>
    client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, Metadata: metadata, ...condition })),
  )
}

/**
 * Writes a long object in parts; it is visible only once they are put together. Not lib-storage's `Upload`:
 * that throws the parts away at the first refusal, and a stream cannot be sent a second time.
 */
async function putParts(
  to: Bucket,
  write: Write,
  first: Uint8Array,
  others: AsyncIterator<Uint8Array, undefined>,
): Promise<string | undefined> {
  const { bucket: Bucket, client } = to
  const { key: Key, condition, id } = write
  // Parts bring the checksum that the upload was begun with, or none.
  const isChecked = (await client.config.requestChecksumCalculation()) === 'WHEN_SUPPORTED'
  const begin = new CreateMultipartUploadCommand({
    Bucket,
    Key,
    Metadata: { [ID_NAME]: id },
    ...(isChecked ? { ChecksumAlgorithm: 'CRC32' } : {}),
  })
  const { UploadId } = await onS3(client.send(begin))
  const upload = { Bucket, Key, UploadId }
  let etag: string | undefined
  try {
    const Parts = await sendParts(client, upload, first, others)
    etag = await settle(to, write, () =>
      client.send(
        new CompleteMultipartUploadCommand({ ...upload, ...condition, MultipartUpload: { Parts } }),
      ),
    )
    return etag
  } finally {
    // Parts cost money until they are put together or thrown away.
    if (etag === undefined) await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {})
  }
}

/** Sends each part while the next one is read. */
async function sendParts(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  first: Uint8Array,
  others: AsyncIterator<Uint8Array, undefined>,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = []
  for (let part: Uint8Array | undefined = first; part !== undefined; ) {
    const PartNumber = parts.length + 1
    const sending: Promise<CompletedPart> = onS3(
      client.send(new UploadPartCommand({ ...upload, PartNumber, Body: part })),
    )
    // Both are awaited even when one fails: a part that arrives after the abort would stay for ever.
    const [next, sent] = await Promise.allSettled([others.next(), sending])
    if (next.status === 'rejected') throw next.reason
    if (sent.status === 'rejected') throw sent.reason
    // An upload that was begun with checksums is put together only with those of all its parts.
    parts.push({ PartNumber, ETag: sent.value.ETag, ChecksumCRC32: sent.value.ChecksumCRC32 })
    part = next.value.value
  }
  return parts
}

/** Cuts a stream into parts of exactly `size` bytes, the last one shorter. */
async function* partsOf(
  body: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    for (let rest = chunk; rest.length > 0; ) {
      const piece = rest.subarray(0, size - length)
      rest = rest.subarray(piece.length)
      held.push(piece)
      length += piece.length
      if (length < size) continue
      yield Buffer.concat(held)
      held = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(held)
}

/**
 * Sends a conditional write until it is known what became of it: its ETag, or `undefined` when the condition
 * did not hold. No refusal is believed before the object was looked at, because the SDK sends a write again
 * when its answer was lost, and then the write is refused for its own sake:
 *
 * - the object carries our id: the write happened, whatever was answered;
 * - the condition holds no longer, or the store says so (412): someone else was faster;
 * - 409 says only that another write was under way: try again;
 * - anything else is a fault. It may still happen, and a later call finds out.
 *
 * One thing cannot be seen: a write that happened, lost its answer, and was replaced at once. It is taken
 * for one that did not happen.
 */
async function settle(
  to: Bucket,
  write: Write,
  send: () => Promise<{ ETag?: string | undefined }>,
): Promise<string | undefined> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      return quoted((await send()).ETag)
    } catch (error) {
      const fault = s3Fault(error)
      if (fault.code === 'store-refused') throw fault
      const current = await lookAt(to, write.key)
      if (current?.id === write.id) return current.etag
      const { status } = refusalOf(error)
      if (status === 412 || !holds(write.condition, current)) return undefined
      if (status !== 409 || conflicts === MOST_CONFLICTS) throw fault
    }
    await to.clock.sleep(to.random.fraction() * Math.min(1000, 25 * 2 ** conflicts))
  }
}

function holds(condition: Condition, current: { etag: string } | undefined): boolean {
  return 'IfMatch' in condition ? current?.etag === condition.IfMatch : current === undefined
}

async function lookAt(
  at: Bucket,
  key: string,
): Promise<{ etag: string; id: string | undefined } | undefined> {
  try {
    const head = await at.client.send(new HeadObjectCommand({ Bucket: at.bucket, Key: key }))
    return { etag: quoted(head.ETag), id: head.Metadata?.[ID_NAME] }
  } catch (error) {
    if (refusalOf(error).status === 404) return undefined
    throw s3Fault(error)
  }
}

/** ETags are compared and sent with their quotes; not every store answers with them. */
export function quoted(etag: string | undefined): string {
  if (etag === undefined) return ''
  return etag.startsWith('"') ? etag : `"${etag}"`
}
