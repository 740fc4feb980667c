/** Fetches the file of a report and keeps it as it came, with its SHA-256. */
import { createHash } from 'node:crypto'
import { DaybookError, isFault } from '../domain/errors.ts'
import { reportKeys, safeSegment } from '../domain/keys.ts'
import type { ArchiveRecord } from '../domain/report.ts'
import type { Download } from '../providers/download.ts'
import type { ReportStatus } from '../providers/provider.ts'
import type { Account, Context } from './context.ts'

export type ArchiveOutcome =
  | { outcome: 'archived'; record: ArchiveRecord }
  | { outcome: 'already-archived'; record: ArchiveRecord }
  /** The provider is still at work. `answer`: what it said. */
  | { outcome: 'not-ready'; answer?: string }
  /** The provider gives no file now: making it failed, its link has run out, or the report is not known. */
  | { outcome: 'undeliverable'; status: Refusal['status']; answer?: string }

type Refusal = Extract<ReportStatus, { status: 'failed' | 'expired' | 'absent' }>

type ArchiveContext = Pick<Context, 'store' | 'reports' | 'download' | 'clock' | 'log' | 'onProgress'>

/** A transfer that cannot be continued is begun again this often. */
const MOST_TRIES = 3

/** A link this close to its end is not begun with. */
const LINK_MARGIN_MS = 30_000

export async function archive(
  context: ArchiveContext,
  account: Account,
  reportId: string,
): Promise<ArchiveOutcome> {
  const { reports, log } = context
  const known = await reports.read(account.ref, reportId, 'archive')
  if (known !== undefined) return { outcome: 'already-archived', record: known }
  const stored = await findStored(context, account, reportId)
  if (stored !== undefined) return keep(context, account, stored)

  const link = (await callbackLink(context, account, reportId)) ?? (await queriedLink(account, reportId))
  const fetched = isLink(link) ? await fetchLink(context, account, reportId, link) : link
  if ('status' in fetched) return withoutFile(fetched)
  log.info('report.fetched', { ...account.ref, reportId, size: fetched.size, via: fetched.via })
  return keep(context, account, fetched)
}

interface Link {
  readonly url: string
  readonly via: 'callback' | 'query'
}

/** The link of the callback, if it was signed freshly and has not run out. */
async function callbackLink(
  { reports, clock }: ArchiveContext,
  account: Account,
  reportId: string,
): Promise<Link | undefined> {
  const callback = await reports.read(account.ref, reportId, 'callback')
  if (callback === undefined || !callback.fresh) return undefined
  const content = account.provider.callbacks?.read(Buffer.from(callback.bodyBase64, 'base64'))
  if (content?.kind !== 'report' || content.link === undefined) return undefined
  const ends = content.linkExpiresAt?.getTime() ?? Number.POSITIVE_INFINITY
  return ends - clock.now().getTime() > LINK_MARGIN_MS ? { url: content.link, via: 'callback' } : undefined
}

/** The link that the provider gives when asked, or why it gives none. */
async function queriedLink(account: Account, reportId: string): Promise<Link | NoLink> {
  const status = await account.provider.reports?.query(reportId)
  if (status === undefined) return { status: 'absent' }
  return status.status === 'ready' ? { url: status.link, via: 'query' } : status
}

type NoLink = Exclude<ReportStatus, { status: 'ready' }>

function isLink(link: Link | NoLink): link is Link {
  return 'url' in link
}

function withoutFile({ status, ...said }: NoLink): ArchiveOutcome {
  return status === 'processing'
    ? { outcome: 'not-ready', ...said }
    : { outcome: 'undeliverable', status, ...said }
}

/**
 * Downloads with a bounded number of new beginnings. Before each the provider is asked for a link, because
 * the one at hand may have expired, or name a host that the provider has moved away from. A link that has
 * expired and is not replaced is the provider's answer, not a fault.
 */
