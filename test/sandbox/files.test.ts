import { once } from 'node:events'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromBuffer } from 'yauzl'
import { systemClock } from '../../src/host.ts'
import type { Knobs } from '../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { dayFromNow, fileOf, linkOf, reportBody, startTestSandbox } from '../support/sandbox-client.ts'

let sandbox: Sandbox
let laterMs = 0
beforeAll(async () => {
  const clock = { ...systemClock, now: () => new Date(Date.now() + laterMs) }
  sandbox = await startTestSandbox({ clock, knobs: { quotaPerMonth: 100_000, rowsPerDay: 60 } })
})
afterAll(() => sandbox.stop())

const textOf = async (knobs: Partial<Knobs> = {}, changed = {}) =>
  (await fileOf(sandbox, { knobs, body: reportBody(changed) })).toString('utf8')
const linesOf = async (knobs: Partial<Knobs> = {}, changed = {}) =>
  (await textOf(knobs, changed)).trimEnd().split('\n')
const linkUnder = (knobs: Partial<Knobs>) => linkOf(sandbox, { knobs })

const B = 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark'
const INSIDE = /^\d{12},\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,(Spot|Funding),[^,]+,[A-Z0-9]+,-?[\d.]+(E-\d)?,.*$/

test('layout B is bare or quoted, with numbers as Java writes them', async () => {
  const bare = await linesOf()
  expect(bare[0]).toBe(B)
  expect(bare).toHaveLength(1 + 3 * 60)
  for (const line of bare.slice(1)) expect(line).toMatch(INSIDE)
  expect(bare.some(line => /,\d(\.\d)?E-[78],/.test(line))).toBe(true)
  const quoted = await linesOf({ fileLayout: 'B-quoted' })
  expect(quoted[0]).toBe(`"${B.replaceAll(',', '","')}"`)
  expect(quoted.slice(1).every(line => /^"\d{12}","\d{4}-.*"$/.test(line))).toBe(true)
  expect(quoted.filter(line => line.endsWith(',""')).length).toBe(
    bare.filter(line => line.endsWith(',')).length,
  )
})

