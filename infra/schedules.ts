/** What runs by itself, and when. */
import type { Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { StackSettings } from './settings.ts'
import { SCHEDULED, type ScheduledStage, type Stage } from './stages.ts'

/** Every account; without an input the scheduler would send an envelope that names an account of AWS. */
const EVERY_ACCOUNT = '{}'

/** Nobody waits for the minute, and what everyone does at the full hour is slow. */
const WINDOW_MINUTES = 15

export function addSchedules(
  stack: Stack,
  settings: StackSettings,
  functions: Readonly<Record<Stage, LambdaFunction>>,
  deadEvents: Queue,
): void {
  const name = settings.stackName
  const group = new CfnScheduleGroup(stack, 'Schedules', { name })
  const groupArn = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: name })
  const role = new Role(stack, 'SchedulesRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnEquals: { 'aws:SourceArn': groupArn },
      },
    }),
  })
  const arns = SCHEDULED.map(stage => functions[stage].functionArn)
  role.addToPolicy(new PolicyStatement({ sid: 'Start', actions: ['lambda:InvokeFunction'], resources: arns }))
  role.addToPolicy(
    new PolicyStatement({ sid: 'PutAside', actions: ['sqs:SendMessage'], resources: [deadEvents.queueArn] }),
  )
  for (const stage of SCHEDULED) {
    const schedule = new CfnSchedule(stack, `${stage}Schedule`, {
      name: `${name}-${stage}`,
      groupName: name,
      state: settings.schedules === 'on' ? 'ENABLED' : 'DISABLED',
      ...whenOf(stage, settings),
      target: {
        arn: functions[stage].functionArn,
        roleArn: role.roleArn,
        input: EVERY_ACCOUNT,
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 3600 },
        deadLetterConfig: { arn: deadEvents.queueArn },
      },
    })
    schedule.addResourceDependency(group)
    // A schedule that begins before its role may start anything only fails.
    schedule.node.addDependency(role)
  }
}

function whenOf(stage: ScheduledStage, settings: StackSettings) {
  switch (stage) {
    case 'sweep':
      return {
        scheduleExpression: `rate(${settings.sweepEveryMinutes} minutes)`,
        flexibleTimeWindow: { mode: 'OFF' },
      }
    case 'submit':
      return daily(settings.submitMinute)
    case 'snapshot':
      return daily(settings.snapshotMinute)
    case 'reconcile':
      return daily(settings.reconcileMinute)
  }
}

function daily(minuteOfDay: number) {
  return {
    scheduleExpression: `cron(${minuteOfDay % 60} ${Math.floor(minuteOfDay / 60)} * * ? *)`,
    scheduleExpressionTimezone: 'UTC',
    flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: WINDOW_MINUTES },
  }
}
