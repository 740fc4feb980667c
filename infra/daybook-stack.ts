/** Daybook on AWS: the stages as functions over one bucket. What coordinates them is the bucket alone. */
import { type App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { EventBus } from 'aws-cdk-lib/aws-events'
import type { Key } from 'aws-cdk-lib/aws-kms'
import { type Code, FunctionUrlAuthType, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { reportKeys } from '../src/domain/keys.ts'
import { acknowledge } from './acknowledge.ts'
import { addAlarms } from './alarms.ts'
import { addBucket, addKey, bucketNameOf, tellOfObjects } from './bucket.ts'
import { addFunctions } from './functions.ts'
import { addNetwork } from './network.ts'
import { addQueues, type Queues } from './queues.ts'
import { addSchedules } from './schedules.ts'
import type { StackSettings } from './settings.ts'
import type { Stage } from './stages.ts'
import { addTables } from './tables.ts'

export interface DaybookStackOptions {
  readonly settings: StackSettings
  /** The bundle of a stage. */
  readonly codeOf: (stage: Stage) => Code
}

export function addDaybookStack(app: App, { settings, codeOf }: DaybookStackOptions): Stack {
  const stack = new Stack(app, settings.stackName, {
    description: 'Daybook: balance reports asked for, received, archived and turned into rows',
    terminationProtection: true,
  })
  const key = addKey(stack)
  const queues = addQueues(stack, settings, bucketNameOf(settings))
  const bucket = addBucket(stack, settings, key)
  const parts = reportKeys({ provider: '', account: '' }, '')
  const reports = parts.folder.slice(0, parts.folder.indexOf('/') + 1)
  const suffixOf = (object: string) => object.slice(object.lastIndexOf('/'))
  tellOfObjects(bucket, [
    { queue: queues.archive, prefix: reports, suffix: suffixOf(parts.callback) },
    { queue: queues.parse, prefix: reports, suffix: suffixOf(parts.archive) },
  ])
  // S3 tries the queue before it takes the setting.
  bucket.node.addDependency(queues.archive, queues.parse)
  const secrets = addSecrets(stack, settings, key)
  const bus = new EventBus(stack, 'Bus', { eventBusName: settings.stackName })
  const network = settings.fixedAddress ? addNetwork(stack, settings) : undefined
  const functions = addFunctions(stack, {
    settings,
    bucket,
    key,
    secrets,
    bus,
    deadEvents: queues.deadEvents,
    network,
    codeOf,
  })
  feed(settings, functions, queues)
  addSchedules(stack, settings, functions, queues.deadEvents)
  const database = addTables(stack, settings, bucket)
  const topic = addAlarms(stack, settings, functions, queues)
  // Open to all, as the provider has no identity here: what is not signed by it is refused unread.
  const url = functions.receive.addFunctionUrl({ authType: FunctionUrlAuthType.NONE })
  const outputs = {
    CallbackUrl: `${url.url}callbacks/`,
    Store: `s3://${bucket.bucketName}`,
    Secrets: secrets.map(({ secretArn }) => secretArn).join(','),
    AlarmTopic: topic.topicArn,
    EventBus: bus.eventBusArn,
    AthenaDatabase: database.ref,
    ...(network === undefined ? {} : { FixedAddress: network.address }),
  }
  for (const [id, value] of Object.entries(outputs)) new CfnOutput(stack, `${id}Output`, { key: id, value })
  return stack
}

/** Not valid until a person fills them: Daybook says so, instead of running without accounts. */
function addSecrets(stack: Stack, settings: StackSettings, encryptionKey: Key): Secret[] {
  return Array.from({ length: settings.secrets }, (_, index) => {
    const name = `${settings.stackName}/accounts${index === 0 ? '' : `-${index + 1}`}`
    const secret = new Secret(stack, `Accounts${index + 1}`, {
      secretName: name,
      description: 'The merchant accounts, as the file of DAYBOOK_ACCOUNTS holds them',
      encryptionKey,
      generateSecretString: { secretStringTemplate: '{"accounts":[]}', generateStringKey: 'unfilled' },
      removalPolicy: RemovalPolicy.RETAIN,
    })
    const reason = 'API keys are made by a person in the merchant portal; nothing else can renew them.'
    acknowledge(secret, 'AwsSolutions-SMG4', reason)
    return secret
  })
}

/** Batches whose messages are answered one by one, so that what failed comes back without the rest. */
function feed(
  { atOnce }: StackSettings,
  functions: Readonly<Record<Stage, LambdaFunction>>,
  queues: Queues,
): void {
  const answers = { reportBatchItemFailures: true }
  functions.archive.addEventSource(
    new SqsEventSource(queues.archive, { ...answers, batchSize: 5, maxConcurrency: atOnce.archive }),
  )
  // A file may take all the time there is.
  functions.parse.addEventSource(
    new SqsEventSource(queues.parse, { ...answers, batchSize: 1, maxConcurrency: atOnce.parse }),
  )
}