test('layout A has no user and always quotes its remark', async () => {
  const [header, ...rows] = await linesOf({ fileLayout: 'A' })
  expect(header).toBe('UTC_Time,Account,Operation,Coin,Change,Remark')
  expect(rows.every(line => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,.*"$/.test(line))).toBe(true)
})

test('layout C has short years in the zone of its name, and trimmed numbers', async () => {
  const link = await linkUnder({ fileLayout: 'C', fileZoneOffsetMinutes: 420 })
  expect(decodeURIComponent(link)).toMatch(/\/Binance-Transaction-History-\d{12}\(UTC\+7\)\.csv$/)
  const rows = (await (await fetch(link)).text()).trimEnd().split('\n')
  const utc = await linesOf()
  expect(rows[0]).toBe('User ID,Time,Account,Operation,Coin,Change,Remark')
  expect(rows).toHaveLength(utc.length)
  rows.slice(1).forEach((line, index) => {
    const [, time = '', , , , change = ''] = line.split(',')
    const instant = Date.parse(`20${time.replace(' ', 'T')}+07:00`)
    const [, utcTime, , , , utcChange] = utc[index + 1]!.split(',')
    expect(new Date(instant).toISOString().slice(0, 19).replace('T', ' ')).toBe(utcTime)
    expect(change).not.toMatch(/E|\.\d*0$/)
    expect(Number(change)).toBe(Number(utcChange))
  })
  const west = decodeURIComponent(await linkUnder({ fileLayout: 'C', fileZoneOffsetMinutes: -360 }))
  const half = decodeURIComponent(await linkUnder({ fileLayout: 'C', fileZoneOffsetMinutes: 330 }))
  expect([west, half].map(name => /\(.*\)/.exec(name)?.[0])).toEqual(['(UTC--6)', '(UTC+5:30)'])
})

test('a header of other names', async () => {
  const plain = await textOf()
  expect(await textOf({ fileHeader: 'a,b,c d,e,f,g,h' })).toBe(plain.replace(B, 'a,b,c d,e,f,g,h'))
})

test('line ends, byte order mark, last line, extra column', async () => {
  const odd = await textOf({ fileEol: 'CRLF', fileBom: true, fileFinalNewline: false, fileExtraColumn: true })
  expect(odd.startsWith(`\uFEFF${B},EUR_Value\r\n`)).toBe(true)
  expect(odd.endsWith('\n')).toBe(false)
  expect(odd.replaceAll('\r\n', '')).not.toContain('\n')
  const plain = await textOf()
  expect(odd).toBe(
    `\uFEFF${plain.trimEnd().replaceAll('\n', ',1.07\r\n')},1.07`.replace(`${B},1.07`, `${B},EUR_Value`),
  )
  const cut = await textOf({ fileTruncated: true })
  expect(plain.startsWith(cut)).toBe(true)
  expect(plain.slice(cut.length)).toMatch(/^[^\n]+\n$/)
})

test('files without rows', async () => {
  expect(await textOf({ fileEmpty: 'header-only' })).toBe(`${B}\n`)
  expect(await textOf({ rowsPerDay: 0 })).toBe(`${B}\n`)
  expect(await textOf({ fileEmpty: 'no-data-message' })).toBe(`${B}\nNo data matches the criteria.\n`)
  expect(await textOf({ rowsPerDay: 0, fileFinalNewline: false })).toBe(B)
})

test('endDate is left out or held, days are those of the zone', async () => {
  const days = async (knobs: Partial<Knobs>) =>
    new Set((await linesOf(knobs)).slice(1).map(line => line.split(/[, ]/)[1]))
  expect(await days({})).toEqual(new Set([-10, -9, -8].map(dayFromNow)))
  expect(await days({ endDateMeaning: 'inclusive' })).toEqual(new Set([-10, -9, -8, -7].map(dayFromNow)))
  const east = (await linesOf({ dateZone: 'UTC+8' })).slice(1).map(line => line.split(',')[1] ?? '')
  expect(east.every(time => time >= `${dayFromNow(-11)} 16:00` && time < `${dayFromNow(-8)} 16:00`)).toBe(
    true,
  )
  expect(east.some(time => time < dayFromNow(-10))).toBe(true)
})

test('two reports hold the same rows of the days they share', async () => {
  const [, ...early] = await linesOf({}, { startDate: dayFromNow(-12), endDate: dayFromNow(-8) })
  const [, ...late] = await linesOf({}, { startDate: dayFromNow(-10), endDate: dayFromNow(-7) })
  const dayOf = (line: string) => line.slice(13, 23)
  const shared = (line: string) => dayOf(line) >= dayFromNow(-10) && dayOf(line) < dayFromNow(-8)
  expect(early.filter(shared)).toHaveLength(2 * 60)
  expect(early.filter(shared)).toEqual(late.filter(shared))
})

test('a wallet of its own is a part of both', async () => {
  const both = await linesOf()
  const spot = await linesOf({}, { walletType: 'SPOT_WALLET' })
  expect(spot).toEqual(both.filter(line => line === B || line.includes(',Spot,')))
})

test('orders hold the same rows', async () => {
  const [header, ...rows] = await linesOf({ rowsPerDay: 400 })
  const [, ...descending] = await linesOf({ rowsPerDay: 400, fileOrder: 'descending' })
  const [, ...shuffled] = await linesOf({ rowsPerDay: 400, fileOrder: 'shuffled' })
  expect(header).toBe(B)
  expect(descending.reverse()).toEqual(rows)
  expect(shuffled).not.toEqual(rows)
  expect([...shuffled].sort()).toEqual([...rows].sort())
  expect(shuffled.map(line => line.slice(0, 32))).toEqual(rows.map(line => line.slice(0, 32)))
})

test('gzip holds the same text', async () => {
  const link = await linkUnder({ fileContainer: 'gzip' })
  expect(link).toMatch(/-1\.csv\.gz$/)
  const bytes = await (await fetch(link)).bytes()
  expect(gunzipSync(bytes).toString()).toBe(await textOf())
})

test('a zip holds its parts, each with the header', async () => {
  const knobs: Partial<Knobs> = { fileContainer: 'zip', fileZipParts: 3, fileLayout: 'C', fileZipNoise: true }
  const entries = await unzip(await fileOf(sandbox, { knobs }))
  const names = [...entries.keys()]
  expect(names.slice(0, 2)).toEqual(['reports/', '__MACOSX/._report.csv'])
  expect(names.slice(2).map(name => /\(UTC\+0\)(.*)$/.exec(name)?.[1])).toEqual(
    [1, 2, 3].map(part => `-part${part}-of3.csv`),
  )
  const parts = [...entries.values()].slice(2).map(text => text.trimEnd().split('\n'))
  const whole = await linesOf({ fileLayout: 'C' })
  for (const part of parts) expect(part[0]).toBe(whole[0])
  expect(parts.flatMap(part => part.slice(1))).toEqual(whole.slice(1))
  const turned = await unzip(await fileOf(sandbox, { knobs: { ...knobs, fileOrder: 'descending' } }))
  const backwards = [...turned.values()].slice(2).flatMap(text => text.trimEnd().split('\n').slice(1))
  expect(backwards.reverse()).toEqual(whole.slice(1))
  const holed = await unzip(
    await fileOf(sandbox, { knobs: { ...knobs, fileZipNoise: false, fileMissingPart: true } }),
  )
  expect(holed.size).toBe(2)
})

async function unzip(bytes: Buffer): Promise<Map<string, string>> {
  const entries = new Map<string, string>()
  await new Promise<void>((resolve, reject) =>
    fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error)
      zip.on('end', resolve).on('error', reject)
      zip.on('entry', entry =>
        zip.openReadStream(entry, async (fault, stream) => {
          if (fault) return reject(fault)
          const chunks: Buffer[] = []
          stream.on('data', chunk => chunks.push(chunk))
          await once(stream, 'end')
          entries.set(entry.fileName, Buffer.concat(chunks).toString())
          zip.readEntry()
        }),
      )
      zip.readEntry()
    }),
  )
  return entries
}

