import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/host.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import {
  BETA,
  certificates,
  linkOf,
  query,
  startReceiver,
  startTestSandbox,
  submit,
  submitted,
} from '../support/sandbox-client.ts'

let stateDir: string
const running: { stop(): Promise<void> }[] = []
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'sandbox-'))
})
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop()
  rmSync(stateDir, { recursive: true })
})

async function start(options: Parameters<typeof startTestSandbox>[0] = {}): Promise<Sandbox> {
  const sandbox = await startTestSandbox(options)
  running.push(sandbox)
  return sandbox
}

const month = () => new Date().toISOString().slice(0, 7)

test('60 submits at once make exactly 50 reports', async () => {
  const sandbox = await start({ stateDir, knobs: { clockWindowMs: 10_000 } })
  const answers = await Promise.all(Array.from({ length: 60 }, () => submit(sandbox)))
  const codes = answers.map(({ json }) => json.code)
  expect(codes.filter(code => code === '000000')).toHaveLength(50)
  expect(codes.filter(code => code === '400001')).toHaveLength(10)
  const ids = answers.flatMap(({ json }) => /\d+$/.exec(json.data ?? '')?.[0] ?? [])
  expect(new Set(ids).size).toBe(50)
  expect(sandbox.books().generationsByMonth).toEqual({ alpha: { [month()]: 50 } })
  expect((await submit(sandbox, { merchant: BETA })).json.code).toBe('000000')
})

test('only accepted submits count, and a refusal has the code of its knob', async () => {
  const sandbox = await start({ knobs: { quotaPerMonth: 2, quotaRefusalCode: '400203' } })
  await submit(sandbox, { body: '{}' })
  await submit(sandbox, { secretKey: 'x' })
  await submit(sandbox, { knobs: { submitFault: 'http-500-before-effect' } })
  await submit(sandbox, { knobs: { submitFault: 'http-500-after-effect' } })
  expect((await submit(sandbox)).json.code).toBe('000000')
  expect((await submit(sandbox)).json.code).toBe('400203')
  expect((await submit(sandbox, { body: '{}' })).json.code).toBe('400100')
})

test('reports made elsewhere share the quota; unfinished ones may not count', async () => {
  const sandbox = await start({ knobs: { quotaPerMonth: 2, quotaUsedElsewhere: 1, processingMs: 60_000 } })
  expect((await submit(sandbox)).json.code).toBe('000000')
  expect((await submit(sandbox)).json.code).toBe('400001')
  expect((await submit(sandbox, { knobs: { quotaCounts: 'finished' } })).json.code).toBe('000000')
})

test('a new month opens a new quota, unless the window rolls', async () => {
  let now = Date.UTC(2025, 0, 31, 23, 59, 50)
  const clock: Clock = { ...systemClock, now: () => new Date(now) }
  const sandbox = await start({ clock, knobs: { quotaPerMonth: 1, processingMs: 1e9 } })
  const body = JSON.stringify({ reportType: 'Balance', startDate: '2025-01-01', endDate: '2025-01-09' })
  const ask = async (knobs = {}) => (await submit(sandbox, { timestamp: now, body, knobs })).json.code
  expect(await ask()).toBe('000000')
  expect(await ask()).toBe('400001')
  now += 20_000
  expect(await ask({ quotaWindow: 'rolling-30-days' })).toBe('400001')
  expect(await ask()).toBe('000000')
  expect(sandbox.books().generationsByMonth).toEqual({ alpha: { '2025-01': 1, '2025-02': 1 } })
})

test('a restarted sandbox remembers reports, keys, links and files', async () => {
  const first = await startTestSandbox({ stateDir, knobs: { quotaPerMonth: 3 } })
  const id = await submitted(first, { knobs: { fileContainer: 'gzip' } })
  const link = new URL(await linkOf(first))
  const file = await (await fetch(link)).bytes()
  const etag = (await fetch(link)).headers.get('etag')
  const keys = await certificates(first)
  const { reports, deliveries } = first.books()
  await first.stop()

  const second = await start({ stateDir, knobs: { quotaPerMonth: 3 } })
  const kept = second.books()
  expect(kept.reports).toEqual(reports)
  expect(kept.deliveries).toEqual(deliveries)
  expect(await certificates(second)).toEqual(keys)
  expect((await query(second, id)).json.downloadUrl).toMatch(/\.csv\.gz$/)
  const again = await fetch(second.url + link.pathname)
  expect(again.headers.get('etag')).toBe(etag)
  expect(await again.bytes()).toEqual(file)
  await submitted(second)
  expect((await submit(second)).json.code).toBe('400001')
})

test('a restart goes on with open callbacks where they were, and leaves settled ones', async () => {
  const receiver = await startReceiver()
  running.push(receiver)
  receiver.answers = [{}, { status: 500 }]
  const knobs = { callbackUrl: receiver.url, callbackRetries: 3, callbackRetryFirstMs: 60_000 }
  const first = await startTestSandbox({ stateDir, knobs })
  await submitted(first)
  await receiver.until(1)
  const open = await submitted(first)
  await receiver.until(2)
  while (first.books().deliveries.length < 2) await new Promise(resolve => setTimeout(resolve, 5))
  await first.stop()

  const second = await start({ stateDir, knobs: { ...knobs, callbackRetryFirstMs: 1 } })
  const isOpen = () => second.books().reports.some(({ callback }) => !callback.settled)
  while (isOpen()) await new Promise(resolve => setTimeout(resolve, 5))
  const later = receiver.received.slice(2).map(({ body }) => /"bizIdStr":"(\d+)"/.exec(body)?.[1])
  expect(later).toEqual([open, open, open])
})

test('what was accepted survives a kill, and its callbacks still go out', async () => {
  const receiver = await startReceiver()
  running.push(receiver)
  const script = new URL('../support/sandbox-child.ts', import.meta.url).pathname
  const node = new URL('../../node_modules/.bin/node', import.meta.url).pathname
  const child = spawn(node, [script, stateDir, receiver.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const url = String(line).trim()
  const ids = await Promise.all(Array.from({ length: 5 }, () => submitted({ url })))
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(receiver.received).toEqual([])

  const sandbox = await start({ stateDir, knobs: { callbackUrl: receiver.url } })
  expect(
    sandbox
      .books()
      .reports.map(report => report.reportId)
      .sort(),
  ).toEqual([...ids].sort())
  const callbacks = await receiver.until(5)
  expect(callbacks.map(({ body }) => /"bizIdStr":"(\d+)"/.exec(body)?.[1]).sort()).toEqual([...ids].sort())
})
