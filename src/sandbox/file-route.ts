/** The file host behind the links: expiry, ranges, and the ways in which a download goes wrong. */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import querystring from 'node:querystring'
import { writeJson } from '../domain/json.ts'
import { type Answer, forbiddenPage, storageError } from './answers.ts'
import type { StoredReport } from './books.ts'
import { bytesWithin, rangeWithin, wantsRange } from './byte-range.ts'
import { contentType, expectedRows, fileBytes, fileName, type ReportContent } from './file-container.ts'
import type { Knobs } from './knobs.ts'
import { readLinkToken } from './links.ts'
import { contentOf, hostNowMs, knobsFor, pause, type World } from './world.ts'

const PATH = /^\/(files|files-moved)\/([^/]+)\/([^/]+)$/

/** Below this many rows the length of a CSV is counted before it is sent. */
const CHEAP_ROWS = 20_000

const TOO_LONG_BYTES = 100

/** Serves a download, or answers with the page to send instead. */
export async function serveFile(
  world: World,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
): Promise<Answer | 'served'> {
  if (req.method !== 'GET' && req.method !== 'HEAD') return forbiddenPage()
  const leaked = Object.keys(req.headers).filter(isCredential)
  if (leaked.length > 0) {
    world.books.addLeak({ path: path.split('/')[1] ?? '', headers: leaked })
    return storageError(400, 'InvalidArgument', 'Only one auth mechanism allowed')
  }
  const [, host = '', token = '', name = ''] = PATH.exec(path) ?? []
  const claim = readLinkToken(world.linkSecret, token)
  if (claim === undefined) return storageError(403, 'SignatureDoesNotMatch', 'The signature does not match')
  const report = world.books.report(claim.reportId)
  const knobs = report === undefined ? world.knobs() : knobsFor(world, report)
  if (hostNowMs(world) >= claim.expiresAtMs) return expired(knobs)
  if (report === undefined || querystring.unescape(name) !== fileName(contentOf(world, report))) {
    return storageError(404, 'NoSuchKey', 'The specified key does not exist.')
  }
  return serveReport(world, req, res, { report, knobs, host, path })
}

function isCredential(name: string): boolean {
  return name.startsWith('binancepay-') || name === 'authorization'
}

function expired(knobs: Knobs): Answer {
  if (knobs.downloadExpiredBody === 'html') return forbiddenPage()
  return storageError(403, 'AccessDenied', 'Request has expired')
}

interface Download {
  readonly report: StoredReport
  readonly knobs: Knobs
  readonly host: string
  readonly path: string
}

async function serveReport(
  world: World,
  req: IncomingMessage,
  res: ServerResponse,
  { report, knobs, host, path }: Download,
): Promise<Answer | 'served'> {
  const location = redirectOf(world, host, path, knobs)
  if (location !== undefined) {
    res.setHeader('location', location)
    return { ...storageError(302, 'Redirect', 'Found'), body: '' }
  }
  let turn = req.method === 'GET' ? countFetch(world, report) : report.fetches
  if (turn < knobs.downloadNotFoundTimes) {
    return storageError(404, 'NoSuchKey', 'The specified key does not exist.')
  }
  turn -= knobs.downloadNotFoundTimes
  if (turn < knobs.downloadUnavailableTimes) return storageError(503, 'SlowDown', 'Please reduce your rate.')
  turn -= knobs.downloadUnavailableTimes
  const cut = turn < knobs.downloadCutTimes ? knobs.downloadCutAfterBytes : 0
  const { downloadLength, downloadResumable, downloadBytesPerSecond: pace } = knobs
  return sendFile(world, req, res, contentOf(world, report), {
    ...{ cut, pace, downloadLength, downloadResumable },
  })
}

function redirectOf(world: World, host: string, path: string, knobs: Knobs): string | undefined {
  const to = knobs.downloadRedirect
  if (to === 'loop') return world.origin() + path
  if (to === 'none' || host === 'files-moved') return undefined
  return (to === 'path' ? world.origin() : to) + path.replace('/files/', '/files-moved/')
}

/** How many fetches of this report came before. */
function countFetch(world: World, report: StoredReport): number {
  world.books.save({ ...(world.books.report(report.reportId) ?? report), fetches: report.fetches + 1 })
  return report.fetches
}

interface Faults extends Pick<Knobs, 'downloadLength' | 'downloadResumable'> {
  readonly cut: number
  readonly pace: number
}

async function sendFile(
  world: World,
  req: IncomingMessage,
  res: ServerResponse,
  content: ReportContent,
  faults: Faults,
): Promise<Answer | 'served'> {
  const { downloadLength, downloadResumable } = faults
  const etag = etagOf(content)
  if (downloadResumable) {
    res.setHeader('etag', etag)
    res.setHeader('accept-ranges', 'bytes')
  }
  res.setHeader('content-type', contentType(content))
  res.setHeader('content-disposition', `attachment; filename="${fileName(content)}"`)
  const isPart = downloadResumable && wantsRange(req.headers, etag)
  const isCheap = content.knobs.fileContainer === 'csv' && expectedRows(content) <= CHEAP_ROWS
  const size = isPart || isCheap ? await sizeOf(content) : undefined
  const range = isPart ? rangeWithin(req.headers.range ?? '', size ?? 0) : undefined
  if (isPart && range === undefined) {
    res.setHeader('content-range', `bytes */${size}`)
    return storageError(416, 'InvalidRange', 'The requested range is not satisfiable')
  }
  res.statusCode = range === undefined ? 200 : 206
  const length = range === undefined ? size : range.end - range.start + 1
  if (length !== undefined && downloadLength !== 'none') {
    res.setHeader('content-length', length + (downloadLength === 'too-long' ? TOO_LONG_BYTES : 0))
  }
  if (range !== undefined) res.setHeader('content-range', `bytes ${range.start}-${range.end}/${size}`)
  const bytes = range === undefined ? fileBytes(content) : bytesWithin(fileBytes(content), range)
  if (req.method === 'HEAD') res.end()
  else await writeBytes(world, res, bytes, faults)
  if (downloadLength === 'too-long') res.socket?.end()
  return 'served'
}

/** The same for the same report, also after a restart. */
function etagOf(content: ReportContent): string {
  return `"${createHash('md5').update(writeJson(content)).digest('hex')}"`
}

async function sizeOf(content: ReportContent): Promise<number> {
  let size = 0
  for await (const chunk of fileBytes(content)) size += chunk.length
  return size
}

/** Sends bytes as fast as they are taken, at most `pace` a second, and breaks off after `cut` of them. */
async function writeBytes(
  world: World,
  res: ServerResponse,
  bytes: AsyncIterable<Uint8Array>,
  { cut, pace }: { cut: number; pace: number },
): Promise<void> {
  const closed = new Promise(resolve => res.once('close', resolve))
  const pieceSize = pace > 0 ? Math.max(1, Math.ceil(pace / 20)) : 65_536
  let left = cut > 0 ? cut : Number.POSITIVE_INFINITY
  for await (const piece of piecesOf(bytes, pieceSize)) {
    const sent = piece.subarray(0, left)
    await Promise.race([closed, new Promise(resolve => res.write(sent, resolve))])
    left -= sent.length
    if (left <= 0) res.destroy()
    if (res.destroyed) return
    if (pace > 0) await pause(world, (sent.length * 1000) / pace)
  }
  res.end()
}

async function* piecesOf(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size)
  }
}
