/**
 * Row ids of a group: the same as `rowIdOf`, from bytes instead of strings. `identity-bytes` writes what is
 * hashed; the hash itself is node's, or the WebAssembly kernel's, which hashes four rows at a time.
 */
import { hash } from 'node:crypto'
import { identityWriter, LONGEST_FIXED } from './identity-bytes.ts'
import type { RowGroup } from './row-group.ts'

/** Bytes of a row id, of which each is written as two hex digits. */
export const ID_BYTES = 16

/** Writes the ids of a group's rows one after the other, as bytes. */
export type IdentifyGroup = (group: RowGroup, ids: Uint8Array) => void

/** In plain TypeScript: a call of node's hash for every row. */
export function plainIdentifier(): IdentifyGroup {
  let message = Buffer.alloc(LONGEST_FIXED)
  return (group, ids) => {
    const writer = identityWriter(group)
    for (let row = 0; row < group.rows; row++) {
      const longest = writer.longest(row)
      if (longest > message.length) message = Buffer.alloc(longest * 2)
      const end = writer.write(row, message, 0)
      const digest = hash('sha256', message.subarray(0, end), 'buffer')
      ids.set(digest.subarray(0, ID_BYTES), row * ID_BYTES)
    }
  }
}
