/** A data file of the `activity` table, written group by group. */
import { encodeFooter, MAGIC, type PlacedGroup } from './parquet-footer.ts'
import type { EncodedGroup } from './parquet-group.ts'

export interface DataFile {
  /** The bytes before the first group. */
  begin(): Uint8Array
  /** The bytes of one more group. */
  add(group: EncodedGroup): Uint8Array
  /** The last bytes. */
  end(): Uint8Array
}

/** One data file in pieces, of which none is kept. */
export function dataFile(metadata: Readonly<Record<string, string>>): DataFile {
  const groups: PlacedGroup[] = []
  let at = MAGIC.length
  return {
    begin: () => MAGIC,
    add({ rows, chunks, bytes }) {
      groups.push({ rows, chunks, start: at })
      at += bytes.length
      return bytes
    },
    end: () => encodeFooter(groups, metadata),
  }
}
