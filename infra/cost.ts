/**
 * What the stack costs a month: `node infra/cost.ts 1 500` prints README.md's table for these numbers of accounts.
 * List prices of us-east-1 without free tiers, as of 2025, in USD; compute times are assumptions, see README.md.
 */
import type { Stage } from './stages.ts'

const PRICE = {
  lambdaGbSecond: 0.0000133334,
  lambdaMillionStarts: 0.2,
  s3ThousandWrites: 0.005,
  s3ThousandReads: 0.0004,
  s3GbMonth: 0.023,
  kmsKey: 1,
  kmsThousandCalls: 0.003,
  secret: 0.4,
  sqsMillionRequests: 0.4,
  alarm: 0.1,
  metric: 0.3,
  dashboard: 3,
  logGb: 0.5,
  schedulerMillion: 1,
  eventMillion: 1,
} as const

/** What one account does, every day unless said otherwise. */
export const ASSUMED = {
  days: 31,
  /** Callbacks about payments arrive at the same address; here one, about the report. */
  callbacksADay: 1,
  /** Reports that are there already: what is covered is read from all of them. */
  history: 365,
  /** File, rows and records of a day; a year of them is kept. */
  megabytesADay: 2,
  yearsKept: 1,
  sweepsAnHour: 4,
  daysReconciled: 7,
  accountsASecret: 250,
} as const

/** Requests to S3 of one account: a run of the stage over a day's report. Writes count with listings. */
export const REQUESTS: Readonly<Record<Stage, { readonly writes: number; readonly reads: number }>> = {
  receive: { writes: 3, reads: 2 },
  archive: { writes: 5, reads: 6 },
  parse: { writes: 4, reads: 10 },
  submit: { writes: 12, reads: 4 },
  snapshot: { writes: 4, reads: 2 },
  /** Of one day. */
  reconcile: { writes: 4, reads: 10 },
  /** Of one that finds nothing to do. */
  sweep: { writes: 4, reads: 2 },
}

/** Memory in GB and seconds for one account; four are worked on at once by the scheduled ones. */
const COMPUTE: Readonly<Record<Stage, { readonly gb: number; readonly seconds: number }>> = {
  receive: { gb: 0.5, seconds: 0.5 },
  archive: { gb: 1, seconds: 3 },
  parse: { gb: 3.5, seconds: 5 },
  submit: { gb: 1, seconds: 0.5 },
  snapshot: { gb: 1, seconds: 0.25 },
  reconcile: { gb: 1, seconds: 0.9 },
  sweep: { gb: 3.5, seconds: 0.05 },
}

const METRICS = 15
const ALARMS = 22
const LOG_BYTES_A_SWEEP = 1000
const LOG_BYTES_A_DAY = 20_000
const ACCESS_LOG_BYTES = 500
const ACCESS_LOG_MONTHS = 13

/** How often a stage works on one account in a month. */
function runs(stage: Stage): number {
  const { days, sweepsAnHour, callbacksADay } = ASSUMED
  if (stage === 'sweep') return days * 24 * sweepsAnHour
  return stage === 'receive' ? days * callbacksADay : days
}

export interface CostLine {
  readonly what: string
  readonly formula: string
  readonly usd: (accounts: number) => number
}

const STAGES = Object.keys(REQUESTS) as Stage[]
const sum = (of: (stage: Stage) => number) => STAGES.reduce((total, stage) => total + of(stage), 0)
const gbSeconds = sum(stage => runs(stage) * COMPUTE[stage].gb * COMPUTE[stage].seconds)
const times = (stage: Stage) => runs(stage) * (stage === 'reconcile' ? ASSUMED.daysReconciled : 1)
const writes = sum(stage => times(stage) * REQUESTS[stage].writes)
/** `submit` reads the request and the manifest of every report twice: what is due, and what is missing. */
const historyReads = ASSUMED.days * 4 * ASSUMED.history
const reads = sum(stage => times(stage) * REQUESTS[stage].reads) + historyReads
const storedGb = (ASSUMED.megabytesADay * 365 * ASSUMED.yearsKept) / 1000
const logGb = (runs('sweep') * LOG_BYTES_A_SWEEP + ASSUMED.days * LOG_BYTES_A_DAY) / 1_000_000_000
/** Five pollers a queue ask every 20 seconds, whether there is anything or not. */
const polls = 2 * 5 * 3 * 60 * 24 * ASSUMED.days
const starts = 3 * ASSUMED.days + runs('sweep')
const count = (value: number) => Math.round(value).toLocaleString('en-US')

