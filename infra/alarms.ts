/** What wakes a person, and what they look at. Every alarm has its place in the runbook of README.md. */
import { ArnFormat, Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  type MetricOptions,
  Stats,
  TextWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Queues } from './queues.ts'
import type { StackSettings } from './settings.ts'
import { SCHEDULED, STAGES, type Stage } from './stages.ts'

/** Where the functions' own metrics are; see handlers/README.md. */
export const METRIC_NAMESPACE = 'Daybook'

/** Of the month's reports of an account. A daily schedule uses 31 of 50. */
const QUOTA_PERCENT = 90

/** A report waits for its provider for hours at most; after a day somebody should look. */
const LONGEST_OPEN = Duration.hours(24)

/** Longer than the first two tries of a batch, each with its time-out. */
const OLDEST_MESSAGE = Duration.hours(3)

interface Watch {
  readonly id: string
  /** The heading of its part of the runbook. */
  readonly runbook: string
  readonly metric: IMetric
  readonly threshold: number
  readonly below?: true
  /** What no data means: all is well, nothing new is known, or something has stopped. */
  readonly silence: 'well' | 'unchanged' | 'bad'
}

type Functions = Readonly<Record<Stage, LambdaFunction>>

export function addAlarms(
  stack: Stack,
  settings: StackSettings,
  functions: Functions,
  queues: Queues,
): Topic {
  const topic = addTopic(stack, settings)
  const action = new SnsAction(topic)
  for (const watch of watches(settings, functions, queues)) {
    const alarm = new Alarm(stack, watch.id, {
      alarmName: `${settings.stackName}-${watch.id}`,
      alarmDescription: `See "${watch.runbook}" in the runbook, infra/README.md.`,
      metric: watch.metric,
      threshold: watch.threshold,
      evaluationPeriods: 1,
      comparisonOperator:
        watch.below === true
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: SILENCE[watch.silence],
    })
    alarm.addAlarmAction(action)
    alarm.addOkAction(action)
  }
  addDashboard(stack, settings, functions, queues)
  return topic
}

const SILENCE = {
  well: TreatMissingData.NOT_BREACHING,
  unchanged: TreatMissingData.IGNORE,
  bad: TreatMissingData.BREACHING,
} as const

