/** Starts a real S3 for the suites of `npm run test:s3`, and says so loudly when there is none to start. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import type { TestProject } from 'vitest/node'
import { s3Client } from '../../../src/stores/s3-client.ts'
import type { S3Place } from '../s3-stand-in.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The running Ceph, or `undefined` when it could not be fetched or started here. */
    ceph: S3Place | undefined
  }
}

const run = promisify(execFile)
const script = (name: string) => join(import.meta.dirname, name)
const credentials = { accessKeyId: 'daybook', secretAccessKey: 'daybook-secret' }
const bucket = 'daybook-test'

let stop = async () => console.error(notice('the suites on a real S3 did NOT run.'))

export async function setup(project: TestProject): Promise<void> {
  try {
    const { place, stop: stopCeph } = await startCeph()
    stop = stopCeph
    project.provide('ceph', place)
  } catch (error) {
    project.provide('ceph', undefined)
    const { stderr, message } = error as Error & { stderr?: string }
    console.error(notice('there is no Ceph to test against.', (stderr || message).trim()))
  }
}

export async function teardown(): Promise<void> {
  await stop()
}

/** Fetches Ceph unless that was done before, and starts one with a bucket. */
export async function startCeph(): Promise<{ place: S3Place; stop(): Promise<void> }> {
  const programs = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'daybook-ceph', 'ceph-20')
  console.error('Fetching Ceph, unless it was fetched before ...')
  await run(script('fetch.sh'), [programs])
  const folder = await mkdtemp(join(tmpdir(), 'daybook-ceph-'))
  const stopCeph = async () => {
    await run(script('ceph.sh'), ['stop', folder])
    await rm(folder, { recursive: true, force: true })
  }
  const env = { ...process.env, ACCESS_KEY: credentials.accessKeyId, SECRET_KEY: credentials.secretAccessKey }
  try {
    const endpoint = (await run(script('ceph.sh'), ['start', folder, programs], { env })).stdout.trim()
    await s3Client({ endpoint, credentials }).send(new CreateBucketCommand({ Bucket: bucket }))
    return { place: { endpoint, bucket, credentials }, stop: stopCeph }
  } catch (error) {
    await stopCeph()
    throw error
  }
}

function notice(headline: string, detail = ''): string {
  const said = new Set(detail.split('\n').filter(line => line !== ''))
  const lines = [`daybook: ${headline}`, ...[...said].slice(-5)]
  const frame = '#'.repeat(Math.max(...lines.map(line => line.length)) + 4)
  return ['', frame, ...lines.map(line => `# ${line.padEnd(frame.length - 4)} #`), frame, ''].join('\n')
}