async function fetchLink(
  context: ArchiveContext,
  account: Account,
  reportId: string,
  first: Link,
): Promise<ArchiveRecord | NoLink> {
  let link = first
  for (let tries = 1; ; tries++) {
    try {
      return await transfer(context, account, reportId, link)
    } catch (error) {
      const broken = isFault(error, 'download-failed')
      const refused = isFault(error, 'download-refused') && link.via === 'callback'
      if (tries >= MOST_TRIES || (!broken && !refused)) throw error
      context.log.warn('download.failed', { ...account.ref, reportId, tries, says: error.message })
      const fresh = await queriedLink(account, reportId)
      if (isLink(fresh)) link = fresh
      else if (error.details.expired === true) return fresh
      else if (refused) throw error
    }
  }
}

/** One transfer: from the link through the hash into the store, whole or not at all. */
async function transfer(
  context: ArchiveContext,
  account: Account,
  reportId: string,
  link: Link,
): Promise<ArchiveRecord> {
  const download = await context.download(link.url)
  const file = safeSegment(download.name)
  const sha256 = createHash('sha256')
  let size = 0
  const created = await context.store
    .create(
      reportKeys(account.ref, reportId).file(file),
      expectReport(
        tee(download, chunk => {
          sha256.update(chunk)
          size += chunk.length
          context.onProgress?.({ stage: 'archive', reportId, bytes: size })
        }),
      ),
    )
    .finally(() => download.discard())
  if (created.outcome === 'exists') {
    const stored = await findStored(context, account, reportId)
    if (stored !== undefined) return stored
  }
  return {
    reportId,
    file,
    name: download.name,
    size,
    sha256: sha256.digest('hex'),
    contentType: download.contentType,
    via: link.via,
    host: download.host,
    archivedAt: context.clock.now().toISOString(),
  }
}

async function* tee(download: Download, see: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of download.bytes) {
    see(chunk)
    yield chunk
  }
}

/**
 * Passes a report on, and fails on what only looks like one: no bytes at all, or the page that a link
 * answers with when it has expired.
 */
async function* expectReport(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begun = false
  for await (const chunk of bytes) {
    if (chunk.length === 0) continue
    if (!begun && isPage(chunk)) {
      throw new DaybookError(
        'download-failed',
        'The download is a web page or an error message, not a report.',
        {
          details: { expired: true },
        },
      )
    }
    begun = true
    yield chunk
  }
  if (!begun) throw new DaybookError('download-failed', 'The download is empty.')
}

/** HTML, XML and JSON begin with these; no report does. */
function isPage(chunk: Uint8Array): boolean {
  return /^\uFEFF?\s*[<{]/.test(Buffer.from(chunk.subarray(0, 64)).toString('utf8'))
}

/** A file that stands in the store without its record: its run died in between. Objects are whole or absent. */
async function findStored(
  { store, clock }: ArchiveContext,
  account: Account,
  reportId: string,
): Promise<ArchiveRecord | undefined> {
  const { filePrefix } = reportKeys(account.ref, reportId)
  for await (const { key, size } of store.list(filePrefix)) {
    const file = key.slice(filePrefix.length)
    const sha256 = createHash('sha256')
    for await (const chunk of store.read(key)) sha256.update(chunk)
    return {
      reportId,
      file,
      name: file,
      size,
      sha256: sha256.digest('hex'),
      contentType: null,
      via: 'store',
      host: null,
      archivedAt: clock.now().toISOString(),
    }
  }
  return undefined
}

/** Records the file. Of two runs at once, the first record stands. */
async function keep(
  { reports, log }: ArchiveContext,
  account: Account,
  record: ArchiveRecord,
): Promise<ArchiveOutcome> {
  const { reportId } = record
  if ((await reports.create(account.ref, reportId, 'archive', record)) === 'created') {
    log.info('report.archived', { ...account.ref, reportId, size: record.size, sha256: record.sha256 })
    return { outcome: 'archived', record }
  }
  const standing = await reports.read(account.ref, reportId, 'archive')
  return { outcome: 'already-archived', record: standing ?? record }
}
