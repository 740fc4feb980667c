import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { activityKey, reportKeys } from '../../src/domain/keys.ts'
import type { ReportRequest } from '../../src/domain/report.ts'
import { readActivityMetadata } from '../../src/formats/parquet.ts'
import { advance } from '../../src/pipeline.ts'
import { type ImportInput, type ImportOutcome, importFile } from '../../src/stages/import.ts'
import { sweep } from '../../src/sweep.ts'
import { FILE, RANGE, REF, type ReportWorld, reportWorld } from '../support/report-world.ts'

const REQUEST: ReportRequest = { range: RANGE, wallets: 'all' }

let world: ReportWorld
beforeEach(() => {
  world = reportWorld()
})

function source(content = FILE, name = 'by hand.csv') {
  const bytes = Buffer.from(content)
  return {
    name,
    size: bytes.length,
    async *read({ start = 0, end }: { start?: number; end?: number } = {}) {
      yield bytes.subarray(start, end)
    },
  }
}

function bring(changed: Partial<ImportInput> = {}): Promise<ImportOutcome> {
  const input = { reportId: undefined, generatedAt: undefined, by: 'anna', ...changed }
  return importFile(world.context, world.account, { file: source(), request: REQUEST, ...input })
}

/** Imports and parses, as the command does. */
async function publish(changed: Partial<ImportInput> = {}): Promise<string> {
  const { reportId } = await bring(changed)
  await advance(world.context, world.account, reportId)
  return reportId
}

async function publisherOf(day: string): Promise<string | undefined> {
  const { bytes } = world.objects.byKey.get(activityKey(REF, day))!
  const metadata = await readActivityMetadata({
    name: 'day',
    size: bytes.length,
    async *read({ start = 0, end }: { start?: number; end?: number } = {}) {
      yield bytes.subarray(start, end)
    },
  })
  return metadata['daybook.report_id']
}

describe('an imported file', () => {
  it('is kept byte for byte, with who brought it, and published', async () => {
    const reportId = await publish()
    expect(reportId).toMatch(/^import-[0-9a-f]{32}$/)
    const { reports } = world.context
    const archive = await reports.read(REF, reportId, 'archive')
    const { bytes } = world.objects.byKey.get(reportKeys(REF, reportId).file(archive!.file))!
    expect(Buffer.from(bytes).toString()).toBe(FILE)
    expect(archive).toMatchObject({
      via: 'import',
      name: 'by hand.csv',
      sha256: createHash('sha256').update(FILE).digest('hex'),
    })
    expect(await reports.read(REF, reportId, 'accepted')).toMatchObject({
      via: 'import',
      by: 'anna',
      slot: null,
      request: REQUEST,
    })
    expect(await reports.read(REF, reportId, 'manifest')).toMatchObject({ rows: { read: 3, written: 3 } })
    expect(await world.context.ledger.month(REF, '2026-10')).toEqual([])
  })

  it('is one report however often, and by however many at once, it is brought', async () => {
    const outcomes = await Promise.all([bring(), bring(), bring({ by: 'ben' })])
    expect(outcomes.filter(({ outcome }) => outcome === 'imported')).toHaveLength(1)
    const reportId = await publish()
    const before = [...world.objects.byKey.keys()].sort()
    expect(await bring({ file: source(FILE, 'by hand.csv') })).toMatchObject({ outcome: 'already-imported' })
    expect(await publish()).toBe(reportId)
    expect([...world.objects.byKey.keys()].sort()).toEqual(before)
  })

  it('is another report when it is said to cover other days', async () => {
    const longer = { ...REQUEST, range: { start: '2026-10-01', end: '2026-10-04' } }
    expect(await publish({ request: longer })).not.toBe(await publish())
  })

  it('gives way to a report of the provider, in whatever order they come', async () => {
    const imported = await publish({ file: source(FILE.replace('7.00', '6.00')) })
    expect(await publisherOf('2026-10-02')).toBe(imported)
    await world.accept('1')
    await world.call('1')
    await sweep(world.context, [world.account])
    expect(await publisherOf('2026-10-02')).toBe('1')
    const other = await publish({ file: source(FILE.replace('7.00', '8.00')) })
    expect(await publisherOf('2026-10-02')).toBe('1')
    expect(await world.context.reports.read(REF, other, 'manifest')).toMatchObject({
      days: [{ publication: 'newer-kept' }, { publication: 'newer-kept' }],
    })
  })

  it('replaces an older report when a person says that it is newer', async () => {
    await world.accept('1')
    await world.call('1')
    await sweep(world.context, [world.account])
    await world.clock.advance(60_000)
    const file = source(FILE.replace('7.00', '8.00'))
    const imported = await publish({ file, generatedAt: world.clock.now() })
    expect(await publisherOf('2026-10-02')).toBe(imported)
  })

  it('is read with the column names that were added', async () => {
    const foreign = FILE.replace(/^[^\n]*/, 'Kunde,Buchung,Konto,Vorgang,Währung,Betrag,Notiz')
    await expect(bring({ file: source(foreign) })).rejects.toMatchObject({ code: 'file-unreadable' })
    const columns = {
      userId: ['Kunde'],
      time: ['Buchung'],
      wallet: ['Konto'],
      operation: ['Vorgang'],
      asset: ['Währung'],
      amount: ['Betrag'],
    }
    const account = { ...world.account, columns }
    const input = { file: source(foreign), request: REQUEST, reportId: undefined, generatedAt: undefined }
    const { reportId } = await importFile(world.context, account, { ...input, by: 'anna' })
    await advance(world.context, account, reportId)
    const manifest = await world.context.reports.read(REF, reportId, 'manifest')
    expect(manifest).toMatchObject({ rows: { read: 3, written: 3 } })
  })

  it('about one wallet is kept and not published', async () => {
    const reportId = await publish({ request: { ...REQUEST, wallets: 'spot' } })
    const manifest = await world.context.reports.read(REF, reportId, 'manifest')
    expect(manifest?.days.map(({ publication }) => publication)).toEqual(['withheld', 'withheld'])
  })

  it('completes a report whose days are known, and spends nothing', async () => {
    await world.accept('1')
    expect(await bring({ reportId: '1', request: undefined })).toMatchObject({
      outcome: 'imported',
      reportId: '1',
    })
    await sweep(world.context, [world.account])
    expect(await world.parts('1')).toEqual(['accepted', 'archive', 'manifest'])
    expect(world.queries).toEqual([])
  })
})

