/** The functions: each with a role of its own, which grants what `ACCESS` says and nothing else. */
import { Duration, RemovalPolicy, Size, type Stack } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Key } from 'aws-cdk-lib/aws-kms'
import { Architecture, type Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { acknowledge } from './acknowledge.ts'
import { letInterfaces, type Network, placeOf } from './network.ts'
import type { StackSettings } from './settings.ts'
import { ACCESS, SCHEDULED, STAGES, type Stage } from './stages.ts'

export interface Parts {
  readonly settings: StackSettings
  readonly bucket: Bucket
  readonly key: Key
  readonly secrets: readonly Secret[]
  readonly bus: EventBus
  /** Where events of schedules end that could not be worked on. */
  readonly deadEvents: Queue
  /** Absent: functions call from whatever address AWS gives them. */
  readonly network: Network | undefined
  /** The folder with the bundle of a stage. */
  readonly codeOf: (stage: Stage) => Code
}

interface Room {
  readonly memoryMb: number
  readonly timeout: Duration
  readonly storageMb?: number
}

/** A longer time-out makes a queue wait longer before it gives a batch to another; see `queues.ts`. */
export function sizeOf(stage: Stage, { parseMemoryMb, parseStorageMb }: StackSettings): Room {
  const long = Duration.minutes(15)
  switch (stage) {
    case 'receive':
      return { memoryMb: 512, timeout: Duration.seconds(20) }
    case 'archive':
      return { memoryMb: 1024, timeout: Duration.minutes(10) }
    case 'parse':
      return { memoryMb: parseMemoryMb, storageMb: parseStorageMb, timeout: long }
    case 'sweep':
      return { memoryMb: parseMemoryMb, storageMb: parseStorageMb, timeout: long }
    case 'submit':
    case 'snapshot':
    case 'reconcile':
      return { memoryMb: 1024, timeout: long }
  }
}

export function addFunctions(stack: Stack, parts: Parts): Record<Stage, LambdaFunction> {
  const entries = STAGES.map(stage => [stage, addFunction(stack, stage, parts)] as const)
  return Object.fromEntries(entries) as Record<Stage, LambdaFunction>
}

function addFunction(stack: Stack, stage: Stage, parts: Parts): LambdaFunction {
  const { settings, bucket, secrets, bus, deadEvents, codeOf, network } = parts
  const id = stage[0]!.toUpperCase() + stage.slice(1)
  const { memoryMb, timeout, storageMb } = sizeOf(stage, settings)
  const functionName = `${settings.stackName}-${stage}`
  const logGroup = new LogGroup(stack, `${id}Log`, {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: settings.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const role = new Role(stack, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  logGroup.grantWrite(role)
  const place = placeOf(stage, network)
  if (place !== undefined) letInterfaces(role)
  const isScheduled = SCHEDULED.some(scheduled => scheduled === stage)
  const reserved: Partial<Record<Stage, number>> = settings.reserved
  const made = new LambdaFunction(stack, id, {
    functionName,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    handler: 'index.handler',
    code: codeOf(stage),
    role,
    logGroup,
    timeout,
    memorySize: memoryMb,
    ...(storageMb === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(storageMb) }),
    ...((reserved[stage] ?? 0) === 0 ? {} : { reservedConcurrentExecutions: reserved[stage]! }),
    ...(isScheduled ? { deadLetterQueue: deadEvents, retryAttempts: 2 } : {}),
    ...place,
    environment: {
      ...settings.environment,
      DAYBOOK_STORE: `s3://${bucket.bucketName}`,
      DAYBOOK_SECRET_ID: secrets.map(({ secretArn }) => secretArn).join(','),
      ...(stage === 'parse' ? { DAYBOOK_EVENT_BUS: bus.eventBusName } : {}),
    },
  })
  grantBucket(role, stage, parts)
  role.addToPolicy(
    new PolicyStatement({
      sid: 'ReadSecrets',
      actions: ['secretsmanager:GetSecretValue'],
      resources: secrets.map(({ secretArn }) => secretArn),
    }),
  )
  if (stage === 'parse')
    role.addToPolicy(
      new PolicyStatement({ sid: 'Tell', actions: ['events:PutEvents'], resources: [bus.eventBusArn] }),
    )
  return made
}

function grantBucket(role: Role, stage: Stage, { bucket, key }: Parts): void {
  const { reads, writes } = ACCESS[stage]
  const at = (patterns: readonly string[]) => patterns.map(pattern => bucket.arnForObjects(pattern))
  const readable = withoutCovered([...reads, ...writes])
  role.addToPolicy(
    // The whole bucket: where S3 may not list, it says "forbidden" of an object that is missing, and the
    // condition on a prefix is not asked of a read. What is listed is names.
    new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
  )
  role.addToPolicy(new PolicyStatement({ sid: 'Read', actions: ['s3:GetObject'], resources: at(readable) }))
  role.addToPolicy(
    new PolicyStatement({
      sid: 'Write',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: at(writes),
    }),
  )
  role.addToPolicy(
    new PolicyStatement({
      sid: 'Encrypt',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
    }),
  )
  for (const pattern of new Set([...readable, ...writes])) {
    const finding = `Resource::<${logicalId(bucket)}.Arn>/${pattern}`
    acknowledge(
      role,
      `AwsSolutions-IAM5[${finding}]`,
      'The names of accounts, days and reports are made later.',
    )
  }
}

function logicalId(bucket: Bucket): string {
  return bucket.stack.getLogicalId(bucket.node.defaultChild as never)
}

/** Without patterns that another one of them covers. */
function withoutCovered(patterns: readonly string[]): string[] {
  const covers = (wide: string, narrow: string) =>
    wide !== narrow && wide.endsWith('*') && narrow.startsWith(wide.slice(0, -1))
  return [...new Set(patterns)].filter(pattern => !patterns.some(other => covers(other, pattern)))
}
