/** AWS in small: a bucket that tells queues of its objects, functions, their URL and their schedules. */
import { join } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import type { Stage } from '../../../handlers/bundle.ts'
import { systemClock, systemRandom } from '../../../src/host.ts'
import type { Knobs } from '../../../src/sandbox/knobs.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import type { ObjectStore } from '../../../src/stores/object-store.ts'
import { s3Client } from '../../../src/stores/s3-client.ts'
import { s3Store } from '../../../src/stores/s3-store.ts'
import { startFaultProxy } from '../fault-proxy.ts'
import type { S3Place } from '../s3-stand-in.ts'
import { type AwsStandIn, startAwsStandIn } from './aws-stand-in.ts'
import { startFunctionUrl } from './function-url.ts'
import { type LambdaFunction, lambdaFunction } from './lambda-function.ts'
import { type Queue, startQueue } from './queue.ts'
import { createdEvent, testEvent } from './s3-events.ts'

export interface CloudOptions {
  readonly ceph: S3Place
  /** The folder of the bundles. */
  readonly bundles: string
  readonly accounts: number
  /** The most environments of each function. */
  readonly most?: Partial<Record<Stage, number>>
  readonly env?: Readonly<Record<string, string>>
  readonly knobs?: Partial<Knobs>
  /** Of a hundred creations, how many are told twice; and of messages, delivered once more. */
  readonly twicePercent?: number
  readonly visibilityMs?: number
}

