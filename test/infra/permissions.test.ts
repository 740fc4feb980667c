/** Who may do what: every permission of the stack is written down here, and is enough for what the stages do. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REQUESTS } from '../../infra/cost.ts'
import type { Stage } from '../../infra/stages.ts'
import { loadConfig } from '../../src/config/config.ts'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { systemRandom } from '../../src/host.ts'
import { askDue } from '../../src/planning.ts'
import { PROVIDERS, type ProviderFactory } from '../../src/providers/registry.ts'
import { reconcileDue, snapshotDue } from '../../src/proving.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { archive } from '../../src/stages/archive.ts'
import type { Context } from '../../src/stages/context.ts'
import { match } from '../../src/stages/match.ts'
import { parse } from '../../src/stages/parse.ts'
import { receive } from '../../src/stages/receive.ts'
import { reconcile } from '../../src/stages/reconcile.ts'
import { snapshot } from '../../src/stages/snapshot.ts'
import { submit } from '../../src/stages/submit.ts'
import { publicKeys } from '../../src/stores/public-keys.ts'
import { quotaLedger } from '../../src/stores/quota-ledger.ts'
import { reportLog } from '../../src/stores/report-log.ts'
import { workLog } from '../../src/stores/work-log.ts'
import { sweep } from '../../src/sweep.ts'
import { type Daybook, type WiredAccount, wire } from '../../src/wiring.ts'
import { enforcedStore, type StoreCall } from '../support/enforced-store.ts'
import { bucketStatements, decide, listOf, statementsOf } from '../support/policy.ts'
import { shiftedClock } from '../support/shifted-clock.ts'
import { makeTemplate, type Template } from '../support/template.ts'
import { CREDENTIALS, eventually } from '../support/test-daybook.ts'

const PATIENCE_MS = 120_000

let template: Template
beforeAll(() => {
  template = makeTemplate()
}, PATIENCE_MS)

const REPORT = 'reports/*/*/*'
const ATTEMPTS = 'work/*/*/attempts/*.json'
const ARRIVALS = 'work/*/*/arrivals/*/*'
const DAYS = 'activity/v1/provider=*/account=*/date=*/activity.parquet'
const REPLACED = 'replacements/*/*/*/*.json'
const UNREADABLE = 'quarantine/v1/provider=*/account=*/report=*/rows.jsonl'
const SNAPSHOTS = 'snapshots/*/*/*/*.json'
const BALANCES = 'balances/v1/provider=*/account=*/date=*/*.parquet'
const OUTCOMES = 'quota/*/*/*/*.outcome.json'

const RECEIVED = ['keys/*/*.json', `${REPORT}/callback.json`, 'callbacks/*/*/*/*.json', ARRIVALS]
const FETCHED = [
  `${REPORT}/accepted.json`,
  OUTCOMES,
  ARRIVALS,
  `${REPORT}/file/*`,
  `${REPORT}/archive.json`,
  ATTEMPTS,
]
const PARSED = [`${REPORT}/manifest.json`, DAYS, REPLACED, UNREADABLE, ATTEMPTS]

/** What each function may read and write of the bucket, and do besides. */
const GRANTED: Record<Stage, { reads: string[]; writes: string[]; besides: [string, string[]][] }> = {
  receive: { reads: RECEIVED, writes: RECEIVED, besides: [] },
  archive: {
    reads: [REPORT, 'quota/*/*/*', ARRIVALS, ATTEMPTS],
    writes: FETCHED,
    besides: takesFrom('ArchiveQueue'),
  },
  parse: {
    reads: [REPORT, DAYS, REPLACED, UNREADABLE, ATTEMPTS],
    writes: PARSED,
    besides: [...takesFrom('ParseQueue'), ['events:PutEvents', ['<Bus.Arn>']]],
  },
  submit: {
    reads: [REPORT, 'quota/*/*/*', ARRIVALS],
    writes: ['quota/*/*/*', `${REPORT}/accepted.json`, ARRIVALS],
    besides: putsAside(),
  },
  snapshot: { reads: [SNAPSHOTS, BALANCES], writes: [SNAPSHOTS, BALANCES], besides: putsAside() },
  reconcile: {
    reads: [REPORT, 'quota/*/*/*', DAYS, SNAPSHOTS, BALANCES, 'reconciliations/*/*/*.json'],
    writes: ['reconciliations/*/*/*.json'],
    besides: putsAside(),
  },
  sweep: {
    reads: [REPORT, 'quota/*/*/*', ARRIVALS, ATTEMPTS, DAYS, REPLACED, UNREADABLE, 'work/*/*/agenda.json'],
    writes: [
      ...new Set([...FETCHED, ...PARSED]),
      `${REPORT}/ended.json`,
      `${REPORT}/ended-called.json`,
      'work/*/*/agenda.json',
    ],
    besides: putsAside(),
  },
}

