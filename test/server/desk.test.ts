import { hash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/calendar.ts'
import { reportKeys } from '../../src/domain/keys.ts'
import { spent } from '../../src/domain/quota.ts'
import { evidenceBundle } from '../../src/exports/evidence.ts'
import { loadMonth, monthPack } from '../../src/exports/month-pack.ts'
import { rowsAsCsv, rowsAsXlsx } from '../../src/exports/rows.ts'
import { API } from '../../src/server/desk/api-operations.ts'
import { type BookWorld, startBookWorld } from '../support/book-world.ts'
import { type DeskClient, deskClient, newKey, SESSION_KEY } from '../support/desk-client.ts'
import { eventually, objectKeys } from '../support/test-daybook.ts'

const ACCOUNT = 'binance-pay/main'
const at = `/api/v1/accounts/${ACCOUNT}`

let world: BookWorld
let operator: DeskClient
beforeAll(async () => {
  world = await startBookWorld({ days: 5, breakAt: 2, env: { DAYBOOK_DESK_SESSION_KEY: SESSION_KEY } })
  operator = deskClient(world.test)
}, 60_000)
afterAll(() => world.test.stop())

async function act(name: string, fields: Record<string, string>, key = newKey()) {
  const csrf = await operator.csrf()
  return operator.post(`/actions/${name}`, { csrf, account: ACCOUNT, idempotencyKey: key, ...fields })
}

/** The page that an action leads to. */
async function landing(answer: Response): Promise<string> {
  expect([answer.status, answer.status === 303 ? '' : await answer.text()]).toEqual([303, ''])
  return operator.page(answer.headers.get('location') ?? '')
}

async function json(path: string, headers: Record<string, string> = {}) {
  const answer = await operator.get(path, headers)
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

async function auditKeys(): Promise<string[]> {
  return (await objectKeys(join(world.test.folder, 'store'))).filter(key => key.startsWith('audit/'))
}

async function spentSlots(): Promise<number> {
  const { context } = world.test.daybook
  const slots = await context.ledger.since(world.test.account.ref, '')
  return spent(slots)
}

describe('the pages', () => {
  it('tell what is covered and proved, and what is not', async () => {
    const { body } = await json(`${at}/days?from=${world.firstDay}&to=${addDays(world.firstDay, 5)}`)
    const lines = body.items as { standing: string; reportId: string }[]
    expect(lines.map(({ standing }) => standing)).toEqual([
      'covered',
      'break',
      'break',
      'proved',
      'proved',
      'covered',
    ])
    expect(new Set(lines.map(({ reportId }) => reportId))).toEqual(new Set([world.reportId]))
    const calendar = await operator.page(`/calendar?year=${world.firstDay.slice(0, 4)}`)
    expect(calendar).toContain(`title="${world.breakDay}, break"`)
    expect(calendar).toContain(`title="${addDays(world.firstDay, 3)}, proved"`)
    const overview = await operator.page('/')
    expect(overview).toContain('Differences without an answer</span><span class="figure">2</span>')
    expect(overview).toContain('<span class="figure">1 <small>of 50</small></span>')
  })

  it('show a break with what was expected, what was there, and the signed difference', async () => {
    const page = await operator.page(`/days/${ACCOUNT}/${world.breakDay}`)
    const { body } = await json(`${at}/days/${world.breakDay}`)
    const findings = body.findings as {
      verdict: string
      id: string
      difference: string
      actual: string
      expected: string
    }[]
    const found = findings.find(({ verdict }) => verdict === 'break')!
    expect(found.id).toBe('R6/Funding/USDT')
    expect(page).toContain(`<span class="mono">${found.id}</span>`)
    expect(page.replaceAll(',', '')).toContain(`+${found.difference} USDT`)
    expect(page).toContain('missing row')
    const published = body.published as {
      rows: number
      movements: { rows: number }[]
      operations: { rows: number }[]
    }
    const sum = (lines: { rows: number }[]) => lines.reduce((total, { rows }) => total + rows, 0)
    expect([sum(published.movements), sum(published.operations)]).toEqual([published.rows, published.rows])
  })

  it('mark where a balance parts from what its movements imply, by exactly the row that is missing', async () => {
    const query = `from=${world.firstDay}&to=${addDays(world.firstDay, 6)}&asset=USDT&place=Funding`
    const { body } = await json(`${at}/balances?${query}`)
    const { points } = body.series as { points: { at: string; difference: string | null }[] }
    const { body: day } = await json(`${at}/days/${world.breakDay}`)
    const [found] = (day.findings as { verdict: string; difference: string }[]).filter(
      ({ verdict }) => verdict === 'break',
    )
    expect(points.map(({ difference }) => difference).filter(difference => difference !== '0')).toEqual([
      null,
      found!.difference,
    ])
    const other = await json(`${at}/balances?${query.replace('Funding', 'Spot')}`)
    const spot = (other.body.series as { points: { difference: string | null }[] }).points
    expect(
      spot.map(({ difference }) => difference).every(difference => difference === '0' || difference === null),
    ).toBe(true)
  })

  it('find reports by what is known of them', async () => {
    const hit = async (query: string) => (await operator.page(`/reports?${query}`)).includes(world.reportId)
    expect(await hit(`search=${world.reportId.slice(3, 12)}`)).toBe(true)
    expect(await hit(`from=${world.firstDay}&to=${world.firstDay}`)).toBe(true)
    expect(await hit('state=parsed&wallets=all')).toBe(true)
    expect(await hit('state=failed')).toBe(false)
    expect(await hit('search=nothing-like-it')).toBe(false)
    expect(await hit(`to=${addDays(world.firstDay, -1)}`)).toBe(false)
    expect((await operator.get('/reports?state=nonsense')).status).toBe(400)
  })

  it('tell of one report from the request to the proof, with its evidence', async () => {
    const page = await operator.page(`/reports/${ACCOUNT}/${world.reportId}`)
    const { reports } = world.test.daybook.context
    const archived = await reports.read(world.test.account.ref, world.reportId, 'archive')
    const callback = await reports.read(world.test.account.ref, world.reportId, 'callback')
    for (const word of [
      'asked',
      'called',
      'archived',
      'parsed',
      'published',
      'proved',
      archived!.sha256,
      callback!.keySerial,
      callback!.bodySha256,
    ])
      expect(page).toContain(word)
    expect((await operator.get(`/reports/${ACCOUNT}/999`)).status).toBe(404)
  })
})

describe('a download', () => {
  const target = () => `/reports/${ACCOUNT}/${world.reportId}/file`

  it('is the file as it came, in whole and in parts', async () => {
    const answer = await operator.get(target())
    const bytes = Buffer.from(await answer.arrayBuffer())
    const archived = await world.test.daybook.context.reports.read(
      world.test.account.ref,
      world.reportId,
      'archive',
    )
    expect(hash('sha256', bytes, 'hex')).toBe(archived!.sha256)
    expect(answer.headers.get('repr-digest')).toBe(
      `sha-256=:${Buffer.from(archived!.sha256, 'hex').toString('base64')}:`,
    )
    const part = async (range: string, headers = {}) => {
      const got = await operator.get(target(), { range, ...headers })
      return [got.status, got.headers.get('content-range'), Buffer.from(await got.arrayBuffer()).toString()]
    }
    const size = bytes.length
    expect(await part('bytes=0-9')).toEqual([206, `bytes 0-9/${size}`, bytes.subarray(0, 10).toString()])
    expect(await part('bytes=-5')).toEqual([
      206,
      `bytes ${size - 5}-${size - 1}/${size}`,
      bytes.subarray(-5).toString(),
    ])
    expect(await part(`bytes=${size - 3}-`)).toEqual([
      206,
      `bytes ${size - 3}-${size - 1}/${size}`,
      bytes.subarray(-3).toString(),
    ])
    expect((await part(`bytes=${size}-`)).slice(0, 2)).toEqual([416, `bytes */${size}`])
    expect((await part('bytes=0-1', { 'if-range': '"another"' }))[0]).toBe(200)
    expect((await part('bytes=5-2'))[0]).toBe(200)
  })

  it('is in the audit before its first byte, and without the audit there is none', async () => {
    const before = (await auditKeys()).length
    await (await operator.get(target())).arrayBuffer()
    const [newest = ''] = (await auditKeys()).slice(-1)
    expect(await auditKeys()).toHaveLength(before + 1)
    const record = JSON.parse(await readFile(join(world.test.folder, 'store', newest), 'utf8'))
    expect(record).toMatchObject({
      who: 'operator@test',
      role: 'operator',
      did: 'report.download',
      about: { report: world.reportId },
    })
    expect(record.from).toMatch(/127\.0\.0\.1$/)
    const folder = join(world.test.folder, 'store', 'audit')
    await rename(folder, `${folder}-away`)
    await writeFile(folder, 'in the way')
    try {
      const answer = await operator.get(target())
      expect(answer.status).toBeGreaterThanOrEqual(500)
      expect(await answer.text()).not.toContain('User_ID')
    } finally {
      await rename(folder, `${folder}-blocked`)
      await rename(`${folder}-away`, folder)
    }
    expect(await operator.page(`/audit?day=${newest.split('/')[1]}`)).toContain('report.download')
  })

  it('breaks off when the file is not the one that was archived', async () => {
    const { ref } = world.test.account
    const archived = await world.test.daybook.context.reports.read(ref, world.reportId, 'archive')
    const path = join(world.test.folder, 'store', reportKeys(ref, world.reportId).file(archived!.file))
    const bytes = await readFile(path)
    const changed = Buffer.from(bytes)
    changed[100]! ^= 1
    await rename(path, `${path}.kept`)
    await writeFile(path, changed)
    try {
      await expect(operator.get(target()).then(answer => answer.arrayBuffer())).rejects.toThrow()
    } finally {
      await rename(`${path}.kept`, path)
    }
  })
})

describe('an export', () => {
  it('is what the store holds, and is in the audit before', async () => {
    const ref = world.test.account.ref
    const { store, reports } = world.test.daybook.context
    const last = addDays(world.firstDay, 5)
    const range = { start: world.firstDay, end: addDays(last, 1) }
    const whole = async (bytes: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(bytes))
    const query = `from=${world.firstDay}&to=${last}`
    const of: [string, string, Promise<Buffer>, string][] = [
      [
        `/rows/${ACCOUNT}/rows.csv?${query}`,
        'rows.download',
        whole(rowsAsCsv(store, ref, range)),
        'text/csv; charset=utf-8',
      ],
      [
        `/rows/${ACCOUNT}/rows.xlsx?${query}`,
        'rows.download',
        whole(rowsAsXlsx(store, ref, range)),
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      ],
      [
        `/reports/${ACCOUNT}/${world.reportId}/evidence.zip`,
        'evidence.download',
        whole(evidenceBundle({ store, reports }, world.test.account, world.reportId)),
        'application/zip',
      ],
      [
        `/close/${ACCOUNT}/2026-10/pack.zip`,
        'month.download',
        whole(monthPack(store, await loadMonth(world.test.daybook.context, world.test.account, '2026-10'))),
        'application/zip',
      ],
    ]
    for (const [target, did, expected, type] of of) {
      const before = (await auditKeys()).length
      const answer = await operator.get(target)
      expect([target, answer.status, answer.headers.get('content-type')]).toEqual([target, 200, type])
      const got = Buffer.from(await answer.arrayBuffer())
      expect([target, got.length > 100, got.equals(await expected)]).toEqual([target, true, true])
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"/)
      const [newest = ''] = (await auditKeys()).slice(-1)
      expect(await auditKeys()).toHaveLength(before + 1)
      expect(await readFile(join(world.test.folder, 'store', newest), 'utf8')).toContain(did)
    }
    expect((await operator.get(`/rows/${ACCOUNT}/rows.pdf?${query}`)).status).toBe(400)
    expect((await operator.get(`/rows/${ACCOUNT}/rows.csv?from=2026-02-01&to=2026-01-01`)).status).toBe(400)
    expect((await operator.get(`/reports/${ACCOUNT}/999/evidence.zip`)).status).toBe(404)
  })
})

describe('an action', () => {
  it('shows its price first', async () => {
    const page = await operator.page('/actions?from=2026-08-01&to=2026-08-03&wallets=all')
    expect(page).toMatch(/costs <b>1 of the \d+ left of October 2026 \(\d+ of 50 used\)<\/b>/)
    const late = await operator.page('/actions?from=2026-08-01&to=2029-01-01&wallets=all')
    expect(late).not.toContain('Ask for it')
  })

  it('happens once, however often its form is sent, also at once', async () => {
    const before = await spentSlots()
    const audited = (await auditKeys()).length
    const key = newKey()
    const fields = { from: '2026-08-01', to: '2026-08-03', wallets: 'all', again: 'yes' }
    const answers = await Promise.all([
      act('ask', fields, key),
      act('ask', fields, key),
      act('ask', fields, key),
    ])
    answers.push(await act('ask', fields, key))
    const places = answers.map(answer => answer.headers.get('location'))
    expect(new Set(places).size).toBe(1)
    expect(places[0]).toMatch(/^\/reports\/binance-pay\/main\/\d+\?did=[0-9a-f]{64}$/)
    expect(await spentSlots()).toBe(before + 1)
    expect(await auditKeys()).toHaveLength(audited + 1)
    expect(await landing(answers[0]!)).toContain('Asked for 2026-08-01 to 2026-08-03')
    const slots = await world.test.daybook.context.ledger.since(world.test.account.ref, '')
    expect(slots.at(-1)!.claim).toMatchObject({
      reason: 'desk',
      by: expect.stringMatching(/^operator@test at /),
    })
    const other = await act('ask', { ...fields, to: '2026-08-04' }, key)
    expect([other.status, await spentSlots()]).toEqual([400, before + 1])
    expect((await act('ask', fields, '')).status).toBe(400)
  })

  it('closes gaps by a plan, and asks for nothing twice', async () => {
    const before = await spentSlots()
    const from = '2026-08-20'
    const page = await operator.page(`/actions?planFrom=${from}`)
    expect(page).toContain('<td>now</td>'.replace('<td>', ''))
    const text = await landing(await act('plan', { from }))
    expect(text).toMatch(/Asked for 1 report\. Nothing is left to ask for\./)
    expect(await landing(await act('plan', { from }))).toContain(
      'Asked for 0 reports. Nothing is left to ask for.',
    )
    expect(await spentSlots()).toBe(before + 1)
  })

  it('takes a file, once', async () => {
    const csrf = await operator.csrf()
    const content = `User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n1,2026-03-01 10:00:00,Funding,Deposit,USDT,5.00,\n`
    const form = () => {
      const fields = new FormData()
      for (const [name, value] of Object.entries({
        csrf,
        account: ACCOUNT,
        idempotencyKey: newKey(),
        from: '2026-03-01',
        to: '2026-03-01',
        wallets: 'all',
      }))
        fields.set(name, value)
      fields.set('file', new File([content], 'märz.csv'))
      return fields
    }
    const first = await operator.post('/actions/import', form())
    expect(await landing(first)).toContain('märz.csv is kept and is being read.')
    expect(await landing(await operator.post('/actions/import', form()))).toContain(
      'märz.csv was brought before',
    )
    await eventually(async () =>
      (await operator.page(`/days/${ACCOUNT}/2026-03-01`)).includes('covered') ? true : undefined,
    )
    const broken = form()
    broken.set('file', new File(['no rows'], 'a.csv'))
    expect(await landing(await operator.post('/actions/import', broken))).toContain('class="notice bad"')
    const large = form()
    large.set('file', new File(['x'.repeat(70_000_000)], 'large.csv'))
    expect((await operator.post('/actions/import', large)).status).toBe(400)
  })

  it('sweeps, retries, reads balances and reconciles', async () => {
    expect(await landing(await act('sweep', {}))).toContain('Swept:')
    expect(await landing(await act('retry', { report: world.reportId }))).toContain('Nothing is left to do')
    expect(await landing(await act('retry', { report: '999' }))).toContain('There is no report 999')
    expect(await landing(await act('snapshot', {}))).toMatch(/\d+ balances read/)
    expect(await landing(await act('reconcile', { day: world.breakDay }))).toContain(
      `${world.breakDay}: break, run 1, as before.`,
    )
  })

  it('keeps what a person says of a finding; an answer to other numbers answers nothing', async () => {
    const fields = {
      day: world.breakDay,
      finding: 'R6/Funding/USDT',
      run: '1',
      says: 'Refund <b>by hand</b>',
    }
    expect(await landing(await act('explain', fields))).toContain('The note is kept.')
    expect(await operator.page('/')).toContain(
      'Differences without an answer</span><span class="figure">2</span>',
    )
    const page = await landing(await act('explain', { ...fields, answered: 'yes' }))
    expect(page).toContain('Refund &lt;b&gt;by hand&lt;/b&gt;')
    expect(page).toContain('Answered by operator@test')
    expect(await operator.page('/')).toContain(
      'Differences without an answer</span><span class="figure">1</span>',
    )
    expect(await landing(await act('explain', { ...fields, run: '2' }))).toContain(
      'A newer run has found something else',
    )
    expect((await act('explain', { ...fields, says: '  ' })).status).toBe(400)
    expect(await landing(await act('explain', { ...fields, finding: 'R6/No/SUCH' }))).toContain(
      'There is no finding',
    )
  })

  it('closes no month that is not ready', async () => {
    const month = '2026-05'
    const page = await operator.page(`/close?month=${month}`)
    expect(page).toContain('not ready')
    expect(page).toContain('No report covers these days')
    expect(page).not.toContain('action="/actions/close"')
    expect(await landing(await act('close', { month }))).toContain('is not ready')
    expect(
      (await objectKeys(join(world.test.folder, 'store'))).some(key => key.startsWith('closings/')),
    ).toBe(false)
  })
})

describe('the API', () => {
  it('describes every operation, from the schemas that read and answer', async () => {
    const { body } = await json('/api/v1/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const paths = body.paths as Record<
      string,
      Record<string, { operationId: string; parameters: { name: string }[] }>
    >
    const ids = Object.values(paths).flatMap(methods =>
      Object.values(methods).map(({ operationId }) => operationId),
    )
    expect(ids.sort()).toEqual(Object.keys(API).sort())
    expect(
      paths['/accounts/{provider}/{account}/reports']!.get!.parameters.map(({ name }) => name),
    ).toContain('cursor')
    expect(JSON.stringify(paths['/accounts/{provider}/{account}/reports']!.post)).toContain('Idempotency-Key')
  })

  it('gives lists in pages that lose and repeat nothing', async () => {
    const all = (await json(`${at}/reports`)).body.items as { reportId: string }[]
    expect(all.length).toBeGreaterThan(2)
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const { body } = await json(`${at}/reports?limit=1${next === '' ? '' : `&cursor=${next}`}`)
      seen.push(...(body.items as { reportId: string }[]).map(({ reportId }) => reportId))
      next = body.next as string | null
    }
    expect(seen).toEqual(all.map(({ reportId }) => reportId))
    expect((await json(`${at}/reports?cursor=nonsense`)).status).toBe(400)
  })

  it('answers faults as problems', async () => {
    for (const [path, status] of [
      [`${at}/days?from=nonsense&to=2026-01-01`, 400],
      [`${at}/reports/999`, 404],
      ['/api/v1/accounts/binance-pay/nobody', 404],
      ['/api/v1/nothing', 404],
    ] as const) {
      const answer = await operator.get(path)
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(await answer.json()).toMatchObject({ title: expect.any(String), status })
    }
  })

  it('does once what is posted under one key', async () => {
    const before = await spentSlots()
    const csrf = await operator.csrf()
    const post = (body: object, key: string | undefined) =>
      fetch(`${world.test.server.deskUrl}${at}/reports`, {
        method: 'POST',
        headers: {
          cookie: operator.cookie,
          'content-type': 'application/json',
          'x-csrf-token': csrf,
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body: JSON.stringify(body),
      })
    const key = newKey()
    const asked = { from: '2026-07-01', to: '2026-07-02', again: true }
    const [first, second] = await Promise.all([post(asked, key), post(asked, key)])
    expect([first.status, second.status]).toEqual([200, 200])
    const told = await first.json()
    expect(await second.json()).toEqual(told)
    expect(told).toMatchObject({ outcome: 'accepted', about: { report: expect.stringMatching(/^\d+$/) } })
    expect((await post({ ...asked, to: '2026-07-03' }, key)).status).toBe(422)
    expect((await post(asked, undefined)).status).toBe(400)
    expect((await post({ from: '2026-07-01' }, newKey())).status).toBe(400)
    expect(await spentSlots()).toBe(before + 1)
  })
})

describe('open pages', () => {
  it('are told of what happens, as it happens', async () => {
    const gone = new AbortController()
    const answer = await fetch(`${world.test.server.deskUrl}/live?account=${ACCOUNT}`, {
      headers: { cookie: operator.cookie },
      signal: gone.signal,
    })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    const versions: string[] = []
    const decoder = new TextDecoder()
    const reading = (async () => {
      for await (const chunk of answer.body!) {
        for (const [, version] of decoder.decode(chunk).matchAll(/event: change\ndata: (\S+)/g))
          versions.push(version!)
      }
    })().catch(() => {})
    await eventually(() => versions.length === 1 || undefined)
    const shown = /data-version="([^"]+)"/.exec(await operator.page('/'))?.[1]
    expect(versions).toEqual([shown])
    await act('ask', { from: '2026-06-01', to: '2026-06-01', wallets: 'all' })
    await eventually(() => versions.length >= 2 || undefined)
    gone.abort()
    await reading
  })
})
