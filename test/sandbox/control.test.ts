import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { type Receiver, read, startReceiver, startTestSandbox, submitted } from '../support/sandbox-client.ts'

let sandbox: Sandbox
let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
  sandbox = await startTestSandbox({ knobs: { callbackUrl: receiver.url, callbackLost: true } })
})
afterAll(async () => {
  await sandbox.stop()
  await receiver.stop()
})

const control = async (method: string, path: string, body?: unknown) =>
  read(
    await fetch(`${sandbox.url}/sandbox/${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    }),
  )

test('another process reads the books and turns the knobs', async () => {
  const id = await submitted(sandbox)
  const { status, json } = await control('GET', 'books')
  expect(status).toBe(200)
  expect(json.reports.map((report: { reportId: string }) => report.reportId)).toEqual([id])
  expect(JSON.stringify(json)).not.toContain('alpha-secret')
  expect((await control('PUT', 'knobs', { quotaPerMonth: 1 })).json).toMatchObject({ quotaPerMonth: 1 })
  expect((await control('GET', 'knobs')).json).toMatchObject({ quotaPerMonth: 1, callbackLost: true })
  await expect(submitted(sandbox)).rejects.toThrow('400001')
})

test('mistakes are answered in words', async () => {
  const wrong = await control('PUT', 'knobs', { quotaPerMont: 1 })
  expect([wrong.status, wrong.json.error]).toEqual([
    400,
    expect.stringContaining('Did you mean quotaPerMonth?'),
  ])
  expect((await control('POST', 'redeliver', { reportId: '5' })).json.error).toContain('no report 5')
  expect((await control('POST', 'redeliver', {})).status).toBe(400)
  expect((await control('POST', 'deliver', { bizIdd: '5' })).status).toBe(400)
  expect((await control('POST', 'deliver', { bizId: 'x' })).status).toBe(400)
  const broken = await fetch(`${sandbox.url}/sandbox/knobs`, { method: 'PUT', body: '{' })
  expect(broken.status).toBe(400)
})

test('another process rotates the key and delivers', async () => {
  const before = receiver.received.length
  const { json } = await control('POST', 'rotate-key')
  const [report] = sandbox.books().reports
  const again = await control('POST', 'redeliver', { reportId: report!.reportId })
  expect(again.json).toMatchObject([
    { reportId: report!.reportId, serial: json.serial, outcome: 'acknowledged' },
  ])
  await control('POST', 'deliver', { bizType: 'PAYOUT', bizId: '203740009645850625' })
  expect(receiver.received).toHaveLength(before + 2)
  expect(receiver.received.at(-1)?.body).toContain('"bizId":203740009645850625')
})
