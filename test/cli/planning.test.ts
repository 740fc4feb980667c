import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTerminal } from '../../src/cli/terminal.ts'
import { addDays, dayOf } from '../../src/domain/calendar.ts'
import { systemClock, systemRandom } from '../../src/host.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { makeParseOlder } from '../support/older-parse.ts'
import { runDaybook } from '../support/run-daybook.ts'
import { CREDENTIALS, eventually, objectBytes } from '../support/test-daybook.ts'

const TODAY = dayOf(systemClock.now())
const FROM = addDays(TODAY, -200)
const TO = addDays(TODAY, -101)

/** Coverage, plan and reparse through processes, against the sandbox. */
describe('planning with daybook', { timeout: 90_000 }, () => {
  let folder: string
  let sandbox: Sandbox
  let env: Record<string, string>
  let store: string
  const run = (...args: string[]) => runDaybook(args, env)
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout)
  const generations = () =>
    Object.values(sandbox.books().generationsByMonth.test ?? {}).reduce((sum, count) => sum + count, 0)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybook-planning-'))
    store = join(folder, 'store')
    sandbox = await startSandbox({
      merchants: [{ name: 'test', ...CREDENTIALS }],
      seed: 'planning',
      knobs: { processingMs: 1, rowsPerDay: 3, callbackLost: true },
      clock: systemClock,
      random: systemRandom,
    })
    env = {
      DAYBOOK_STORE: store,
      DAYBOOK_MONTHLY_LIMIT: '4',
      DAYBOOK_RESERVE: '1',
      BINANCE_PAY_BASE_URL: sandbox.url,
      BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
      BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
      DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
    }
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true })
  })

  it('says what a plan costs and spends nothing', async () => {
    const { code, stdout } = await run('plan', '--from', FROM, '--to', TO)
    expect(code).toBe(0)
    expect(stdout).toContain('100 days missing in 1 gap.')
    expect(stdout).toContain(`${FROM} to ${addDays(FROM, 88)}    89  now`)
    expect(stdout).toContain('0 of 4 used, 1 kept for people, 3 left')
    expect(stdout).toContain('Price: 2 reports, 2 now.')
    expect(stdout).toContain(
      'Of 3 a month: daily up to 31 a month (too many), weekly up to 5 a month (too many), monthly up to 1 a month.',
    )
    expect(generations()).toBe(0)
  })

  it('needs to know from which day', async () => {
    expect(await run('plan')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('DAYBOOK_EARLIEST_DAY'),
    })
    const known = await runDaybook(['plan', '--json'], { ...env, DAYBOOK_EARLIEST_DAY: FROM })
    expect(JSON.parse(known.stdout).accounts[0].plan.range.start).toBe(FROM)
  })

  it('carries a plan out once, however often and however many run it', async () => {
    const both = await Promise.all([1, 2].map(() => run('plan', '--from', FROM, '--to', TO, '--apply')))
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(generations()).toBe(2)
    expect(both.map(({ stdout }) => stdout).join('')).toContain('Asked for')
    const again = await json('plan', '--from', FROM, '--to', TO, '--apply')
    expect(again.accounts[0]).toMatchObject({
      plan: { open: [], requests: [] },
      result: { asked: [], left: [] },
    })
    expect(generations()).toBe(2)
  })

  it('asks for what is due once, and stops at the reserve, which is left to people', async () => {
    const due = await run('plan', '--due')
    expect(due.stdout).toContain(`${addDays(TODAY, -3)} is due (daily)`)
    const asked = await run('plan', '--due', '--apply')
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('Asked for')])
    expect((await run('plan', '--due', '--apply')).stdout).toContain('nothing is due')
    expect(generations()).toBe(3)

    const more = await run('plan', '--from', addDays(TODAY, -20), '--apply')
    expect(more.code).toBe(0)
    expect(more.stdout).toMatch(/Left: 1 report, from .*\nCome back from \d{4}-\d\d-01T00:00:05\.000Z/)
    expect(generations()).toBe(3)
    expect((await run('submit', '--day', addDays(TODAY, -20))).code).toBe(0)
    expect(generations()).toBe(4)
  })

  it('draws a calendar: one sign a day, a legend, and the gaps as ranges', async () => {
    const first = (await json('coverage', '--from', FROM, '--to', TO)).accounts[0].days[0]
    expect(first).toMatchObject({ day: FROM, wallets: { spot: { state: 'requested' } } })
    const { reportId } = first.wallets.spot
    await eventually(async () => ((await run('archive', reportId)).code === 0 ? true : undefined), 20_000)
    expect((await run('parse', reportId)).code).toBe(0)

    const { code, stdout } = await run('coverage', '--from', FROM)
    expect(code).toBe(0)
    const lines = stdout.split('\n').filter(line => /^\d{4}-\d\d /.test(line))
    expect(lines.length).toBeGreaterThanOrEqual(6)
    const signs = lines.map(line => line.slice(18, 49).replaceAll(' ', '')).join('')
    expect(signs).toMatch(/^#{89}r{11}\.{80}r\.{16}r-{3}$/)
    expect(stdout).toContain('#  published\n')
    expect(stdout).toContain(`${addDays(FROM, 89)} to ${TO}  requested (11 days)`)
    expect(stdout).toContain('89 of 198 days published. The other 109:')
    expect(stdout).not.toContain('\x1b')
  })

  it('builds days again from the archive without provider or credentials', async () => {
    const [{ reportId }] = (await json('coverage', '--from', FROM, '--to', FROM)).accounts[0].days.map(
      ({ wallets }: { wallets: { spot: { reportId: string } } }) => wallets.spot,
    )
    const { rows: older } = await makeParseOlder(store, reportId, (day, rows) =>
      day === FROM ? rows.slice(1) : rows,
    )
    const shown = async () => {
      const { reports } = (await json('status')).accounts[0]
      const { manifest } = await json('parse', reportId)
      const { rows } = reports.find((report: { reportId: string }) => report.reportId === reportId)
      return { rows, version: manifest.parserVersion, written: manifest.rows.written }
    }
    expect(await shown()).toEqual({ rows: older.written, version: '0', written: older.written })
    const bare = { DAYBOOK_STORE: store, BINANCE_PAY_BASE_URL: 'http://127.0.0.1:9' }
    const before = await objectBytes(store)
    const tried = await runDaybook(['reparse', '--from', FROM, '--parser', 'current', '--dry-run'], bare)
    expect(tried).toMatchObject({ code: 0, stdout: '1 report compared; nothing was changed.\n' })
    expect(tried.stderr).toContain(`Report ${reportId}, parser 0 → 1`)
    expect(tried.stderr).toMatch(new RegExp(`${FROM} {2}\\+1 row; added (Spot|Funding) \\w+ -?[\\d.]+`))
    expect(await objectBytes(store)).toEqual(before)

    const done = await runDaybook(['reparse', '--from', FROM, '--to', FROM, '--json'], bare)
    expect(JSON.parse(done.stdout)).toMatchObject({
      command: 'reparse',
      parserVersion: '1',
      reports: [{ reportId, outcome: 'reparsed' }],
    })
    const written = older.written + 1
    expect(await shown()).toEqual({ rows: written, version: '1', written })
    const again = await runDaybook(['reparse', '--from', FROM], bare)
    expect(again.stdout).toBe('1 report already as this parser reads them.\n')
  })

  it('refuses turned days and unknown parsers', async () => {
    expect((await run('coverage', '--from', TO, '--to', FROM)).code).toBe(2)
    expect((await run('reparse', '--from', FROM, '--parser', '7')).code).toBe(2)
    expect((await run('plan', '--due', '--from', FROM)).code).toBe(2)
  })
})

describe('colour', () => {
  const written = (isTTY: boolean) => {
    let text = ''
    const stdout = { isTTY, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream
    const terminal = createTerminal({ json: false, quiet: false, stdout, stderr: stdout, clock: systemClock })
    terminal.result('x', {}, ['a\x1b[31mb'], line => `<${line}>`)
    return text
  }

  it('is added on a terminal only, and never comes from what is shown', () => {
    expect(written(true)).toBe('<a\ufffd[31mb>\n')
    expect(written(false)).toBe('a\ufffd[31mb\n')
  })
})
