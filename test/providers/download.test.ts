import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlainServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createDownloader, type DownloadOptions } from '../../src/providers/download.ts'
import { defaultKnobs } from '../../src/sandbox/knobs.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { fixedClock } from '../support/fixed-clock.ts'
import { fileOf, linkOf, QUICK, startTestSandbox } from '../support/sandbox-client.ts'
import { bytesOf, closedPort, startServer, startTlsServer, type TestServer } from '../support/test-http.ts'
import { selfSigned } from './tls-identity.ts'

const FILE = Buffer.from(Array.from({ length: 20_000 }, (_, index) => `row ${index}`).join('\n'))
const ETAG = '"version-1"'
const running: { stop(): Promise<void> }[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

async function serve(answer: RequestListener): Promise<TestServer> {
  const server = await startServer(answer)
  running.push(server)
  return server
}

/** Long enough for a busy machine to answer itself in. */
const SILENCE_MS = 600

/** A downloader whose clock jumps, so that nothing is waited for. */
function downloaderFor(hosts: string[], changed: Partial<DownloadOptions> = {}) {
  const clock = fixedClock()
  const download = createDownloader({
    allowedHosts: hosts,
    maxBytes: 10_000_000,
    timeoutMs: SILENCE_MS,
    deadlineMs: 20_000,
    notFoundPatienceMs: 5000,
    clock,
    ...changed,
  })
  const fetchAll = async (link: string) => bytesOf((await download(link)).bytes)
  return { download, fetchAll, clock }
}

const refused = expect.objectContaining({ code: 'download-refused' })
const failed = expect.objectContaining({ code: 'download-failed' })

/** Serves a file with ranges; each answer breaks off after as many bytes as its turn says. */
function fileServer(cuts: number[], changed: Partial<FileAnswer> = {}): RequestListener {
  let turn = 0
  return (request, response) => {
    const cut = cuts[turn++] ?? Number.POSITIVE_INFINITY
    const { file = FILE, headers = {}, ignoresRange = false, ignoresIfRange = false } = changed
    const etag = changed.etags?.[turn - 1] ?? ETAG
    const ifRange = request.headers['if-range']
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
    const isPart = range !== null && !ignoresRange && (ignoresIfRange || ifRange === etag)
    const start = isPart ? Number(range[1]) : 0
    const body = file.subarray(start)
    response.setHeader('etag', etag)
    if (isPart) response.setHeader('content-range', `bytes ${start}-${file.length - 1}/${file.length}`)
    response.writeHead(isPart ? 206 : 200, { 'content-length': body.length, ...headers })
    sendCut(response, body, cut)
  }
}

/** Until more can be written, or nobody listens any more. */
async function room(response: ServerResponse): Promise<void> {
  const over = new AbortController()
  const heard = ['drain', 'close'].map(event =>
    once(response, event, { signal: over.signal }).catch(() => {}),
  )
  await Promise.race(heard)
  over.abort()
}

interface FileAnswer {
  readonly file: Buffer
  readonly headers: Record<string, string>
  readonly etags: string[]
  readonly ignoresRange: boolean
  readonly ignoresIfRange: boolean
}

function sendCut(response: ServerResponse, body: Buffer, cut: number): void {
  if (cut >= body.length) response.end(body)
  else if (cut === 0) response.flushHeaders()
  else response.write(body.subarray(0, cut))
  if (cut < body.length) setTimeout(() => response.destroy(), 5)
}

describe('a download', () => {
  it('is the bytes of the server, with its name, type and host', async () => {
    const server = await serve((_request, response) => {
      response.setHeader('content-type', 'text/csv')
      response.setHeader('content-disposition', 'attachment; filename="report.csv"')
      response.end(FILE)
    })
    const download = await downloaderFor([server.host]).download(`${server.url}/x?signature=planted`)
    expect(download).toMatchObject({ host: server.host, name: 'report.csv', contentType: 'text/csv' })
    expect((await bytesOf(download.bytes)).equals(FILE)).toBe(true)
  })

  it('sends nothing of its own but the wish for plain bytes', async () => {
    const server = await serve((_request, response) => response.end('x'))
    await downloaderFor([server.host]).fetchAll(`${server.url}/a%20b/c?x=%2F&y=1#fragment`)
    const [request] = server.requests
    expect(request?.method).toBe('GET')
    expect(request?.url).toBe('/a%20b/c?x=%2F&y=1')
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual(['accept-encoding', 'connection', 'host'])
    expect(request?.headers['accept-encoding']).toBe('identity')
  })

  it('may be empty', async () => {
    for (const headers of [{ 'content-length': '0' }, {}]) {
      const server = await serve((_request, response) => response.writeHead(200, headers).end())
      expect(await downloaderFor([server.host]).fetchAll(server.url)).toHaveLength(0)
    }
  })

  it('may come without a length, and without a type', async () => {
    const server = await serve((_request, response) => {
      response.write(FILE.subarray(0, 100))
      response.end(FILE.subarray(100))
    })
    const download = await downloaderFor([server.host]).download(server.url)
    expect(download.contentType).toBeNull()
    expect((await bytesOf(download.bytes)).equals(FILE)).toBe(true)
  })

  it('is kept as it came when the server packs it all the same', async () => {
    const packed = gzipSync(FILE)
    const server = await serve((_request, response) => {
      response.setHeader('content-encoding', 'gzip')
      response.end(packed)
    })
    expect((await downloaderFor([server.host]).fetchAll(server.url)).equals(packed)).toBe(true)
  })

  it('may be slow as long as it is never silent', async () => {
    const server = await serve(async (_request, response) => {
      for (let piece = 0; piece < 10; piece++) {
        response.write(`${piece}`)
        await new Promise(resolve => setTimeout(resolve, SILENCE_MS / 8))
      }
      response.end()
    })
    expect((await downloaderFor([server.host]).fetchAll(server.url)).toString()).toBe('0123456789')
  })

  it('that nobody reads to its end is given up, and the connection with it', async () => {
    const closed = Promise.withResolvers<void>()
    const server = await serve(async (_request, response) => {
      response.once('close', closed.resolve)
      while (!response.destroyed) {
        if (!response.write(FILE)) await room(response)
      }
    })
    const download = await downloaderFor([server.host]).download(server.url)
    for await (const chunk of download.bytes) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await closed.promise
    expect(server.requests).toHaveLength(1)
  })
})

describe('the size', () => {
  const limited = (host: string, maxBytes: number) => downloaderFor([host], { maxBytes })

  it('may be as large as allowed', async () => {
    const server = await serve((_request, response) => response.end(FILE))
    expect(await limited(server.host, FILE.length).fetchAll(server.url)).toHaveLength(FILE.length)
  })

  it('is refused at once when the server says that it is larger', async () => {
    const server = await serve((_request, response) => response.end(FILE))
    await expect(limited(server.host, FILE.length - 1).download(server.url)).rejects.toMatchObject({
      code: 'download-refused',
      message: expect.stringContaining('DAYBOOK_DOWNLOAD_MAX_BYTES'),
    })
  })

  it('is counted when the server does not say it, without end', async () => {
    let written = 0
    const server = await serve(async (_request, response) => {
      while (!response.destroyed) {
        written += FILE.length
        if (!response.write(FILE)) await room(response)
      }
    })
    await expect(limited(server.host, 1_000_000).fetchAll(server.url)).rejects.toEqual(refused)
    expect(written).toBeLessThan(50_000_000)
    expect(server.requests).toHaveLength(1)
  })

  it('is never more than is allowed, also for whoever reads until the fault', async () => {
    const server = await serve((_request, response) => {
      response.write(FILE)
      response.end(FILE)
    })
    let got = 0
    const { bytes } = await limited(server.host, 100_000).download(server.url)
    await expect(
      (async () => {
        for await (const chunk of bytes) got += chunk.length
      })(),
    ).rejects.toEqual(refused)
    expect(got).toBeLessThanOrEqual(100_000)
  })

  it('that is said too small is not read beyond', async () => {
    const server = await serve(request => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n'
      request.socket.end(`${head}${'x'.repeat(100)}`)
    })
    const result = await downloaderFor([server.host])
      .fetchAll(server.url)
      .catch(error => error)
    expect(result instanceof Buffer ? result.length : result.code).toSatisfy(
      (outcome: unknown) => outcome === 10 || outcome === 'download-failed',
    )
  })

  it('that is said too large is a fault, not a short file', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('x'.repeat(100), () => response.destroy())
    })
    await expect(downloaderFor([server.host]).fetchAll(server.url)).rejects.toEqual(failed)
  })

  it('is counted over all parts of a download that broke', async () => {
    const rest = fileServer([])
    const server = await serve((request, response) => {
      if (request.headers.range !== undefined) return rest(request, response)
      response.setHeader('etag', ETAG)
      sendCut(response, FILE, 50_000)
    })
    await expect(limited(server.host, 60_000).fetchAll(server.url)).rejects.toEqual(refused)
    expect(server.requests).toHaveLength(2)
  })
})

