/** Downloads a file by a link from outside: bounded, resumed when it breaks, and only from allowed hosts. */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, type Dispatcher, request } from 'undici'
import { DaybookError, isFault } from '../domain/errors.ts'
import type { Clock } from '../host.ts'
import { checkAddress, checkLink, type HostPattern, isLoopbackHost } from './download-policy.ts'

export interface DownloadOptions {
  readonly allowedHosts: readonly HostPattern[]
  readonly maxBytes: number
  /** The longest silence of the other side. */
  readonly timeoutMs: number
  /** The longest a request may take in all, however busy it seems. */
  readonly deadlineMs: number
  /** How long a 404 is taken for "not there yet". */
  readonly notFoundPatienceMs: number
  readonly clock: Clock
  /** Every address of a host name; the system's look-up unless a test brings its own. */
  readonly resolve?: (host: string) => Promise<string[]>
}

export interface Download {
  readonly host: string
  /** The name the server gives the file, else the last part of the link's path. */
  readonly name: string
  readonly contentType: string | null
  /** The bytes, once. Throws `download-failed` when they end early and cannot be continued. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Frees the connection when `bytes` was never begun. */
  discard(): Promise<void>
}

/** Opens a link; the caller must read `bytes`, to its end or not, or discard it. */
export type Downloader = (link: string) => Promise<Download>

const MOST_REDIRECTS = 4
const MOST_RESUMES = 5
const RETRY_EVERY_MS = 1_000

export function createDownloader(options: DownloadOptions): Downloader {
  const agent = new Agent({ connect: { lookup: guardedLookup(options.resolve ?? resolveAll) } })
  const get = (url: URL, headers: Record<string, string>) => fetchFollowing(url, headers, agent, options)

  return async link => {
    const url = checkLink(link, options.allowedHosts)
    const first = await untilFound(() => get(url, {}), options)
    expectFile(first, options)
    return {
      host: url.host,
      name: fileName(first, url),
      contentType: headerOf(first, 'content-type') ?? null,
      bytes: resumed(first, headers => get(url, headers), options),
      discard: () => first.body.dump().catch(() => {}),
    }
  }
}

/** One request, following redirects to allowed hosts only. It carries no header of ours but the range. */
async function fetchFollowing(
  start: URL,
  headers: Record<string, string>,
  agent: Dispatcher,
  options: DownloadOptions,
): Promise<Dispatcher.ResponseData> {
  let url = start
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    checkLiteralAddress(url)
    const answer = await requestOnce(url, headers, agent, options)
    const location =
      answer.statusCode >= 300 && answer.statusCode < 400 ? headerOf(answer, 'location') : undefined
    if (location === undefined) return answer
    await answer.body.dump()
    url = checkRedirect(url, location, options)
  }
  throw new DaybookError(
    'download-refused',
    `The download from ${start.host} was redirected more than ${MOST_REDIRECTS} times.`,
  )
}

/** The next URL of a redirect: as free as a link, but never from https to http. */
function checkRedirect(from: URL, location: string, { allowedHosts }: DownloadOptions): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from).href : location
  const url = checkLink(to, allowedHosts)
  if (from.protocol !== 'https:' || url.protocol === 'https:') return url
  throw new DaybookError(
    'download-refused',
    `The download from ${from.host} was redirected to ${url.host} without https.`,
    { details: { host: url.host } },
  )
}

async function requestOnce(
  url: URL,
  headers: Record<string, string>,
  agent: Dispatcher,
  options: DownloadOptions,
): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, {
      method: 'GET',
      headers: { 'accept-encoding': 'identity', ...headers },
      dispatcher: agent,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      signal: AbortSignal.timeout(options.deadlineMs),
    })
  } catch (error) {
    throw failure(error, url.host)
  }
}

/** A file named just now may not be served yet: 404 is asked again for a bounded time. */
async function untilFound(
  get: () => Promise<Dispatcher.ResponseData>,
  { clock, notFoundPatienceMs }: DownloadOptions,
): Promise<Dispatcher.ResponseData> {
  const patienceEnds = clock.now().getTime() + notFoundPatienceMs
  for (;;) {
    const answer = await get()
    if (answer.statusCode !== 404 || clock.now().getTime() + RETRY_EVERY_MS > patienceEnds) return answer
    await answer.body.dump()
    await clock.sleep(RETRY_EVERY_MS)
  }
}

function expectFile(answer: Dispatcher.ResponseData, { maxBytes }: DownloadOptions): void {
  const status = answer.statusCode
  const fits = (lengthOf(answer) ?? 0) <= maxBytes
  if (status === 200 && fits) return
  answer.body.dump().catch(() => {})
  if (status === 200) throw tooLarge(maxBytes)
  const expired = status === 401 || status === 403 || status === 410
  const says = expired
    ? `The download link is no longer valid (HTTP ${status}).`
    : `The download answered HTTP ${status}.`
  throw new DaybookError('download-failed', says, { details: { status, expired } })
}

