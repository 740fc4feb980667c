import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { reconciliationKey } from '../../src/domain/keys.ts'
import { findingOf } from '../../src/domain/reconciliation.ts'
import { loadMonth, monthPack } from '../../src/exports/month-pack.ts'
import { advance } from '../../src/pipeline.ts'
import { recordExplanation } from '../../src/stores/reconciliation-log.ts'
import { createRecord } from '../../src/stores/record.ts'
import { collect } from '../support/objects.ts'
import { REF, type ReportWorld, reportWorld } from '../support/report-world.ts'
import { unzip } from '../support/unzip.ts'

const FILE = `User_ID,UTC_Time,Account,Operation,Coin,Change,Remark
1,2026-10-01 10:00:00,Spot,Deposit,USDT,5.000000000000000001,
1,2026-10-02 10:00:00,Spot,Deposit,USDT,7.00,"=HYPERLINK(""x"")"
1,2026-10-02 10:00:00,Funding,Withdraw,=USDT,-1.00,
`

describe('the pack of a month', () => {
  let world: ReportWorld
  beforeEach(async () => {
    world = reportWorld()
    world.file = () => FILE
    await world.accept('77')
    await world.call('77')
    await advance(world.context, world.account, '77')
  })

  async function pack(): Promise<Map<string, string>> {
    const facts = await loadMonth(world.context, world.account, '2026-10')
    const files = await unzip(monthPack(world.context.store, facts))
    return new Map(
      [...files].map(([name, bytes]) => [
        name.replace('month-binance-pay-main-2026-10/', ''),
        bytes.toString(),
      ]),
    )
  }

  it('holds exact totals of the month and of its days', async () => {
    const files = await pack()
    expect(files.get('totals.csv')).toBe(
      "wallet,asset,rows,in,out,net\r\nFunding,'=USDT,1,0,-1,-1\r\nSpot,USDT,2,12.000000000000000001,0,12.000000000000000001\r\n",
    )
    expect(files.get('totals-by-day.csv')!.split('\r\n').slice(1)).toEqual([
      '2026-10-01,Spot,USDT,1,5.000000000000000001,0,5.000000000000000001',
      "2026-10-02,Funding,'=USDT,1,0,-1,-1",
      '2026-10-02,Spot,USDT,1,7,0,7',
      '',
    ])
  })

  it('says what is missing, and what each report and its file were', async () => {
    const files = await pack()
    const statement = JSON.parse(files.get('statement.json')!)
    expect(statement).toMatchObject({ verdict: 'incomplete', month: '2026-10' })
    expect(statement.lacking).toContain('No report covers these days: 2026-10-03 to 2026-10-14.')
    expect(statement.lacking).toContain('These days cannot be asked for yet: 2026-10-15 to 2026-10-31.')
    expect(files.get('statement.txt')).toContain('- No report covers these days')
    expect(files.get('statement.csv')!.split('\r\n').slice(1, 4)).toEqual([
      '2026-10-01,covered,published,published,77,0,not-run,0,0',
      '2026-10-02,covered,published,published,77,0,not-run,0,0',
      '2026-10-03,missing,missing,missing,,0,not-run,0,0',
    ])
    const sha256 = createHash('sha256').update(FILE).digest('hex')
    const [, line] = files.get('reports.csv')!.split('\r\n')
    expect(line).toMatch(/^77,2026-10-01,2026-10-02,all,parsed,/)
    expect(line).toContain(`report.csv,${FILE.length},${sha256},3,3,0,0`)
  })

  it('tells every difference with its explanation, and no text runs in a spreadsheet', async () => {
    const says = '=cmd() differs'
    const finding = findingOf({
      check: 'R6',
      place: 'Spot',
      asset: 'USDT',
      verdict: 'break',
      expected: '1',
      actual: '3',
      difference: '2',
      says,
    })
    await createRecord(world.context.store, reconciliationKey(REF, '2026-10-02', 1), {
      ...REF,
      day: '2026-10-02',
      run: 1,
      ranAt: '2026-10-05T00:00:00.000Z',
      by: 'test',
      verdict: 'break',
      assumptions: [],
      findings: [finding, findingOf({ check: 'R2', verdict: 'matched', says: 'fine' })],
    })
    const said = { day: '2026-10-02', finding: 'R6/Spot/USDT', run: 1, kind: 'explained' as const }
    await recordExplanation(world.context.store, REF, {
      ...said,
      says: 'refund',
      by: 'ann',
      at: '2026-10-06T00:00:00.000Z',
    })
    const files = await pack()
    expect(files.get('findings.csv')!.split('\r\n').slice(1)).toEqual([
      "2026-10-02,R6/Spot/USDT,break,,1,3,2,0,'=cmd() differs,explained by ann at 2026-10-06T00:00:00.000Z: refund",
      '',
    ])
    expect(JSON.parse(files.get('findings.json')!)[1].reconciliation.findings[0].says).toBe(says)
    expect(files.get('statement.csv')).toContain(
      '2026-10-02,explained,published,published,77,0,break,1,0\r\n',
    )
  })

  it('has the SHA-256 of every file, and is the same bytes every time', async () => {
    const files = await pack()
    const sums = [...files]
      .filter(([name]) => name !== 'SHA256SUMS')
      .map(([name, text]) => `${createHash('sha256').update(text).digest('hex')}  ${name}\n`)
    expect(files.get('SHA256SUMS')).toBe(sums.join(''))
    const facts = await loadMonth(world.context, world.account, '2026-10')
    const [one, two] = await Promise.all([1, 2].map(() => collect(monthPack(world.context.store, facts))))
    expect(one!.equals(two!)).toBe(true)
  })
})
