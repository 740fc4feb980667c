/** What must hold for any file at all. Throws for a promise that is broken. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault } from '../../src/domain/errors.ts'
import type { ByteSource } from '../../src/formats/byte-source.ts'
import { describeFile } from '../../src/formats/describe.ts'
import { digestStatement } from '../../src/formats/digest.ts'
import { readItems } from '../support/statement-fixture.ts'
import { sourceOf } from '../support/statement-source.ts'

/** Answers in a word what became of the file. */
export async function checkInput(source: ByteSource): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-fuzz-'))
  try {
    const digested = await digestOutcome(source, folder)
    const again = await itemsOutcome(await sameBytes(source))
    // A file with two faults may be refused for either: how far it was read when one is met is a matter of chunks.
    const bothRefused = again.startsWith('file-') && digested.startsWith('file-')
    assert.ok(bothRefused || again === digested, `other chunks, another outcome: ${again}, ${digested}`)
    const { fault } = await describeFile(source)
    assert.equal(fault !== null, digested.startsWith('file-'), 'described and digested differ')
    return digested
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function digestOutcome(source: ByteSource, folder: string): Promise<string> {
  const range = { start: '2026-10-01', end: '2026-10-04' }
  return faultOr(async () => {
    const { rows, days, quarantine } = await digestStatement(source, { range, folder, metadata: {} })
    assert.equal(rows.read, rows.written + rows.quarantined + rows.outside, 'rows are lost')
    assert.equal(
      days.reduce((sum, day) => sum + day.rows, 0),
      rows.written,
      'days hold other rows',
    )
    const lines = quarantine === undefined ? 0 : readFileSync(quarantine.path, 'utf8').split('\n').length - 1
    assert.equal(lines, rows.quarantined, 'quarantine holds other rows')
    return `rows ${rows.read} ${rows.quarantined}`
  })
}

async function itemsOutcome(source: ByteSource): Promise<string> {
  return faultOr(async () => {
    const items = await readItems(source, { blockBytes: 61 })
    return `rows ${items.length} ${items.filter(({ kind }) => kind === 'unreadable').length}`
  })
}

async function faultOr(work: () => Promise<string>): Promise<string> {
  try {
    return await work()
  } catch (error) {
    if (!isFault(error, 'file-unreadable') && !isFault(error, 'file-damaged')) throw error
    assert.match(String(error.details.reason), /^[a-z0-9-]+$/, 'a fault without a reason')
    return `${error.code} ${error.details.reason}`
  }
}

async function sameBytes(source: ByteSource): Promise<ByteSource> {
  return sourceOf(Buffer.concat(await Array.fromAsync(source.read())), source.name, 7)
}
