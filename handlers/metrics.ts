/** Metrics as lines of the log: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
import { writeJson } from '../src/domain/json.ts'
import type { AccountRef } from '../src/domain/keys.ts'
import type { Clock } from '../src/host.ts'

export const METRIC_NAMESPACE = 'Daybook'

/** Every metric there is, by its unit. */
export const METRICS = {
  QuotaUsed: 'Count',
  QuotaLimit: 'Count',
  QuotaUsedPercent: 'Percent',
  CoverageGapDays: 'Count',
  OpenReports: 'Count',
  OldestUnfinishedSeconds: 'Seconds',
  ReconciliationBreaks: 'Count',
  AccountsFailed: 'Count',
  AccountsLeft: 'Count',
} as const

export type MetricName = keyof typeof METRICS

/** Writes some metrics, of one account or of a whole run. */
export type Metrics = (values: Partial<Record<MetricName, number>>, ref?: AccountRef) => void

/** The account is no dimension: every combination of dimensions is a metric that is paid for. */
export function metricsOf(
  clock: Clock,
  functionName: string,
  write: (line: string) => void = line => void process.stdout.write(line),
): Metrics {
  return (values, ref) => {
    const names = Object.keys(values) as MetricName[]
    const line = {
      _aws: {
        Timestamp: clock.now().getTime(),
        CloudWatchMetrics: [
          {
            Namespace: METRIC_NAMESPACE,
            Dimensions: [['function']],
            Metrics: names.map(name => ({ Name: name, Unit: METRICS[name] })),
          },
        ],
      },
      function: functionName,
      ...ref,
      ...values,
    }
    write(`${writeJson(line)}\n`)
  }
}
