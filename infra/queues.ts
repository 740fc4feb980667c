/** The queues between the bucket and the functions, and the ends of those that fail. */
import { Duration, type Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { acknowledge } from './acknowledge.ts'
import { sizeOf } from './functions.ts'
import type { StackSettings } from './settings.ts'

export interface Queues {
  /** Callbacks that were kept: their files are to be fetched. */
  readonly archive: Queue
  /** Files that were archived: they are to be parsed. */
  readonly parse: Queue
  readonly deadArchive: Queue
  readonly deadParse: Queue
  /** Runs of schedules that failed. */
  readonly deadEvents: Queue
}

/** How often a batch is tried before it is put aside; a sweep finds its report all the same. */
const MOST_TRIES = 5

/** The documentation asks for six: a function that is throttled must not find its batch given away. */
const VISIBLE_AFTER_TIMEOUTS = 6

export function addQueues(stack: Stack, settings: StackSettings, bucketName: string): Queues {
  const deadArchive = addDeadLetters(stack, 'DeadArchive')
  const deadParse = addDeadLetters(stack, 'DeadParse')
  const archive = addWork(stack, 'ArchiveQueue', sizeOf('archive', settings).timeout, deadArchive)
  const parse = addWork(stack, 'ParseQueue', sizeOf('parse', settings).timeout, deadParse)
  for (const queue of [archive, parse]) allowBucket(stack, queue, bucketName)
  return { archive, parse, deadArchive, deadParse, deadEvents: addDeadLetters(stack, 'DeadEvents') }
}

const COMMON = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true }

function addDeadLetters(stack: Stack, id: string): Queue {
  const queue = new Queue(stack, id, { ...COMMON, retentionPeriod: Duration.days(14) })
  acknowledge(queue, 'AwsSolutions-SQS3', 'It is a dead-letter queue.')
  return queue
}

function addWork(stack: Stack, id: string, timeout: Duration, dead: Queue): Queue {
  return new Queue(stack, id, {
    ...COMMON,
    visibilityTimeout: Duration.seconds(timeout.toSeconds() * VISIBLE_AFTER_TIMEOUTS),
    retentionPeriod: Duration.days(4),
    deadLetterQueue: { queue: dead, maxReceiveCount: MOST_TRIES },
  })
}

/** The bucket's name, not the bucket: it cannot be made before its queues let it send. */
function allowBucket(stack: Stack, queue: Queue, bucketName: string): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'TheBucketTells',
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        ArnEquals: { 'aws:SourceArn': `arn:${stack.partition}:s3:::${bucketName}` },
        StringEquals: { 'aws:SourceAccount': stack.account },
      },
    }),
  )
}