describe('a server that is silent', () => {
  it('before its answer is given up', async () => {
    const server = await serve(() => {})
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toEqual(failed)
  })

  it('within its answer is asked for the rest, and given up in the end', async () => {
    const server = await serve((request, response) => {
      response.setHeader('etag', ETAG)
      if (request.headers.range === undefined) {
        response.writeHead(200, { 'content-length': FILE.length })
        response.write(FILE.subarray(0, 100))
      }
    })
    await expect(downloaderFor([server.host], { timeoutMs: 300 }).fetchAll(server.url)).rejects.toEqual(
      failed,
    )
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100-'])
  })

  it('does not exist: nobody listens there', async () => {
    const port = await closedPort()
    await expect(downloaderFor([`127.0.0.1:${port}`]).download(`http://127.0.0.1:${port}/`)).rejects.toEqual(
      failed,
    )
  })
})

describe('a server that drips', () => {
  it('is given up at the deadline, however busy it seems', async () => {
    const server = await serve((_request, response) => {
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
    })
    const { fetchAll } = downloaderFor([server.host], { deadlineMs: 300 })
    await expect(fetchAll(`${server.url}/drip`)).rejects.toMatchObject({ code: 'download-failed' })
  })
})

describe('a connection that breaks', () => {
  it('is continued where it broke, byte for byte', async () => {
    const server = await serve(fileServer([1000, 1, 50_000]))
    const { fetchAll, clock } = downloaderFor([server.host])
    expect((await fetchAll(server.url)).equals(FILE)).toBe(true)
    expect(server.requests.map(({ headers }) => [headers.range, headers['if-range']])).toEqual([
      [undefined, undefined],
      ['bytes=1000-', ETAG],
      ['bytes=1001-', ETAG],
      ['bytes=51001-', ETAG],
    ])
    expect(clock.slept).toEqual([0, 1000, 2000])
  })

  it('before the first byte is continued too', async () => {
    const server = await serve(fileServer([0, 0]))
    expect((await downloaderFor([server.host]).fetchAll(server.url)).equals(FILE)).toBe(true)
  })

  it('is continued wherever it breaks', async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 50_000 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(cuts, async breaks => {
        const server = await serve(fileServer(breaks))
        expect((await downloaderFor([server.host]).fetchAll(server.url)).equals(FILE)).toBe(true)
        await server.stop()
        running.splice(running.indexOf(server), 1)
      }),
      { numRuns: 20 },
    )
  })

  it('again and again is given up', async () => {
    const server = await serve(fileServer(Array.from({ length: 20 }, () => 100)))
    await expect(downloaderFor([server.host]).fetchAll(server.url)).rejects.toEqual(failed)
    expect(server.requests).toHaveLength(6)
  })

  it('is continued without a length at the start, by the length in the part', async () => {
    const server = await serve((request, response) => {
      response.setHeader('etag', ETAG)
      if (request.headers.range !== undefined) return fileServer([])(request, response)
      response.write(FILE.subarray(0, 1000))
      setTimeout(() => response.destroy(), 5)
    })
    expect((await downloaderFor([server.host]).fetchAll(server.url)).equals(FILE)).toBe(true)
  })

  it('is continued by the time of the last change where there is no strong ETag', async () => {
    const changed = 'Tue, 10 Mar 2026 12:00:00 GMT'
    for (const etag of [undefined, 'W/"weak"']) {
      const server = await serve((request, response) => {
        if (etag !== undefined) response.setHeader('etag', etag)
        response.setHeader('last-modified', changed)
        const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0])
        if (start > 0) response.setHeader('content-range', `bytes ${start}-${FILE.length - 1}/${FILE.length}`)
        response.writeHead(start > 0 ? 206 : 200, { 'content-length': FILE.length - start })
        sendCut(response, FILE.subarray(start), start > 0 ? FILE.length : 1000)
      })
      expect((await downloaderFor([server.host]).fetchAll(server.url)).equals(FILE)).toBe(true)
      expect(server.requests[1]?.headers['if-range']).toBe(changed)
    }
  })

  const OTHER = Buffer.from(FILE.toString().replaceAll('row', 'ROW'))

  it.each([
    ['the file was changed', { etags: [ETAG, '"version-2"'], file: OTHER }],
    [
      'the file was changed and the server does not know If-Range',
      { etags: [ETAG, '"version-2"'], ignoresIfRange: true },
    ],
    ['the server does not know ranges', { ignoresRange: true }],
  ])('fails rather than being spliced when %s', async (_, changed) => {
    const server = await serve(fileServer([1000], changed))
    await expect(downloaderFor([server.host]).fetchAll(server.url)).rejects.toEqual(failed)
    expect(server.requests).toHaveLength(2)
  })

  it('fails without another try when the server gave nothing to know the file by', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': FILE.length })
      sendCut(response, FILE, 1000)
    })
    await expect(downloaderFor([server.host]).fetchAll(server.url)).rejects.toEqual(failed)
    expect(server.requests).toHaveLength(1)
  })

  /** Breaks after 1000 bytes, and answers the rest in an odd way. */
  const oddly = (status: number, headers: Record<string, string | number>, body: Buffer): RequestListener => {
    return (request, response) => {
      response.setHeader('etag', ETAG)
      if (request.headers.range !== undefined) return void response.writeHead(status, headers).end(body)
      response.writeHead(200, { 'content-length': FILE.length })
      sendCut(response, FILE, 1000)
    }
  }
  const rangeOf = (start: number, end: number, total: number | string) => ({
    'content-range': `bytes ${start}-${end}/${total}`,
  })
  const last = FILE.length - 1

  it.each([
    ['at another place', 206, rangeOf(1001, last, FILE.length), FILE.subarray(1001)],
    ['at the start', 206, rangeOf(0, last, FILE.length), FILE],
    ['of a file of another length', 206, rangeOf(1000, last, FILE.length + 1), FILE.subarray(1000)],
    ['of nothing that it names', 206, {}, FILE.subarray(1000)],
    ['in a range that makes no sense', 206, { 'content-range': 'bytes 1000-' }, FILE.subarray(1000)],
    ['with another status', 200, rangeOf(1000, last, FILE.length), FILE.subarray(1000)],
    ['with a page of 416', 416, { 'content-range': `bytes */${FILE.length}` }, Buffer.from('<Error/>')],
    ['with a page of 403', 403, {}, Buffer.from('<Error/>')],
    ['with a page of 404', 404, {}, Buffer.from('<Error/>')],
    ['with a page of 503', 503, {}, Buffer.from('<Error/>')],
  ])('fails when the rest comes %s', async (_, status, headers, body) => {
    const server = await serve(oddly(status, headers, body))
    await expect(downloaderFor([server.host]).fetchAll(server.url)).rejects.toEqual(failed)
    expect(server.requests).toHaveLength(2)
  })

  it('is continued again when less than the rest comes, and is never taken for the whole', async () => {
    const server = await serve((request, response) => {
      response.setHeader('etag', ETAG)
      const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0])
      if (start === 0) {
        response.writeHead(200, { 'content-length': FILE.length })
        return sendCut(response, FILE, 1000)
      }
      const end = Math.min(start + 50_000, FILE.length)
      response.writeHead(206, { ...rangeOf(start, end - 1, FILE.length), 'content-length': end - start })
      response.end(FILE.subarray(start, end))
    })
    expect((await downloaderFor([server.host]).fetchAll(server.url)).equals(FILE)).toBe(true)
    expect(server.requests.length).toBeGreaterThan(3)
  })
})

