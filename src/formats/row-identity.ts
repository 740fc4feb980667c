/**
 * Row ids of a group: the same as `rowIdOf`, from bytes instead of strings. `identity-bytes` writes what is
 * hashed; the hash itself is node's, or the WebAssembly kernel's, which hashes four rows at a time.
 */
import { hash } from 'node:crypto'
import { identityWriter, LONGEST_FIXED } from './identity-bytes.ts'
import type { RowGroup } from './row-group.ts'

/** Characters of a row id. */
export const ID_CHARACTERS = 32

/** Writes the ids of a group's rows, as hex digits one after the other. */
export type IdentifyGroup = (group: RowGroup, ids: Uint8Array) => void

/** In plain TypeScript: a call of node's hash for every row. */
export function plainIdentifier(): IdentifyGroup {
  let message = Buffer.alloc(LONGEST_FIXED)
  return (group, ids) => {
    const writer = identityWriter(group)
    const target = Buffer.from(ids.buffer as ArrayBuffer, ids.byteOffset, ids.byteLength)
    for (let row = 0; row < group.rows; row++) {
      const longest = writer.longest(row)
      if (longest > message.length) message = Buffer.alloc(longest * 2)
      const end = writer.write(row, message, 0)
      target.write(
        hash('sha256', message.subarray(0, end), 'hex'),
        row * ID_CHARACTERS,
        ID_CHARACTERS,
        'latin1',
      )
    }
  }
}
