/**
 * The content of the image, put together by the lines of the Dockerfile in a folder, run as its entry point runs
 * it, by the Node of this repository. What only an engine can do (users, layers, the base image) is not seen here.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dockerfile } from '../support/dockerfile.ts'
import { freePort } from '../support/free-port.ts'
import { eventually } from '../support/test-daybook.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')
const image = dockerfile(readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8'))

let folder: string
let work: string
let env: Record<string, string>
const children: ChildProcess[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'daybook-image-'))
  work = mkdtempSync(join(tmpdir(), 'daybook-image-work-'))
  for (const { sources } of image.copies)
    for (const source of sources) cpSync(join(ROOT, source), join(folder, source), { recursive: true })
  const [npm, ...options] = image.install
  await run(npm!, options, { cwd: folder, env: { ...process.env, NODE_ENV: 'production' } })
  const [port, sandboxPort] = [await freePort(), await freePort()]
  env = {
    PATH: process.env.PATH ?? '',
    ...image.environment,
    DAYBOOK_LISTEN: `127.0.0.1:${port}`,
    DAYBOOK_STORE: join(work, 'store'),
    BINANCE_PAY_BASE_URL: `http://127.0.0.1:${sandboxPort}`,
    BINANCE_PAY_API_KEY: 'sandbox-api-key',
    BINANCE_PAY_SECRET_KEY: 'sandbox-secret-key',
    DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandboxPort}`,
  }
  const callbacks = `http://127.0.0.1:${port}/callbacks/binance-pay/main`
  start('sandbox', '--port', `${sandboxPort}`, '--knob', 'fileContainer=gzip', '--callback-url', callbacks)
  start(...image.command)
})

afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.kill()) await once(child, 'exit')
  for (const made of [folder, work]) rmSync(made, { recursive: true, force: true })
})

/** What the entry point starts: `node` of the image is the Node of this repository. */
function entry(...options: string[]): [string, string[]] {
  const [node, ...first] = image.entrypoint
  expect(node).toBe('node')
  return [process.execPath, [...first, ...options]]
}

function start(...options: string[]): void {
  children.push(spawn(...entry(...options), { cwd: folder, env, stdio: 'ignore' }))
}

it('is healthy, by the health check of the image', async () => {
  const [node, ...options] = image.healthcheck
  expect(node).toBe('node')
  const here = options.map(option => option.replace('127.0.0.1:8080', env.DAYBOOK_LISTEN!))
  expect(here).not.toEqual(options)
  const isHealthy = () =>
    run(process.execPath, here, { env }).then(
      () => true,
      () => undefined,
    )
  expect(await eventually(isHealthy, 60_000)).toBe(true)
})

it('takes a report from the request to rows, with production dependencies alone', async () => {
  const [node, options] = entry('submit', '--day', dayBefore(10))
  await run(node, options, { cwd: folder, env })
  const parsed = await eventually(async () => {
    const [command, args] = entry('status', '--json')
    const { stdout } = await run(command, args, { cwd: folder, env })
    return stdout.includes('"parsed"') ? stdout : undefined
  }, 90_000)
  expect(parsed).toContain('"parsed"')
})

function dayBefore(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}