describe('what is not there', () => {
  const missing = (times: number): RequestListener => {
    let asked = 0
    return (_request, response) => {
      if (asked++ < times) response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
      else response.end(FILE)
    }
  }

  it('is asked for again for a while', async () => {
    const server = await serve(missing(5))
    const { fetchAll, clock } = downloaderFor([server.host])
    expect((await fetchAll(server.url)).equals(FILE)).toBe(true)
    expect(server.requests).toHaveLength(6)
    expect(clock.slept).toEqual([1000, 1000, 1000, 1000, 1000])
  })

  it('is given up when the patience ends', async () => {
    const server = await serve(missing(100))
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toMatchObject({
      code: 'download-failed',
      details: { status: 404, expired: false },
    })
    expect(server.requests).toHaveLength(6)
  })

  it('is asked for once without patience', async () => {
    const server = await serve(missing(1))
    await expect(
      downloaderFor([server.host], { notFoundPatienceMs: 0 }).download(server.url),
    ).rejects.toEqual(failed)
    expect(server.requests).toHaveLength(1)
  })

  it.each([401, 403, 410])('is known for an expired link: HTTP %i', async status => {
    const server = await serve((_request, response) => response.writeHead(status).end('<Error/>'))
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toMatchObject({
      code: 'download-failed',
      details: { status, expired: true },
      message: `The download link is no longer valid (HTTP ${status}).`,
    })
    expect(server.requests).toHaveLength(1)
  })

  it.each([204, 206, 304, 400, 429, 500, 503])('is no file: HTTP %i', async status => {
    const server = await serve((_request, response) => response.writeHead(status).end())
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toMatchObject({
      code: 'download-failed',
      details: { status, expired: false },
    })
    expect(server.requests).toHaveLength(1)
  })
})

