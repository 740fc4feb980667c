/** What the stack promises beside permissions: nothing lost, nothing open, nothing silent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STAGES as BUNDLED } from '../../handlers/bundle.ts'
import { METRIC_NAMESPACE, METRICS } from '../../handlers/metrics.ts'
import { bundlesIn, daybookApp } from '../../infra/app.ts'
import { costTable } from '../../infra/cost.ts'
import { readSettings, stackSettings } from '../../infra/settings.ts'
import { SCHEDULED, STAGES } from '../../infra/stages.ts'
import { VARIABLES } from '../../src/config/env.ts'
import { activityKey, agendaKey, PARTS, reportKeys, slotKey, slotOutcomeKey } from '../../src/domain/keys.ts'
import { bucketStatements, decide } from '../support/policy.ts'
import { makeTemplate, type Resource, type Template } from '../support/template.ts'

const PATIENCE_MS = 120_000
const REF = { provider: 'binance-pay', account: 'main' }

let template: Template
beforeAll(() => {
  template = makeTemplate({ alarmEmails: ['finance@example.com'] })
}, PATIENCE_MS)

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-stack-'))
  folders.push(folder)
  return folder
}

/** What the text of a reference names: `<ArchiveQueue.Arn>` is `ArchiveQueue`. */
const named = (reference: string) => reference.replace(/^<|(\.\w+)?>$/g, '')

