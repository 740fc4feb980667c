/** The bucket and the rules that it keeps to by itself, whoever writes. */
import { Aws, Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { PARTS, quotaPrefix, slotKey } from '../src/domain/keys.ts'
import { acknowledge } from './acknowledge.ts'
import type { StackSettings } from './settings.ts'

/** Known before the bucket is, so that the queues can name it and the bucket can name the queues. */
export function bucketNameOf({ stackName }: StackSettings): string {
  return `${stackName}-${Aws.ACCOUNT_ID}-${Aws.REGION}`
}

export function addKey(stack: Stack): Key {
  return new Key(stack, 'Key', {
    description: 'The bucket, the secrets and the alarms of Daybook',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  })
}

export function addBucket(stack: Stack, settings: StackSettings, encryptionKey: Key): Bucket {
  const { mode, days } = settings.retention
  const period = Duration.days(days)
  const lock =
    mode === 'compliance' ? ObjectLockRetention.compliance(period) : ObjectLockRetention.governance(period)
  const bucket = new Bucket(stack, 'Bucket', {
    bucketName: bucketNameOf(settings),
    versioned: true,
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    objectLockEnabled: true,
    ...(mode === 'none' ? {} : { objectLockDefaultRetention: lock }),
    serverAccessLogsBucket: addAccessLogs(stack) as IBucket,
    serverAccessLogsPrefix: 'bucket/',
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      { id: 'abort-unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) },
      // Advice may be deleted; a version that is still locked waits for its lock.
      ...prefixesOf('advice').map(prefix => ({
        id: `forget-old-${prefix.replace('/', '')}`,
        prefix,
        noncurrentVersionExpiration: Duration.days(30),
      })),
    ],
  })
  for (const statement of rulesOf(bucket)) bucket.addToResourcePolicy(statement)
  return bucket
}

function addAccessLogs(stack: Stack): Bucket {
  const logs = new Bucket(stack, 'AccessLogs', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [{ id: 'forget', expiration: Duration.days(400) }],
  })
  acknowledge(logs, 'AwsSolutions-S1', 'It holds the access logs; its own would be about themselves.')
  return logs
}

/** The prefixes of the parts that are written in one of these ways. */
function prefixesOf(...ways: readonly (typeof PARTS)[keyof typeof PARTS][]): string[] {
  return Object.entries(PARTS).flatMap(([part, way]) => (ways.includes(way) ? [`${part}/`] : []))
}

const EVERY = { provider: '*', account: '*' }

/** Slots have two digits, and more where an account may have more than 99 reports a month. */
const MOST_SLOT_DIGITS = 5

/** Keys of slots, without those of their outcomes: in a policy `?` is one character. */
function slotPatterns(): string[] {
  const pattern = (digits: number) => slotKey(EVERY, '*', 0).replace('00.json', `${'?'.repeat(digits)}.json`)
  return Array.from({ length: MOST_SLOT_DIGITS - 1 }, (_, index) => pattern(index + 2))
}

/**
 * Rules for everyone, administrators too. A condition is asked of the calls that make an object
 * (`s3:ObjectCreationOperation`), because the parts of an upload cannot carry one:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
function rulesOf(bucket: Bucket): PolicyStatement[] {
  const at = (pattern: string) => bucket.arnForObjects(pattern)
  const everyone = { effect: Effect.DENY, principals: [new AnyPrincipal()] }
  const creating = { Bool: { 's3:ObjectCreationOperation': 'true' } }
  return [
    new PolicyStatement({
      sid: 'NothingButAdviceIsDeleted',
      ...everyone,
      actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      resources: prefixesOf('created', 'settled', 'replaced').map(prefix => at(`${prefix}*`)),
    }),
    new PolicyStatement({
      sid: 'FactsAreCreatedOnce',
      ...everyone,
      actions: ['s3:PutObject'],
      resources: [...prefixesOf('created').map(prefix => `${prefix}*`), ...slotPatterns()].map(at),
      conditions: { ...creating, Null: { 's3:if-none-match': 'true' } },
    }),
    new PolicyStatement({
      sid: 'NothingIsOverwrittenUnseen',
      ...everyone,
      actions: ['s3:PutObject'],
      resources: [...prefixesOf('replaced', 'advice'), quotaPrefix(EVERY)].map(prefix => at(`${prefix}*`)),
      conditions: { ...creating, Null: { 's3:if-none-match': 'true', 's3:if-match': 'true' } },
    }),
  ]
}

/** Tells a queue of every object that is created under keys of this shape. */
export function tellOfObjects(
  bucket: Bucket,
  tellings: readonly { readonly queue: Queue; readonly prefix: string; readonly suffix: string }[],
): void {
  // Not `addEventNotification`, which deploys a function of its own that may do this to any bucket.
  const plain = bucket.node.defaultChild as CfnBucket
  plain.notificationConfiguration = {
    queueConfigurations: tellings.map(({ queue, prefix, suffix }) => ({
      event: 's3:ObjectCreated:*',
      queue: queue.queueArn,
      filter: {
        s3Key: {
          rules: [
            { name: 'prefix', value: prefix },
            { name: 'suffix', value: suffix },
          ],
        },
      },
    })),
  }
}