describe('a redirect', () => {
  const to =
    (location: string, status = 302): RequestListener =>
    (_request, response) => {
      response.writeHead(status, { location }).end('moved')
    }

  it.each([301, 302, 303, 307, 308])('is followed to an allowed host: HTTP %i', async status => {
    const target = await serve((_request, response) => response.end(FILE))
    const server = await serve(to(`${target.url}/moved?x=1`, status))
    const { fetchAll } = downloaderFor([server.host, target.host])
    expect((await fetchAll(server.url)).equals(FILE)).toBe(true)
    expect(target.requests[0]?.url).toBe('/moved?x=1')
  })

  it('may be relative', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/a/b') to('../c?d')(request, response)
      else response.end(request.url)
    })
    expect((await downloaderFor([server.host]).fetchAll(`${server.url}/a/b`)).toString()).toBe('/c?d')
  })

  it('to a host that is not allowed is refused, and nobody is asked there', async () => {
    const target = await serve((_request, response) => response.end(FILE))
    const server = await serve(to(target.url))
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toEqual(refused)
    expect(target.requests).toHaveLength(0)
  })

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/',
    'file:///etc/passwd',
    'ftp://files.example.com/',
    '//evil.example.com/',
    'https://',
    'http://[',
    'http://user:password@HOST/',
  ])('to %s is refused', async location => {
    const server = await serve((request, response) =>
      to(location.replace('HOST', String(request.headers.host)))(request, response),
    )
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toEqual(refused)
    expect(server.requests).toHaveLength(1)
  })

  it('without a place is no file', async () => {
    const server = await serve((_request, response) => response.writeHead(302).end())
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toEqual(failed)
  })

  it('in a circle ends', async () => {
    const server = await serve((request, response) =>
      to(`/${Number(request.url?.slice(1)) + 1}`)(request, response),
    )
    await expect(downloaderFor([server.host]).download(`${server.url}/1`)).rejects.toEqual(refused)
    expect(server.requests).toHaveLength(5)
  })

  it('is followed again when the download is continued', async () => {
    const target = await serve(fileServer([1000]))
    const server = await serve(to(target.url))
    expect((await downloaderFor([server.host, target.host]).fetchAll(server.url)).equals(FILE)).toBe(true)
    expect(server.requests).toHaveLength(2)
    expect(target.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=1000-'])
  })
})