test('a link that has expired answers as S3 does', async () => {
  const link = await linkUnder({ linkLifeMs: 60_000 })
  expect((await fetch(link)).status).toBe(200)
  laterMs = 60_001
  const expired = await fetch(link)
  laterMs = 0
  expect(expired.status).toBe(403)
  expect(await expired.text()).toContain(
    '<Error><Code>AccessDenied</Code><Message>Request has expired</Message>',
  )
})

test('a link is valid as it was given only', async () => {
  const link = await linkUnder({})
  const [token = ''] = /\d+-\d+-[0-9a-f]{40}/.exec(link) ?? []
  const later = token.replace(/-(\d)/, (_all, digit) => `-${(Number(digit) + 1) % 10}`)
  expect((await fetch(link.replace(token, later))).status).toBe(403)
  expect((await fetch(`${link}x`)).status).toBe(404)
  expect((await fetch(link, { method: 'POST' })).status).toBe(403)
})

test('credentials on a download are refused and noted', async () => {
  const link = await linkUnder({})
  const answer = await fetch(link, {
    headers: { 'BinancePay-Certificate-SN': 'x', authorization: 'Bearer y' },
  })
  expect(answer.status).toBe(400)
  const { leaks } = sandbox.books()
  expect(leaks).toEqual([
    { path: 'files', headers: expect.arrayContaining(['authorization', 'binancepay-certificate-sn']) },
  ])
})