function watches(settings: StackSettings, functions: Functions, queues: Queues): Watch[] {
  const own = ownMetrics(settings)
  const hour = Duration.hours(1)
  const deadLetters = [
    ['DeadArchiveLetters', queues.deadArchive],
    ['DeadParseLetters', queues.deadParse],
    ['DeadEventLetters', queues.deadEvents],
  ] as const
  const waiting = [
    ['ArchiveWaits', queues.archive],
    ['ParseWaits', queues.parse],
  ] as const
  return [
    ...deadLetters.map(([id, queue]) => ({
      id,
      runbook: 'Dead letters',
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM }),
      threshold: 1,
      silence: 'well' as const,
    })),
    ...waiting.map(([id, queue]) => ({
      id,
      runbook: 'A queue that waits',
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM }),
      threshold: OLDEST_MESSAGE.toSeconds(),
      silence: 'well' as const,
    })),
    ...STAGES.map(stage => ({
      id: `${stage[0]!.toUpperCase()}${stage.slice(1)}Fails`,
      runbook: 'A function that fails',
      metric: functions[stage].metricErrors({ statistic: Stats.SUM, period: Duration.minutes(15) }),
      threshold: 1,
      silence: 'well' as const,
    })),
    {
      id: 'ReceiveThrottled',
      runbook: 'Callbacks that are turned away',
      metric: functions.receive.metricThrottles({ statistic: Stats.SUM, period: Duration.minutes(5) }),
      threshold: 1,
      silence: 'well',
    },
    ...(settings.schedules === 'on'
      ? [
          {
            id: 'SweepStopped',
            runbook: 'No sweep',
            metric: functions.sweep.metricInvocations({ statistic: Stats.SUM, period: Duration.hours(3) }),
            threshold: 1,
            below: true as const,
            silence: 'bad' as const,
          },
        ]
      : []),
    {
      id: 'QuotaNearlyUsed',
      runbook: 'The quota is nearly used',
      metric: own('QuotaUsedPercent', 'submit', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: QUOTA_PERCENT,
      silence: 'unchanged',
    },
    {
      id: 'CoverageGap',
      runbook: 'Days that nobody has asked for',
      metric: own('CoverageGapDays', 'submit', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 1,
      silence: 'unchanged',
    },
    {
      id: 'ReconciliationBreak',
      runbook: 'The book does not add up',
      metric: own('ReconciliationBreaks', 'reconcile', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 1,
      silence: 'unchanged',
    },
    {
      id: 'ReportUnfinished',
      runbook: 'A report that does not end',
      metric: own('OldestUnfinishedSeconds', 'sweep', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: LONGEST_OPEN.toSeconds(),
      silence: 'well',
    },
    ...SCHEDULED.map(stage => ({
      id: `${stage[0]!.toUpperCase()}${stage.slice(1)}LeavesAccounts`,
      runbook: 'Accounts for which there was no time',
      metric: own('AccountsLeft', stage, { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 1,
      silence: 'well' as const,
    })),
  ]
}

/** The metrics that the functions write themselves; their one dimension is the function's name. */
function ownMetrics({ stackName }: StackSettings) {
  return (metricName: string, stage: Stage, options: MetricOptions) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { function: `${stackName}-${stage}` },
      ...options,
    })
}

function addTopic(stack: Stack, { alarmEmails }: StackSettings): Topic {
  // A key of its own: CloudWatch must be let use it, and has no business with the bucket's.
  const masterKey = new Key(stack, 'AlarmKey', {
    description: 'The alarms of Daybook',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com')
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsAreEncrypted',
      principals: [cloudWatch],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
    }),
  )
  const topic = new Topic(stack, 'Alarms', { masterKey, enforceSSL: true })
  const alarms = {
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  }
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      principals: [cloudWatch],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnLike: { 'aws:SourceArn': stack.formatArn(alarms) },
      },
    }),
  )
  for (const address of alarmEmails) topic.addSubscription(new EmailSubscription(address))
  return topic
}

function addDashboard(stack: Stack, settings: StackSettings, functions: Functions, queues: Queues): void {
  const own = ownMetrics(settings)
  const day = { statistic: Stats.MAXIMUM, period: Duration.days(1) }
  const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12, height: 6 })
  new Dashboard(stack, 'Dashboard', {
    dashboardName: settings.stackName,
    widgets: [
      [
        new TextWidget({
          markdown: `# ${settings.stackName}\nThe runbook is infra/README.md.`,
          width: 24,
          height: 2,
        }),
      ],
      [
        graph('Quota used (%)', [own('QuotaUsedPercent', 'submit', day)]),
        graph('Days that nobody has asked for', [own('CoverageGapDays', 'submit', day)]),
      ],
      [
        graph('Reconciliation breaks', [own('ReconciliationBreaks', 'reconcile', day)]),
        graph('Open reports', [
          own('OpenReports', 'sweep', { statistic: Stats.MAXIMUM }),
          own('OldestUnfinishedSeconds', 'sweep', { statistic: Stats.MAXIMUM }),
        ]),
      ],
      [
        graph('Waiting', [
          queues.archive.metricApproximateAgeOfOldestMessage(),
          queues.parse.metricApproximateAgeOfOldestMessage(),
        ]),
        graph('Dead letters', [
          queues.deadArchive.metricApproximateNumberOfMessagesVisible(),
          queues.deadParse.metricApproximateNumberOfMessagesVisible(),
          queues.deadEvents.metricApproximateNumberOfMessagesVisible(),
        ]),
      ],
      [
        graph(
          'Errors',
          STAGES.map(stage => functions[stage].metricErrors()),
        ),
        graph(
          'Duration',
          STAGES.map(stage => functions[stage].metricDuration({ statistic: Stats.p(95) })),
        ),
      ],
    ],
  })
}