export interface CloudWorld {
  readonly sandbox: Sandbox
  readonly accounts: readonly string[]
  readonly functions: Readonly<Record<Stage, LambdaFunction>>
  readonly queues: { readonly archive: Queue; readonly parse: Queue }
  readonly aws: AwsStandIn
  readonly store: ObjectStore
  readonly bucket: string
  readonly url: string
  /** Everything that the functions logged. */
  readonly lines: string[]
  /** Requests to S3 so far, by all functions. */
  readonly requests: () => number
  /** How often each key was written, as the store answered. */
  readonly writes: ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** A prefix, so that the handlers have one to strip. */
const PREFIX = 'books/eu'

/** Long, for machines that are busy with other things: what dies here is to die by being killed. */
const TIMEOUT_MS = 300_000
const MOST = 2

export async function startCloud(options: CloudOptions): Promise<CloudWorld> {
  const { ceph, twicePercent = 10 } = options
  const bucket = `cloud-${systemRandom.hex(12)}`
  const direct = s3Client({ ...ceph })
  await direct.send(new CreateBucketCommand({ Bucket: bucket }))

  const accounts = Array.from(
    { length: options.accounts },
    (_, index) => `m${index.toString().padStart(3, '0')}`,
  )
  const keys = accounts.map(name => ({ name, apiKey: `key-of-${name}-0001`, secretKey: `secret-of-${name}` }))
  const half = Math.ceil(keys.length / 2)
  const secrets = [keys.slice(0, half), keys.slice(half)].filter(part => part.length > 0)
  const aws = await startAwsStandIn(
    Object.fromEntries(
      secrets.map((part, index) => [`daybook/${index}`, JSON.stringify({ accounts: part })]),
    ),
  )

  const writes = new Map<string, number>()
  const queues: { archive?: Queue; parse?: Queue } = {}
  const proxy = await startFaultProxy(ceph.endpoint, { keepAlive: true, onAnswer })

  /** The notifications of the bucket: what was created under which suffix goes to which queue. */
  function onAnswer(line: string, status: number): void {
    const how = howCreated(line)
    const path = /^\w+ \/[^/]+\/([^?]+)/.exec(line)?.[1]
    if (status !== 200 || how === undefined || path === undefined) return
    const key = decodeURIComponent(path)
    const own = key.slice(PREFIX.length + 1)
    writes.set(own, (writes.get(own) ?? 0) + 1)
    const queue = key.endsWith('/callback.json')
      ? queues.archive
      : key.endsWith('/archive.json')
        ? queues.parse
        : undefined
    if (queue === undefined) return
    const body = createdEvent(bucket, key, how)
    queue.send(body)
    if (systemRandom.fraction() * 100 < twicePercent) queue.send(body)
  }

  const lines: string[] = []
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ceph.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ceph.credentials.secretAccessKey,
    ...aws.env,
    DAYBOOK_STORE: `s3://${bucket}/${PREFIX}`,
    DAYBOOK_S3_ENDPOINT: proxy.endpoint,
    DAYBOOK_SECRET_ID: secrets.map((_, index) => `daybook/${index}`).join(','),
    DAYBOOK_POLL_FIRST_SECONDS: '5',
    DAYBOOK_POLL_SECONDS: '1',
    DAYBOOK_API_TIMEOUT_SECONDS: '10',
    ...options.env,
  }
  const functionUrl = await startFunctionUrl({ invoke: event => functions.receive.invoke(event) })
  const sandbox = await startSandbox({
    merchants: keys.map(key => ({
      ...key,
      callbackUrl: `${functionUrl.url}/callbacks/binance-pay/${key.name}`,
    })),
    seed: 'cloud',
    clock: systemClock,
    random: systemRandom,
    knobs: {
      processingMs: 200,
      rowsPerDay: 30,
      quotaPerMonth: 1000,
      callbackRetryFirstMs: 200,
      ...options.knobs,
    },
  })
  env.BINANCE_PAY_BASE_URL = sandbox.url
  env.DAYBOOK_DOWNLOAD_HOSTS = `127.0.0.1:${sandbox.port}`
  const functionOf = (stage: Stage) =>
    lambdaFunction({
      name: `daybook-${stage}`,
      folder: join(options.bundles, stage),
      env: stage === 'parse' ? { ...env, DAYBOOK_EVENT_BUS: 'days' } : env,
      timeoutMs: TIMEOUT_MS,
      most: options.most?.[stage] ?? MOST,
      onLine: line => lines.push(line),
    })
  const functions = {
    submit: functionOf('submit'),
    receive: functionOf('receive'),
    archive: functionOf('archive'),
    parse: functionOf('parse'),
    snapshot: functionOf('snapshot'),
    reconcile: functionOf('reconcile'),
    sweep: functionOf('sweep'),
  } satisfies Record<Stage, LambdaFunction>
  const queueOf = (stage: 'archive' | 'parse') =>
    startQueue({
      name: `daybook-${stage}`,
      target: functions[stage],
      batchSize: 5,
      atOnce: options.most?.[stage] ?? MOST,
      visibilityMs: options.visibilityMs ?? 5_000,
      maxReceives: 8,
      twicePercent,
    })
  const [archive, parse] = [queueOf('archive'), queueOf('parse')]
  Object.assign(queues, { archive, parse })
  for (const queue of [archive, parse]) queue.send(testEvent(bucket))
  const store = s3Store({ bucket, prefix: PREFIX, client: direct, clock: systemClock, random: systemRandom })
  return {
    sandbox,
    accounts,
    functions,
    queues: { archive, parse },
    aws,
    store,
    bucket,
    url: functionUrl.url,
    lines,
    requests: () => proxy.requests.length,
    writes,
    async stop() {
      await Promise.all([archive.stop(), parse.stop(), ...Object.values(functions).map(each => each.stop())])
      await sandbox.stop()
      await Promise.all([functionUrl.stop(), aws.stop(), proxy.stop()])
      direct.destroy()
    },
  }
}

function howCreated(line: string): 'Put' | 'CompleteMultipartUpload' | undefined {
  if (/^PUT [^?]+(\?x-id=PutObject)?$/.test(line)) return 'Put'
  return /^POST [^?]+\?uploadId=/.test(line) ? 'CompleteMultipartUpload' : undefined
}
