import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/config.ts'
import { reportKeys } from '../src/domain/keys.ts'
import type { ArchiveRecord, Manifest } from '../src/domain/report.ts'
import { readActivity } from '../src/formats/parquet.ts'
import { advance } from '../src/pipeline.ts'
import type { Knobs } from '../src/sandbox/knobs.ts'
import { archive } from '../src/stages/archive.ts'
import { parse } from '../src/stages/parse.ts'
import { type SubmitOutcome, submit } from '../src/stages/submit.ts'
import { wire } from '../src/wiring.ts'
import { fileSource } from './support/statement-source.ts'
import {
  eventually,
  startTestDaybook,
  type TestDaybook,
  type TestDaybookOptions,
} from './support/test-daybook.ts'

const REQUEST = { range: { start: '2026-10-01', end: '2026-10-04' }, wallets: 'all' as const }

/** From the signed request to published rows, against the sandbox, whatever the provider does. */
describe('the pipeline', () => {
  let test: TestDaybook
  afterEach(() => test.stop())

  async function start(knobs: Partial<Knobs> = {}, options: TestDaybookOptions = {}): Promise<void> {
    test = await startTestDaybook({ ...options, knobs })
  }

  function ask(changed: { again?: boolean; request?: typeof REQUEST } = {}): Promise<SubmitOutcome> {
    return submit(test.daybook.context, test.account, {
      request: REQUEST,
      reason: 'test',
      again: false,
      ...changed,
    })
  }

  async function accepted(): Promise<string> {
    const outcome = await ask()
    if (outcome.outcome !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`)
    return outcome.reportId
  }

  function manifestOf(reportId: string): Promise<Manifest> {
    return eventually(() => test.daybook.context.reports.read(test.account.ref, reportId, 'manifest'))
  }

  const move = (reportId: string) => advance(test.daybook.context, test.account, reportId)
  const generations = () => test.sandbox.books().generationsByMonth.test?.['2026-10'] ?? 0

  async function expectWhole(reportId: string): Promise<void> {
    const manifest = await manifestOf(reportId)
    expect(manifest.rows).toEqual({ read: 150, written: 150, quarantined: 0, outside: 0 })
    expect(manifest.days.map(({ day, rows, publication }) => [day, rows, publication])).toEqual([
      ['2026-10-01', 50, 'published'],
      ['2026-10-02', 50, 'published'],
      ['2026-10-03', 50, 'published'],
    ])
    for (const { key, sha256 } of manifest.days) {
      const bytes = await readFile(join(test.folder, 'store', key))
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    }
  }

  it('takes a report from the request to rows when the callback comes', async () => {
    await start()
    const reportId = await accepted()
    await expectWhole(reportId)
    const archived = await test.daybook.context.reports.read(test.account.ref, reportId, 'archive')
    expect(archived?.via).toBe('callback')
    const file = await readFile(
      join(test.folder, 'store', reportKeys(test.account.ref, reportId).file(archived!.file)),
    )
    expect(createHash('sha256').update(file).digest('hex')).toBe(archived?.sha256)
    expect(test.sandbox.books().leaks).toEqual([])
  })

  it('works when the callback comes before the submit is answered', async () => {
    await start({ callbackBeforeAnswer: true, submitDelayMs: 600 })
    const asking = accepted()
    await eventually(() => test.log.find(line => line.includes('"callback.kept"')))
    await expectWhole(await asking)
    expect(generations()).toBe(1)
  })

  it('polls when the callback is lost', async () => {
    await start({ callbackLost: true, processingMs: 1 })
    const reportId = await accepted()
    await eventually(async () => ((await move(reportId)).parse === undefined ? undefined : true))
    await expectWhole(reportId)
    const archived = await test.daybook.context.reports.read(test.account.ref, reportId, 'archive')
    expect(archived?.via).toBe('query')
  })

  it('answers that a report is not ready while the provider works', async () => {
    await start({ callbackLost: true, processingMs: 60_000 })
    expect((await move(await accepted())).archive).toMatchObject({ outcome: 'not-ready' })
  })

  it('polls after a stale callback and does not use its link', async () => {
    await start({ callbackTimestampOffsetMs: -3_600_000 })
    const reportId = await accepted()
    await expectWhole(reportId)
    const archived = await test.daybook.context.reports.read(test.account.ref, reportId, 'archive')
    expect(archived?.via).toBe('query')
  })

  it.each([
    ['reset-after-effect', 'unknown', 1],
    ['no-answer-after-effect', 'unknown', 1],
    ['http-500-after-effect', 'unknown', 1],
    ['http-500-before-effect', 'unknown', 0],
    ['html-403-before-effect', 'rejected', 0],
  ] as const)(
    'answers a submit with %s as %s and never asks again by itself',
    async (fault, outcome, made) => {
      await start({ submitFault: fault, callbackLost: true })
      expect(await ask()).toMatchObject({ outcome, slot: 1 })
      expect(generations()).toBe(made)
      test.sandbox.setKnobs({ submitFault: 'none' })
      const second = await ask()
      expect(second).toMatchObject(
        outcome === 'unknown'
          ? { outcome: 'already-requested', reportId: undefined, slot: 1 }
          : { outcome: 'accepted', slot: 2 },
      )
      const slots = await test.daybook.context.ledger.month(test.account.ref, '2026-10')
      expect(slots[0]?.outcome?.outcome).toBe(outcome)
    },
  )

  it('settles a lost answer by the callback that follows', async () => {
    await start({ submitFault: 'reset-after-effect', faultTimes: 1 })
    expect(await ask()).toMatchObject({ outcome: 'unknown' })
    const reportId = test.sandbox.books().reports[0]!.reportId
    await expectWhole(reportId)
    const record = await test.daybook.context.reports.read(test.account.ref, reportId, 'accepted')
    expect(record).toMatchObject({ via: 'match', request: REQUEST, answer: null })
    expect(await ask()).toMatchObject({ outcome: 'already-requested', reportId })
    expect(generations()).toBe(1)
  })

  it('spends nothing on a question that has been asked, unless told to', async () => {
    await start()
    const reportId = await accepted()
    expect(await ask()).toMatchObject({ outcome: 'already-requested', reportId })
    await manifestOf(reportId)
    expect(await ask()).toMatchObject({ outcome: 'already-requested', reportId })
    expect(generations()).toBe(1)
    expect(await ask({ again: true })).toMatchObject({ outcome: 'accepted', slot: 2 })
    expect(generations()).toBe(2)
  })

  it('asks about other days and other wallets all the same', async () => {
    await start({ callbackLost: true })
    await accepted()
    const other = { range: { start: '2026-10-01', end: '2026-10-05' }, wallets: 'all' as const }
    expect(await ask({ request: other })).toMatchObject({ outcome: 'accepted' })
    const spot = { ...REQUEST, wallets: 'spot' as never }
    expect(await ask({ request: spot })).toMatchObject({ outcome: 'accepted' })
  })

  it('claims nothing for days that cannot be asked for', async () => {
    await start()
    for (const [start, end] of [
      ['2026-10-10', '2026-10-14'],
      ['2026-10-03', '2026-10-03'],
      ['2026-06-01', '2026-10-01'],
    ] as const) {
      expect(await ask({ request: { ...REQUEST, range: { start, end } } })).toMatchObject({
        outcome: 'not-askable',
      })
    }
    expect(await test.keys()).toEqual(['doctor/ready'])
  })

  it('claims nothing at the turn of a month', async () => {
    await start()
    test.clock.shift(new Date('2026-10-31T23:59:30Z').getTime() - test.clock.now().getTime())
    expect(await ask()).toMatchObject({ outcome: 'month-turning', opensAt: new Date('2026-11-01T00:00:05Z') })
    expect(generations()).toBe(0)
  })

  it('sends nothing long after the claim, and gives the slot back', async () => {
    await start()
    const { context } = test.daybook
    const slow: typeof context.ledger = {
      ...context.ledger,
      async claim(...args) {
        const claimed = await context.ledger.claim(...args)
        test.clock.shift(20_500)
        return claimed
      },
    }
    const input = { request: REQUEST, reason: 'test', again: false }
    expect(await submit({ ...context, ledger: slow }, test.account, input)).toMatchObject({
      outcome: 'rejected',
      code: 'too-late',
      slot: 1,
    })
    expect(generations()).toBe(0)
    const [slot] = await context.ledger.month(test.account.ref, '2026-10')
    expect(slot?.outcome).toMatchObject({ outcome: 'rejected', code: 'too-late' })
    expect(await ask()).toMatchObject({ outcome: 'accepted', slot: 2 })
  })

  it('stops at the limit and says when the quota opens again', async () => {
    await start({}, { env: { DAYBOOK_MONTHLY_LIMIT: '2' } })
    const days = ['2026-10-02', '2026-10-03', '2026-10-04'].map(end => ({
      range: { start: '2026-10-01', end },
      wallets: 'all' as const,
    }))
    const outcomes: SubmitOutcome[] = []
    for (const request of days) outcomes.push(await ask({ request }))
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'quota-exhausted'])
    expect(outcomes[2]).toMatchObject({ limit: 2, opensAt: new Date('2026-11-01T00:00:05Z') })
  })

  it('keeps the slot free when the provider refuses', async () => {
    await start({ quotaPerMonth: 0 })
    expect(await ask()).toMatchObject({ outcome: 'rejected', code: '400001' })
    test.sandbox.setKnobs({ quotaPerMonth: 50 })
    expect(await ask()).toMatchObject({ outcome: 'accepted', slot: 2 })
  })

  it('names the clock when it is the clock', async () => {
    await start({ clockSkewMs: 30_000, clockWindowMs: 0 })
    const outcome = await ask()
    expect(outcome).toMatchObject({ outcome: 'rejected', code: '400003' })
    expect(outcome.outcome === 'rejected' && outcome.says).toMatch(
      /clock is about (29|30|31)\.\d s ahead of this machine's/,
    )
  })

  it('corrects a clock that is off by little, and asks for nothing while it is off by more', async () => {
    await start({ clockSkewMs: 2_000, clockWindowMs: 1_200 })
    await expectWhole(await accepted())
    test.sandbox.setKnobs({ clockSkewMs: 5_000 })
    const outcome = await ask({ again: true })
    expect(outcome).toMatchObject({ outcome: 'rejected', code: '400003' })
    expect(generations()).toBe(1)
  })

  it('lets the report whose answer is known win over one that was only matched by time', async () => {
    await start({ callbackLost: true, processingMs: 1 }, { serve: false })
    const ours = await accepted()
    const { reports } = test.daybook.context
    const { ref } = test.account
    const theirs = await ask({ again: true })
    if (theirs.outcome !== 'accepted') throw new Error(JSON.stringify(theirs))
    const record = await reports.read(ref, theirs.reportId, 'accepted')
    const read = reports.read
    // The second report as it would stand had its answer been lost and its slot been matched by time.
    reports.read = (async (account, reportId, part) =>
      reportId === theirs.reportId && part === 'accepted'
        ? { ...record, via: 'match' }
        : read(account, reportId, part)) as typeof read
    await new Promise(resolve => setTimeout(resolve, 50))
    await move(theirs.reportId)
    const { parse } = await move(ours)
    expect(parse?.outcome === 'parsed' && parse.manifest.days.map(day => day.publication)).toEqual(
      Array(3).fill('published'),
    )
  })

  it('resumes a download that breaks off', async () => {
    await start({ downloadCutAfterBytes: 3_000, downloadCutTimes: 2 })
    await expectWhole(await accepted())
  })

  it('waits for a file that is not there yet', async () => {
    await start({ downloadNotFoundTimes: 2 })
    await expectWhole(await accepted())
  })

  it('asks for a new link when the old one has expired, and stores no error page', async () => {
    await start({ linkLifeMs: 1, freshLinkOnQuery: true })
    const reportId = await accepted()
    await eventually(() =>
      test.log.find(line => line.includes('"report.failed"') || line.includes('download.failed')),
    )
    test.sandbox.setKnobs({ linkLifeMs: 60_000 })
    await eventually(async () => (await move(reportId).catch(() => undefined))?.parse)
    await expectWhole(reportId)
  })

  it('takes the link that the provider makes some time after the first has run out', async () => {
    const knobs = { linkLifeMs: 1, processingMs: 1, freshLinkAfterExpiredMs: 1_500, callbackLost: true }
    await start(knobs)
    const reportId = await accepted()
    expect((await move(reportId)).archive).toMatchObject({ outcome: 'undeliverable', status: 'expired' })
    test.sandbox.setKnobs({ linkLifeMs: 60_000 })
    await expectWhole(reportId)
    expect(await test.daybook.context.reports.parts(test.account.ref, reportId)).not.toContain('ended')
  })

  it.each(['xml', 'html'] as const)(
    'never stores the %s page of an expired link as a report',
    async downloadExpiredBody => {
      await start({ linkLifeMs: 1, downloadExpiredBody })
      const reportId = await accepted()
      await eventually(async () => {
        const moved = await move(reportId).catch((error: Error) => ({ archive: { outcome: error.message } }))
        return /undeliverable|no longer valid/.test(moved.archive.outcome) ? true : undefined
      })
      expect((await test.keys()).filter(key => key.includes('/file/'))).toEqual([])
    },
  )

  it.each(['FAILED', 'EXPIRED'] as const)('names a report that ended as %s', async outcome => {
    await start({ outcome, callbackLost: true, processingMs: 1 })
    const reportId = await accepted()
    const status = outcome === 'FAILED' ? 'failed' : 'expired'
    await eventually(async () => {
      const { archive } = await move(reportId)
      return archive.outcome === 'undeliverable' && archive.status === status ? true : undefined
    })
  })

  it.each(['csv', 'gzip', 'zip'] as const)(
    'reads a %s file of every layout to the same rows',
    async fileContainer => {
      await start({ fileContainer, fileZipParts: 3, fileZipNoise: true })
      const days = new Map<string, string>()
      for (const fileLayout of ['A', 'B-bare', 'B-quoted', 'C'] as const) {
        test.sandbox.setKnobs({
          fileLayout,
          fileZoneOffsetMinutes: fileLayout === 'C' ? 420 : 0,
          fileOrder: 'shuffled',
        })
        const outcome = await ask({ again: true })
        if (outcome.outcome !== 'accepted') throw new Error(JSON.stringify(outcome))
        const manifest = await manifestOf(outcome.reportId)
        expect(manifest.rows).toMatchObject({ written: 150, quarantined: 0 })
        days.set(fileLayout, JSON.stringify([manifest.sums, manifest.operations]))
      }
      expect(new Set(days.values()).size).toBe(1)
    },
  )

  it('keeps a file in a layout nobody has seen, and parses it once its columns are named', async () => {
    const idsOf = async (days: Manifest['days']) => {
      const rows = days.map(({ key }) => readActivity(fileSource(join(test.folder, 'store', key))))
      return (await Promise.all(rows)).flat().map(({ rowId }) => rowId)
    }
    const silent = { callbackLost: true, processingMs: 1 }
    await start(silent, { serve: false })
    const known = await accepted()
    const expected = await eventually(async () => {
      const { parse } = await move(known)
      return parse?.outcome === 'parsed' ? parse.manifest : undefined
    })
    const ids = await idsOf(expected.days)
    await test.stop()

    await start(
      { ...silent, fileHeader: 'Kunde,Buchung,Konto,Vorgang,Währung,Betrag,Notiz' },
      { serve: false },
    )
    const reportId = await accepted()
    await eventually(() =>
      move(reportId).then(
        () => undefined,
        error => (error.details?.reason === 'no-header' ? true : undefined),
      ),
    )
    const path = join(test.folder, 'columns.json')
    await writeFile(
      path,
      JSON.stringify({
        userId: ['Kunde'],
        time: ['Gebucht am', 'BUCHUNG'],
        wallet: ['Konto'],
        operation: ['Vorgang'],
        asset: ['Währung'],
        amount: ['Betrag'],
        remark: ['Notiz'],
      }),
    )
    const env = { DAYBOOK_STORE: join(test.folder, 'store'), DAYBOOK_COLUMNS_FILE: path }
    const told = await wire(loadConfig(env), { writeLog: () => {} })
    const outcome = await parse(told.context, told.accounts[0]!, reportId)
    await told.close()
    expect(outcome).toMatchObject({
      outcome: 'parsed',
      manifest: { rows: expected.rows, sums: expected.sums, operations: expected.operations },
    })
    expect(ids).toHaveLength(150)
    expect(await idsOf((outcome as { manifest: Manifest }).manifest.days)).toEqual(ids)
  })

  it('leaves days alone that a later report tells the same of, and says what another one changed', async () => {
    await start()
    const first = await accepted()
    await expectWhole(first)
    const { store, reports } = test.daybook.context
    const keys = (await manifestOf(first)).days.map(({ key }) => key)
    const heads = () => Promise.all(keys.map(key => store.head(key)))
    const before = await heads()
    async function again() {
      const outcome = await ask({ again: true })
      if (outcome.outcome !== 'accepted') throw new Error(JSON.stringify(outcome))
      return manifestOf(outcome.reportId)
    }
    const same = await again()
    expect(same.days.map(({ publication, change }) => [publication, change?.replaced.reportId])).toEqual(
      Array(3).fill(['published', first]),
    )
    expect(same.days.every(({ change }) => change?.added === 0 && change.removed === 0)).toBe(true)
    expect(await heads()).toEqual(before)

    test.sandbox.setKnobs({ rowsPerDay: 60 })
    const other = await again()
    for (const { rows, change } of other.days) {
      expect(rows).toBe(60)
      expect(change!.added - change!.removed).toBe(10)
      expect(change!.addedSums.length).toBeGreaterThan(0)
    }
    const after = await heads()
    expect(after.map(head => head?.etag)).not.toEqual(before.map(head => head?.etag))
    // What the first report's manifest said stays said.
    expect((await reports.read(test.account.ref, first, 'manifest'))?.days.some(day => day.change)).toBe(
      false,
    )
  })

  it('archives a report about one wallet but does not publish it', async () => {
    await start()
    const outcome = await ask({ request: { ...REQUEST, wallets: 'funding' as never } })
    if (outcome.outcome !== 'accepted') throw new Error(JSON.stringify(outcome))
    const manifest = await manifestOf(outcome.reportId)
    expect(manifest.days.every(({ publication }) => publication === 'withheld')).toBe(true)
    expect(manifest.notes).toContain('withheld: the report is about the funding wallet only')
    expect((await test.keys()).filter(key => key.startsWith('activity/'))).toEqual([])
  })

  it('counts rows of days that were not asked for and publishes whole days only', async () => {
    await start({ endDateMeaning: 'inclusive' })
    const manifest = await manifestOf(await accepted())
    expect(manifest.rows).toEqual({ read: 200, written: 150, quarantined: 0, outside: 50 })
    expect(manifest.days).toHaveLength(3)
  })

  it('publishes nothing of a file that was cut off', async () => {
    await start({ fileTruncated: true })
    const reportId = await accepted()
    await eventually(() => test.log.find(line => line.includes('"error":"file-damaged"')))
    expect([...(await test.daybook.context.reports.parts(test.account.ref, reportId))].sort()).toEqual([
      'accepted',
      'archive',
      'callback',
    ])
    expect((await test.keys()).filter(key => key.startsWith('activity/'))).toEqual([])
  })

  it('publishes nothing of an archived file that was changed since', async () => {
    await start({ callbackLost: true, processingMs: 1 }, { serve: false })
    const reportId = await accepted()
    await new Promise(resolve => setTimeout(resolve, 50))
    const { record } = (await archive(test.daybook.context, test.account, reportId)) as {
      record: ArchiveRecord
    }
    const path = join(test.folder, 'store', reportKeys(test.account.ref, reportId).file(record.file))
    const changed = (await readFile(path, 'utf8')).replace(/,0\.0/, ',9.0')
    await writeFile(path, changed)
    await expect(move(reportId)).rejects.toMatchObject({ code: 'file-damaged' })
    expect((await test.keys()).filter(key => key.startsWith('activity/'))).toEqual([])
  })

  it('changes nothing when every stage runs again and at once', async () => {
    await start()
    const reportId = await accepted()
    await expectWhole(reportId)
    const before = await test.keys()
    await Promise.all(Array.from({ length: 5 }, () => move(reportId)))
    expect(await test.keys()).toEqual(before)
  })

  it('lets the newer of two reports stand, in whatever order they are published', async () => {
    await start({ callbackLost: true, processingMs: 1 }, { serve: false })
    const older = await accepted()
    test.clock.shift(5_000)
    const second = await ask({ again: true })
    if (second.outcome !== 'accepted') throw new Error(JSON.stringify(second))
    await new Promise(resolve => setTimeout(resolve, 50))
    await move(second.reportId)
    const { parse } = await move(older)
    expect(parse?.outcome === 'parsed' && parse.manifest.days.map(day => day.publication)).toEqual(
      Array(3).fill('newer-kept'),
    )
  })
})
