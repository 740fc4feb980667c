import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { submit } from '../../src/stages/submit.ts'
import { runDaybook } from '../support/run-daybook.ts'
import { eventually, startTestDaybook, type TestDaybook } from '../support/test-daybook.ts'

describe('daybook export', () => {
  let test: TestDaybook
  let reportId: string
  beforeAll(async () => {
    test = await startTestDaybook()
    const { context } = test.daybook
    const request = { range: { start: '2026-10-01', end: '2026-10-03' }, wallets: 'all' as const }
    const asked = await submit(context, test.account, { request, reason: 'test', again: false })
    if (asked.outcome !== 'accepted') throw new Error(JSON.stringify(asked))
    reportId = asked.reportId
    await eventually(() => context.reports.read(test.account.ref, reportId, 'manifest'))
  })
  afterAll(() => test.stop())

  const run = (...args: string[]) =>
    runDaybook(['export', ...args], { DAYBOOK_STORE: join(test.folder, 'store') }, test.folder)

  it('writes rows under a name of their own, and never over a file that stands there', async () => {
    const first = await run('rows', '--from', '2026-10-01', '--to', '2026-10-02')
    const path = join(test.folder, 'binance-pay-main-2026-10-01-to-2026-10-02.csv')
    expect(first).toMatchObject({ code: 0, stdout: `${path}\n` })
    expect(first.stderr).toContain('2026-10-01 to 2026-10-02, 100 rows: ')
    const bytes = await readFile(path)
    expect(bytes.toString().split('\r\n')).toHaveLength(102)
    expect(await run('rows', '--from', '2026-10-01', '--to', '2026-10-02')).toMatchObject({ code: 2 })
    const stdout = await run('rows', '--from', '2026-10-01', '--to', '2026-10-02', '--out', '-')
    expect(stdout.stdout).toBe(bytes.toString())
    expect((await readdir(test.folder)).filter(name => name.endsWith('.part'))).toEqual([])
  })

  it('tells machines what it wrote', async () => {
    const { code, stdout } = await run(
      'rows',
      '--day',
      '2026-10-01',
      '--format',
      'xlsx',
      '--out',
      'r.xlsx',
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'export',
      format: 'xlsx',
      rows: 50,
      path: join(test.folder, 'r.xlsx'),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const refused = await run('rows', '--day', '2026-10-01', '--out', '-', '--json')
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'usage-invalid' } })
  })

  it('writes the evidence of a report, or nothing', async () => {
    expect(await run('evidence', reportId, '--out', 'e.zip')).toMatchObject({ code: 0 })
    expect((await readFile(join(test.folder, 'e.zip'))).subarray(0, 2).toString()).toBe('PK')
    expect(await run('evidence', '123', '--out', 'none.zip')).toMatchObject({ code: 1, stdout: '' })
    expect((await readdir(test.folder)).filter(name => name.startsWith('none'))).toEqual([])
  })

  it('writes the pack of a month, and says by its exit code that the month is not complete', async () => {
    const { code, stdout, stderr } = await run('month', '2026-10', '--json', '--out', 'm.zip')
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'incomplete', month: '2026-10', rows: 100 })
    expect(stderr).toContain('No report covers these days: 2026-10-03 to 2026-10-31.')
  })
})
