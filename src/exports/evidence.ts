/**
 * The evidence of one report as a zip: what was asked, what came, byte for byte, and all that is needed to verify
 * it again without Daybook. The same objects always give the same bytes.
 */
import { createHash } from 'node:crypto'
import { DaybookError } from '../domain/errors.ts'
import { type AccountRef, publicKeyKey, reportKeys, slotKey, slotOutcomeKey } from '../domain/keys.ts'
import type { AcceptedRecord, ArchiveRecord, CallbackRecord, Manifest } from '../domain/report.ts'
import type { ZipEntry } from '../formats/zip-writer.ts'
import type { CallbackProof, Provider } from '../providers/provider.ts'
import { readPublicKey } from '../providers/rsa-keys.ts'
import { newestManifest } from '../stores/manifests.ts'
import type { ObjectStore } from '../stores/object-store.ts'
import { publicKeys } from '../stores/public-keys.ts'
import type { ReportLog } from '../stores/report-log.ts'
import { hashedZip, textEntry } from './hashed-zip.ts'

export interface EvidenceContext {
  readonly store: ObjectStore
  readonly reports: ReportLog
}

export interface EvidenceAccount {
  readonly ref: AccountRef
  readonly provider: Pick<Provider, 'callbacks'>
}

/** A file name of plain characters; `.zip` goes behind it. */
export function evidenceName({ provider, account }: AccountRef, reportId: string): string {
  return `evidence-${provider}-${account}-${reportId}`
}

/**
 * The bundle as a stream. Throws `not-found` for a report that nothing is known of, before the first byte, and
 * `file-damaged` at the end of a stored file that is not the one that was archived.
 */
export async function* evidenceBundle(
  { store, reports }: EvidenceContext,
  { ref, provider }: EvidenceAccount,
  reportId: string,
): AsyncGenerator<Uint8Array> {
  const keys = await keysUnder(store, reportKeys(ref, reportId).folder)
  if (keys.length === 0) throw new DaybookError('not-found', `Nothing is known of a report ${reportId}.`)
  const [accepted, callback, archived, manifest] = await Promise.all([
    reports.read(ref, reportId, 'accepted'),
    reports.read(ref, reportId, 'callback'),
    reports.read(ref, reportId, 'archive'),
    newestManifest(store, reports, ref, reportId),
  ])
  const proof = callback && provider.callbacks?.proof?.(callback)
  const key = proof && (await publicKeys(store, ref.provider).read(proof.keySerial))
  const name = evidenceName(ref, reportId)

  async function* entries(): AsyncGenerator<ZipEntry> {
    yield textEntry(
      'README.txt',
      readmeOf({ ref, reportId, accepted, callback, archived, manifest, proof, key: key !== undefined }),
    )
    for (const one of keys)
      yield storedEntry(store, one, `report/${one.slice(reportKeys(ref, reportId).folder.length)}`, archived)
    if (callback !== undefined) {
      yield { name: 'callback/body', read: () => [Buffer.from(callback.bodyBase64, 'base64')] }
    }
    if (proof !== undefined) {
      yield { name: 'callback/signed', read: () => [proof.signed] }
      yield { name: 'callback/signature', read: () => [proof.signature] }
    }
    if (proof !== undefined && key !== undefined) {
      yield storedEntry(store, publicKeyKey(ref.provider, proof.keySerial), 'key/record.json')
      const pem = readPublicKey(key.publicKey).export({ type: 'spki', format: 'pem' }).toString()
      yield textEntry('key/public.pem', pem)
    }
    for (const [file, stored] of slotEntries(ref, accepted)) {
      if ((await store.head(stored)) !== undefined) yield storedEntry(store, stored, file)
    }
    if (manifest?.quarantine) yield storedEntry(store, manifest.quarantine, 'quarantine/rows.jsonl')
  }
  yield* hashedZip(name, entries())
}

async function keysUnder(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(prefix)) found.push(key)
  return found
}

function slotEntries(ref: AccountRef, accepted: AcceptedRecord | undefined): Array<[string, string]> {
  const slot = accepted?.slot
  if (slot === undefined || slot === null) return []
  return [
    ['quota/claim.json', slotKey(ref, slot.month, slot.number)],
    ['quota/outcome.json', slotOutcomeKey(ref, slot.month, slot.number)],
  ]
}

/** An object as it is stored; the archived file must still be the one that was archived. */
function storedEntry(store: ObjectStore, key: string, name: string, archived?: ArchiveRecord): ZipEntry {
  const expected =
    archived !== undefined && name === `report/file/${archived.file}` ? archived.sha256 : undefined
  return { name, read: () => checked(store, key, expected) }
}

async function* checked(
  store: ObjectStore,
  key: string,
  expected: string | undefined,
): AsyncGenerator<Uint8Array> {
  const sha256 = createHash('sha256')
  for await (const chunk of store.read(key)) {
    sha256.update(chunk)
    yield chunk
  }
  if (expected === undefined || sha256.digest('hex') === expected) return
  const says = `The stored file ${key} is not the one that was archived: its SHA-256 differs.`
  throw new DaybookError('file-damaged', says, { details: { key } })
}

interface Known {
  readonly ref: AccountRef
  readonly reportId: string
  readonly accepted: AcceptedRecord | undefined
  readonly callback: CallbackRecord | undefined
  readonly archived: ArchiveRecord | undefined
  readonly manifest: Manifest | undefined
  readonly proof: CallbackProof | undefined
  readonly key: boolean
}

function readmeOf({ ref, reportId, accepted, callback, archived, manifest, proof, key }: Known): string {
  const range = accepted?.request.range
  const lines = [
    `Evidence of report ${reportId} of ${ref.provider}/${ref.account}`,
    '',
    range === undefined
      ? 'What was asked for is not known.'
      : `Asked for: ${range.start} up to, not including, ${range.end} (UTC), wallets: ${accepted!.request.wallets}.`,
    callback === undefined
      ? 'No callback is kept.'
      : `Callback: received ${callback.receivedAt}, signed ${callback.signedAt} with key ${callback.keySerial}.`,
    archived === undefined
      ? 'No file is archived.'
      : `File: report/file/${archived.file}, ${archived.size} bytes, archived ${archived.archivedAt}, SHA-256 ${archived.sha256}.`,
    manifest === undefined
      ? 'It is not parsed.'
      : `Rows: ${manifest.rows.read} read = ${manifest.rows.written} written + ${manifest.rows.quarantined} quarantined + ${manifest.rows.outside} outside the days asked for.`,
    '',
    'Everything here is as it is stored. To verify it, in this folder:',
    '',
    '1. Nothing was changed since the bundle was made:',
    '     sha256sum -c SHA256SUMS',
  ]
  if (archived !== undefined)
    lines.push(
      '2. The file is the one that was archived: this prints the SHA-256 above, which report/archive.json holds too.',
      `     sha256sum "report/file/${archived.file}"`,
    )
  if (proof !== undefined && key)
    lines.push(
      '3. The provider signed the callback; callback/signed is what it signs, with callback/body in it:',
      '     openssl dgst -sha256 -verify key/public.pem -signature callback/signature callback/signed',
      '   key/record.json says where the key was read, and when it was first seen. The callback tells where the',
      '   file was to be fetched; it does not sign the file.',
    )
  lines.push('')
  return lines.join('\n')
}
