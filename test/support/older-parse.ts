/** Turns a parsed report in a folder store into what an older parser would have left there. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IdentifiedRow } from '../../src/domain/activity.ts'
import { activityKey, reportKeys } from '../../src/domain/keys.ts'
import type { Manifest } from '../../src/domain/report.ts'
import { encodeActivity, readActivity, readActivityMetadata } from '../../src/formats/parquet.ts'
import { REF } from './day-maker.ts'
import { sourceOf } from './statement-source.ts'

export const OLDER_PARSER = '0'

/**
 * `change` answers the rows that the older parser made of a day, or `undefined` for a day that is gone. The
 * manifest counts what the days then hold.
 */
export async function makeParseOlder(
  root: string,
  reportId: string,
  change: (day: string, rows: IdentifiedRow[]) => IdentifiedRow[] | undefined,
): Promise<Manifest> {
  const path = join(root, reportKeys(REF, reportId).manifest)
  const manifest = { ...(JSON.parse(await readFile(path, 'utf8')) as Manifest), parserVersion: OLDER_PARSER }
  let fewer = 0
  for (const { day } of manifest.days) {
    const file = join(root, activityKey(REF, day))
    const source = sourceOf(await readFile(file))
    const now = await readActivity(source)
    const rows = change(day, [...now])
    fewer += now.length - (rows?.length ?? now.length)
    const metadata = { ...(await readActivityMetadata(source)), 'daybook.parser_version': OLDER_PARSER }
    await rm(file)
    if (rows !== undefined) await writeFile(file, encodeActivity(rows, metadata))
  }
  const { read, written, ...rest } = manifest.rows
  const older = { ...manifest, rows: { ...rest, read: read - fewer, written: written - fewer } }
  await rm(path)
  await writeFile(path, JSON.stringify(older))
  return older
}