describe('the queues', () => {
  it('each have a dead-letter queue that keeps for two weeks, or are one', () => {
    const queues = template.of('AWS::SQS::Queue')
    const working = queues.filter(({ properties }) => properties.RedrivePolicy !== undefined)
    expect(working.map(({ id }) => id)).toEqual(['ArchiveQueue', 'ParseQueue'])
    const dead = working.map(({ properties }) => named(properties.RedrivePolicy.deadLetterTargetArn))
    expect(dead).toEqual(['DeadArchive', 'DeadParse'])
    for (const { properties } of working) expect(properties.RedrivePolicy.maxReceiveCount).toBe(5)
    const others = queues.filter(queue => !working.includes(queue))
    expect(others.map(({ id }) => id).sort()).toEqual(['DeadArchive', 'DeadEvents', 'DeadParse'])
    for (const { properties } of others) expect(properties.MessageRetentionPeriod).toBe(14 * 86_400)
  })

  it('are encrypted, and speak TLS only', () => {
    const policies = template.of('AWS::SQS::QueuePolicy')
    for (const { id, properties } of template.of('AWS::SQS::Queue')) {
      expect(properties.SqsManagedSseEnabled).toBe(true)
      const own = policies.filter(policy => policy.properties.Queues.includes(`<${id}>`))
      const statements = own.flatMap(policy => policy.properties.PolicyDocument.Statement)
      const call = { action: 'sqs:SendMessage', resource: `<${id}.Arn>` }
      expect(decide(statements, { ...call, context: { 'aws:SecureTransport': 'false' } })).toBe('denied')
    }
  })

  it('take messages from this bucket of this account alone', () => {
    for (const id of ['ArchiveQueue', 'ParseQueue']) {
      const { properties } = template.one('AWS::SQS::QueuePolicy', `${id}Policy`)
      const allowing = properties.PolicyDocument.Statement.filter(
        ({ Effect }: { Effect: string }) => Effect === 'Allow',
      )
      expect(allowing).toEqual([
        expect.objectContaining({
          Action: 'sqs:SendMessage',
          Principal: { Service: 's3.amazonaws.com' },
          Condition: {
            ArnEquals: {
              'aws:SourceArn': 'arn:<AWS::Partition>:s3:::daybook-<AWS::AccountId>-<AWS::Region>',
            },
            StringEquals: { 'aws:SourceAccount': '<AWS::AccountId>' },
          },
        }),
      ])
    }
    expect(template.one('AWS::S3::Bucket', 'Bucket').properties.BucketName).toBe(
      'daybook-<AWS::AccountId>-<AWS::Region>',
    )
  })

  it('feed their functions, whose messages are answered one by one, and wait six time-outs', () => {
    const sources = template.of('AWS::Lambda::EventSourceMapping')
    expect(sources.map(({ properties }) => [named(properties.FunctionName), properties.BatchSize])).toEqual([
      ['Archive', 5],
      ['Parse', 1],
    ])
    for (const { properties } of sources) {
      expect(properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures'])
      expect(properties.ScalingConfig).toEqual({ MaximumConcurrency: 10 })
      const queue = template.one('AWS::SQS::Queue', named(properties.EventSourceArn))
      const { Timeout } = template.one('AWS::Lambda::Function', named(properties.FunctionName)).properties
      expect(queue.properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * Timeout)
    }
  })

  it('hear of the objects that their stages work on', () => {
    const { properties, dependsOn } = template.one('AWS::S3::Bucket', 'Bucket')
    const { QueueConfigurations } = properties.NotificationConfiguration
    const keys = reportKeys(REF, '123')
    const heard = (key: string) =>
      QueueConfigurations.filter(({ Filter }: { Filter: { S3Key: { Rules: { Value: string }[] } } }) => {
        const [prefix, suffix] = Filter.S3Key.Rules
        return key.startsWith(prefix!.Value) && key.endsWith(suffix!.Value)
      }).map(({ Queue, Event }: { Queue: string; Event: string }) => [named(Queue), Event])
    expect(heard(keys.callback)).toEqual([['ArchiveQueue', 's3:ObjectCreated:*']])
    expect(heard(keys.archive)).toEqual([['ParseQueue', 's3:ObjectCreated:*']])
    for (const key of [keys.accepted, keys.manifest, keys.file('a.zip'), activityKey(REF, '2026-10-01')])
      expect(heard(key)).toEqual([])
    expect(dependsOn).toEqual(expect.arrayContaining(['ArchiveQueuePolicy', 'ParseQueuePolicy']))
  })
})

describe('the bucket', () => {
  it('keeps every version, encrypted, private, for a year, also when the stack is gone', () => {
    const { properties, deletionPolicy } = template.one('AWS::S3::Bucket', 'Bucket')
    expect(deletionPolicy).toBe('Retain')
    expect(properties.VersioningConfiguration).toEqual({ Status: 'Enabled' })
    expect(properties.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    })
    expect(properties.OwnershipControls).toEqual({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] })
    expect(properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
      {
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { KMSMasterKeyID: '<Key.Arn>', SSEAlgorithm: 'aws:kms' },
      },
    ])
    expect(properties.ObjectLockEnabled).toBe(true)
    expect(properties.ObjectLockConfiguration).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Days: 365, Mode: 'GOVERNANCE' } },
    })
    expect(properties.LoggingConfiguration.DestinationBucketName).toBe('<AccessLogs>')
  })

  it('throws away what uploads leave behind, and old advice, and never a fact', () => {
    const { Rules } = template.one('AWS::S3::Bucket', 'Bucket').properties.LifecycleConfiguration
    expect(Rules).toEqual([
      {
        Id: 'abort-unfinished-uploads',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
        Status: 'Enabled',
      },
      {
        Id: 'forget-old-work',
        Prefix: 'work/',
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Status: 'Enabled',
      },
      {
        Id: 'forget-old-doctor',
        Prefix: 'doctor/',
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Status: 'Enabled',
      },
    ])
  })

  const secure = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' }
  const owner = { Effect: 'Allow', Action: 's3:*', Resource: '<Bucket.Arn>*' } as const
  /** What becomes of a call of somebody who may do everything. */
  const meets = (action: string, key: string, context: Record<string, string> = {}) =>
    decide([owner, ...bucketStatements(template)], {
      action: `s3:${action}`,
      resource: `<Bucket.Arn>/${key}`,
      context: { ...secure, ...context },
    })
  const making = { 's3:ObjectCreationOperation': 'true' }
  const fresh = { ...making, 's3:if-none-match': '*' }
  const seen = { ...making, 's3:if-match': '"etag"' }

  const facts = [
    reportKeys(REF, '1').callback,
    reportKeys(REF, '1').file('statement.zip'),
    slotKey(REF, '2026-10', 1),
    slotKey(REF, '2026-10', 50),
    slotKey(REF, '2026-10', 123),
    slotKey(REF, '2026-10', 10_000),
    ...Object.entries(PARTS).flatMap(([part, way]) => (way === 'created' ? [`${part}/any/key.json`] : [])),
  ]
  it.each(facts)('lets nobody write %s but once', key => {
    expect(meets('PutObject', key, fresh)).toBe('allowed')
    expect(meets('PutObject', key, making)).toBe('denied')
    expect(meets('PutObject', key, seen)).toBe('denied')
    // The parts of a long one, which cannot carry a condition.
    expect(meets('PutObject', key, { 's3:ObjectCreationOperation': 'false' })).toBe('allowed')
  })

  const replaced = [
    slotOutcomeKey(REF, '2026-10', 1),
    activityKey(REF, '2026-10-01'),
    agendaKey(REF),
    'doctor/x',
  ]
  it.each(replaced)('lets nobody write %s over what they have not seen', key => {
    expect(meets('PutObject', key, fresh)).toBe('allowed')
    expect(meets('PutObject', key, seen)).toBe('allowed')
    expect(meets('PutObject', key, making)).toBe('denied')
  })

  it('lets nobody delete anything but advice', () => {
    for (const [part, way] of Object.entries(PARTS)) {
      const expected = way === 'advice' ? 'allowed' : 'denied'
      expect(meets('DeleteObject', `${part}/any/key.json`)).toBe(expected)
      expect(meets('DeleteObjectVersion', `${part}/any/key.json`)).toBe(expected)
    }
  })

  it('speaks TLS 1.2 and later only, as the bucket of its access logs does', () => {
    expect(meets('GetObject', 'reports/a', { 'aws:SecureTransport': 'false' })).toBe('denied')
    expect(meets('GetObject', 'reports/a', { 's3:TlsVersion': '1.1' })).toBe('denied')
    const logs = template.one('AWS::S3::BucketPolicy', 'AccessLogsPolicy').properties.PolicyDocument.Statement
    const call = { action: 's3:GetObject', resource: '<AccessLogs.Arn>/a' }
    expect(decide(logs, { ...call, context: { ...secure, 'aws:SecureTransport': 'false' } })).toBe('denied')
    expect(decide(logs, { ...call, context: { ...secure, 's3:TlsVersion': '1.1' } })).toBe('denied')
  })
})