const COST_LINES: readonly CostLine[] = [
  {
    what: 'Lambda, time',
    formula: `accounts × ${count(gbSeconds)} GB-s × $${PRICE.lambdaGbSecond}`,
    usd: accounts => accounts * gbSeconds * PRICE.lambdaGbSecond,
  },
  {
    what: 'Lambda, starts',
    formula: `(${count(starts)} + accounts × ${3 * ASSUMED.days}) × $0.20 a million`,
    usd: accounts => ((starts + accounts * 3 * ASSUMED.days) * PRICE.lambdaMillionStarts) / 1e6,
  },
  {
    what: 'S3, writes and listings',
    formula: `accounts × ${count(writes)} × $0.005 a thousand`,
    usd: accounts => (accounts * writes * PRICE.s3ThousandWrites) / 1000,
  },
  {
    what: 'S3, reads',
    formula: `accounts × ${count(reads)} × $0.0004 a thousand; ${count(historyReads)} of them for the history`,
    usd: accounts => (accounts * reads * PRICE.s3ThousandReads) / 1000,
  },
  {
    what: 'S3, storage of a year',
    formula: `accounts × ${storedGb} GB × $0.023`,
    usd: accounts => accounts * storedGb * PRICE.s3GbMonth,
  },
  {
    what: 'S3, access logs of 400 days',
    formula: `accounts × ${count(writes + reads)} requests × ${ACCESS_LOG_BYTES} B × ${ACCESS_LOG_MONTHS} × $0.023`,
    usd: accounts =>
      (accounts * (writes + reads) * ACCESS_LOG_BYTES * ACCESS_LOG_MONTHS * PRICE.s3GbMonth) / 1e9,
  },
  {
    what: 'KMS',
    formula: '2 keys × $1, and one call in a hundred S3 requests × $0.003 a thousand',
    usd: accounts => 2 * PRICE.kmsKey + (accounts * (writes + reads) * PRICE.kmsThousandCalls) / 100 / 1000,
  },
  {
    what: 'Secrets Manager',
    formula: `one secret for ${ASSUMED.accountsASecret} accounts × $0.40`,
    usd: accounts => Math.ceil(accounts / ASSUMED.accountsASecret) * PRICE.secret,
  },
  {
    what: 'SQS',
    formula: `(${count(polls)} polls + accounts × ${2 * 3 * ASSUMED.days}) × $0.40 a million`,
    usd: accounts => ((polls + accounts * 2 * 3 * ASSUMED.days) * PRICE.sqsMillionRequests) / 1e6,
  },
  {
    what: 'CloudWatch',
    formula: `${ALARMS} alarms × $0.10 + ${METRICS} metrics × $0.30 + a dashboard, $3`,
    usd: () => ALARMS * PRICE.alarm + METRICS * PRICE.metric + PRICE.dashboard,
  },
  {
    what: 'CloudWatch, logs',
    formula: `accounts × ${logGb.toFixed(4)} GB × $0.50`,
    usd: accounts => accounts * logGb * PRICE.logGb,
  },
  {
    what: 'EventBridge',
    formula: `${count(starts)} starts and accounts × ${ASSUMED.days} events × $1 a million`,
    usd: accounts => (starts * PRICE.schedulerMillion + accounts * ASSUMED.days * PRICE.eventMillion) / 1e6,
  },
]

/** The table as Markdown. */
export function costTable(accounts: readonly number[]): string {
  const price = (usd: number) => usd.toFixed(2)
  const total = (each: number) => COST_LINES.reduce((all, { usd }) => all + usd(each), 0)
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    row(['USD a month', 'how', ...accounts.map(each => `${each} account${each === 1 ? '' : 's'}`)]),
    row(['---', '---', ...accounts.map(() => '---:')]),
    ...COST_LINES.map(({ what, formula, usd }) =>
      row([what, formula, ...accounts.map(each => price(usd(each)))]),
    ),
    row(['**together**', '', ...accounts.map(each => `**${price(total(each))}**`)]),
  ].join('\n')
}

if (import.meta.main) process.stdout.write(`${costTable(process.argv.slice(2).map(Number))}\n`)