function takesFrom(queue: string): [string, string[]][] {
  const arn = [`<${queue}.Arn>`]
  return [
    'ReceiveMessage',
    'ChangeMessageVisibility',
    'GetQueueUrl',
    'DeleteMessage',
    'GetQueueAttributes',
  ].map(action => [`sqs:${action}`, arn])
}

function putsAside(): [string, string[]][] {
  return [['sqs:SendMessage', ['<DeadEvents.Arn>']]]
}

function roleOf(stage: Stage): string {
  return `${stage[0]!.toUpperCase()}${stage.slice(1)}Role`
}

/** A role's grants as action → resources, in order. */
function grantsOf(roleId: string): Record<string, string[]> {
  const grants: Record<string, string[]> = {}
  for (const { Effect, Action, Resource, Condition } of statementsOf(template, roleId)) {
    expect([Effect, Condition]).toEqual(['Allow', undefined])
    for (const action of listOf(Action)) {
      grants[action] = [...(grants[action] ?? []), ...listOf(Resource)].sort()
    }
  }
  return grants
}

describe('the permissions of the stack', () => {
  it.each(Object.entries(GRANTED))(
    'lets %s do this and nothing else',
    (stage, { reads, writes, besides }) => {
      const inBucket = (patterns: string[]) => patterns.map(pattern => `<Bucket.Arn>/${pattern}`).sort()
      const name = roleOf(stage as Stage)
      expect(grantsOf(name)).toEqual({
        'logs:CreateLogStream': [`<${name.replace('Role', 'Log')}.Arn>`],
        'logs:PutLogEvents': [`<${name.replace('Role', 'Log')}.Arn>`],
        's3:ListBucket': ['<Bucket.Arn>'],
        's3:GetObject': inBucket(reads),
        's3:PutObject': inBucket(writes),
        's3:AbortMultipartUpload': inBucket(writes),
        'kms:Decrypt': ['<Key.Arn>'],
        'kms:GenerateDataKey': ['<Key.Arn>'],
        'secretsmanager:GetSecretValue': ['<Accounts1>'],
        ...Object.fromEntries(besides),
      })
    },
  )

  it('lets the schedules start four functions and nothing else', () => {
    expect(grantsOf('SchedulesRole')).toEqual({
      'lambda:InvokeFunction': ['<Reconcile.Arn>', '<Snapshot.Arn>', '<Submit.Arn>', '<Sweep.Arn>'],
      'sqs:SendMessage': ['<DeadEvents.Arn>'],
    })
  })

  it('has no other role, and no role has policies of AWS or of its own beside these', () => {
    const roles = template.of('AWS::IAM::Role')
    expect(roles.map(({ id }) => id).sort()).toEqual(
      [...Object.keys(GRANTED).map(stage => roleOf(stage as Stage)), 'SchedulesRole'].sort(),
    )
    for (const { properties } of roles) {
      expect(properties.ManagedPolicyArns).toBeUndefined()
      expect(properties.Policies).toBeUndefined()
    }
    const trusted = roles.map(({ id, properties }) => [
      id,
      properties.AssumeRolePolicyDocument.Statement.map(({ Principal }: { Principal: unknown }) => Principal),
    ])
    for (const [id, principals] of trusted)
      expect(principals).toEqual([
        { Service: id === 'SchedulesRole' ? 'scheduler.amazonaws.com' : 'lambda.amazonaws.com' },
      ])
  })

  it('grants no action by a wildcard anywhere, and everything only to a key, by its own policy', () => {
    const granting = template.resources.flatMap(({ id, properties }) => {
      const { PolicyDocument, KeyPolicy, ResourcePolicy } = properties
      const documents = [PolicyDocument, KeyPolicy, ResourcePolicy].filter(document => document !== undefined)
      return documents.flatMap(({ Statement }) =>
        Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow').map(
          (statement: { Action: string; Resource: string; Principal?: unknown }) => ({ id, ...statement }),
        ),
      )
    })
    expect(granting.length).toBeGreaterThan(40)
    const wide = granting.filter(
      ({ Action, Resource }) =>
        listOf(Action).some(action => action.includes('*')) || listOf(Resource).includes('*'),
    )
    // In a key's policy the resource is the key itself, and its owner's account must be able to manage it.
    expect(wide.filter(({ id }) => id !== 'Key' && id !== 'AlarmKey')).toEqual([])
    const owner = { AWS: 'arn:<AWS::Partition>:iam::<AWS::AccountId>:root' }
    const others = wide.filter(({ Principal }) => JSON.stringify(Principal) !== JSON.stringify(owner))
    expect(others.map(({ id, Principal, Action }) => ({ id, Principal, Action }))).toEqual([
      {
        id: 'AlarmKey',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      },
    ])
  })
})