describe('https', () => {
  const identity = selfSigned()
  const trusted = getCACertificates('default')
  beforeAll(() => setDefaultCACertificates([...trusted, identity.cert]))
  afterAll(() => setDefaultCACertificates(trusted))

  async function serveTls(answer: RequestListener, by = identity): Promise<TestServer> {
    const server = await startTlsServer(by, answer)
    running.push(server)
    return server
  }

  it('is fetched from a host that proves its name', async () => {
    const server = await serveTls((_request, response) => response.end(FILE))
    const { fetchAll } = downloaderFor([`localhost:${server.port}`])
    expect((await fetchAll(`https://localhost:${server.port}/x`)).equals(FILE)).toBe(true)
  })

  it('is not fetched from a host that cannot prove it', async () => {
    const server = await serveTls((_request, response) => response.end(FILE), selfSigned())
    await expect(downloaderFor([server.host]).download(server.url)).rejects.toEqual(failed)
    expect(server.requests).toHaveLength(0)
  })

  it('is never left for http by a redirect, not even to a host where http is allowed', async () => {
    const plain = await serve((_request, response) => response.end(FILE))
    const server = await serveTls((_request, response) =>
      response.writeHead(302, { location: plain.url }).end(),
    )
    const { download, fetchAll } = downloaderFor([server.host, plain.host])
    expect((await fetchAll(plain.url)).equals(FILE)).toBe(true)
    await expect(download(server.url)).rejects.toEqual(refused)
    expect(plain.requests).toHaveLength(1)
  })

  it('may be reached from http by a redirect', async () => {
    const server = await serveTls((_request, response) => response.end(FILE))
    const plain = await serve((_request, response) => response.writeHead(302, { location: server.url }).end())
    expect((await downloaderFor([server.host, plain.host]).fetchAll(plain.url)).equals(FILE)).toBe(true)
  })
})

