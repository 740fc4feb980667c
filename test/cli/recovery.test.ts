import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { type Ran, runDaybook } from '../support/run-daybook.ts'
import { CREDENTIALS, eventually, objectKeys } from '../support/test-daybook.ts'

/** A report is first polled when the last one was ready, and on a busy machine that one took its time. */
const PATIENCE_MS = 60_000

/** Commands alone, each a process of its own, against a sandbox that sends no callback. */
describe('recovery by hand', () => {
  let folder: string
  let sandbox: Sandbox
  let env: Record<string, string>
  const month = new Date().toISOString().slice(0, 7)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-recovery-'))
    sandbox = await startSandbox({
      merchants: [{ name: 'test', ...CREDENTIALS }],
      seed: 'recovery',
      knobs: { processingMs: 1, rowsPerDay: 20, callbackLost: true },
      clock: systemClock,
      random: systemRandom,
    })
    env = {
      DAYBOOK_STORE: join(folder, 'store'),
      BINANCE_PAY_BASE_URL: sandbox.url,
      BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
      BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
      DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
      DAYBOOK_POLL_FIRST_SECONDS: '1',
      DAYBOOK_POLL_SECONDS: '1',
      DAYBOOK_EXPIRED_HOURS: '0',
      DAYBOOK_API_TIMEOUT_SECONDS: '5',
    }
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const run = (...args: string[]): Promise<Ran> => runDaybook(args, env, folder)
  async function runJson(...args: string[]) {
    const { code, stdout } = await run(...args, '--json')
    return { code, ...JSON.parse(stdout) }
  }
  const reportOf = async (reportId: string) =>
    (await runJson('status')).accounts[0].reports.find(
      (report: { reportId: string }) => report.reportId === reportId,
    )

  /** Asks for a day under these knobs, sweeps until nothing is open, and answers the report's id. */
  async function askAndSweep(day: string, knobs: Partial<Knobs>): Promise<string> {
    sandbox.setKnobs(knobs)
    const { reportId } = await runJson('submit', '--day', day)
    await eventually(async () => ((await run('sweep')).code === 0 ? true : undefined), PATIENCE_MS)
    return reportId
  }

  it('settles a lost answer, fetches the report and says so', async () => {
    sandbox.setKnobs({ submitFault: 'reset-after-effect', faultTimes: 1 })
    expect(await runJson('submit', '--from', '2025-01-01', '--to', '2025-01-03')).toMatchObject({
      code: 4,
      outcome: 'unknown',
    })
    sandbox.setKnobs({ submitFault: 'none' })
    const status = await run('status')
    expect(status.stdout).toContain(`slot 1 of ${month}: the answer for 2025-01-01 to 2025-01-03`)
    expect(await run('sweep')).toMatchObject({ code: 0, stdout: expect.stringContaining('0 reports open') })

    const reportId = sandbox.books().reports[0]!.reportId
    const settle = ['settle', '1', '--month', month, '--why', 'seen in the portal', '--by', 'anna']
    expect(await run(...settle)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('either --report'),
    })
    expect(await run(...settle, '--report', reportId)).toMatchObject({ code: 0 })
    expect(await run(...settle, '--report', reportId)).toMatchObject({ code: 0 })
    expect(await run(...settle, '--none')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('That stands'),
    })
    expect(await run(...settle.with(1, '7'), '--none')).toMatchObject({ code: 1 })

    await eventually(async () => ((await run('sweep')).code === 0 ? true : undefined), PATIENCE_MS)
    expect(await reportOf(reportId)).toMatchObject({ state: 'parsed', rows: 60, attempt: null })
    const record = await readFile(
      join(folder, `store/quota/binance-pay/main/${month}/01.outcome.json`),
      'utf8',
    )
    expect(JSON.parse(record)).toMatchObject({ settledBy: 'anna', why: 'seen in the portal', reportId })
  }, 180_000)

  it('shows how a report ended, and takes its file all the same when a person brings it', async () => {
    const failed = await askAndSweep('2025-01-05', { outcome: 'FAILED' })
    expect(await reportOf(failed)).toMatchObject({ state: 'failed' })
    const expired = await askAndSweep('2025-01-06', { outcome: 'EXPIRED' })
    expect(await reportOf(expired)).toMatchObject({ state: 'expired' })
    const ended = await readFile(join(folder, `store/reports/binance-pay/main/${expired}/ended.json`), 'utf8')
    expect(JSON.parse(ended)).toMatchObject({ answer: expect.stringContaining('"status":"EXPIRED"') })
    expect((await run('status')).stdout).toMatch(new RegExp(`${failed} +failed`))

    const good = await askAndSweep('2025-01-07', { outcome: 'SUCCESS' })
    await run('download', good, '--out', 'good.csv')
    const file = (await readFile(join(folder, 'good.csv'), 'utf8')).replaceAll('2025-01-07', '2025-01-05')
    await writeFile(join(folder, 'by-hand.csv'), file)
    const spent = (await runJson('quota')).accounts[0].spent
    expect(await runJson('import', 'by-hand.csv', '--report', failed)).toMatchObject({
      code: 0,
      outcome: 'imported',
      manifest: { rows: { read: 20, written: 20 } },
    })
    expect(await reportOf(failed)).toMatchObject({ state: 'parsed' })
    expect((await runJson('quota')).accounts[0].spent).toBe(spent)
  }, 180_000)

  it('imports a file once, however often it is told to', async () => {
    const file = (await readFile(join(folder, 'good.csv'), 'utf8')).replaceAll('2025-01-07', '2025-01-10')
    await writeFile(join(folder, 'october.csv'), file)
    const args = ['import', 'october.csv', '--day', '2025-01-10', '--by', 'anna']
    const first = await runJson(...args)
    expect(first).toMatchObject({ code: 0, outcome: 'imported', by: 'anna', request: { wallets: 'all' } })
    expect(first.manifest.days).toMatchObject([{ day: '2025-01-10', rows: 20, publication: 'published' }])
    const before = await objectKeys(join(folder, 'store'))
    expect(await runJson(...args)).toMatchObject({
      code: 0,
      outcome: 'already-imported',
      reportId: first.reportId,
    })
    expect(await objectKeys(join(folder, 'store'))).toEqual(before)
    expect(await reportOf(first.reportId)).toMatchObject({ state: 'parsed', days: '2025-01-10' })
  }, 180_000)

  it('says what is wrong with an import', async () => {
    await writeFile(join(folder, 'strange.csv'), 'Kunde,Buchung\n1,2025-01-10 08:00:00\n')
    for (const [args, code, says] of [
      [['import', 'none.csv', '--day', '2025-01-10'], 1, 'There is no file'],
      [['import', 'strange.csv', '--day', '2025-01-10'], 1, 'Nothing was kept; "daybook describe" shows'],
      [['import', 'october.csv'], 2, 'Which days'],
      [['import', 'october.csv', '--day', '2025-02-10'], 2, 'none that can be read of these days'],
      [['import', 'october.csv', '--day', '2025-01-10', '--generated-at', 'yesterday'], 2, 'with its zone'],
      [['import', 'october.csv', '--report', '123'], 1, 'There is no report 123'],
    ] as const) {
      const ran = await run(...args)
      expect([args.join(' '), ran.code]).toEqual([args.join(' '), code])
      expect(ran.stderr).toContain(says)
      expect(ran.stderr).not.toMatch(/^\s+at /m)
    }
  }, 30_000)

  it('names a host that is not allowed and the setting, and fetches from it once it is', async () => {
    sandbox.setKnobs({ outcome: 'SUCCESS' })
    const allowed = env
    env = { ...allowed, DAYBOOK_DOWNLOAD_HOSTS: 'files.example.com' }
    const { reportId } = await runJson('submit', '--day', '2025-01-20')
    await eventually(async () => {
      await run('sweep')
      return (await reportOf(reportId)).attempt ?? undefined
    }, PATIENCE_MS)
    expect(await reportOf(reportId)).toMatchObject({
      state: 'host-refused',
      attempt: { refusedHost: `127.0.0.1:${sandbox.port}`, retry: false },
    })
    expect((await run('status')).stdout).toMatch(
      new RegExp(
        `${reportId}: The download host 127.0.0.1:${sandbox.port} is not allowed.*DAYBOOK_DOWNLOAD_HOSTS`,
      ),
    )
    expect(await run('sweep')).toMatchObject({ code: 4, stdout: expect.stringContaining('1 waiting') })

    env = allowed
    expect(await reportOf(reportId)).toMatchObject({ state: 'accepted', attempt: { refusedHost: null } })
    expect((await run('sweep')).code).toBe(0)
    expect(await reportOf(reportId)).toMatchObject({ state: 'parsed' })
  }, 180_000)

  it('shows what keeps a report, and when it is tried next', async () => {
    sandbox.setKnobs({ outcome: 'SUCCESS', fileTruncated: true })
    const { reportId } = await runJson('submit', '--day', '2025-01-15')
    await eventually(async () => {
      await run('sweep')
      return (await reportOf(reportId)).attempt ?? undefined
    }, PATIENCE_MS)
    const { attempt, state } = await reportOf(reportId)
    expect(state).toBe('archived')
    expect(attempt).toMatchObject({ failures: 1, retry: false })
    expect((await run('status')).stdout).toMatch(
      new RegExp(`${reportId}: .*Failed once. A person must look. Next try`),
    )
    expect(await run('sweep')).toMatchObject({ code: 4, stdout: expect.stringContaining('1 waiting') })
    expect(await run('sweep', '--all')).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('1 waiting'),
    })
  }, 180_000)
})