const SECURE = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' }

describe('the stages, under the policies of the stack', () => {
  let folder: string
  let sandbox: Sandbox
  let wired: Daybook
  let context: Context
  let account: WiredAccount
  let stopListening: () => Promise<void>
  const clock = shiftedClock()
  const letters: { headers: IncomingHttpHeaders; body: Buffer }[] = []
  const refused: string[] = []
  const spent = { write: 0, read: 0, list: 0 }
  /** What the stages have asked of S3, beside what the cost is worked out with. */
  const measured: {
    stage: Stage
    write: number
    read: number
    list: number
    writes: number
    reads: number
  }[] = []
  let acting: Stage = 'submit'

  /** What S3 would do with a request of the function that is acting. */
  function guard({ action, key, context: told = {}, request }: StoreCall): void {
    if (request !== undefined) spent[request] += 1
    const statements = [...statementsOf(template, roleOf(acting)), ...bucketStatements(template)]
    const resource = key === '' ? '<Bucket.Arn>' : `<Bucket.Arn>/${key}`
    const decision = decide(statements, { action, resource, context: { ...SECURE, ...told } })
    if (decision === 'allowed') return
    refused.push(`${acting}: ${action} ${key}: ${decision}`)
    throw new Error(refused.at(-1))
  }

  async function as<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    acting = stage
    Object.assign(spent, { write: 0, read: 0, list: 0 })
    const outcome = await work()
    expect(refused).toEqual([])
    const { writes, reads } = REQUESTS[stage]
    measured.push({ stage, ...spent, writes, reads })
    return outcome
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-permissions-'))
    const listener = createServer(async (request, response) => {
      const body = Buffer.concat(await Array.fromAsync(request))
      letters.push({ headers: request.headers, body })
      response.end('{"returnCode":"SUCCESS","returnMessage":null}')
    })
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    stopListening = () => new Promise(resolve => listener.close(() => resolve()))
    const callbackUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`
    sandbox = await startSandbox({
      merchants: [{ name: 'test', ...CREDENTIALS }],
      seed: 'permissions',
      knobs: { processingMs: 10, rowsPerDay: 20, callbackUrl },
      clock,
      random: systemRandom,
    })
    const loaded = loadConfig({
      DAYBOOK_STORE: join(folder, 'store'),
      BINANCE_PAY_BASE_URL: sandbox.url,
      BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
      BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
      DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
      DAYBOOK_POLL_FIRST_SECONDS: '1',
      DAYBOOK_POLL_SECONDS: '1',
      DAYBOOK_LOG_LEVEL: 'silent',
    })
    const keys = () => publicKeys(context.store, 'binance-pay')
    const binancePay: ProviderFactory = parts =>
      PROVIDERS['binance-pay']!({
        ...parts,
        keyRecords: { read: serial => keys().read(serial), create: record => keys().create(record) },
      })
    wired = await wire(loaded, { clock, random: systemRandom, providers: { 'binance-pay': binancePay } })
    const store = enforcedStore(wired.context.store, guard)
    const over = { store, ledger: quotaLedger(store), reports: reportLog(store), work: workLog(store) }
    context = { ...wired.context, ...over }
    account = wired.accounts[0]!
  }, PATIENCE_MS)

  afterAll(async () => {
    await sandbox?.stop()
    await stopListening?.()
    await wired?.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  })

  it('take a report from the request to rows, and snapshot and reconcile', async () => {
    await as('snapshot', () => snapshot(context, account, { reason: 'test' }))
    const asked = await as('submit', () => askDue(context, account))
    const { reportId } = (asked as { submit: { reportId: string } }).submit
    const letter = await eventually(() => letters[0])
    const received = await as('receive', () => receive(context, account, letter))
    expect(received).toEqual({ outcome: 'kept', reportId })
    await as('archive', async () => {
      expect(await match(context, account, reportId)).toEqual({ outcome: 'matched' })
      expect(await archive(context, account, reportId)).toMatchObject({ outcome: 'archived' })
    })
    expect(await as('parse', () => parse(context, account, reportId))).toMatchObject({ outcome: 'parsed' })
    const day = addDays(dayOf(clock.now()), -3)
    const input = { day, tolerances: new Map() }
    expect(await as('reconcile', () => reconcile(context, account, input))).toMatchObject({
      outcome: 'recorded',
    })
    expect((await reconcileDue(context, account)).length).toBeGreaterThan(1)
    acting = 'snapshot'
    expect(await snapshotDue(context, account)).toMatchObject([{ outcome: 'taken' }])
    expect(refused).toEqual([])
  }, 60_000)

  it('finish by a sweep what no callback tells of, and replace a day', async () => {
    sandbox.setKnobs({ callbackLost: true })
    const day = addDays(dayOf(clock.now()), -3)
    const request = { range: { start: day, end: addDays(day, 1) }, wallets: 'all' as const }
    sandbox.setKnobs({ rowsPerDay: 25 })
    const asked = await as('submit', () => submit(context, account, { request, reason: 'test', again: true }))
    expect(asked.outcome).toBe('accepted')
    clock.shift(60_000)
    const swept = await eventually(async () => {
      const outcome = await as('sweep', () => sweep(context, [account]))
      clock.shift(60_000)
      return outcome.finished > 0 ? outcome : undefined
    }, 30_000)
    expect(swept.finished).toBe(1)
    expect(await Array.fromAsync(wired.context.store.list('replacements/'))).not.toEqual([])
  }, 60_000)

  it('ask no more of S3 than the cost is worked out with', async () => {
    measured.length = measured.findIndex(({ stage }) => stage === 'sweep')
    const idle = await as('sweep', () => sweep(context, [account]))
    expect(idle).toEqual({ open: 0, finished: 0, tried: 0, waiting: 0, left: 0 })
    expect(new Set(measured.map(({ stage }) => stage)).size).toBe(7)
    const dearer = measured.filter(each => each.write + each.list > each.writes || each.read > each.reads)
    expect(dearer).toEqual([])
  })

  it('are refused what is not theirs', async () => {
    acting = 'receive'
    const request = { range: { start: '2026-09-01', end: '2026-09-02' }, wallets: 'all' as const }
    const asking = submit(context, account, { request, reason: 'test', again: true })
    await expect(asking).rejects.toThrow('receive: s3:GetObject quota/')
    acting = 'parse'
    await expect(snapshot(context, account, { reason: 'test' })).rejects.toThrow('not allowed')
    refused.length = 0
  })
})