describe('the address of a host', () => {
  const HOST = 'files.example.com'
  const resolving = (...answers: string[][]) => {
    const asked: string[] = []
    const resolve = async (host: string) => {
      asked.push(host)
      return answers[Math.min(asked.length, answers.length) - 1] ?? []
    }
    return { asked, resolve }
  }
  const fetchVia = (resolve: DownloadOptions['resolve']) =>
    downloaderFor([HOST], resolve === undefined ? {} : { resolve }).download(`https://${HOST}/x`)

  it.each([
    ['10.1.2.3'],
    ['172.16.0.1'],
    ['192.168.1.1'],
    ['100.64.0.1'],
    ['127.0.0.1'],
    ['127.8.8.8'],
    ['169.254.169.254'],
    ['0.0.0.0'],
    ['224.0.0.1'],
    ['255.255.255.255'],
    ['::1'],
    ['::'],
    ['::ffff:127.0.0.1'],
    ['::ffff:10.0.0.1'],
    ['::ffff:8.8.8.8'],
    ['64:ff9b::a00:1'],
    ['fc00::1'],
    ['fd00:ec2::254'],
    ['fe80::1%lo'],
    ['ff02::1'],
    ['8.8.8.8', '10.0.0.1'],
    ['10.0.0.1', '8.8.8.8'],
    ['2606:4700::1111', '::1'],
    ['8.8.8.8', '::ffff:127.0.0.1'],
    ['not an address'],
  ])('is refused when it is private, whatever stands beside it: %s %s', async (...addresses) => {
    const { resolve, asked } = resolving(addresses)
    await expect(fetchVia(resolve)).rejects.toMatchObject({
      code: 'download-refused',
      details: { host: HOST },
      message: expect.stringContaining('private address'),
    })
    expect(asked).toEqual([HOST])
  })

  it('that does not exist is a failure that may pass', async () => {
    await expect(fetchVia(resolving([]).resolve)).rejects.toEqual(failed)
    await expect(fetchVia(() => Promise.reject(new Error('getaddrinfo ENOTFOUND')))).rejects.toEqual(failed)
  })

  it('is private also for a name below localhost, which is not the loopback entry itself', async () => {
    const { resolve } = resolving(['127.0.0.1'])
    const { download } = downloaderFor(['sub.localhost'], { resolve })
    await expect(download('https://sub.localhost/x')).rejects.toMatchObject({
      code: 'download-refused',
      message: expect.stringContaining('private address'),
    })
  })

  it('written as a number is checked too, in every notation', async () => {
    for (const notation of [
      '10.0.0.1',
      '0xa.1',
      '167772161',
      '[::ffff:10.0.0.1]',
      '[fe80::1]',
      '[::]',
      '0.0.0.0',
    ]) {
      const { hostname } = new URL(`https://${notation}/`)
      await expect(downloaderFor([hostname]).download(`https://${notation}/x`)).rejects.toMatchObject({
        code: 'download-refused',
        message: expect.stringContaining('private address'),
      })
    }
  })

  it('that is connected to is the one that was checked: nobody is asked a second time', async () => {
    // Only the look-up of this test knows that the server stands at 127.0.0.2.
    const server = createPlainServer((_request, response) => response.end(FILE))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.2', resolve))
    const { port } = server.address() as AddressInfo
    const { resolve, asked } = resolving(['127.0.0.2'], ['10.0.0.1'])
    const { fetchAll } = downloaderFor([`localhost:${port}`], { resolve })
    expect((await fetchAll(`http://localhost:${port}/x`)).equals(FILE)).toBe(true)
    expect(asked).toEqual(['localhost'])
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  it('is checked again for every connection: a name that moved inside is refused then', async () => {
    const { resolve, asked } = resolving(['10.0.0.1'], ['192.168.0.1'])
    const { download } = downloaderFor([HOST], { resolve })
    for (const address of ['10.0.0.1', '192.168.0.1']) {
      await expect(download(`https://${HOST}/x`)).rejects.toThrow(`private address ${address}`)
    }
    expect(asked).toEqual([HOST, HOST])
  })
})

describe('the name of a file', () => {
  const nameOf = async (disposition: string | undefined, path = '/') => {
    const server = await serve((_request, response) => {
      if (disposition !== undefined) response.setHeader('content-disposition', disposition)
      response.end('x')
    })
    const download = await downloaderFor([server.host]).download(server.url + path)
    await bytesOf(download.bytes)
    return download.name
  }

  it.each([
    ['in quotes', 'attachment; filename="Balance (UTC+8).csv"', 'Balance (UTC+8).csv'],
    ['bare', 'attachment; filename=report.csv', 'report.csv'],
    ['bare, with more behind it', 'attachment; filename=report.csv; size=10', 'report.csv'],
    ['in capitals and with spaces', 'ATTACHMENT; FileName = "report.csv"', 'report.csv'],
    ['with a quote in it', 'attachment; filename="a\\"b.csv"', 'a"b.csv'],
    ['with a semicolon in it', 'attachment; filename="a;b.csv"', 'a;b.csv'],
    ['in UTF-8', "attachment; filename*=UTF-8''b%C3%BCcher%20%281%29.csv", 'bücher (1).csv'],
    ['in UTF-8, with a language', "attachment; filename*=utf-8'de'b%C3%BCcher.csv", 'bücher.csv'],
    ['in UTF-8 before a plain one', "attachment; filename*=UTF-8''new.csv; filename=old.csv", 'new.csv'],
    ['in UTF-8 after a plain one', 'attachment; filename="old.csv"; filename*=UTF-8\'\'new.csv', 'new.csv'],
    [
      'in another encoding, which is left for the plain one',
      "attachment; filename=a.csv; filename*=iso-8859-1''%FC",
      'a.csv',
    ],
    ['in UTF-8 that is none', "attachment; filename*=UTF-8''%FF.csv", '%FF.csv'],
    ['a path', 'attachment; filename="../../etc/passwd"', 'passwd'],
    ['an absolute path', 'attachment; filename="/etc/passwd"', 'passwd'],
    ['a path of Windows', 'attachment; filename="..\\\\..\\\\boot.ini"', 'boot.ini'],
    ['a path in UTF-8', "attachment; filename*=UTF-8''..%2F..%2Fx.csv", 'x.csv'],
    ['a path of Windows in UTF-8', "attachment; filename*=UTF-8''..%5C..%5Cx.csv", 'x.csv'],
    ['with control characters', "attachment; filename*=UTF-8''a%0D%0A%00%1B%5B31mb%7F.csv", 'a[31mb.csv'],
    ['with characters that turn it round', "attachment; filename*=UTF-8''a%E2%80%AEvsc.exe", 'avsc.exe'],
    ['with space around it', 'attachment; filename="  report.csv  "', 'report.csv'],
    ['beginning with a dot', 'attachment; filename=".env"', '.env'],
  ])('is the one in the header: %s', async (_, disposition, expected) => {
    expect(await nameOf(disposition, '/path.csv')).toBe(expected)
  })

  it.each([
    ['none', undefined],
    ['nothing', ''],
    ['no name', 'attachment'],
    ['an empty name', 'attachment; filename=""'],
    ['only dots', 'attachment; filename=".."'],
    ['a folder', 'attachment; filename="a/b/"'],
    ['only control characters', "attachment; filename*=UTF-8''%0A%00"],
  ])('is the last part of the path when the header has %s', async (_, disposition) => {
    expect(await nameOf(disposition, '/a/part%20(1).csv?x=/y')).toBe('part (1).csv')
  })

  it.each(['/', '', '/a/', '/%2E%2E%2F', '/%00', '/..', '?x=1'])(
    'is "report" when the path is %s',
    async path => {
      expect(await nameOf(undefined, path)).toBe('report')
    },
  )

  it('is that of the link, not that of where it was redirected to', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/first.csv') response.writeHead(302, { location: '/second.csv' }).end()
      else response.end('x')
    })
    const download = await downloaderFor([server.host]).download(`${server.url}/first.csv`)
    await bytesOf(download.bytes)
    expect(download.name).toBe('first.csv')
  })

  it('is at most 200 characters long', async () => {
    expect(await nameOf(`attachment; filename="${'x'.repeat(5000)}.csv"`)).toHaveLength(200)
  })
})

