import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VARIABLES } from '../../src/config/env.ts'
import { freePort } from '../support/free-port.ts'
import { type Ran, type Running, runDaybook, startDaybook } from '../support/run-daybook.ts'
import { eventually, objectKeys } from '../support/test-daybook.ts'

const COMMANDS = [
  'demo',
  'submit',
  'serve',
  'status',
  'sweep',
  'import',
  'settle',
  'quota',
  'coverage',
  'plan',
  'archive',
  'parse',
  'reparse',
  'download',
  'describe',
  'doctor',
  'sandbox',
]
const PLANTED = ['planted-api-key-7f3a', 'planted-secret-key-9b1c']

describe('daybook', () => {
  it('lists every command and the exit codes', async () => {
    const { code, stdout } = await runDaybook(['--help'])
    expect(code).toBe(0)
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
    expect(stdout).toContain('Exit codes: 0 done')
  })

  it.each(COMMANDS)('explains %s', async command => {
    const { code, stdout } = await runDaybook([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: ${command === 'daybook' ? '' : 'daybook '}${command}`)
    expect(stdout).toContain('--json')
  })

  it('answers wrong usage with 2 and a hint', async () => {
    for (const args of [
      ['submti'],
      ['submit', '--day', '2026-02-30'],
      ['submit', '--day', '2026-10-01', '--month', '2026-10'],
      ['submit'],
      ['download'],
      ['quota', '--month', '13'],
    ]) {
      const { code, stderr } = await runDaybook(args)
      expect([args.join(' '), code]).toEqual([args.join(' '), 2])
      expect(stderr).not.toMatch(/^\s+at /m)
    }
    expect((await runDaybook(['submti'])).stderr).toContain('Did you mean submit?')
  })

  it('tells its version', async () => {
    expect((await runDaybook(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('ends quietly when its reader goes away', async () => {
    const main = join(import.meta.dirname, '../../src/cli/main.ts')
    const { stderr } = await promisify(execFile)('sh', [
      '-c',
      `"${process.execPath}" "${main}" sandbox --knobs | head -n 1`,
    ])
    expect(stderr).toBe('')
  })

  it('says in words what the machine refuses', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'daybook-words-'))
    await writeFile(join(folder, 'file'), '')
    for (const args of [
      ['demo', '--folder', join(folder, 'file')],
      ['describe', folder],
      ['describe', join(folder, 'none')],
    ]) {
      const { code, stderr } = await runDaybook(args)
      expect([args[0], code]).not.toEqual([args[0], 0])
      expect(stderr).toMatch(/^daybook: /m)
      expect(stderr).not.toMatch(/^\s+at |should not have happened/m)
    }
    await rm(folder, { recursive: true })
  })

  it('names every fault of the configuration at once, and no secret', async () => {
    const { code, stderr } = await runDaybook(['status'], {
      DAYBOOK_STORE: 's3://x',
      DAYBOOK_LISTEN: 'everywhere',
      DAYBOOK_MONTHLY_LIMIT: 'many',
      BINANCE_PAY_BASE_URL: 'http://example.com',
      BINANCE_PAY_SECRET_KEY: PLANTED[1]!,
    })
    expect(code).toBe(2)
    for (const name of [
      'DAYBOOK_STORE',
      'DAYBOOK_LISTEN',
      'DAYBOOK_MONTHLY_LIMIT',
      'BINANCE_PAY_BASE_URL',
      'BINANCE_PAY_API_KEY',
    ]) {
      expect(stderr).toContain(`  ${name}: `)
    }
    expect(stderr).not.toContain(PLANTED[1])
  })

  it('prints faults as JSON where JSON is asked for', async () => {
    const { code, stdout } = await runDaybook(['status', '--json'], { DAYBOOK_LISTEN: 'everywhere' })
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, error: { code: 'config-invalid', retry: false } })
  })

  it('is documented: every variable and command stands in the README', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
    for (const name of Object.keys(VARIABLES)) expect(readme).toContain(`\`${name}\``)
    for (const command of COMMANDS) expect(readme).toContain(`\`daybook ${command}`)
  })
})

/** Everything through processes: a sandbox, a server, and commands beside it. */
describe('a day with daybook', () => {
  let folder: string
  let sandbox: Running
  let server: Running
  let env: Record<string, string>
  const outputs: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-cli-'))
    const callbackPort = await freePort()
    sandbox = startDaybook([
      ...['sandbox', '--port', '0', '--api-key', PLANTED[0]!, '--secret-key', PLANTED[1]!],
      ...['--callback-url', `http://127.0.0.1:${callbackPort}/callbacks/binance-pay/main`],
      ...['--knob', 'processingMs=200', '--knob', 'callbackRetryFirstMs=100'],
    ])
    const settings = await eventually(
      () =>
        /BINANCE_PAY_BASE_URL=(\S+)[\s\S]*DAYBOOK_DOWNLOAD_HOSTS=(\S+)/.exec(sandbox.output()) ?? undefined,
    )
    env = {
      DAYBOOK_STORE: join(folder, 'store'),
      BINANCE_PAY_BASE_URL: settings[1]!,
      DAYBOOK_DOWNLOAD_HOSTS: settings[2]!,
      BINANCE_PAY_API_KEY: PLANTED[0]!,
      BINANCE_PAY_SECRET_KEY: PLANTED[1]!,
      DAYBOOK_LISTEN: `127.0.0.1:${callbackPort}`,
      DAYBOOK_SWEEP_SECONDS: '1',
      DAYBOOK_LOG_LEVEL: 'debug',
    }
    server = startDaybook(['serve'], env)
    await eventually(() => (server.output().includes('server.started') ? true : undefined))
  }, 30_000)

  afterAll(async () => {
    server?.kill('SIGTERM')
    sandbox?.kill('SIGTERM')
    await Promise.all([server?.ended, sandbox?.ended])
    await rm(folder, { recursive: true, force: true })
  })

  async function run(...args: string[]): Promise<Ran> {
    const ran = await runDaybook(args, env, folder)
    outputs.push(ran.stdout, ran.stderr)
    return ran
  }

  async function runJson(...args: string[]): Promise<{ code: number | null } & Record<string, never>> {
    const { code, stdout } = await run(...args, '--json')
    return { code, ...JSON.parse(stdout) }
  }

  it('goes from doctor to download', async () => {
    expect(await run('doctor')).toMatchObject({ code: 0, stderr: 'All well.\n' })

    const submitted = await runJson('submit', '--from', '2025-01-01', '--to', '2025-01-03')
    expect(submitted).toMatchObject({ code: 0, command: 'submit', outcome: 'accepted', slot: 1 })
    const reportId = String(submitted.reportId)

    await eventually(async () => {
      const status = await runJson('status')
      return JSON.stringify(status).includes('"state":"parsed"') ? true : undefined
    }, 20_000)

    expect(await runJson('status')).toMatchObject({
      jobs: [{ job: 'sweep', outcome: 'done', nextAt: expect.stringMatching(/Z$/) }],
    })
    expect((await run('status')).stdout).toMatch(/^job sweep: done at .*; next /m)
    expect(await runJson('submit', '--from', '2025-01-01', '--to', '2025-01-03')).toMatchObject({
      code: 0,
      outcome: 'already-requested',
      reportId,
    })
    expect(await runJson('quota')).toMatchObject({
      code: 0,
      accounts: [{ account: 'main', spent: 1, limit: 50, left: 49 }],
    })
    expect(await run('quota')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`accepted ${reportId}`),
    })
    expect(await run('archive', reportId)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Archived before'),
    })
    const parsed = await run('parse', reportId)
    expect(parsed).toMatchObject({ code: 0, stderr: expect.stringContaining('360 rows read = 360 written') })
    expect(parsed.stdout).toContain('Merchant Acquiring')

    const downloaded = await runJson('download', reportId, '--out', 'report.csv')
    expect(downloaded).toMatchObject({ code: 0 })
    const bytes = await readFile(join(folder, 'report.csv'))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(downloaded.sha256)
    expect(await run('download', reportId)).toMatchObject({ code: 0 })
    expect(await run('download', reportId)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('exists; name another file'),
    })
    const piped = await run('download', reportId, '--out', '-')
    expect(piped.stdout).toBe(bytes.toString())
    expect(await run('download', reportId, '--link')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('makes no links'),
    })
    expect(await run('download', '1234567890')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No file of report'),
    })

    const described = await run('describe', 'report.csv')
    expect(described).toMatchObject({ code: 0, stdout: expect.stringContaining('User_ID | UTC_Time') })
    for (const cell of bytes
      .toString()
      .split('\n')[5]!
      .split(',')
      .filter(text => /^-?\d+\.\d+$|^\d{6,}$/.test(text))) {
      expect(described.stdout).not.toContain(cell)
    }
  }, 60_000)

  it('says that a damaged archive is damaged, and leaves nothing behind', async () => {
    const file = (await objectKeys(join(folder, 'store'))).find(key => key.includes('/file/'))!
    const path = join(folder, 'store', file)
    const bytes = await readFile(path)
    const reportId = file.split('/')[3]!
    await rm(path)
    await writeFile(path, bytes.toString().replace('1', '2'))
    expect(await run('download', reportId, '--out', 'damaged.csv')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('SHA-256 differs'),
    })
    expect((await objectKeys(folder)).filter(key => key.startsWith('damaged'))).toEqual([])
    await rm(path)
    await writeFile(path, bytes)
  })

  it('tells what is wrong with credentials, address and store', async () => {
    const wrong = await runDaybook(['doctor'], { ...env, BINANCE_PAY_SECRET_KEY: 'another-secret' })
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('INVALID_SIGNATURE') })
    const nowhere = await runDaybook(['doctor'], { ...env, BINANCE_PAY_BASE_URL: 'http://127.0.0.1:9' })
    expect(nowhere).toMatchObject({ code: 1, stdout: expect.stringContaining('could not be reached') })
    const none = await runDaybook(['submit', '--day', '2025-01-05'], { DAYBOOK_STORE: join(folder, 'other') })
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('has no credentials') })
    expect(await objectKeys(join(folder, 'other'))).toEqual([])
    const deaf = await runDaybook(['serve'], { DAYBOOK_STORE: join(folder, 'other') })
    expect(deaf).toMatchObject({ code: 2, stderr: expect.stringContaining('has no credentials') })
    await writeFile(join(folder, 'a-file'), '')
    const file = await runDaybook(['status'], { ...env, DAYBOOK_STORE: join(folder, 'a-file') })
    expect(file.code).not.toBe(0)
    expect(file.stderr).not.toMatch(/^\s+at /m)
  }, 30_000)

  it('never wrote a secret or a signed link anywhere but in the verified callback', async () => {
    const everything = [...outputs, server.output()].join('\n')
    for (const secret of PLANTED) expect(everything).not.toContain(secret)
    expect(everything).not.toMatch(/\/files\/[^\s"]+/)
    expect(everything).not.toMatch(/BinancePay-Signature/i)
    const keys = await objectKeys(join(folder, 'store'))
    for (const key of keys) {
      const text = (await readFile(join(folder, 'store', key))).toString('latin1')
      for (const secret of PLANTED) expect([key, text.includes(secret)]).toEqual([key, false])
    }
  })

  it('ends at a signal, with nothing left running', async () => {
    server.kill('SIGTERM')
    expect(await server.ended).toMatchObject({ code: 0 })
    expect(server.output()).toContain('server.stopped')
  })
})
