import { execFile } from 'node:child_process'
import { createHash, verify } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reportKeys } from '../../src/domain/keys.ts'
import { evidenceBundle } from '../../src/exports/evidence.ts'
import { submit } from '../../src/stages/submit.ts'
import { collect } from '../support/objects.ts'
import { eventually, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'
import { unzip } from '../support/unzip.ts'

const REQUEST = { range: { start: '2026-10-01', end: '2026-10-03' }, wallets: 'all' as const }

describe('the evidence of a report', () => {
  let test: TestDaybook
  let reportId: string
  beforeEach(async () => {
    test = await startTestDaybook()
    const { context } = test.daybook
    const asked = await submit(context, test.account, { request: REQUEST, reason: 'test', again: false })
    if (asked.outcome !== 'accepted') throw new Error(JSON.stringify(asked))
    reportId = asked.reportId
    await eventually(() => context.reports.read(test.account.ref, reportId, 'manifest'))
  })
  afterEach(() => test.stop())

  const bundle = () => evidenceBundle(test.daybook.context, test.account, reportId)
  const folder = () => `evidence-binance-pay-main-${reportId}`

  async function files(): Promise<Map<string, Buffer>> {
    const found = await unzip(bundle())
    return new Map([...found].map(([name, bytes]) => [name.slice(folder().length + 1), bytes]))
  }

  it('holds every object of the report byte for byte, and says what it is', async () => {
    const bundled = await files()
    const prefix = reportKeys(test.account.ref, reportId).folder
    const stored = (await test.keys()).filter(key => key.startsWith(prefix))
    expect(stored.length).toBeGreaterThan(4)
    for (const key of stored) {
      const bytes = await readFile(join(test.folder, 'store', key))
      expect(bundled.get(`report/${key.slice(prefix.length)}`)?.equals(bytes)).toBe(true)
    }
    expect([...bundled.keys()].filter(name => !name.startsWith('report/'))).toEqual([
      'README.txt',
      'callback/body',
      'callback/signed',
      'callback/signature',
      'key/record.json',
      'key/public.pem',
      'quota/claim.json',
      'quota/outcome.json',
      'SHA256SUMS',
    ])
    expect(bundled.get('README.txt')!.toString()).toContain(reportId)
  })

  it('has the SHA-256 of every file, and a signature that anyone can verify', async () => {
    const bundled = await files()
    const sums = bundled.get('SHA256SUMS')!.toString().trimEnd().split('\n')
    const expected = [...bundled]
      .filter(([name]) => name !== 'SHA256SUMS')
      .map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}`)
    expect(sums).toEqual(expected)
    const [pem, signed, signature, body] = [
      'key/public.pem',
      'callback/signed',
      'callback/signature',
      'callback/body',
    ].map(name => bundled.get(name)!)
    expect(verify('RSA-SHA256', signed!, pem!, signature!)).toBe(true)
    expect(signed!.includes(body!)).toBe(true)
    expect(verify('RSA-SHA256', Buffer.concat([signed!, Buffer.from(' ')]), pem!, signature!)).toBe(false)
  })

  it('is verified by the commands of its README', async () => {
    const out = await mkdtemp(join(tmpdir(), 'daybook-evidence-'))
    try {
      for (const [name, bytes] of await files()) {
        await mkdir(dirname(join(out, name)), { recursive: true })
        await writeFile(join(out, name), bytes)
      }
      const readme = await readFile(join(out, 'README.txt'), 'utf8')
      const commands = [...readme.matchAll(/^ {5}(\S.*)$/gm)].map(([, command]) => command!)
      expect(commands).toHaveLength(3)
      const outputs = await Promise.all(
        commands.map(
          async command => (await promisify(execFile)('sh', ['-c', command], { cwd: out })).stdout,
        ),
      )
      const { sha256 } = (await test.daybook.context.reports.read(test.account.ref, reportId, 'archive'))!
      expect(outputs[0]).not.toContain('FAILED')
      expect(outputs[1]).toContain(sha256)
      expect(outputs[2]).toBe('Verified OK\n')
    } finally {
      await rm(out, { recursive: true })
    }
  })

  it('is the same bytes every time', async () => {
    const [one, two] = await Promise.all([collect(bundle()), collect(bundle())])
    expect(one.equals(two)).toBe(true)
  })

  it('fails when the stored file is not the one that was archived', async () => {
    const { file } = (await test.daybook.context.reports.read(test.account.ref, reportId, 'archive'))!
    const path = join(test.folder, 'store', reportKeys(test.account.ref, reportId).file(file))
    await writeFile(path, 'something else')
    await expect(collect(bundle())).rejects.toMatchObject({ code: 'file-damaged' })
  })

  it('says so when nothing is known of the report', async () => {
    const unknown = evidenceBundle(test.daybook.context, test.account, '1')
    await expect(collect(unknown)).rejects.toMatchObject({ code: 'not-found' })
  })
})