/** Passes the bytes on; a connection that breaks is continued where it broke, if the server can do that. */
async function* resumed(
  first: Dispatcher.ResponseData,
  get: (headers: Record<string, string>) => Promise<Dispatcher.ResponseData>,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const validator = validatorOf(first)
  let total = lengthOf(first)
  let offset = 0
  let answer = first
  for (let resumes = 0; ; resumes++) {
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        offset += chunk.length
        if (offset > options.maxBytes) throw tooLarge(options.maxBytes)
        yield chunk
      }
      if (total === undefined || offset === total) return
      throw new Error(`only ${offset} of ${total} bytes came`)
    } catch (error) {
      const givesUp = resumes >= MOST_RESUMES || validator === undefined
      if (isFault(error, 'download-refused') || givesUp) throw failure(error, '')
      await options.clock.sleep(RETRY_EVERY_MS * resumes)
      answer = await get({ range: `bytes=${offset}-`, 'if-range': validator })
      const rest = restOf(answer, first)
      if (rest?.start !== offset || (total !== undefined && rest.total !== total)) {
        answer.body.dump().catch(() => {})
        throw failure(error, '')
      }
      total = rest.total
    }
  }
}

/** What tells one file from another at the same place. Without it a changed file could be spliced. */
function validatorOf(first: Dispatcher.ResponseData): string | undefined {
  const etag = headerOf(first, 'etag')
  return etag !== undefined && !etag.startsWith('W/') ? etag : headerOf(first, 'last-modified')
}

/** Where a part begins and how long the whole is, when it is a part of the same file. */
function restOf(
  answer: Dispatcher.ResponseData,
  first: Dispatcher.ResponseData,
): { start: number; total: number } | undefined {
  // A server that does not know If-Range answers a part of whatever the file is now.
  const isOther = ['etag', 'last-modified'].some(name => {
    const [before, now] = [headerOf(first, name), headerOf(answer, name)]
    return before !== undefined && now !== undefined && before !== now
  })
  const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(headerOf(answer, 'content-range') ?? '')
  if (answer.statusCode !== 206 || isOther || range === null) return undefined
  return { start: Number.parseInt(range[1]!, 10), total: Number.parseInt(range[2]!, 10) }
}

/** How long the body says it is. */
function lengthOf(answer: Dispatcher.ResponseData): number | undefined {
  const length = headerOf(answer, 'content-length') ?? ''
  return /^\d{1,15}$/.test(length) ? Number.parseInt(length, 10) : undefined
}

function tooLarge(limit: number): DaybookError {
  return new DaybookError(
    'download-refused',
    `The file is larger than ${limit} bytes; if that is right, raise DAYBOOK_DOWNLOAD_MAX_BYTES.`,
    { details: { limit } },
  )
}

function failure(error: unknown, host: string): unknown {
  if (error instanceof DaybookError) return error
  const cause = error instanceof Error && isRefusal(error.cause) ? error.cause : undefined
  if (cause !== undefined) return cause
  const why = error instanceof Error ? error.message : 'unknown error'
  return new DaybookError('download-failed', `The download broke off: ${why}.`, {
    details: { host },
    cause: error,
  })
}

function isRefusal(error: unknown): error is DaybookError {
  return isFault(error, 'download-refused')
}

function headerOf(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** The name in `Content-Disposition`, else the last part of the link's path: a bare name, fit to be shown. */
function fileName(answer: Dispatcher.ResponseData, url: URL): string {
  const disposition = headerOf(answer, 'content-disposition') ?? ''
  const extended = /filename\*\s*=\s*UTF-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1]
  const plain = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition)
  const quoted = plain?.[1]?.replace(/\\(["\\])/g, '$1')
  return (
    bareName(decoded(extended)) ||
    bareName(quoted ?? plain?.[2]) ||
    bareName(decoded(url.pathname)) ||
    'report'
  )
}

/** The last part of a path, without what a terminal would obey; `''` when nothing is left. */
function bareName(path: string | undefined): string {
  const name = path?.split(/[/\\]/).at(-1)?.replace(/\p{C}/gu, '').trim() ?? ''
  return /^\.*$/.test(name) ? '' : name.slice(0, 200)
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function resolveAll(host: string): Promise<string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address)
}

/**
 * The look-up of every connection: refuses a name when any of its addresses is private, and connects to
 * the very addresses that were checked, so a second answer of the name server changes nothing.
 */
function guardedLookup(resolve: (host: string) => Promise<string[]>): LookupFunction {
  return (host, lookupOptions, callback) => {
    resolve(host).then(
      addresses => {
        try {
          if (host !== 'localhost') for (const address of addresses) checkAddress(address, host)
          const found = addresses.map(address => ({ address, family: isIP(address) }))
          const one = found[0]
          if (one === undefined) throw new Error(`${host} has no address`)
          if (lookupOptions.all === true) callback(null, found)
          else callback(null, one.address, one.family)
        } catch (error) {
          callback(error as NodeJS.ErrnoException, '', 0)
        }
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    )
  }
}

/** A literal address is connected to without a look-up, so it is checked here. */
function checkLiteralAddress(url: URL): void {
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && !isLoopbackHost(url)) checkAddress(literal, url.host)
}
