/**
 * `npm run bench:handlers`: the size of each bundle, and how long a fresh process takes from its start until it
 * asks for its first event, and to answer that one (with settings, secret and store client).
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundleHandler, STAGES, type Stage } from '../../handlers/bundle.ts'
import { startAwsStandIn } from '../support/lambda/aws-stand-in.ts'
import { lambdaFunction } from '../support/lambda/lambda-function.ts'

const STARTS = 15

const folder = await mkdtemp(join(tmpdir(), 'daybook-bench-'))
const accounts = Array.from({ length: 200 }, (_, index) => ({
  name: `m${index}`,
  apiKey: `key-of-m${index}-0001`,
  secretKey: `secret-of-m${index}`,
}))
const aws = await startAwsStandIn({ secret: JSON.stringify({ accounts }) })

/** Answered without a request to the store, so that it is the start that is measured. */
const NOTHING: Readonly<Record<Stage, unknown>> = {
  receive: { rawPath: '/', headers: {}, requestContext: { http: { method: 'GET' } } },
  archive: { Records: [] },
  parse: { Records: [] },
  submit: { account: 1 },
  snapshot: { account: 1 },
  reconcile: { account: 1 },
  sweep: { account: 1 },
}

async function sizeOf(stage: Stage): Promise<{ index: number; all: number; packed: number }> {
  const size = { index: 0, all: 0, packed: 0 }
  for (const name of await readdir(join(folder, stage))) {
    const bytes = await readFile(join(folder, stage, name))
    if (name === 'index.mjs') size.index = bytes.length
    size.all += bytes.length
    size.packed += gzipSync(bytes).length
  }
  return size
}

async function startOf(stage: Stage): Promise<{ init: number; first: number }> {
  const one = lambdaFunction({
    name: stage,
    folder: join(folder, stage),
    env: {
      ...aws.env,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'nobody',
      AWS_SECRET_ACCESS_KEY: 'nothing',
      DAYBOOK_STORE: 's3://no-such-bucket',
      DAYBOOK_SECRET_ID: 'secret',
      DAYBOOK_LOG_LEVEL: 'silent',
    },
    timeoutMs: 60_000,
    most: 1,
  })
  const startedAt = performance.now()
  await one.invoke(NOTHING[stage])
  const init = one.initMs[0]!
  const first = performance.now() - startedAt - init
  await one.stop()
  return { init, first }
}

/** The least and the median: on a machine with other things to do the least is nearer to what AWS shows. */
function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  return `${sorted[0]!.toFixed(0)} / ${sorted[Math.floor(sorted.length / 2)]!.toFixed(0)} ms`
}
const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`

const rows: string[][] = []
for (const stage of STAGES) {
  await bundleHandler(stage, folder)
  const { index, all, packed } = await sizeOf(stage)
  const starts = []
  for (let n = 0; n < STARTS; n++) starts.push(await startOf(stage))
  const init = spread(starts.map(start => start.init))
  const first = spread(starts.map(start => start.first))
  rows.push([stage, kib(index), kib(all), kib(packed), init, first])
}
await aws.stop()
await rm(folder, { recursive: true, force: true })
process.stdout.write(
  '| function | entry | whole folder | packed | init | first event |\n|---|---|---|---|---|---|\n',
)
for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`)
process.stdout.write(`Least and median of ${STARTS} fresh processes on ${process.version}.\n`)