describe('the layout', () => {
  it('says of every part how it is written', () => {
    const source = readFileSync(join(import.meta.dirname, '../../src/domain/keys.ts'), 'utf8')
    const begun = [...source.matchAll(/[`'/^]([a-z]+)\\?\/(?:\$\{|v1\/|jobs\/|\[)/g)].map(([, part]) => part!)
    expect(new Set(begun).size).toBeGreaterThan(10)
    expect([...new Set(begun)].filter(part => !Object.hasOwn(PARTS, part) && !INSIDE.includes(part))).toEqual(
      [],
    )
  })
})

/** Folders inside a report's, an account's or a notice's. */
const INSIDE = ['file', 'reparses', 'attempts', 'arrivals', 'results']

describe('the functions', () => {
  it('are one a stage, on Node 24 and arm64, with a log that ends', () => {
    const functions = template.of('AWS::Lambda::Function')
    expect(functions.map(({ properties }) => properties.FunctionName)).toEqual(
      STAGES.map(stage => `daybook-${stage}`),
    )
    for (const { id, properties } of functions) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        LoggingConfig: { LogGroup: `<${id}Log>` },
      })
      expect(template.one('AWS::Logs::LogGroup', `${id}Log`).properties.RetentionInDays).toBe(90)
    }
  })

  it('hold their store and the name of their secret, and no secret', () => {
    for (const { id, properties } of template.of('AWS::Lambda::Function')) {
      expect(properties.Environment.Variables).toEqual({
        DAYBOOK_STORE: 's3://<Bucket>',
        DAYBOOK_SECRET_ID: '<Accounts1>',
        ...(id === 'Parse' ? { DAYBOOK_EVENT_BUS: '<Bus>' } : {}),
      })
    }
    const { properties, deletionPolicy } = template.one('AWS::SecretsManager::Secret')
    expect(properties).toMatchObject({ KmsKeyId: '<Key.Arn>', Name: 'daybook/accounts' })
    expect(properties.SecretString).toBeUndefined()
    expect(deletionPolicy).toBe('Retain')
  })

  it('start by the clock with an input for every account, and a failed start is put aside', () => {
    const schedules = template.of('AWS::Scheduler::Schedule')
    const when = Object.fromEntries(
      schedules.map(({ properties }) => [named(properties.Target.Arn), properties.ScheduleExpression]),
    )
    expect(when).toEqual({
      Submit: 'cron(15 6 * * ? *)',
      Snapshot: 'cron(20 0 * * ? *)',
      Reconcile: 'cron(0 10 * * ? *)',
      Sweep: 'rate(15 minutes)',
    })
    for (const { properties } of schedules) {
      expect(properties.State).toBe('ENABLED')
      expect(properties.Target).toMatchObject({
        Input: '{}',
        RoleArn: '<SchedulesRole.Arn>',
        DeadLetterConfig: { Arn: '<DeadEvents.Arn>' },
      })
    }
    for (const stage of SCHEDULED) {
      const id = `${stage[0]!.toUpperCase()}${stage.slice(1)}`
      const { properties } = template.one('AWS::Lambda::Function', id)
      expect(properties.DeadLetterConfig).toEqual({ TargetArn: '<DeadEvents.Arn>' })
    }
  })

  it('are open to strangers in one place, whose share of the account is bounded', () => {
    expect(template.one('AWS::Lambda::Url').properties).toMatchObject({
      AuthType: 'NONE',
      TargetFunctionArn: '<Receive.Arn>',
    })
    expect(
      template
        .of('AWS::Lambda::Permission')
        .map(({ properties }) => [properties.FunctionName, properties.Action]),
    ).toEqual([
      ['<Receive.Arn>', 'lambda:InvokeFunctionUrl'],
      ['<Receive.Arn>', 'lambda:InvokeFunction'],
    ])
    const reserved = template
      .of('AWS::Lambda::Function')
      .map(({ id, properties }) => [id, properties.ReservedConcurrentExecutions])
      .filter(([, share]) => share !== undefined)
    expect(reserved).toEqual([
      ['Receive', 20],
      ['Submit', 1],
      ['Sweep', 1],
    ])
  })
})

describe('the alarms', () => {
  it('each reach the topic, when they begin and when they end, and the topic reaches people', () => {
    const alarms = template.of('AWS::CloudWatch::Alarm')
    for (const { properties } of alarms) {
      expect(properties.AlarmActions).toEqual(['<Alarms>'])
      expect(properties.OKActions).toEqual(['<Alarms>'])
    }
    expect(template.one('AWS::SNS::Subscription').properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'finance@example.com',
    })
    const { properties } = template.one('AWS::SNS::Topic')
    expect(properties.KmsMasterKeyId).toBe('<AlarmKey.Arn>')
    const { Statement } = template.one('AWS::SNS::TopicPolicy').properties.PolicyDocument
    const call = { action: 'sns:Publish', resource: '<Alarms>' }
    const tls = Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Deny')
    expect(decide(tls, { ...call, context: { 'aws:SecureTransport': 'false' } })).toBe('denied')
    for (const key of template.of('AWS::KMS::Key')) expect(key.properties.EnableKeyRotation).toBe(true)
  })

  it('watch what the owner must hear of', () => {
    const watched = template.of('AWS::CloudWatch::Alarm').map(alarm => [alarm.id, metricOf(alarm)])
    expect(Object.fromEntries(watched)).toEqual({
      DeadArchiveLetters: 'ApproximateNumberOfMessagesVisible of <DeadArchive.QueueName> >= 1',
      DeadParseLetters: 'ApproximateNumberOfMessagesVisible of <DeadParse.QueueName> >= 1',
      DeadEventLetters: 'ApproximateNumberOfMessagesVisible of <DeadEvents.QueueName> >= 1',
      ArchiveWaits: 'ApproximateAgeOfOldestMessage of <ArchiveQueue.QueueName> >= 10800',
      ParseWaits: 'ApproximateAgeOfOldestMessage of <ParseQueue.QueueName> >= 10800',
      ReceiveFails: 'Errors of <Receive> >= 1',
      ArchiveFails: 'Errors of <Archive> >= 1',
      ParseFails: 'Errors of <Parse> >= 1',
      SubmitFails: 'Errors of <Submit> >= 1',
      SnapshotFails: 'Errors of <Snapshot> >= 1',
      ReconcileFails: 'Errors of <Reconcile> >= 1',
      SweepFails: 'Errors of <Sweep> >= 1',
      ReceiveThrottled: 'Throttles of <Receive> >= 1',
      SweepStopped: 'Invocations of <Sweep> < 1',
      QuotaNearlyUsed: 'QuotaUsedPercent of daybook-submit >= 90',
      CoverageGap: 'CoverageGapDays of daybook-submit >= 1',
      ReconciliationBreak: 'ReconciliationBreaks of daybook-reconcile >= 1',
      ReportUnfinished: 'OldestUnfinishedSeconds of daybook-sweep >= 86400',
      SubmitLeavesAccounts: 'AccountsLeft of daybook-submit >= 1',
      SnapshotLeavesAccounts: 'AccountsLeft of daybook-snapshot >= 1',
      ReconcileLeavesAccounts: 'AccountsLeft of daybook-reconcile >= 1',
      SweepLeavesAccounts: 'AccountsLeft of daybook-sweep >= 1',
    })
    const { properties } = template.one('AWS::CloudWatch::Alarm', 'SweepStopped')
    expect(properties.TreatMissingData).toBe('breaching')
  })

  function metricOf({ properties }: Resource): string {
    const { MetricName, Dimensions, Threshold, ComparisonOperator } = properties
    const sign = ComparisonOperator === 'LessThanThreshold' ? '<' : '>='
    return `${MetricName} of ${Dimensions[0].Value} ${sign} ${Threshold}`
  }

  it('are about functions that are bundled, every one', () => {
    expect([...STAGES].sort()).toEqual([...BUNDLED].sort())
  })

  it('watch metrics that the functions write, in their namespace', () => {
    const own = template
      .of('AWS::CloudWatch::Alarm')
      .filter(({ properties }) => !String(properties.Namespace).startsWith('AWS/'))
    expect(new Set(own.map(({ properties }) => properties.Namespace))).toEqual(new Set([METRIC_NAMESPACE]))
    const body = String(template.one('AWS::CloudWatch::Dashboard').properties.DashboardBody)
    const shown = [...body.matchAll(/\["Daybook","(\w+)"/g)].map(([, name]) => name)
    const alarmed = own.map(({ properties }) => properties.MetricName)
    expect(shown.length).toBeGreaterThan(3)
    expect(alarmed.length).toBeGreaterThan(6)
    expect([...shown, ...alarmed].filter(name => !Object.hasOwn(METRICS, name))).toEqual([])
  })

  it('each name a part of the runbook that is there', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8')
    const named = template
      .of('AWS::CloudWatch::Alarm')
      .map(({ properties }) => /^See "(.+)" in the runbook/.exec(properties.AlarmDescription)?.[1])
    const headings = [...runbook.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading)
    expect(named.filter(heading => !headings.includes(heading))).toEqual([])
  })

  it('stand beside a dashboard of the same metrics', () => {
    const body = String(template.one('AWS::CloudWatch::Dashboard').properties.DashboardBody)
    for (const metric of ['QuotaUsedPercent', 'CoverageGapDays', 'ReconciliationBreaks', 'OpenReports'])
      expect(body).toContain(metric)
  })
})

describe('the checks', () => {
  it('find nothing that is not acknowledged with a reason', () => {
    const { violations } = new AwsSolutionsChecks(undefined, { verbose: true }).validateScope(template.app)
    expect(violations.map(({ ruleName, description }) => `${ruleName}: ${description}`)).toEqual([])
  })

  it('fail the app that is deployed, when they find something', () => {
    const app = daybookApp({ outdir: emptyFolder() })
    new Topic(new Stack(app, 'open'), 'Topic')
    expect(() => app.synth()).toThrow('AwsSolutions-SNS3')
  })

  it('acknowledge patterns of keys, access logs, rotation and dead letters, and nothing else', () => {
    const acknowledged = template.app.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .flatMap(({ data }) => (typeof data === 'object' && data !== null ? Object.keys(data) : []))
      .map(id => id.replace(/^annotation::/i, ''))
      .filter(id => id.startsWith('AwsSolutions-'))
    const rules = acknowledged.map(id => id.replace(/\[Resource::<Bucket\w+\.Arn>\/.+\]$/, '[key pattern]'))
    expect([...new Set(rules)].sort()).toEqual([
      'AwsSolutions-IAM5[key pattern]',
      'AwsSolutions-S1',
      'AwsSolutions-SMG4',
      'AwsSolutions-SQS3',
    ])
  })
})

describe('the README', () => {
  it('of the handlers has every metric with its unit', () => {
    const handlers = readFileSync(join(import.meta.dirname, '../../handlers/README.md'), 'utf8')
    const rows = handlers.split('\n').filter(line => /^\| `[A-Z][a-z]/.test(line))
    const told = rows.flatMap(row => {
      const [, names = '', unit = ''] = row.split('|')
      return [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name, unit.trim()])
    })
    expect(Object.fromEntries(told)).toEqual(METRICS)
  })

  const readme = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8')

  it('has the cost as it is worked out', () => {
    expect(readme).toContain(costTable([1, 500]))
    const [, alarms] = /(\d+) alarms × \$0\.10/.exec(readme)!
    expect(Number(alarms)).toBe(template.of('AWS::CloudWatch::Alarm').length)
  })

  it('has every setting with its default', () => {
    const named = Object.keys(stackSettings.shape)
    expect(named.filter(setting => !readme.includes(`\`${setting}\``))).toEqual([])
    const { stackName, sweepEveryMinutes, parseMemoryMb, firstDay, retention } = stackSettings.parse({})
    for (const value of [stackName, sweepEveryMinutes, parseMemoryMb, firstDay, retention.days])
      expect(readme).toContain(`\`${value}\``)
  })
})

describe('the settings', () => {
  let other: Template
  beforeAll(() => {
    other = makeTemplate({
      stackName: 'books',
      accounts: [{ name: 'eu' }, { name: 'br' }, { provider: 'payermax', name: 'pm' }],
      secrets: 2,
      retention: { mode: 'compliance', days: 3650 },
      schedules: 'off',
      reserved: { receive: 0, submit: 0, sweep: 0 },
      environment: { DAYBOOK_CADENCE: 'weekly' },
      fixedAddress: true,
    })
  }, PATIENCE_MS)

  it('make a stack of many accounts, with secrets enough for them, and as strict as is wanted', () => {
    const { properties } = other.one('AWS::Lambda::Function', 'Submit')
    expect(properties.Environment.Variables).toMatchObject({
      DAYBOOK_SECRET_ID: '<Accounts1>,<Accounts2>',
      DAYBOOK_CADENCE: 'weekly',
    })
    expect(properties.ReservedConcurrentExecutions).toBeUndefined()
    expect(other.one('AWS::S3::Bucket', 'Bucket').properties.ObjectLockConfiguration.Rule).toEqual({
      DefaultRetention: { Days: 3650, Mode: 'COMPLIANCE' },
    })
    const { TableInput } = other.one('AWS::Glue::Table', 'ActivityTable').properties
    expect(TableInput.Parameters).toMatchObject({
      'projection.provider.values': 'binance-pay,payermax',
      'projection.account.values': 'eu,br,pm',
    })
    for (const schedule of other.of('AWS::Scheduler::Schedule'))
      expect(schedule.properties.State).toBe('DISABLED')
    expect(other.of('AWS::CloudWatch::Alarm').map(({ id }) => id)).not.toContain('SweepStopped')
    const policy = other.of('AWS::IAM::Policy').find(({ id }) => id.startsWith('SubmitRole'))
    expect(JSON.stringify(policy)).toContain('["<Accounts1>","<Accounts2>"]')
  })

  it('call providers from one address where that is wanted, and let nothing in', () => {
    expect(template.of('AWS::EC2::VPC')).toEqual([])
    const { violations } = new AwsSolutionsChecks(undefined, { verbose: true }).validateScope(other.app)
    expect(violations.map(({ ruleName, description }) => `${ruleName}: ${description}`)).toEqual([])
    expect(other.outputs.FixedAddress).toBe('<Address.PublicIp>')
    expect(other.one('AWS::EC2::NatGateway').properties.AllocationId).toBe('<Address.AllocationId>')
    const { properties } = other.one('AWS::EC2::SecurityGroup')
    expect(properties.SecurityGroupIngress).toBeUndefined()
    expect(properties.SecurityGroupEgress).toEqual([
      expect.objectContaining({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 }),
    ])
    const inside = other
      .of('AWS::Lambda::Function')
      .filter(each => each.properties.VpcConfig !== undefined)
      .map(({ id }) => id)
    expect(inside).toEqual(['Receive', 'Archive', 'Submit', 'Snapshot', 'Sweep'])
    const everywhere = other
      .of('AWS::IAM::Policy')
      .flatMap(({ id, properties: { PolicyDocument } }) =>
        PolicyDocument.Statement.filter(({ Resource }: { Resource: string }) => Resource === '*').map(
          ({ Action }: { Action: string[] }) => [id.replace(/RoleDefaultPolicy$/, ''), Action],
        ),
      )
    const interfaces = [
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ]
    expect(everywhere).toEqual(inside.map(id => [id, interfaces]))
    for (const role of other.of('AWS::IAM::Role')) expect(role.properties.ManagedPolicyArns).toBeUndefined()
  })

  it('are refused by name when they are wrong, and never hold a secret', () => {
    const path = join(emptyFolder(), 'settings.json')
    const refusal = (settings: unknown) => {
      writeFileSync(path, JSON.stringify(settings))
      return () => readSettings(path)
    }
    expect(refusal({ stackName: 'Big Name', retention: { days: 0 } })).toThrow(
      /stackName: expected at most 20(.|\n)*retention\.days/,
    )
    expect(refusal({ sweepEveryMinute: 5 })).toThrow('sweepEveryMinute')
    const secrets = Object.entries(VARIABLES).flatMap(([name, about]) => ('secret' in about ? [name] : []))
    expect(secrets.length).toBeGreaterThan(4)
    for (const name of [...secrets, 'DAYBOOK_DESK_LISTEN', 'DAYBOOK_OIDC_ISSUER'])
      expect(refusal({ environment: { [name]: 'x' } })).toThrow(name)
    expect(refusal({ environment: { DAYBOOK_CADENSE: 'x' } })).toThrow('DAYBOOK_CADENSE')
    expect(() => readSettings('/nowhere/settings.json')).toThrow('expected a JSON file that can be read')
  })

  it('are not enough to deploy without bundles', () => {
    const codeOf = bundlesIn(emptyFolder())
    expect(() => codeOf('receive')).toThrow('There is no bundle of receive')
  })
})