describe('the file host of the sandbox', () => {
  let sandbox: Sandbox
  let other: Sandbox
  const KNOBS = { ...defaultKnobs, ...QUICK, rowsPerDay: 300 }
  beforeAll(async () => {
    sandbox = await startTestSandbox({ knobs: KNOBS })
    other = await startTestSandbox()
  })
  afterEach(() => sandbox.setKnobs(KNOBS))
  afterAll(() => Promise.all([sandbox.stop(), other.stop()]))

  const here = () => downloaderFor([`127.0.0.1:${sandbox.port}`])
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  const straight = async (link: string) => Buffer.from(await (await fetch(link)).arrayBuffer())

  it('gives a file, whole and with its name', async () => {
    const link = await linkOf(sandbox)
    const download = await here().download(link)
    expect(download.name).toMatch(/\.csv$/)
    expect(sha256(await bytesOf(download.bytes))).toBe(sha256(await straight(link)))
  })

  it.each(['csv', 'gzip', 'zip'] as const)(
    'gives a %s byte for byte though it breaks off three times',
    async fileContainer => {
      sandbox.setKnobs({ fileContainer, downloadCutAfterBytes: 3000, downloadCutTimes: 3 })
      const link = await linkOf(sandbox)
      const broken = await here().fetchAll(link)
      sandbox.setKnobs({ downloadCutAfterBytes: 0 })
      expect(broken.length).toBeGreaterThan(9000)
      expect(sha256(broken)).toBe(sha256(await straight(link)))
    },
  )

  it('is waited for when the file is not there yet', async () => {
    sandbox.setKnobs({ downloadNotFoundTimes: 3 })
    const { fetchAll, clock } = here()
    expect((await fetchAll(await linkOf(sandbox))).length).toBeGreaterThan(1000)
    expect(clock.slept).toEqual([1000, 1000, 1000])
  })

  it.each(['xml', 'html'] as const)('says with %s that a link has expired', async downloadExpiredBody => {
    sandbox.setKnobs({ downloadExpiredBody })
    const link = await linkOf(sandbox)
    const expired = link.replace(/-\d+-/, '-1-')
    for (const stale of [expired, link.replace(/\/files\/[^/]+/, '/files/x')]) {
      await expect(here().download(stale)).rejects.toMatchObject({ details: { status: 403, expired: true } })
    }
  })

  it('is followed within itself, not to another host, and not in circles', async () => {
    sandbox.setKnobs({ downloadRedirect: 'path' })
    expect((await here().fetchAll(await linkOf(sandbox))).length).toBeGreaterThan(1000)
    sandbox.setKnobs({ downloadRedirect: other.url })
    await expect(here().download(await linkOf(sandbox))).rejects.toEqual(refused)
    sandbox.setKnobs({ downloadRedirect: 'loop' })
    await expect(here().download(await linkOf(sandbox))).rejects.toEqual(refused)
    expect(other.books().requests.files).toBeUndefined()
  })

  it('has never seen a credential', async () => {
    sandbox.setKnobs({ downloadRedirect: 'path', downloadCutAfterBytes: 500, downloadCutTimes: 2 })
    await here().fetchAll(await linkOf(sandbox))
    expect(sandbox.books().requests.files?.total).toBeGreaterThan(5)
    expect(sandbox.books().leaks).toEqual([])
  })

  it('gives a file without rows', async () => {
    sandbox.setKnobs({ fileEmpty: 'header-only' })
    expect((await here().fetchAll(await linkOf(sandbox))).equals(await fileOf(sandbox))).toBe(true)
  })
})