test.each(['csv', 'gzip', 'zip'] as const)('ranges of a %s', async fileContainer => {
  const link = await linkUnder({ fileContainer })
  const whole = await fetch(link)
  const bytes = await whole.bytes()
  const etag = whole.headers.get('etag') ?? ''
  expect(whole.headers.get('accept-ranges')).toBe('bytes')
  expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
  const part = async (range: string, more = {}) => {
    const answer = await fetch(link, { headers: { range, ...more } })
    return { answer, bytes: await answer.bytes(), shown: answer.headers.get('content-range') }
  }
  const size = bytes.length
  const middle = await part('bytes=100-299', { 'if-range': etag })
  expect(middle.answer.status).toBe(206)
  expect(middle.shown).toBe(`bytes 100-299/${size}`)
  expect(middle.bytes).toEqual(bytes.slice(100, 300))
  expect((await part('bytes=500-')).bytes).toEqual(bytes.slice(500))
  expect((await part('bytes=-50')).bytes).toEqual(bytes.slice(-50))
  expect((await part(`bytes=0-${size * 2}`)).bytes).toEqual(bytes)
  const changed = await part('bytes=100-299', { 'if-range': '"other"' })
  expect([changed.answer.status, changed.bytes.length]).toEqual([200, size])
  const outside = await part(`bytes=${size}-`)
  expect([outside.answer.status, outside.shown]).toEqual([416, `bytes */${size}`])
})

test('HEAD has the headers only', async () => {
  const link = await linkUnder({})
  const head = await fetch(link, { method: 'HEAD' })
  const full = await fetch(link)
  const { length } = await full.bytes()
  expect(head.headers.get('content-length')).toBe(String(length))
  expect(head.headers.get('etag')).toBe(full.headers.get('etag'))
  expect(await head.text()).toBe('')
})

test('not there yet, then busy, then cut off, then whole', async () => {
  const link = await linkUnder({
    ...{
      downloadNotFoundTimes: 2,
      downloadUnavailableTimes: 1,
      downloadCutAfterBytes: 700,
      downloadCutTimes: 2,
    },
  })
  const statuses: number[] = []
  for (let turn = 0; turn < 3; turn++) statuses.push((await fetch(link)).status)
  expect(statuses).toEqual([404, 404, 503])
  for (let turn = 0; turn < 2; turn++) expect(await receivedOf(link)).toEqual({ size: 700, broken: true })
  expect((await receivedOf(link)).broken).toBe(false)
})

async function receivedOf(link: string): Promise<{ size: number; broken: boolean }> {
  const answer = await fetch(link)
  let size = 0
  try {
    for await (const chunk of answer.body!) size += chunk.length
    return { size, broken: false }
  } catch {
    return { size, broken: true }
  }
}

test('slow', async () => {
  const link = await linkUnder({ rowsPerDay: 20, downloadBytesPerSecond: 30_000 })
  const before = performance.now()
  const { length } = await (await fetch(link)).bytes()
  expect(performance.now() - before).toBeGreaterThan((length / 30_000) * 900)
})

test('redirects: to another path, another host, in a loop', async () => {
  const path = await linkUnder({ downloadRedirect: 'path' })
  const first = await fetch(path, { redirect: 'manual' })
  expect([first.status, first.headers.get('location')]).toEqual([
    302,
    path.replace('/files/', '/files-moved/'),
  ])
  expect((await fetch(path)).status).toBe(200)
  const host = await linkUnder({ downloadRedirect: 'http://169.254.169.254' })
  const location = (await fetch(host, { redirect: 'manual' })).headers.get('location')
  expect(location).toMatch(/^http:\/\/169\.254\.169\.254\/files-moved\//)
  const loop = await linkUnder({ downloadRedirect: 'loop' })
  expect((await fetch(loop, { redirect: 'manual' })).headers.get('location')).toBe(loop)
})

test('links may name another origin', async () => {
  const link = await linkUnder({ linkBase: `http://localhost:${sandbox.port}` })
  expect(link).toMatch(/^http:\/\/localhost:/)
})

test('a large report streams, chunked', async () => {
  const link = await linkOf(sandbox, {
    body: reportBody({ startDate: dayFromNow(-4), endDate: dayFromNow(-2) }),
    knobs: { rowsPerDay: 60_000 },
  })
  const answer = await fetch(link)
  expect(answer.headers.get('content-length')).toBe(null)
  expect((await answer.text()).split('\n')).toHaveLength(120_002)
})
