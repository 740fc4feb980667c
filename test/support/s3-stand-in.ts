/** A stand-in of S3 for tests: in memory, on loopback, with the semantics of conditional writes. */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { FaultPlan } from './fault-plan.ts'

interface S3Object {
  readonly bytes: Buffer
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly checksum?: string | undefined
}

interface Upload {
  readonly key: string
  /** Begun with a checksum's name: then the list of its parts must bring the checksum of each. */
  readonly checked: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly parts: Map<number, S3Object>
}

/** What a client needs to reach an S3 store. */
export interface S3Place {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export interface S3StandIn extends S3Place {
  stop(): Promise<void>
}

export const S3_TROUBLES = [
  /** Not carried out, and answered: 503 SlowDown, 500 InternalError, 403 AccessDenied. */
  'is overloaded',
  'fails',
  'denies',
  /** Not carried out, and not answered. */
  'resets',
  /** Carried out, and not answered. */
  'loses answers',
  /** A conditional write is not carried out: 409 ConditionalRequestConflict. */
  'answers 409',
  /** A conditional write is carried out, and then refused for its own sake: 412 PreconditionFailed. */
  'answers 412 to its own success',
  /** Carried out, and the connection breaks in the middle of the answer's body. */
  'cuts answers',
  'is slow',
] as const
export type S3Trouble = (typeof S3_TROUBLES)[number]

const SLOW_MS = 20

const INSTEAD: Partial<Record<S3Trouble, readonly [number, string]>> = {
  'is overloaded': [503, 'SlowDown'],
  fails: [500, 'InternalError'],
  denies: [403, 'AccessDenied'],
  'answers 409': [409, 'ConditionalRequestConflict'],
}

/** Whether a trouble can befall a request: some are about conditional writes, one about bodies. */
function befalls({ method, headers }: IncomingMessage): (trouble: S3Trouble) => boolean {
  const isConditional = headers['if-none-match'] !== undefined || headers['if-match'] !== undefined
  return trouble => {
    if (trouble === 'cuts answers') return method === 'GET'
    return isConditional || (trouble !== 'answers 409' && trouble !== 'answers 412 to its own success')
  }
}

/** An answer other than 200, thrown by whatever finds it necessary. */
class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

interface Request {
  readonly message: IncomingMessage
  readonly key: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string | number>
  readonly body?: Buffer | string
}

const SMALLEST_PART = 5 * 1024 * 1024

export interface S3StandInOptions {
  /** A bucket with a default retention takes no bytes without a checksum. */
  readonly locked?: boolean
}

/** Starts the stand-in on a free port. Signatures are not checked, the access key is. */
export async function startS3StandIn(
  plan?: FaultPlan<S3Trouble>,
  options: S3StandInOptions = {},
): Promise<S3StandIn> {
  const bucket = 'daybook-test'
  const credentials = { accessKeyId: 'stand-in', secretAccessKey: 'stand-in-secret' }
  const answer = standIn(options)
  const server = createServer(async (message, response) => {
    try {
      const url = new URL(message.url ?? '/', 'http://stand-in')
      const [name = '', ...segments] = url.pathname.slice(1).split('/').map(decodeURIComponent)
      const body = await bodyOf(message)
      if (accessKeyOf(message, url) !== credentials.accessKeyId) throw new Refused(403, 'InvalidAccessKeyId')
      if (name !== bucket) throw new Refused(404, 'NoSuchBucket')
      const trouble = plan?.next(befalls(message))
      const instead = trouble === undefined ? undefined : INSTEAD[trouble]
      if (instead !== undefined) throw new Refused(...instead)
      if (trouble === 'resets') return void response.destroy()
      if (trouble === 'is slow') await sleep(SLOW_MS)
      const answered = answer({ message, key: segments.join('/'), query: url.searchParams, body })
      if (trouble === 'loses answers') return void response.destroy()
      if (trouble === 'answers 412 to its own success') throw new Refused(412, 'PreconditionFailed')
      if (trouble === 'cuts answers') return void sendHalf(response, answered)
      send(response, message, answered)
    } catch (error) {
      if (error instanceof Refused) send(response, message, refusal(error))
      else response.destroy()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bucket, credentials, stop }
}

function standIn({ locked = false }: S3StandInOptions): (request: Request) => Answer {
  const objects = new Map<string, S3Object>()
  const uploads = new Map<string, Upload>()

  /** Checks and stores in one go: nothing else runs in between. */
  function store(message: IncomingMessage, key: string, object: S3Object): void {
    const there = objects.get(key)
    const { 'if-none-match': absent, 'if-match': same } = message.headers
    if (absent === '*' && there !== undefined) throw new Refused(412, 'PreconditionFailed')
    if (same !== undefined && there === undefined) throw new Refused(404, 'NoSuchKey')
    if (same !== undefined && same !== there?.etag) throw new Refused(412, 'PreconditionFailed')
    objects.set(key, object)
  }

  function existing(key: string): S3Object {
    const object = objects.get(key)
    if (object === undefined) throw new Refused(404, 'NoSuchKey')
    return object
  }

  function upload({ query }: Request): Upload {
    const found = uploads.get(query.get('uploadId') ?? '')
    if (found === undefined) throw new Refused(404, 'NoSuchUpload')
    return found
  }

  function put(request: Request): Answer {
    const { message, key, query, body } = request
    if (message.headers['content-encoding'] === 'aws-chunked') throw new Refused(501, 'NotImplemented')
    const checksum = checksumOf(request)
    const isPart = query.has('uploadId')
    const expected = isPart ? upload(request).checked : locked || checksum !== undefined
    if (expected !== (checksum !== undefined)) throw new Refused(400, 'InvalidRequest')
    const object = { bytes: body, etag: `"${md5(body)}"`, metadata: metadataOf(message), checksum }
    if (isPart) upload(request).parts.set(Number(query.get('partNumber')), object)
    else store(message, key, object)
    const told = checksum === undefined ? {} : { 'x-amz-checksum-crc32': checksum }
    return { headers: { etag: object.etag, ...told } }
  }

  function post(request: Request): Answer {
    const { message, key, query } = request
    if (query.has('uploads')) {
      const id = randomBytes(16).toString('hex')
      const checked = message.headers['x-amz-checksum-algorithm'] === 'CRC32'
      if (locked && !checked) throw new Refused(400, 'InvalidRequest')
      uploads.set(id, { key, checked, metadata: metadataOf(message), parts: new Map() })
      return xml('InitiateMultipartUploadResult', element('Key', key) + element('UploadId', id))
    }
    const object = assemble(upload(request), request.body.toString())
    store(message, key, object)
    uploads.delete(query.get('uploadId') ?? '')
    return xml('CompleteMultipartUploadResult', element('Key', key) + element('ETag', object.etag))
  }

  function get({ message, key, query }: Request): Answer {
    if (key === '' && query.has('uploads')) return listUploads(uploads)
    if (key === '') return list(objects, query)
    const { bytes, etag, metadata } = existing(key)
    const disposition = query.get('response-content-disposition')
    const headers = {
      etag,
      'accept-ranges': 'bytes',
      ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
      ...(disposition !== null && { 'content-disposition': disposition }),
    }
    const range = rangeOf(message, bytes.length)
    if (range === undefined) return { headers, body: bytes }
    const [start, end] = range
    const contentRange = `bytes ${start}-${end - 1}/${bytes.length}`
    return {
      status: 206,
      headers: { ...headers, 'content-range': contentRange },
      body: bytes.subarray(start, end),
    }
  }

  function remove(request: Request): Answer {
    if (!request.query.has('uploadId')) throw new Refused(403, 'AccessDenied')
    upload(request)
    uploads.delete(request.query.get('uploadId') ?? '')
    return { status: 204 }
  }

  return request => {
    const { method } = request.message
    if (method === 'PUT') return put(request)
    if (method === 'POST') return post(request)
    if (method === 'GET' || method === 'HEAD') return get(request)
    if (method === 'DELETE') return remove(request)
    throw new Refused(405, 'MethodNotAllowed')
  }
}

/** The checksum that came with the bytes, once it is seen to be theirs. */
function checksumOf({ message, body }: Request): string | undefined {
  const told = message.headers['x-amz-checksum-crc32']
  if (told === undefined) return undefined
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(body))
  if (bytes.toString('base64') !== told) throw new Refused(400, 'BadDigest')
  return told as string
}

function assemble({ parts, metadata, checked }: Upload, order: string): S3Object {
  const numbers = [...order.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(match => Number(match[1]))
  const chosen = numbers.map(number => parts.get(number))
  if (chosen.length === 0 || chosen.includes(undefined)) throw new Refused(400, 'InvalidPart')
  const all = chosen.filter(part => part !== undefined)
  const sumsTold = [...order.matchAll(/<ChecksumCRC32>([^<]+)<\/ChecksumCRC32>/g)].map(([, sum]) => sum)
  if (checked && sumsTold.join() !== all.map(part => part.checksum).join())
    throw new Refused(400, 'InvalidRequest')
  if (all.slice(0, -1).some(part => part.bytes.length < SMALLEST_PART))
    throw new Refused(400, 'EntityTooSmall')
  const sums = all.map(part => Buffer.from(part.etag.slice(1, -1), 'hex'))
  const etag = `"${md5(Buffer.concat(sums))}-${all.length}"`
  return { bytes: Buffer.concat(all.map(part => part.bytes)), etag, metadata }
}

function list(objects: ReadonlyMap<string, S3Object>, query: URLSearchParams): Answer {
  const prefix = query.get('prefix') ?? ''
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString()
  const most = Number(query.get('max-keys') ?? 1000)
  const keys = [...objects.keys()].filter(key => key.startsWith(prefix) && key > after).sort()
  const page = keys.slice(0, most)
  const token = keys.length > most ? Buffer.from(page.at(-1) ?? '').toString('base64') : undefined
  const contents = page.map(key => {
    const { bytes, etag } = objects.get(key)!
    return element('Contents', element('Key', key) + element('Size', bytes.length) + element('ETag', etag))
  })
  const next = token === undefined ? '' : element('NextContinuationToken', token)
  return xml('ListBucketResult', contents.join('') + element('IsTruncated', token !== undefined) + next)
}

function listUploads(uploads: ReadonlyMap<string, Upload>): Answer {
  const entries = [...uploads].map(([id, { key }]) =>
    element('Upload', element('Key', key) + element('UploadId', id)),
  )
  return xml('ListMultipartUploadsResult', entries.join(''))
}

function rangeOf(message: IncomingMessage, size: number): [number, number] | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(message.headers.range ?? '')
  if (match === null) return undefined
  const start = Number(match[1])
  if (start >= size) throw new Refused(416, 'InvalidRange')
  return [start, match[2] === '' ? size : Math.min(size, Number(match[2]) + 1)]
}

function accessKeyOf(message: IncomingMessage, url: URL): string | undefined {
  const signed = message.headers.authorization ?? `Credential=${url.searchParams.get('X-Amz-Credential')}`
  return /Credential=([^/]+)\//.exec(signed)?.[1]
}

function metadataOf(message: IncomingMessage): Record<string, string> {
  const entries = Object.entries(message.headers)
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)])
  return Object.fromEntries(entries)
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function send(response: ServerResponse, message: IncomingMessage, answer: Answer): void {
  const body = Buffer.from(answer.body ?? '')
  response.writeHead(answer.status ?? 200, { 'content-length': body.length, ...answer.headers })
  response.end(message.method === 'HEAD' ? undefined : body)
}

/** The length of the whole, and half of it. */
function sendHalf(response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body ?? '')
  response.writeHead(answer.status ?? 200, { 'content-length': body.length, ...answer.headers })
  response.write(body.subarray(0, body.length >> 1), () => response.destroy())
}

function refusal({ status, code }: Refused): Answer {
  return { ...xml('Error', element('Code', code) + element('Message', code)), status }
}

function xml(root: string, content: string): Answer {
  return {
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>${element(root, content)}`,
  }
}

function element(name: string, content: string | number | boolean): string {
  const text = String(content)
  return `<${name}>${text.startsWith('<') ? text : text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>`
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}