describe('a file that is refused', () => {
  it.each<[string, Partial<ImportInput>, RegExp]>([
    ['cannot be read', { file: source('%PDF-1.7 nothing') }, /./],
    [
      'has no row of the days',
      { request: { ...REQUEST, range: { start: '2026-09-01', end: '2026-09-05' } } },
      /none that can be read of these days/,
    ],
    [
      'is of days that are not over',
      { request: { ...REQUEST, range: { start: '2026-10-01', end: '2026-10-16' } } },
      /not over yet/,
    ],
    ['comes without days', { request: undefined }, /Which days/],
    [
      'is older than its last day',
      { generatedAt: new Date('2026-10-02T23:59:59Z') },
      /before the end of the last day/,
    ],
    ['is from the future', { generatedAt: new Date('2026-10-15T12:00:01Z') }, /in the future/],
    ['is of a report that is not there', { reportId: '7' }, /no report 7/],
  ])('because it %s leaves nothing behind', async (_, changed, says) => {
    await expect(bring(changed)).rejects.toThrow(says)
    expect([...world.objects.byKey.keys()]).toEqual([])
  })

  it('because it contradicts what was asked for leaves the report as it was', async () => {
    await world.accept('1')
    const other = { ...REQUEST, range: { start: '2026-10-01', end: '2026-10-04' } }
    await expect(bring({ reportId: '1', request: other })).rejects.toThrow(/asked for other days/)
    await expect(bring({ reportId: '1', generatedAt: new Date('2026-10-10') })).rejects.toThrow(/is known/)
    expect(await world.parts('1')).toEqual(['accepted'])
  })

  it('because it changes while it is read leaves no file', async () => {
    let reads = 0
    const changing = {
      ...source(),
      async *read() {
        yield Buffer.from(reads++ < 2 ? FILE : FILE.replace('5.00', '6.00'))
      },
    }
    await expect(bring({ file: changing })).rejects.toThrow(/changed while it was read/)
    expect([...world.objects.byKey.keys()].filter(key => key.startsWith('reports/'))).toEqual([])
  })
})
